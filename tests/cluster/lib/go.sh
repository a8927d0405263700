# Programs from the Go module proxy. Sourced.
# shellcheck shell=bash

need_go() {
  if ! command -v go >/dev/null && command -v apt-cache >/dev/null; then
    local offered
    offered=$(apt-cache policy golang-go | sed -n 's/ *Candidate: *\([0-9]*:\)\{0,1\}//p')
    if at_least "${offered:-0}" "$GO_OLDEST"; then install_packages golang-go; fi
  fi
  local have
  have=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || true
  at_least "${have:-0}" "$GO_OLDEST" || die "please install Go $GO_OLDEST or newer and try again"
  at_least "$have" "$GO_VERSION" || export GOTOOLCHAIN=go$GO_VERSION+auto
}

# Settings of the caller that would change what is built are left out; nice,
# because a build should not make the rest of a small machine wait.
go_build() {
  GOWORK=off CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false ${GO_MOD:-}" \
    nice -n 10 go build -ldflags "-s -w ${GO_LDFLAGS:-}" "$@" 9>&-
}

# go_tools OUT VERSION MODULE PACKAGE...: build the packages of a published
# module into the folder OUT. What they depend on follows from the module's own
# go.mod, and Go checks it against the public checksum database.
go_tools() {
  local out=$1 version=$2 module=$3 dir staged
  shift 3
  dir=$(mktemp -d "$WORK/go.XXXXXX")
  cd "$dir" || return
  export GO_MOD=-mod=mod GOFLAGS=-mod=mod GOWORK=off
  go mod init build
  # Kubernetes keeps its libraries in a folder of its repository and points to
  # it with "replace", which counts only at home. The same libraries are
  # published as v0.x; point there instead.
  for staged in $(staged_modules "$module" "$version"); do
    go mod edit -replace "$staged=$staged@v0.${version#v1.}"
  done
  go get -tool "${@/%/@$version}"
  mkdir built
  go_build -o built/ tool
  rm -rf "$out.new"
  cp -r built "$out.new"
  rm -rf "$out"
  mv "$out.new" "$out"
}

staged_modules() {
  sed -n 's|^\t\(k8s.io/[a-z-]*\) => ./staging/.*|\1|p' "$(module_field GoMod "$1" "$2")"
}

# module_field Dir|GoMod MODULE VERSION: a path in Go's module cache.
module_field() {
  go mod download -json "$2@$3" | sed -n "s/^\t\"$1\": \"\(.*\)\",*$/\1/p"
}
