#!/usr/bin/env bash
# Build the runner image from the lock file.
#
#   runner-image/build.sh IMAGE [BASE_IMAGE]
set -euo pipefail

image=${1:?usage: build.sh IMAGE [BASE_IMAGE]}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Why on demand: runtime_runner/on_demand.py
ON_DEMAND=qiskit-ibm-runtime exec "$root/tools/build-image.sh" runner-image "$image" "${2:-python:3.13-slim}" 'runtime-runner[aer]'
