#!/usr/bin/env bash
# Build one of our images from the lock file. Downloads happen here, not in `docker build`, and every one has its hash.
#
#   tools/build-image.sh FOLDER IMAGE BASE_IMAGE PACKAGE[EXTRA] [PACKAGE...]
#
# FOLDER holds the Dockerfile; the first PACKAGE is what the image is for, further ones are members of the workspace it
# needs. The Dockerfile finds everything installed in `site-packages` of its context, build/FOLDER. The base needs Python
# 3.11 or newer with venv, and glibc 2.28 or newer. Needs uv and docker (with BuildKit) on PATH.
set -euo pipefail

usage="usage: build-image.sh FOLDER IMAGE BASE_IMAGE PACKAGE[EXTRA] [PACKAGE...]"
folder=${1:?$usage} image=${2:?$usage} base=${3:?$usage} main=${4:?$usage}
shift 4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
context=$root/build/$folder
packages=$context/site-packages
export DOCKER_BUILDKIT=1

what=(--package "${main%%[*}")
if [[ $main == *\[* ]]; then
  extra=${main##*[}
  what+=(--extra "${extra%]}")
fi

python=$(docker run --rm --network none --entrypoint python3 "$base" -c 'import platform; print(platform.python_version())')
case $(docker version --format '{{.Server.Arch}}') in
  amd64) platform=x86_64-manylinux_2_28 ;;
  arm64) platform=aarch64-manylinux_2_28 ;;
  *) echo "not every dependency is published as a wheel for this machine" >&2; exit 1 ;;
esac

rm -rf "$context"
mkdir -p "$context"
cd "$root"
uv export --quiet --frozen "${what[@]}" --no-emit-workspace --no-dev --output-file "$context/requirements.txt" >/dev/null
for member in "${main%%[*}" "$@"; do
  uv build --quiet --wheel --package "$member" --out-dir "$context/dist"
done
install=(uv pip install --quiet --target "$packages" --python-version "$python" --python-platform "$platform" --only-binary :all:)
"${install[@]}" --require-hashes --requirement "$context/requirements.txt"
"${install[@]}" --no-deps "$context"/dist/*.whl
rm -rf "$packages/bin" "$packages/.lock" # scripts with this machine's paths in them
rm -rf "$packages"/{numpy,scipy}/{,*/,*/*/,*/*/*/}tests # 20 MB that nothing imports

docker build --quiet --network none --build-arg BASE_IMAGE="$base" --file "$folder/Dockerfile" --tag "$image" "$context" >/dev/null
docker image inspect --format "$image: {{.Size}} bytes, Python $python, on $base" "$image"
