"""What of a program's output is written to the journal when there is more than its limit allows.

Both keepers write as they go until their share runs short, then remember only the newest and write it at the end. Of a
log the middle is missing then; of the interim results, all between the first and the newest.
"""

from __future__ import annotations

import codecs
import dataclasses
import json
from collections import deque
from typing import TYPE_CHECKING

from runtime_runner import contract
from runtime_runner.contract import FailureReason
from runtime_runner.journal import Budget, escaped_size, unnumbered

if TYPE_CHECKING:
    from runtime_runner.journal import Journal

STREAMS = ("stdout", "stderr")

LOG_PIECE_BYTES = 16 * 1024
"""Longest text in one log event: a line without end does not wait for its end."""

LOG_DELAY_SECONDS = 0.1
"""Lines that follow one another faster than this share an event."""

LOG_TAIL_BYTES = 64 * 1024
"""Kept of the end of a log that is too long: in general the part that says what went wrong."""

KEPT_INTERIMS = 20
"""Kept of the newest interim results when there are too many: as many as a job's status shows."""

KEPT_INTERIM_BYTES = 256 * 1024
"""Held back for them. One larger than this is kept only while there is room."""

_EVENT_FRAME_BYTES = 128
"""What an event's line has around its text, at most."""


class LogKeeper:
    """Turns what the program writes into log events."""

    def __init__(self, journal: Journal, limit: int) -> None:
        self.written_bytes = 0
        self.dropped_bytes = 0
        self.flush_at: float | None = None
        self._journal = journal
        self._tail_limit = min(LOG_TAIL_BYTES, limit // 2)
        self._head = Budget(limit - self._tail_limit)
        self._piece_bytes = max(256, min(LOG_PIECE_BYTES, limit // 8))
        self._pending = {stream: bytearray() for stream in STREAMS}
        self._order: list[str] = []
        self._last_flush = float("-inf")
        self._line_is_open = False
        self._tail: deque[tuple[str, bytes]] | None = None
        self._tail_bytes = 0

    def feed(self, stream: str, data: bytes, now: float) -> None:
        """Take what was read from the program's stdout or stderr."""
        self.written_bytes += len(data)
        if self._tail is not None:
            self._remember(stream, data)
            return
        pending = self._pending[stream]
        if not pending:
            self._order.append(stream)
        pending += data
        while len(pending) >= self._piece_bytes and self._tail is None:
            self._write(stream, _line_end(pending, self._piece_bytes) or _character_end(pending, self._piece_bytes))
        if self._tail is not None or not any(self._pending.values()):
            self.flush_at = None
        elif b"\n" in data and now - self._last_flush >= LOG_DELAY_SECONDS:
            self.flush(now)
        elif self.flush_at is None:
            self.flush_at = now + LOG_DELAY_SECONDS

    def flush(self, now: float) -> None:
        """Write whole lines, or what there is if no line has been completed since the last time."""
        self._last_flush, self.flush_at = now, None
        for stream in self._order:
            pending = self._pending[stream]
            if pending and self._tail is None:
                self._write(stream, _line_end(pending, len(pending)) or _character_end(pending, len(pending)))
        self._order = [stream for stream in self._order if self._pending[stream]]
        if self._order and self._tail is None:
            self.flush_at = now + LOG_DELAY_SECONDS

    def close(self) -> None:
        """Write what is left; if the log was too long: how much is missing, and its end."""
        for stream in self._order:
            if self._tail is None and self._pending[stream]:
                self._write(stream, len(self._pending[stream]))
        self.flush_at = None
        if self._tail is None:
            return
        budget = Budget(self._head.left + self._tail_limit)
        pieces = self._newest_pieces(budget.left - 2 * _EVENT_FRAME_BYTES)
        self.dropped_bytes = self.dropped_bytes + self._tail_bytes - sum(len(data) for _, data in pieces)
        line_end = "\n" if self._line_is_open else ""
        notice = f"{line_end}[runtime] {self.dropped_bytes} bytes of the log were left out here\n"
        self._journal.emit(unnumbered(contract.Log, stream="stderr", text=notice), budget)
        for stream, data in pieces:
            self._journal.emit(unnumbered(contract.Log, stream=stream, text=_text(data)), budget)

    def _write(self, stream: str, size: int) -> None:
        pending = self._pending[stream]
        data = bytes(pending[:size])
        if self._journal.emit(unnumbered(contract.Log, stream=stream, text=_text(data)), self._head):
            del pending[:size]
            self._line_is_open = not data.endswith(b"\n")
            return
        self._tail = deque()
        for name in self._order:
            rest, self._pending[name] = self._pending[name], bytearray()
            self._remember(name, bytes(rest))

    def _remember(self, stream: str, data: bytes) -> None:
        assert self._tail is not None
        self.dropped_bytes += max(0, len(data) - self._tail_limit)
        data = data[-self._tail_limit :] if self._tail_limit else b""
        self._tail.append((stream, data))
        self._tail_bytes += len(data)
        while self._tail and self._tail_bytes - len(self._tail[0][1]) >= self._tail_limit:
            dropped = len(self._tail.popleft()[1])
            self._tail_bytes -= dropped
            self.dropped_bytes += dropped

    def _newest_pieces(self, limit: int) -> list[tuple[str, bytes]]:
        """Return the end of the log, beginning with a whole line, such that its events fit the limit."""
        pieces: deque[tuple[str, bytes]] = deque()
        for stream, data in reversed(self._tail or ()):
            for piece in reversed(_cut(data, 1024)):
                joins = bool(pieces) and pieces[0][0] == stream and len(pieces[0][1]) < self._piece_bytes
                limit -= len(json.dumps(_text(piece))) + (0 if joins else _EVENT_FRAME_BYTES)
                if limit < 0:
                    break
                if joins:
                    pieces[0] = (stream, piece + pieces[0][1])
                else:
                    pieces.appendleft((stream, piece))
            if limit < 0:
                break
        if pieces:
            stream, first = pieces[0]
            if self.dropped_bytes or limit < 0:
                first = first[first.find(b"\n") + 1 :]
            pieces[0] = (stream, first)
        return [(stream, data) for stream, data in pieces if data]


class InterimKeeper:
    """Turns what the program publishes into interim events."""

    def __init__(self, journal: Journal, limit: int) -> None:
        self.published = 0
        self.dropped = 0
        self._journal = journal
        self._kept_limit = min(KEPT_INTERIM_BYTES, limit // 2)
        self._head = Budget(limit - self._kept_limit)
        self._kept: deque[tuple[contract.Interim, int]] | None = None
        self._kept_bytes = 0

    def feed(self, event: contract.Interim) -> None:
        """Take one published interim result."""
        self.published += 1
        if self._kept is None:
            if self._journal.emit(event, self._head):
                return
            self._kept = deque()
            self._kept_limit += self._head.left
        size = len(json.dumps(event.value)) + _EVENT_FRAME_BYTES
        if size > self._kept_limit:
            self.dropped += 1
            return
        self._kept.append((event, size))
        self._kept_bytes += size
        while len(self._kept) > KEPT_INTERIMS or self._kept_bytes > self._kept_limit:
            self._kept_bytes -= self._kept.popleft()[1]
            self.dropped += 1

    def drop(self) -> None:
        """Count one that is too large to be taken at all."""
        self.published += 1
        self.dropped += 1

    def close(self) -> None:
        """Write the newest that were kept."""
        for event, _ in self._kept or ():
            self._journal.emit(event)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _line_end(data: bytearray, size: int) -> int:
    """Return the length up to the last line end within the first ``size`` bytes; 0 if there is none."""
    return data.rfind(b"\n", 0, size) + 1


def _character_end(data: bytearray, size: int) -> int:
    """Return at most ``size``, such that no character is cut that continues behind it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(bytes(data[max(0, size - 8) : size]))
    unfinished = len(decoder.getstate()[0])
    return size - unfinished if unfinished < size else size


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def write_result(journal: Journal, text: str, limit: int) -> contract.Result | contract.Failed:
    """Write the result in pieces, or that it is larger than the limit; return what it came to."""
    size = escaped_size(text)
    if size > limit:
        message = f"the result takes {size} bytes as JSON, the limit is {limit} bytes"
        failed: contract.Failed = unnumbered(contract.Failed, reason=FailureReason.RESULT_TOO_LARGE, message=message)
        journal.emit(failed)
        return failed
    length = contract.RESULT_CHUNK_CHARACTERS
    pieces = [text[start : start + length] for start in range(0, len(text), length)] or [""]
    total, sha256 = contract.digest(text)
    whole: contract.Result = unnumbered(contract.Result, index=0, count=1, text=text, size=total, sha256=sha256)
    for index, piece in enumerate(pieces):
        journal.emit(dataclasses.replace(whole, index=index, count=len(pieces), text=piece))
    return whole
