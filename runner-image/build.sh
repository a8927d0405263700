#!/usr/bin/env bash
# Build the runner images from the lock file: the one with Qiskit and Aer, and on top of it the one of the profile
# `science`, if it is given a name.
#
#   runner-image/build.sh IMAGE [BASE_IMAGE [SCIENCE_IMAGE]]
#
# mthree is published for Python 3.11 and 3.12 on x86-64 only: the science image has it on such a base, for example
# python:3.12-slim, and not on others.
set -euo pipefail

image=${1:?usage: build.sh IMAGE [BASE_IMAGE [SCIENCE_IMAGE]]}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ -n ${3:-} ]]; then
  export ADD_ON=science ADD_ON_IMAGE=$3
fi
# Why on demand: runtime_runner/on_demand.py
STAGE=runner ON_DEMAND=qiskit-ibm-runtime \
  exec "$root/tools/build-image.sh" runner-image "$image" "${2:-python:3.12-slim}" 'runtime-runner[aer]'
