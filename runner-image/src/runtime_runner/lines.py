"""Lines out of a stream of bytes whose writer is not trusted to ever end one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class LineBuffer:
    """Cuts what it is fed into lines; of one that is too long it keeps the beginning only."""

    START_BYTES = 64

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._data = bytearray()
        self._searched = 0
        self._too_long = False

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Return the lines completed by this data, without line ends, and whether each is whole."""
        self._data += data
        while (end := self._data.find(b"\n", self._searched)) >= 0:
            yield self._take(end)
        if len(self._data) > self.limit:
            self._too_long = True
        if self._too_long:
            del self._data[self.START_BYTES :]
        self._searched = len(self._data)

    def rest(self) -> Iterator[tuple[bytes, bool]]:
        """Return the last line if it has no end."""
        if self._data:
            yield self._take(len(self._data))

    def _take(self, end: int) -> tuple[bytes, bool]:
        whole = not self._too_long and end <= self.limit
        line = bytes(self._data[: end if whole else min(end, self.START_BYTES)])
        del self._data[: end + 1]
        self._searched, self._too_long = 0, False
        return line, whole
