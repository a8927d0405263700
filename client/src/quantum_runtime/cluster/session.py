"""An open connection pool that closes itself: with its event loop at the latest, or when its owner is garbage."""

from __future__ import annotations

import asyncio
import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubernetes.aio.client.api_client import ApiClient


class Session:
    """The connections of one event loop, with one set of credentials.

    Users of synchronous classes never close anything, and those of asynchronous ones forget to. A task of the loop
    does: it ends when `close` is called, when nobody has this object any more, or, like all tasks, with the loop.
    """

    def __init__(self, client: ApiClient, generation: int) -> None:
        self.client = client
        self.generation = generation
        self.loop = asyncio.get_running_loop()
        end = asyncio.Event()
        self._keeper = self.loop.create_task(_keep(client, end), name="connections to the cluster")
        self._release = weakref.finalize(self, _release, self.loop, end, self._keeper, os.getpid())
        self._release.atexit = False

    async def close(self) -> None:
        """Close all connections."""
        self._release()
        if self.loop is asyncio.get_running_loop():
            await asyncio.wait([self._keeper])


_inherited: list[asyncio.Task[None]] = []
"""Of a parent process, before ``os.fork``: kept, and left alone, because to close its sockets is not ours to do."""


async def _keep(client: ApiClient, end: asyncio.Event) -> None:
    try:
        await end.wait()
    finally:
        await client.close()


def _release(loop: asyncio.AbstractEventLoop, end: asyncio.Event, keeper: asyncio.Task[None], process: int) -> None:
    """Have the keeper end; it is an argument because nothing else may hold it until it has."""
    if os.getpid() != process:
        _inherited.append(keeper)
    elif not loop.is_closed() and not keeper.done():
        loop.call_soon_threadsafe(end.set)
