#!/usr/bin/env bash
# Build our images from the lock file. Downloads happen here, not in `docker build`, and every one has its hash.
#
#   [STAGE=STAGE] [ON_DEMAND=PACKAGE] [ADD_ON=EXTRA ADD_ON_IMAGE=IMAGE] \
#     tools/build-image.sh FOLDER IMAGE BASE_IMAGE PACKAGE[EXTRA] [PACKAGE...]
#
# FOLDER holds the Dockerfile, of which IMAGE is STAGE or else the last stage; the first PACKAGE is what the image is for,
# further ones are members of the workspace it needs. The Dockerfile finds everything installed in `site-packages` of its
# context, build/FOLDER; what only ON_DEMAND needs, and itself, in `on-demand`; what only the extra ADD_ON needs in a
# folder of its name, for the stage of its name, which becomes ADD_ON_IMAGE. The base needs Python 3.11 or newer with
# venv, and glibc 2.34 or newer. Needs uv and docker (with BuildKit) on PATH.
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
  amd64) platform=x86_64-manylinux_2_34 ;;
  arm64) platform=aarch64-manylinux_2_34 ;;
  *) echo "not every dependency is published as a wheel for this machine" >&2; exit 1 ;;
esac
install=(uv pip install --quiet --python-version "$python" --python-platform "$platform" --only-binary :all:)

# install_others TARGET REQUIREMENTS FOLDER...: what is required and not in one of the folders
install_others() {
  local target=$1 requirements=$2 there entry
  shift 2
  "${install[@]}" --target "$target" --require-hashes --requirement "$requirements"
  for there in "$@"; do
    for entry in "$there"/*; do rm -rf "${target:?}/${entry##*/}"; done
  done
}

# build STAGE IMAGE
build() {
  docker build --quiet --network none --build-arg BASE_IMAGE="$base" --file "$folder/Dockerfile" ${1:+--target "$1"} --tag "$2" "$context" >/dev/null
  docker image inspect --format "$2: {{.Size}} bytes, Python $python, on $base" "$2"
}

rm -rf "$context"
mkdir -p "$context"
cd "$root"
"${export[@]}" ${ON_DEMAND:+--prune "$ON_DEMAND"} --output-file "$context/requirements.txt" >/dev/null
"${install[@]}" --target "$packages" --require-hashes --requirement "$context/requirements.txt"
if [[ -n ${ON_DEMAND:-} ]]; then
  "${export[@]}" --output-file "$context/all-requirements.txt" >/dev/null
  install_others "$on_demand" "$context/all-requirements.txt" "$packages"
fi
if [[ -n ${ADD_ON:-} ]]; then
  "${export[@]}" --extra "$ADD_ON" --output-file "$context/$ADD_ON-requirements.txt" >/dev/null
  install_others "$context/$ADD_ON" "$context/$ADD_ON-requirements.txt" "$packages" "$on_demand"
fi
for member in "${main%%[*}" "$@"; do
  uv build --quiet --wheel --package "$member" --out-dir "$context/dist"
done
"${install[@]}" --target "$packages" --no-deps "$context"/dist/*.whl
rm -rf "$context"/*/{bin,.lock} # scripts with this machine's paths in them
find "$context"/*/{matplotlib,networkx,numpy,pandas,scipy,sklearn,sympy} -type d -name tests -prune \
  -exec rm -rf {} + 2>/dev/null || true # tens of MB that nothing imports; not every image has each of these

build "${STAGE:-}" "$image"
if [[ -n ${ADD_ON:-} ]]; then
  build "$ADD_ON" "${ADD_ON_IMAGE:?}"
fi
