"""Gives memory that is free back to the system.

Ten thousand TLS streams that have come and gone leave the heap of the C library full of holes: measured, a gigabyte
that was the operator's and in use by nobody. glibc returns only what lies at the heap's end by itself.
"""

from __future__ import annotations

import asyncio
import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TRIM_SECONDS = 60.0
"""One trimming stops the event loop, for some 10 ms per 100 MiB that there are to look through."""


async def trim_now_and_then() -> None:
    """Never return; cancel it to stop. On systems with another C library than glibc, do nothing."""
    trim = find_trim()
    while trim is not None:
        await asyncio.sleep(TRIM_SECONDS)
        trim(0)


def find_trim() -> Callable[[int], int] | None:
    """Return glibc's ``malloc_trim``, if this is glibc."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
