"""Cuts a stream of bytes into lines: watches and attach streams come that way, in pieces of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class LineCutter:
    """Give it pieces with `feed`, get whole lines back; what is behind the last newline waits for more.

    A line longer than ``limit`` bytes is dropped as it arrives and counted in ``dropped``: it is never held in memory.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        r"""Yield the lines that this piece completes, without their ``\n``."""
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._keep(end)
            line, whole = b"".join(self._parts), not self._skipping
            self._parts, self._size, self._skipping = [], 0, False
            if whole:
                yield line
        if rest:
            self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._limit:
            self._parts.append(part)
        elif not self._skipping:
            self._parts, self._skipping = [], True
            self.dropped += 1
