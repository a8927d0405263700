"""How long to wait before a request is repeated, and the plain way to repeat one."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, TypeVar

from quantum_runtime.cluster import errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
LONGEST_WISH_SECONDS = 60.0
"""A server that wants to be left alone for longer is asked again all the same."""


def pause(attempt: int, retry_after: float | None = None, *, chance: float) -> float:
    """Return how many seconds to wait before the next attempt.

    Twice as long after each, and never the same for two clients: those that lost their connections at the same moment
    shall not come back at the same moment.

    Args:
        attempt: Number of pauses made before this one.
        retry_after: Seconds the server wants to be left alone for: never less than these.
        chance: A random number between 0 and 1.
    """
    longest: float = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempt, 20), LONGEST_PAUSE_SECONDS)
    wish = min(retry_after or 0.0, LONGEST_WISH_SECONDS)
    return wish + longest * (0.5 + chance / 2)


async def patiently(request: Callable[[], Awaitable[T]], *, seconds: float = 60.0) -> T:
    """Send a request, and again while the server is unavailable.

    Args:
        request: What sends it. It must be one that may be repeated: an answer that is lost may have been a yes.
        seconds: How long the server is waited for; an attempt that is under way then is waited for, too.

    Raises:
        Unavailable: the server still is, with what it said last.
    """
    loop = asyncio.get_running_loop()
    end, attempt = loop.time() + seconds, 0
    while True:
        try:
            return await request()
        except errors.Unavailable as error:
            wait = pause(attempt, error.retry_after, chance=random.random())
            if loop.time() + wait >= end:
                raise
            attempt += 1
        await asyncio.sleep(wait)
