# Which Docker daemon and client to use, and a daemon of our own where there is
# none. Sourced.
# shellcheck shell=bash disable=SC2153 # variables of common.sh

# The socket lies in /run because socket paths are short of room and because
# a reboot empties it; the images lie in the cache and survive one.
DOCKER_DATA=$CACHE/docker
DOCKER_RUN=/run/quantum-runtime
DOCKER_PIDFILE=$DOCKER_RUN/docker.pid
DOCKER_LOG=$CACHE/dockerd.log
OUR_DOCKER=unix://$DOCKER_RUN/docker.sock

# choose_docker: sets DOCKER_HOST for ours, and leaves the caller's alone. Ours
# stays the choice while it runs, since the cluster is in it.
choose_docker() {
  [[ ${DOCKER_HOST:-} != "$OUR_DOCKER" ]] || unset DOCKER_HOST
  if our_daemon_runs || { is_root_on_linux && ! docker_answers; }; then
    export DOCKER_HOST=$OUR_DOCKER
  fi
}

docker_answers() { docker version >/dev/null 2>&1; }
docker_is_ours() { [[ ${DOCKER_HOST:-} == "$OUR_DOCKER" ]]; }

# A pid file may outlive its process and the number be handed on, so the
# process has to be a dockerd that listens on our socket.
our_daemon_runs() { process_matches "$DOCKER_PIDFILE" dockerd "$OUR_DOCKER"; }

# process_matches PIDFILE NAME ARGUMENT
process_matches() {
  local pid
  pid=$(cat "$1" 2>/dev/null) && [[ -e /proc/$pid/cmdline ]] || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -E "^[^ ]*$2 " | grep -qF -- "$3"
}

# need_docker: a daemon answers, and the first client in PATH can build with it.
need_docker() {
  choose_docker
  if ! docker_answers; then
    is_root_on_linux || die "no Docker daemon answers; please start Docker and try again"
    need dockerd docker.io
    choose_docker # installing may have started the system's own
  fi
  link_client
  if ! docker_answers; then
    step "Docker daemon of our own" start_daemon
  fi
}

# A client from version 23 on builds only with the buildx plugin; a client
# without it may come first in PATH and hide one that can build.
link_client() {
  if can_build "$(callers docker)"; then
    rm -f "$BIN/docker"
    hash -r
    return
  fi
  if link_first_that_builds; then return; fi
  if docker_is_ours; then
    install_packages docker.io
    local package
    for package in docker-cli docker-buildx; do # apart in newer distributions
      if apt-cache show "$package" >/dev/null 2>&1; then install_packages "$package"; fi
    done
    link_first_that_builds || die "please install docker-buildx and try again"
  fi
}

link_first_that_builds() {
  local client
  while read -r client; do
    if ! can_build "$client"; then continue; fi
    # An old client cannot talk to every newer daemon.
    if docker_answers && ! "$client" version >/dev/null 2>&1; then continue; fi
    put_first "$client" docker
    return
  done < <(PATH=$CALLER_PATH:/usr/sbin:/sbin type -aP docker)
  return 1
}

can_build() {
  "$1" buildx version >/dev/null 2>&1 && return
  [[ $("$1" --version 2>/dev/null) =~ version\ (18|19|20|21|22)\. ]]
}

start_daemon() {
  mkdir -p "$DOCKER_DATA" "$DOCKER_RUN"
  if try_daemon; then return; fi
  # What a killed run left can be too broken for Docker to tidy up. Its images
  # are lost with it; ours come back from the cache.
  echo "starting again with nothing"
  kill_leftovers
  try_daemon
}

try_daemon() {
  # Docker waits for (or kills) whatever these name, which after a crash may be
  # somebody else's process.
  our_daemon_runs || rm -f "$DOCKER_PIDFILE" "${OUR_DOCKER#unix://}"
  local containerd=$DOCKER_RUN/docker/containerd/containerd.pid
  process_matches "$containerd" containerd "$DOCKER_RUN" || rm -f "$containerd"

  local runtime=()
  if lacks_sys_resource; then
    cp "$HERE/recipe/runc-bounded" "$CACHE/runc-bounded" # outlives the checkout
    runtime=(--add-runtime "bounded=$CACHE/runc-bounded" --default-runtime bounded)
  fi
  setsid nohup dockerd --host "$OUR_DOCKER" --pidfile "$DOCKER_PIDFILE" \
    --data-root "$DOCKER_DATA" --exec-root "$DOCKER_RUN/docker" \
    ${runtime[@]+"${runtime[@]}"} >"$DOCKER_LOG" 2>&1 </dev/null 9>&- &
  local _
  for _ in $(seq 150); do
    if docker_answers; then return 0; fi
    kill -0 $! 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$DOCKER_LOG"
  stop_daemon
  return 1
}

# Bit 24 of the set that bounds what a container can be given.
lacks_sys_resource() {
  local bounding
  bounding=$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
  (( (0x$bounding >> 24 & 1) == 0 ))
}

stop_daemon() {
  our_daemon_runs || return 0
  local pid _
  pid=$(cat "$DOCKER_PIDFILE")
  kill "$pid"
  for _ in $(seq 100); do
    our_daemon_runs || return 0
    sleep 0.2
  done
  kill -9 "$pid"
}

# kill_leftovers: processes of our containers, then our containerd, then mounts,
# bridges and files. A container's processes carry its id in their cgroup. No
# other daemon answers, and one that is started later makes its bridges anew.
kill_leftovers() {
  local container path
  for container in "$DOCKER_DATA"/containers/*; do
    kill_all_with "${container##*/}" cgroup
  done
  kill_all_with "$DOCKER_RUN/docker/containerd" cmdline
  sleep 1
  cut -d ' ' -f 2 /proc/mounts | sort -r | while read -r path; do
    case $path in
      "$DOCKER_DATA" | "$DOCKER_DATA"/* | "$DOCKER_RUN"/*) umount -l "$path" || true ;;
    esac
  done
  for path in /sys/class/net/br-????????????; do
    if [[ -e $path ]]; then ip link delete "${path##*/}" || true; fi
  done
  rm -rf --one-file-system "$DOCKER_DATA" "$DOCKER_RUN"
  mkdir -p "$DOCKER_DATA" "$DOCKER_RUN"
}

# kill_all_with TEXT FILE: the processes that have the text in /proc/PID/FILE.
kill_all_with() {
  local path
  for path in /proc/[0-9]*; do
    if grep -qsF -- "$1" "$path/$2"; then kill -9 "${path#/proc/}" || true; fi
  done
}
