"""Warnings that point to the user's own line, however many of our calls are between it and us."""

from __future__ import annotations

import sys
import warnings

_OURS = __name__.partition(".")[0]


def warn(message: str) -> None:
    """Issue a UserWarning for the nearest caller outside this package."""
    level, frame = 1, sys._getframe()
    while frame.f_globals.get("__name__", "").partition(".")[0] == _OURS and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)
