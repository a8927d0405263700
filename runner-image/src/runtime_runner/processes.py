"""Ending the worker and everything it has started, and saying how it ended.

Two cases differ. As PID 1 of a pod the supervisor reaches every process there is with one call that nothing escapes. By
hand, under a shell, it is the *subreaper* instead: what the worker leaves behind becomes its child and is ended one by
one. Systems other than Linux have only the worker's process group.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from runtime_runner.launch import TERMINATION_LOG_VARIABLE

if TYPE_CHECKING:
    from runtime_runner.launch import Worker

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36

END_SECONDS = 3.0
"""How long to wait for killed processes to be gone. SIGKILL takes milliseconds unless a disk hangs."""


TERMINATION_LOG = "/dev/termination-log"


def forbid_inspection() -> None:
    """Close this process's memory and ``/proc/<pid>/fd`` to every other process of its user."""
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Make processes left behind by the worker our children instead of the init process's."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the kernel send this signal when our parent ends, so that no program outlives a killed supervisor."""
    _prctl(_PR_SET_PDEATHSIG, number)


def reap() -> dict[int, int]:
    """Collect every child that has ended: pid -> wait status."""
    ended = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended[pid] = status
    return ended


def terminate(worker: Worker) -> None:
    """Ask the worker and its process group to end."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGTERM)


def kill_everything(worker: Worker, *, collected: bool) -> None:
    """Leave no process but this one a chance to execute another instruction; `collect_all` waits for them to be gone.

    Args:
        worker: Whose processes these are.
        collected: Whether the worker itself has been waited for; its number may then belong to somebody else.
    """
    if os.getpid() == 1:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(-1, signal.SIGKILL)  # the kernel lets nobody fork meanwhile
        return
    if not collected:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)


def collect_all() -> dict[int, int]:
    """Wait until every process is gone, ending those that appear as orphans: pid -> wait status."""
    ended: dict[int, int] = {}
    deadline = time.monotonic() + END_SECONDS
    pause = 0.0005
    while time.monotonic() < deadline:
        ended |= reap()
        if not _has_children():
            break
        if os.getpid() != 1:
            for child in _children():  # not yet collected, so these numbers are still theirs
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
        time.sleep(pause)  # the kernel is taking them down; nothing else is left to do meanwhile
        pause = min(pause * 2, 0.02)
    return ended


def how_it_ended(status: int) -> str:
    """Say in words how a process ended, from its wait status."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"with exit code {code}"
    number = -code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    words = (signal.strsignal(number) or "signal").split(":")[0].lower()
    return f"by a signal: {words} ({name})"


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children() -> list[int]:
    """Return the processes whose parent is this one, as far as the system tells."""
    parent = str(os.getpid())
    children = []
    with suppress(FileNotFoundError, PermissionError):
        for name in os.listdir("/proc"):  # noqa: PTH208 - the names are wanted
            if name.isdigit():
                with suppress(OSError), open(f"/proc/{name}/stat") as file:
                    # pid (command, which may hold anything) state ppid ...
                    if file.read().rpartition(")")[2].split()[1] == parent:
                        children.append(int(name))
    return children


def _prctl(option: int, value: int) -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value}) failed")


def write_termination_message(text: str) -> None:
    """Leave this for the kubelet, if it has made the file."""
    path = os.environ.get(TERMINATION_LOG_VARIABLE, TERMINATION_LOG)
    with suppress(OSError), open(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as file:
        file.write(text)
