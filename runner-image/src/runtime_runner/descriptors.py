"""Pipes and signals as descriptors that one loop can poll: nothing here ever waits."""

from __future__ import annotations

import os
import select
import signal

READ_BYTES = 64 * 1024
"""Read at once from one pipe, so that a flood in one does not hold up the others or the clock."""

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def signal_pipe() -> int:
    """Return a descriptor that yields the number of every signal we get."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)
    return read


def read(descriptor: int) -> bytes | None:
    """Read what there is; empty at the end, None if there is nothing yet."""
    try:
        return os.read(descriptor, READ_BYTES)
    except BlockingIOError:
        return None
    except OSError:  # closed, or a terminal that is gone
        return b""


def readable(descriptor: int, seconds: float = 0) -> bool:
    """Wait at most so long; return whether `read` would give something, be it the end."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
