#!/usr/bin/env bash
# Build the runner image from the lock file. Downloads happen here, not in `docker build`, and every one has its hash.
#
#   runner-image/build.sh IMAGE [BASE_IMAGE]
#
# The base needs Python 3.11 or newer with venv, and glibc 2.28 or newer. Needs uv and docker (with BuildKit) on PATH.
set -euo pipefail

image=${1:?usage: build.sh IMAGE [BASE_IMAGE]}
base=${2:-python:3.13-slim}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
context=$root/build/runner
packages=$context/site-packages
on_demand=$context/on-demand            # see runtime_runner/on_demand.py
export DOCKER_BUILDKIT=1

python=$(docker run --rm --network none --entrypoint python3 "$base" -c 'import platform; print(platform.python_version())')
case $(docker version --format '{{.Server.Arch}}') in
  amd64) platform=x86_64-manylinux_2_28 ;;
  arm64) platform=aarch64-manylinux_2_28 ;;
  *) echo "no wheels of Aer are published for this machine" >&2; exit 1 ;;
esac

rm -rf "$context"
mkdir -p "$context"
cd "$root"
export=(uv export --quiet --frozen --package runtime-runner --extra aer --no-emit-workspace --no-dev)
"${export[@]}" --output-file "$context/all.txt" >/dev/null
"${export[@]}" --prune qiskit-ibm-runtime --output-file "$context/most.txt" >/dev/null
uv build --quiet --wheel --package runtime-runner --out-dir "$context/dist"
install=(uv pip install --quiet --python-version "$python" --python-platform "$platform" --only-binary :all:)
"${install[@]}" --target "$packages" --require-hashes --requirement "$context/most.txt"
"${install[@]}" --target "$on_demand" --require-hashes --requirement "$context/all.txt"
for entry in "$packages"/*; do rm -rf "${on_demand:?}/${entry##*/}"; done    # what is left is what was pruned above
"${install[@]}" --target "$packages" --no-deps "$context"/dist/*.whl
rm -rf "$packages"/{bin,.lock} "$on_demand"/{bin,.lock}                      # scripts with this machine's paths in them
rm -rf "$packages"/{numpy,scipy}/{,*/,*/*/,*/*/*/}tests                      # 20 MB that nothing imports

docker build --quiet --build-arg BASE_IMAGE="$base" --file "$here/Dockerfile" --tag "$image" "$context" >/dev/null
docker image inspect --format "$image: {{.Size}} bytes, Python $python, on $base" "$image"
