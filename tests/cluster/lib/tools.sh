# kind, kubectl and helm: the caller's where they fit, otherwise built once into
# the cache and linked into BIN. Sourced.
# shellcheck shell=bash

tool_dir() { echo "$CACHE/$1-$2"; }

# need_tool_built NAME VERSION: the folder tool_dir names is there and whole.
need_tool_built() {
  local dir
  dir=$(tool_dir "$1" "$2")
  if [[ -d $dir ]]; then return; fi
  need_go
  case $1 in
    kubernetes) step "Kubernetes $2 (some minutes)" build_kubernetes "$dir" \
      kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubeadm kubectl kubelet ;;
    kubectl) step "kubectl $2" build_kubernetes "$dir" kubectl ;;
    kind) step "kind $2" go_tools "$dir" "$2" sigs.k8s.io/kind sigs.k8s.io/kind ;;
    helm) step "helm $2" build_helm "$dir" "helm.sh/helm/${2%%.*}" ;;
    etcd) step "etcd $2" go_tools "$dir" "$2" go.etcd.io/etcd/server/v3 go.etcd.io/etcd/server/v3 ;;
    coredns) step "CoreDNS $2" go_tools "$dir" "$2" github.com/coredns/coredns github.com/coredns/coredns ;;
  esac
}

build_kubernetes() {
  local out=$1 minor package=k8s.io/component-base/version
  shift
  minor=${KUBERNETES_VERSION#v1.}
  export GO_LDFLAGS="-X $package.gitVersion=$KUBERNETES_VERSION -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
  go_tools "$out" "$KUBERNETES_VERSION" k8s.io/kubernetes "${@/#/k8s.io/kubernetes/cmd/}"
}

build_helm() {
  export GO_LDFLAGS="-X $2/internal/version.version=$HELM_VERSION"
  go_tools "$1" "$HELM_VERSION" "$2" "$2/cmd/helm"
}

# need_control_plane: for tests that run one without nodes. On machines that
# build their node image these programs are there already.
need_control_plane() {
  need_tool_built kubernetes "$KUBERNETES_VERSION"
  need_tool_built etcd "$ETCD_VERSION"
}

need_tools() {
  link_tool kind kind "$KIND_VERSION"
  if [[ -d $(tool_dir kubernetes "$KUBERNETES_VERSION") ]]; then
    link_tool kubectl kubernetes "$KUBERNETES_VERSION"
  else
    link_tool kubectl kubectl "$KUBERNETES_VERSION"
  fi
  link_tool helm helm "$HELM_VERSION"
}

# link_tool NAME BUILD VERSION
link_tool() {
  if fits "$1"; then
    rm -f "$BIN/$1"
    hash -r
    return
  fi
  need_tool_built "$2" "$3"
  put_first "$(tool_dir "$2" "$3")/$1" "$1"
}

# fits NAME: the caller has one we can work with.
fits() {
  local program version
  program=$(callers "$1") || return 1
  case $1 in
    kind)
      version=$("$program" version 2>/dev/null | grep -Eo 'v[0-9.]+' | head -n 1)
      at_least "${version:-0}" "$KIND_OLDEST" ;;
    helm)
      version=$("$program" version --short 2>/dev/null | grep -Eo 'v[0-9.]+' | head -n 1)
      at_least "${version:-0}" "$HELM_OLDEST" ;;
    kubectl) # supported within one minor of the server
      version=$("$program" version --client 2>/dev/null | sed -n 's/^Client Version: v1\.\([0-9]*\).*/\1/p')
      local server=${KUBERNETES_VERSION#v1.}
      server=${server%%.*}
      [[ -n $version ]] && (( version >= server - 1 && version <= server + 1 )) ;;
  esac
}
