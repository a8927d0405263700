"""What a program can reach and do from inside its pod: nothing. Every probe is first seen to work where it may."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from e2e.support.cluster import RUNNERS

if TYPE_CHECKING:
    from e2e.support.cluster import Job, Object, Space

IMAGE = "quantum-runtime/runner:dev"
PORT = 7070

REACH = '''
import socket, ssl, struct, time

NAME = b"\\x0akubernetes\\x07default\\x03svc\\x07cluster\\x05local\\x00"
QUERY = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + NAME + struct.pack(">2H", 1, 1)

def answers_tls(host, port):
    """Says hello to a TLS server and waits for its certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=2) as plain, context.wrap_socket(plain) as secure:
        return bool(secure.getpeercert(binary_form=True))

def answers_tcp(host, port):
    with socket.create_connection((host, port), timeout=2) as stream:
        stream.settimeout(2)
        stream.sendall(b"hello")
        return stream.recv(100) == b"HELLO"

def answers_udp(host, port, message=b"hello", begins=b"HELLO"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(1)
        for _ in range(2):
            datagrams.sendto(message, (host, port))
            try:
                return datagrams.recv(4096).startswith(begins)
            except TimeoutError:
                pass
    return False

def answers_dns_udp(host, port):
    return answers_udp(host, port, QUERY, QUERY[:2])

def answers_dns_tcp(host, port):
    with socket.create_connection((host, port), timeout=2) as stream:
        stream.settimeout(2)
        stream.sendall(struct.pack(">H", len(QUERY)) + QUERY)
        return stream.recv(4096)[2:4] == QUERY[:2]

def reach(targets):
    """Returns for every target whether somebody there has answered."""
    found = {}
    for name, (how, host, port) in targets.items():
        try:
            found[name] = globals()["answers_" + how](host, port)
        except OSError:
            found[name] = False
    return found
'''

LISTENER = f"""
import socket, threading

def echo_udp():
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("", {PORT}))
    while True:
        data, sender = datagrams.recvfrom(100)
        datagrams.sendto(data.upper(), sender)

def serve():
    threading.Thread(target=echo_udp, daemon=True).start()
    listener = socket.create_server(("", {PORT}))
    while True:
        stream, _ = listener.accept()
        stream.sendall(stream.recv(100).upper())
        stream.close()
"""

PROBER = (
    REACH
    + """
import json, sys

wanted = json.loads(sys.argv[1])
expected = sys.argv[2] == "open"
for _ in range(20):
    found = reach(wanted)
    if all(found.values()) or not expected:
        break
    time.sleep(0.3)
print(json.dumps(found))
"""
)

INSIDE = (
    REACH
    + '''
import ctypes, os

def attempt(action):
    """Returns the name of the error, or None if it worked."""
    try:
        action()
    except OSError as error:
        return errno_name(error)
    return None

def errno_name(error):
    import errno
    return errno.errorcode.get(error.errno, type(error).__name__)

def system_call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)

def look_up(name):
    try:
        socket.getaddrinfo(name, 443)
    except socket.gaierror:
        return False
    return True

def tokens():
    suspicious = [p for p in ("/var/run/secrets", "/run/secrets") if os.path.exists(p)]
    return suspicious + [name for name in os.environ if "TOKEN" in name or "SECRET" in name or "PASSWORD" in name]

def main(backend, user_messenger, targets):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    began = time.monotonic()
    resolved = {name: look_up(name) for name in ("kubernetes.default.svc", "example.org", "localhost.example")}
    resolving = time.monotonic() - began
    return {
        "reached": reach(targets),
        "resolved": resolved,
        "resolving_seconds": resolving,
        "tokens": tokens(),
        "mounts": [line.split()[1] for line in open("/proc/mounts") if "secret" in line or "token" in line],
        "errors": {
            "write /etc/passwd": attempt(lambda: open("/etc/passwd", "a")),
            "write /": attempt(lambda: open("/program", "w")),
            "write into its libraries": attempt(lambda: open(os.path.dirname(socket.__file__) + "/x.py", "w")),
            "read /proc/1/mem": attempt(lambda: open("/proc/1/mem", "rb").read(1)),
            "list /proc/1/fd": attempt(lambda: os.listdir("/proc/1/fd")),
            "open /proc/1/fd/0": attempt(lambda: open("/proc/1/fd/0", "rb")),
            "open /proc/1/fd/1": attempt(lambda: open("/proc/1/fd/1", "wb")),
            "read /proc/1/environ": attempt(lambda: open("/proc/1/environ", "rb").read()),
            "ptrace PID 1": attempt(lambda: system_call("ptrace", 16, 1, 0, 0)),
            "mount": attempt(lambda: system_call("mount", b"none", b"/tmp", b"tmpfs", 0, None)),
            "unshare": attempt(lambda: system_call("unshare", 0x10000000)),
            "become root": attempt(lambda: os.setuid(0)),
            "raw socket": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
            "write its scratch": attempt(lambda: open("/tmp/mine", "w")),
        },
        "status": {name: status[name].split()[0] for name in (
            "Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")},
        "killed PID 1": attempt(lambda: (os.kill(1, 9), os.kill(1, 19))),
    }
'''
)

LISTENS = (
    LISTENER
    + """
import time

def main(backend, user_messenger):
    threading.Thread(target=serve, daemon=True).start()
    user_messenger.publish("listening")
    time.sleep(60)
"""
)


def pod(space: Space, name: str, program: str, *arguments: str) -> None:
    """Start a pod that is no runner: no NetworkPolicy is about it."""
    container: Object = {
        "name": name,
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python", "-I", "-B", "-c", program, *arguments],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    space.create("pods", {"metadata": {"name": name}, "spec": spec})


def address(space: Space, name: str) -> str:
    body = space.cluster.wait(
        space.path("pods"),
        lambda _, pod: pod["status"].get("phase") == "Running" and "podIP" in pod["status"],
        f"{name} runs",
        seconds=30,
        fieldSelector=f"metadata.name={name}",
    )
    ip: str = body["status"]["podIP"]
    return ip


def probe(space: Space, name: str, targets: dict[str, Any], expected: str) -> dict[str, bool]:
    """Return what a pod that is no runner can reach; ``open``: it may take a moment until it can."""
    pod(space, name, PROBER, json.dumps(targets), expected)
    space.cluster.wait(
        space.path("pods"),
        lambda _, body: body["status"].get("phase") in ("Succeeded", "Failed"),
        f"{name} ends",
        seconds=60,
        fieldSelector=f"metadata.name={name}",
    )
    found: dict[str, bool] = json.loads(space.kubectl("logs", name))
    return found


@pytest.fixture(scope="module")
def listening(space: Space) -> Job:
    """A program that listens, and stays."""
    return space.run(LISTENS)


@pytest.fixture(scope="module")
def targets(space: Space, listening: Job) -> dict[str, Any]:
    """What a program must not reach, by name."""
    pod(space, "neighbour", LISTENER + "serve()")
    get = space.cluster.request
    api = get("GET", "/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
    node = get("GET", "/api/v1/namespaces/default/endpoints/kubernetes")["subsets"][0]
    dns = get("GET", "/api/v1/namespaces/kube-system/services/kube-dns")["spec"]["clusterIP"]
    neighbour = address(space, "neighbour")
    return {
        "API server by its service": ("tls", api, 443),
        "API server by its node": ("tls", node["addresses"][0]["ip"], node["ports"][0]["port"]),
        "kubelet": ("tls", node["addresses"][0]["ip"], 10250),
        "DNS over UDP": ("dns_udp", dns, 53),
        "DNS over TCP": ("dns_tcp", dns, 53),
        "neighbour over TCP": ("tcp", neighbour, PORT),
        "neighbour over UDP": ("udp", neighbour, PORT),
    }


@pytest.fixture(scope="module")
def inside(space: Space, targets: dict[str, Any]) -> Object:
    """What a program found; it looks while a pod that may reach them does the same."""
    job = space.run(INSIDE, inputs={"targets": targets})
    assert set(probe(space, "allowed", targets, "open").items()) == {(name, True) for name in targets}, (
        "the targets cannot be reached by anybody: that a program cannot would show nothing"
    )
    status = job.ended()
    assert status["phase"] == "Completed", status["failure"]
    found: Object = json.loads(status["result"])
    return found


def test_a_program_reaches_nobody(inside: Object, targets: dict[str, Any]) -> None:
    assert inside["reached"] == dict.fromkeys(targets, False)


def test_a_program_resolves_no_name_and_is_told_so_at_once(inside: Object) -> None:
    assert not any(inside["resolved"].values()), inside["resolved"]
    assert inside["resolving_seconds"] < 5


def test_nobody_reaches_a_program(space: Space, listening: Job, inside: Object) -> None:
    listening.wait(lambda s: s.get("interimResults", {}).get("published") == 1, "it listens")
    [runner] = listening.live_pods()
    ip = runner["status"]["podIP"]
    targets = {"over TCP": ("tcp", ip, PORT), "over UDP": ("udp", ip, PORT)}
    assert probe(space, "curious", targets, "closed") == {"over TCP": False, "over UDP": False}
    listening.patch(cancel=True)


def test_a_program_has_no_token(inside: Object) -> None:
    assert (inside["tokens"], inside["mounts"]) == ([], [])


def test_a_program_writes_nothing_but_its_scratch(inside: Object) -> None:
    written = {what: error for what, error in inside["errors"].items() if what.startswith("write")}
    assert written.pop("write its scratch") is None
    assert set(written.values()) <= {"EROFS", "EACCES"}, written
    assert written["write /"] == "EROFS"


def test_pid_1_is_closed_to_a_program(inside: Object) -> None:
    closed = {what: error for what, error in inside["errors"].items() if "/proc/1" in what or "PID 1" in what}
    assert len(closed) == 6
    assert set(closed.values()) <= {"EACCES", "EPERM"}, closed
    assert inside["killed PID 1"] is None, "the kernel takes the signal and drops it: we are still here"


def test_a_program_has_no_rights(inside: Object) -> None:
    assert inside["status"] == {
        "Uid": "65532",
        "Gid": "65532",
        **dict.fromkeys(("CapEff", "CapPrm", "CapBnd", "CapAmb"), "0" * 16),
        "NoNewPrivs": "1",
        "Seccomp": "2",
    }
    for what in ("mount", "unshare", "become root", "raw socket"):
        assert inside["errors"][what] in ("EPERM", "EACCES"), what


def test_every_runner_pod_is_made_as_it_should_be(space: Space, inside: Object) -> None:
    for runner in space.list("pods", labelSelector=RUNNERS):
        spec = runner["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert [volume["name"] for volume in spec["volumes"]] == ["scratch"]
        assert "env" not in spec["containers"][0], "no input, no secret"
