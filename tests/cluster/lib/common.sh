# Paths, progress lines and the installation of Debian packages. Sourced.
# shellcheck shell=bash disable=SC2034 # used where this is sourced

CLUSTER=quantum-runtime
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/quantum-runtime
BIN=$CACHE/bin               # tools the caller lacks; first in PATH
LOG=$CACHE/cluster.log       # what the last command's steps said
CLUSTER_KUBECONFIG=$CACHE/kubeconfig

# The caller's own PATH, to see what they have without us. Debian's system
# directories are added because dockerd and its helpers live there.
CALLER_PATH=${PATH//"$BIN:"/}
export PATH=$BIN:$CALLER_PATH:/usr/sbin:/sbin

say() { echo "$*" >&2; }
die() { say "cluster: $*"; exit 1; }

# step TITLE COMMAND...: run the command with its output in the log, and print
# one line saying how long it took. A failure ends the script (errexit stays on
# inside the command, which is why this is no "if") and on_exit shows the log.
step() {
  local start=$SECONDS
  STEP=$1; shift
  printf '%-44s ' "$STEP" >&2
  echo "### $STEP" >>"$LOG"
  ( "$@" ) >>"$LOG" 2>&1 </dev/null
  printf '%4d s\n' $((SECONDS - start)) >&2
  STEP=
}

WORK=
on_exit() {
  local code=$?
  if [[ -n ${STEP:-} ]]; then
    say failed
    tail -n 25 "$LOG" | sed 's/^/  | /' >&2
    say "cluster: \"$STEP\" failed; all of it is in $LOG"
  fi
  [[ -z $WORK ]] || rm -rf "$WORK"
  exit "$code"
}

# begin: one command at a time, a fresh log, and a place for half-made things
# that is emptied whatever happens. Results are moved into the cache when whole.
begin() {
  mkdir -p "$BIN"
  exec 9>"$CACHE/lock"
  if command -v flock >/dev/null; then
    flock -n 9 || { say "waiting for another run of this script"; flock 9; }
    rm -rf "$CACHE"/work.* # a killed run's
  fi
  WORK=$(mktemp -d "$CACHE/work.XXXXXX")
  : >"$LOG"
  trap on_exit EXIT
}

# callers PROGRAM: where the caller has it, whatever we put before it in PATH.
callers() { PATH=$CALLER_PATH:/usr/sbin:/sbin type -P "$1"; }

# put_first TARGET NAME: in one move, since others may be using the old one.
put_first() {
  ln -s "$1" "$WORK/$2"
  mv -f "$WORK/$2" "$BIN/$2"
  hash -r
}

# at_least HAVE WANT: compare versions such as v1.2.3.
at_least() {
  [[ $(printf '%s\n%s\n' "${2#v}" "${1#v}" | sort -V | head -n 1) == "${2#v}" ]]
}

is_root_on_linux() { [[ $(uname -s) == Linux && $EUID == 0 ]]; }

# need COMMAND PACKAGE...: the packages are installed if the command is missing.
need() {
  local command=$1; shift
  command -v "$command" >/dev/null || install_packages "$@"
}

install_packages() {
  if ! is_root_on_linux || ! command -v apt-get >/dev/null; then
    die "please install $* and try again"
  fi
  step "Debian packages: $*" apt_install "$@"
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y --no-install-recommends "$@" 9>&- && return
  apt-get update 9>&-
  apt-get install -y --no-install-recommends "$@" 9>&-
}
