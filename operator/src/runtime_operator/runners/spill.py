"""Interim results for which the status has no room (any more), as JSON lines, until they are stored."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from typing import TYPE_CHECKING

from runtime_operator.api.conditions import format_exact_time
from runtime_operator.observe.snapshots import StoredInterims

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime_operator.observe.snapshots import InterimResult


class Spill:
    """What one runner's status could not hold.

    A runner's journal is replayed to an operator that has just started; what is stored already is forgotten again as
    soon as somebody says so, and its digest kept, so that the digest of the whole can be told at any time.
    """

    def __init__(self) -> None:
        self.size = 0
        """Bytes that wait."""
        self._lines: deque[tuple[int, bytes]] = deque()
        self._stored_size = 0
        self._stored = hashlib.sha256()

    def add(self, interim: InterimResult) -> None:
        """Take the next one."""
        line = _line(interim)
        self._lines.append((interim.seq, line))
        self.size += len(line)

    def forget(self, seq: int) -> None:
        """Drop what is stored: everything up to this number."""
        while self._lines and self._lines[0][0] <= seq:
            line = self._lines.popleft()[1]
            self.size -= len(line)
            self._stored_size += len(line)
            self._stored.update(line)

    def unstored(self, rest: Iterable[InterimResult] = ()) -> tuple[str, StoredInterims]:
        """Return the lines that wait, and what is stored once they are: size and digest of the whole, no names.

        Args:
            rest: What the status holds, if that is to be stored, too.
        """
        lines = [*self._lines, *((interim.seq, _line(interim)) for interim in rest)]
        whole = self._stored.copy()
        for _, line in lines:
            whole.update(line)
        text = b"".join(line for _, line in lines)
        last = lines[-1][0] if lines else 0
        size = self._stored_size + len(text)
        return text.decode(), StoredInterims(size=size, sha256=whole.hexdigest(), seq=last)


def _line(interim: InterimResult) -> bytes:
    entry = {"seq": interim.seq, "time": format_exact_time(interim.time), "value": interim.value}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
