#!/usr/bin/env bash
# Build one of our images from the lock file. Downloads happen here, not in `docker build`, and every one has its hash.
#
#   [ON_DEMAND=PACKAGE] tools/build-image.sh FOLDER IMAGE BASE_IMAGE PACKAGE[EXTRA] [PACKAGE...]
#
# FOLDER holds the Dockerfile; the first PACKAGE is what the image is for, further ones are members of the workspace it
# needs. The Dockerfile finds everything installed in `site-packages` of its context, build/FOLDER; what only ON_DEMAND
# needs, and itself, in `on-demand`. The base needs Python 3.11 or newer with venv, and glibc 2.28 or newer. Needs uv and
# docker (with BuildKit) on PATH.
set -euo pipefail

usage="usage: build-image.sh FOLDER IMAGE BASE_IMAGE PACKAGE[EXTRA] [PACKAGE...]"
folder=${1:?$usage} image=${2:?$usage} base=${3:?$usage} main=${4:?$usage}
shift 4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
context=$root/build/$folder
packages=$context/site-packages on_demand=$context/on-demand
export DOCKER_BUILDKIT=1

export=(uv export --quiet --frozen --package "${main%%[*}" --no-emit-workspace --no-dev)
if [[ $main == *\[* ]]; then
  extra=${main##*[}
  export+=(--extra "${extra%]}")
fi

python=$(docker run --rm --network none --entrypoint python3 "$base" -c 'import platform; print(platform.python_version())')
case $(docker version --format '{{.Server.Arch}}') in
  amd64) platform=x86_64-manylinux_2_28 ;;
  arm64) platform=aarch64-manylinux_2_28 ;;
  *) echo "not every dependency is published as a wheel for this machine" >&2; exit 1 ;;
esac
install=(uv pip install --quiet --python-version "$python" --python-platform "$platform" --only-binary :all:)

rm -rf "$context"
mkdir -p "$context"
cd "$root"
"${export[@]}" ${ON_DEMAND:+--prune "$ON_DEMAND"} --output-file "$context/requirements.txt" >/dev/null
"${install[@]}" --target "$packages" --require-hashes --requirement "$context/requirements.txt"
if [[ -n ${ON_DEMAND:-} ]]; then
  "${export[@]}" --output-file "$context/all-requirements.txt" >/dev/null
  "${install[@]}" --target "$on_demand" --require-hashes --requirement "$context/all-requirements.txt"
  for entry in "$packages"/*; do rm -rf "${on_demand:?}/${entry##*/}"; done # what is left is what was pruned above
fi
for member in "${main%%[*}" "$@"; do
  uv build --quiet --wheel --package "$member" --out-dir "$context/dist"
done
"${install[@]}" --target "$packages" --no-deps "$context"/dist/*.whl
rm -rf "$packages"/{bin,.lock} "$on_demand"/{bin,.lock} # scripts with this machine's paths in them
rm -rf "$packages"/{numpy,scipy}/{,*/,*/*/,*/*/*/}tests # 20 MB that nothing imports

docker build --quiet --network none --build-arg BASE_IMAGE="$base" --file "$folder/Dockerfile" --tag "$image" "$context" >/dev/null
docker image inspect --format "$image: {{.Size}} bytes, Python $python, on $base" "$image"
