"""Lets so many through at once, and whoever is in a hurry before the others."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Gate:
    """A semaphore with two ranks: within a rank, first come, first served.

    Args:
        size: Most inside at once.
        calm: Most of them that are in no hurry: so many places at least are not held when somebody in a hurry comes.
    """

    def __init__(self, size: int, *, calm: int | None = None) -> None:
        self._free = size
        self._calm_free = size if calm is None else calm
        self._hurried: deque[asyncio.Future[None]] = deque()
        self._calm: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def passing(self, *, hurry: bool) -> AsyncIterator[None]:
        """Wait for a place, and hold it inside the block."""
        await self._enter(hurry)
        try:
            yield
        finally:
            self._leave(hurry)

    async def _enter(self, hurry: bool) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._hurried if hurry else self._calm).append(place)
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was given just before
                self._leave(hurry)
            raise

    def _leave(self, hurry: bool) -> None:
        self._free += 1
        self._calm_free += not hurry
        self._admit()

    def _admit(self) -> None:
        """Give the free places to those who wait."""
        while self._free and self._hurried:
            self._free -= _let_in(self._hurried.popleft())
        while self._free and self._calm_free and self._calm:
            let_in = _let_in(self._calm.popleft())
            self._free -= let_in
            self._calm_free -= let_in


def _let_in(place: asyncio.Future[None]) -> bool:
    """Give the place, unless nobody waits for it any more."""
    if place.done():
        return False
    place.set_result(None)
    return True
