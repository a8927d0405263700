"""Starting the worker: the first thing a runner does.

A job for which no runner is kept ready waits for the worker's imports, and they wait for this. Hence it imports nothing
but what every Python has loaded when it starts: `typing`, `signal`, `ctypes` and what they need take 10 ms.
"""

from __future__ import annotations

import os
import sys

TERMINATION_LOG_VARIABLE = "RUNTIME_TERMINATION_LOG"
"""Names another file for the termination message; none of the worker's business."""

_PROGRAM = "import gc; gc.disable(); from runtime_runner import worker; worker.main()"
"""The collector is off from the first import on, which saves 8 ms, and on again after the warm-up: see there."""


class Worker:
    """The worker's process, and our ends of its pipes."""

    def __init__(self, pid: int, *, stdout: int, stderr: int, messages: int, requests: int, scratch: str) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.messages = messages
        self.requests = requests
        self.scratch = scratch
        """Folder for its temporary files, to be removed at the end; empty in a pod, which has a volume for them."""


def start_worker() -> Worker:
    """Start a fresh worker in a session of its own; of our descriptors it has five ends of pipes and nothing else."""
    environment = {name: value for name, value in os.environ.items() if name != TERMINATION_LOG_VARIABLE}
    scratch = ""
    if os.getpid() != 1:
        import tempfile

        scratch = environment["TMPDIR"] = tempfile.mkdtemp(prefix="runtime-runner-")
    read, write = zip(*(os.pipe() for _ in range(4)), strict=True)
    stdout, stderr, messages, requests = range(4)
    for descriptor in (write[messages], read[requests]):
        os.set_inheritable(descriptor, True)
    pipes = (str(read[requests]), str(write[messages]))
    # an image has its byte-code, and a read-only root; an installation may have none yet, and then takes 5 s to start
    byte_code = ["-B"] if os.getpid() == 1 else []
    pid = os.posix_spawn(
        sys.executable,
        # -I: neither the environment nor the working directory chooses code
        [sys.executable, "-I", *byte_code, "-X", "utf8", "-c", _PROGRAM, *pipes],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, write[stdout], 1),
            (os.POSIX_SPAWN_DUP2, write[stderr], 2),
        ],
        setsid=True,
        setsigmask=[],
    )
    for descriptor in (write[stdout], write[stderr], write[messages], read[requests]):
        os.close(descriptor)
    for descriptor in (read[stdout], read[stderr], read[messages], write[requests]):
        os.set_blocking(descriptor, False)
    return Worker(
        pid,
        stdout=read[stdout],
        stderr=read[stderr],
        messages=read[messages],
        requests=write[requests],
        scratch=scratch,
    )
