"""What is new in a log of which only the newest part can be seen, and where that has outrun the reader. Pure.

A job's status has the newest text of the log and the number of bytes written so far: together they say which part of
the whole the text is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader of the log has come."""

    seen: int = 0
    """Bytes of the log's beginning that have been shown, or counted as not shown."""
    skipped: int = 0
    """Those of them that were not shown."""


@dataclass(frozen=True, slots=True)
class News:
    """What to show next: first that so many bytes cannot be shown, then the text."""

    skipped: int
    text: str
    position: Position


def after(position: Position, newest: str, total: int) -> News:
    """Return what follows the position.

    Args:
        position: What the reader has seen.
        newest: The end of the log.
        total: Bytes of UTF-8 of the whole log, of which ``newest`` is the end.
    """
    data = newest.encode()
    start = max(0, total - len(data))
    if total <= position.seen:  # seen already; or the platform begins to read the log anew, and catches up
        return News(0, "", position)
    gap = max(0, start - position.seen)
    text = data[max(0, position.seen - start) :].decode(errors="ignore")
    return News(gap, text, Position(total, position.skipped + gap))


def rest(position: Position, whole: str) -> News:
    """Return what follows the position in the whole log, of which nothing is missing."""
    return after(position, whole, len(whole.encode()))


def last_lines(text: str, number: int) -> str:
    """Return the last lines of a text; line feeds alone end one, and the last one may have none."""
    if number <= 0:
        return ""
    end = "\n" if text.endswith("\n") else ""
    return "\n".join(text.removesuffix("\n").split("\n")[-number:]) + end
