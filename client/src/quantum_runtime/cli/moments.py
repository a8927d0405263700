"""Moments as people give them to ``--since``: so long ago, or a date."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGO = re.compile(r"(?:[0-9]+[smhdw])+")
_PART = re.compile(r"([0-9]+)([smhdw])")


def since(text: str, now: datetime) -> datetime:
    """Return the moment that a text means.

    Args:
        text: ``30s``, ``15m``, ``2h``, ``1d12h``, ``2w``, or a date or time as ISO 8601 writes it; without a zone it is
            local time.
        now: The time, aware of its zone.

    Raises:
        click.BadParameter: it is neither.
    """
    try:
        if _AGO.fullmatch(text):
            return now - timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        example = "30s, 15m, 2h, 7d, 2026-01-31 or 2026-01-31T15:00"
        raise click.BadParameter(f"{text!r} is neither a duration nor a date; for example {example}") from None
    return moment if moment.tzinfo else moment.astimezone()
