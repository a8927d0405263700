"""Tables as kubectl prints them: upper-case headers, columns three spaces apart, ages in few characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quantum_runtime.cli import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

GAP = "   "
NONE = "<none>"
"""An empty cell: `awk` would not see a column that is not there."""

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400

PHASE_COLOURS = {"Running": "cyan", "Completed": "green", "Failed": "red", "Cancelled": "yellow"}


def render(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return the table, its lines ended. What is None or empty becomes `NONE`, what a terminal acts on is escaped.

    Cells may have been coloured with `coloured`; the colours do not count as width.
    """
    lines = [list(headers), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(click.unstyle(line[column])) for line in lines) for column in range(len(headers))]
    return "".join(_line(line, widths) + "\n" for line in lines)


def coloured(phase: str) -> str:
    """Return a phase of a job in its colour; click takes the colour away where there is no terminal."""
    colour = PHASE_COLOURS.get(phase)
    return click.style(phase, fg=colour) if colour else phase


def age(then: datetime | None, now: datetime) -> str:
    """Return how long ago it was, as kubectl writes it: two units where the first alone would be coarse."""
    if then is None:
        return ""
    seconds = int((now - then).total_seconds())
    if seconds < -1:
        return "<invalid>"  # from the future: the clocks differ
    return duration(max(0, seconds))


def duration(seconds: int) -> str:
    """Return whole seconds as kubectl writes them: ``90s``, ``3m20s``, ``59m``, ``5h20m``, ``3d4h``, ``2y5d``."""
    for below, unit, unit_name, part, part_name in _STEPS:
        if seconds < below:
            whole = seconds // unit
            rest = seconds % unit // part if part else 0
            return f"{whole}{unit_name}" + (f"{rest}{part_name}" if rest else "")
    return f"{seconds // YEAR}y"


_STEPS = (
    (2 * MINUTE, 1, "s", 0, ""),
    (10 * MINUTE, MINUTE, "m", 1, "s"),
    (3 * HOUR, MINUTE, "m", 0, ""),
    (8 * HOUR, HOUR, "h", MINUTE, "m"),
    (2 * DAY, HOUR, "h", 0, ""),
    (8 * DAY, DAY, "d", HOUR, "h"),
    (2 * YEAR, DAY, "d", 0, ""),
    (8 * YEAR, YEAR, "y", DAY, "d"),
)
"""Below how many seconds; the unit, and the smaller one that is added to it (0: none)."""


def _cell(value: object) -> str:
    if value is None or value == "":
        return NONE
    text = str(value)
    plain = click.unstyle(text)
    if plain != text and text == coloured(plain):
        return text
    return " ".join(show.printable(text).split())


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(cells, widths, strict=True)]
    return GAP.join(padded).rstrip()
