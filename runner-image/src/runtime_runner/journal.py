"""The journal: every line the runner writes to stdout is numbered, stamped, counted and written here.

Writing never blocks: lines wait in memory until the reader takes them, so that a reader who stops does not stop the
clock. The memory is bounded because the journal as a whole is (`contract.JOURNAL_BYTES`): each kind of event has its
share, and the answers to requests have one, too.
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime_runner import contract

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER_BYTES = 512 * 1024
"""For `Resumed` and `Refused`: some 4,000 of them. Later requests get no answer."""

FRAME_BYTES = contract.JOURNAL_BYTES - contract.PAYLOAD_BYTES - ANSWER_BYTES
"""For what has no limit of its own and not much to say: ready, started, failed, exit, and the frames of results."""

_ATOMIC_BYTES = 4096
"""What a pipe that polls as writable takes without blocking (PIPE_BUF on Linux)."""


@dataclass(slots=True)
class Budget:
    """Bytes of the journal that one kind of event may still use."""

    left: int

    def takes(self, size: int) -> bool:
        """Deduct the size if that much is left."""
        if size > self.left:
            return False
        self.left -= size
        return True


class Journal:
    """Writes events to a file descriptor, in order, without ever waiting for its reader."""

    def __init__(self, descriptor: int, *, clock: Callable[[], float] = time.time) -> None:
        self.newest = 0
        self.broken = False
        self._descriptor = descriptor
        self._clock = clock
        self._answers = Budget(ANSWER_BYTES)
        self._all = Budget(contract.JOURNAL_BYTES)
        self._waiting = bytearray()

    @property
    def waiting(self) -> bool:
        """Whether there are bytes the reader has not taken yet."""
        return bool(self._waiting) and not self.broken

    def emit(self, event: contract.JournalEvent, budget: Budget | None = None) -> bool:
        """Number, stamp and append the event; False, and nothing has changed, if its budget does not allow that."""
        line = contract.encode(dataclasses.replace(event, seq=self.newest + 1, time=self._clock()))
        if (budget is not None and budget.left < len(line)) or not self._all.takes(len(line)):
            return False
        if budget is not None:
            budget.takes(len(line))
        self.newest += 1
        self._waiting += line
        self.write_some()
        return True

    def answer(self, answer: contract.Answer) -> None:
        """Append an answer, which repeats the newest number; once their share is used up, nothing."""
        line = contract.encode(dataclasses.replace(answer, seq=self.newest, time=self._clock()))
        if self._answers.takes(len(line)) and self._all.takes(len(line)):
            self._waiting += line
            self.write_some()

    def write_some(self) -> None:
        """Write what the reader takes without blocking.

        The descriptor stays in blocking mode: it may be shared with whoever started us. Hence pieces that fit a pipe
        which has room, and a look before each.
        """
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while self.waiting and poll.poll(0):
            self._write_piece()

    def flush(self, seconds: float) -> None:
        """Wait until everything has been written, at most so long."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        deadline = time.monotonic() + seconds
        while self.waiting and poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            self._write_piece()

    def _write_piece(self) -> None:
        try:
            written = os.write(self._descriptor, self._waiting[:_ATOMIC_BYTES])
        except BlockingIOError:
            return  # somebody has put the descriptor into non-blocking mode
        except OSError:
            self.broken = True  # nobody will ever read it
        else:
            del self._waiting[:written]


def unnumbered(cls: Any, **fields: Any) -> Any:
    """Return an event that has not been numbered and stamped yet."""
    return cls(seq=0, time=0.0, **fields)


def escaped_size(text: str) -> int:
    """Return how many bytes the text takes inside an event."""
    return len(json.dumps(text)) - 2


def is_unicode(text: str) -> bool:
    """Return whether the text can be written at all: JSON can name lone surrogates, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
