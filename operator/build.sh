#!/usr/bin/env bash
# Build the operator image from the lock file.
#
#   operator/build.sh IMAGE [BASE_IMAGE]
set -euo pipefail

image=${1:?usage: build.sh IMAGE [BASE_IMAGE]}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec "$root/tools/build-image.sh" operator "$image" "${2:-python:3.12-slim}" runtime-operator runtime-runner
