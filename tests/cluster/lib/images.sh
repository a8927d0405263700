# Which images the node and our own images start from: the official ones where
# a registry can be reached, otherwise ones built here. Sourced.
# shellcheck shell=bash disable=SC2034 # used where this is sourced

image_present() { docker image inspect "$1" >/dev/null 2>&1; }

# official IMAGE: it is present or can be pulled. The daemon is asked rather than
# the registry, because it may know a mirror or a proxy. A "no" counts for a day.
official() {
  local refused
  refused=$CACHE/not-pullable-$(printf %s "$1" | tr -c 'a-zA-Z0-9.-' _)
  if image_present "$1"; then return 0; fi
  if [[ -n $(find "$refused" -mmin -1440 2>/dev/null) ]]; then return 1; fi
  printf '%-44s ' "docker pull ${1%@*}" >&2
  if pull "$1" >>"$LOG" 2>&1; then say ok; return 0; fi
  say "no; one built here is used"
  touch "$refused"
  return 1
}

# pull: a registry that has not answered after 20 seconds will not; one that has
# may take as long as it needs.
pull() {
  local out=$WORK/pull seconds=0
  docker pull "$1" >"$out" 2>&1 9>&- &
  while kill -0 $! 2>/dev/null && ! grep -Eq 'Pulling|Waiting|Downloading|Extracting' "$out"; do
    if (( ++seconds > 20 )); then
      kill $!
      return 1
    fi
    sleep 1
  done
  local code=0
  wait $! || code=$?
  cat "$out"
  return $code
}

# import ARCHIVE IMAGE CHANGE...: an image from a cached root file system.
import_image() {
  local archive=$1 image=$2 change changes=()
  shift 2
  for change in "$@"; do changes+=(-c "$change"); done
  docker import "${changes[@]}" "$archive" "$image"
}

# fingerprint PATH...: changes with the files a cached result was made from.
fingerprint() {
  (cd "$HERE" && find "$@" -type f | LC_ALL=C sort | xargs cat | sha256sum | cut -c 1-12)
}

# can_build_here IMAGE: where an image cannot be pulled, only this will do.
can_build_here() {
  if ! is_root_on_linux || ! command -v apt-get >/dev/null; then
    die "docker cannot pull ${1%@*}, and building the like of it needs root on Debian"
  fi
}

# node_image: sets NODE_IMAGE and NODE_IMAGE_IS_OURS.
node_image() {
  NODE_IMAGE_IS_OURS=
  NODE_IMAGE=$KIND_NODE_IMAGE
  if official "$NODE_IMAGE"; then return; fi
  can_build_here "$NODE_IMAGE"

  local key archive
  key=$KUBERNETES_VERSION-$(fingerprint versions.env recipe netpol lib/go.sh)
  archive=$CACHE/node-$key.tar
  NODE_IMAGE_IS_OURS=yes
  NODE_IMAGE=quantum-runtime/node:$key
  if image_present "$NODE_IMAGE"; then return; fi
  [[ -f $archive ]] || build_node "$archive"
  step "node image" import_image "$archive" "$NODE_IMAGE" \
    'ENV container=docker' \
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]'
}

build_node() {
  need_go
  need gcc gcc libc6-dev
  need mmdebstrap mmdebstrap debian-archive-keyring
  need_tool_built kubernetes "$KUBERNETES_VERSION"
  need_tool_built etcd "$ETCD_VERSION"
  need_tool_built coredns "$COREDNS_VERSION"
  step "NetworkPolicy enforcer" build_netpol "$WORK/netpol"
  step "kind's files for a node" kind_files "$WORK/kind-files"
  step "Debian $NODE_SUITE for the node" "$HERE/recipe/rootfs" "$NODE_SUITE" "$WORK/rootfs"
  step "node file system" "$HERE/recipe/node" "$1" "$WORK" \
    "$(tool_dir kubernetes "$KUBERNETES_VERSION")" \
    "$(tool_dir etcd "$ETCD_VERSION")" "$(tool_dir coredns "$COREDNS_VERSION")"
}

build_netpol() {
  cd "$HERE/netpol" || return
  go_build -mod=readonly -o "$1" .
}

kind_files() {
  cp -r "$(module_field Dir sigs.k8s.io/kind "$KIND_VERSION")/images/base/files" "$1"
  chmod -R u+w "$1"
}

# base_image: sets BASE_IMAGE, a Python with venv that a Dockerfile can start from.
base_image() {
  BASE_IMAGE=$PYTHON_IMAGE
  if official "$BASE_IMAGE"; then return; fi
  can_build_here "$BASE_IMAGE"

  local key archive
  key=$PYTHON_SUITE-$(fingerprint recipe/python-base)
  archive=$CACHE/python-base-$key.tar
  BASE_IMAGE=quantum-runtime/python-base:$key
  if image_present "$BASE_IMAGE"; then return; fi
  if [[ ! -f $archive ]]; then
    need mmdebstrap mmdebstrap debian-archive-keyring
    step "Debian $PYTHON_SUITE with Python" "$HERE/recipe/python-base" "$PYTHON_SUITE" "$WORK/python-base.tar"
    mv "$WORK/python-base.tar" "$archive"
  fi
  step "base image" import_image "$archive" "$BASE_IMAGE" \
    'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'ENV LANG=C.UTF-8' 'CMD ["python3"]'
}
