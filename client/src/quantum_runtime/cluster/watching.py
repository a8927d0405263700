"""Follows one object over lost connections, expired versions and restarts of the API server.

A watch goes on where the last one broke off, so that no state is missed; only when the server has forgotten that
version is the object read again, and the states in between are skipped.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from quantum_runtime.cluster import errors
from quantum_runtime.cluster.retrying import pause

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from quantum_runtime.cluster.api import Api, Object, Resource

T = TypeVar("T")

log = logging.getLogger(__name__)

WARNING_SECONDS = 10.0
"""How long a server may be silent before the user is told."""
STARTING_SECONDS = 30.0
"""After it was unreachable a server may refuse everything for moments: it answers before it knows the users' rights."""
LASTING_SECONDS = 5.0
"""A watch that lasts longer than this was a good one: the next one is opened at once."""


async def follow(
    api: Api, resource: Resource, name: str, *, start: Object | None = None
) -> AsyncGenerator[Object | None, None]:
    """Yield the states of one object: the present one, then each change; None when it has been deleted, and end.

    No state is yielded twice, and none after a later one. It goes on for ever, however long the server is away: a
    warning is logged when that takes 10 s, and a line when it answers again.

    Args:
        api: The cluster.
        resource: The object's kind.
        name: The object's name. An object that takes this name after it was deleted is another one.
        start: A state that is known already: it is not yielded, only what comes after it.

    Raises:
        NotFound: there is no such object, and no start was given.
        Forbidden: the user may not get or watch it.
        Unauthorized: the API server does not know the user (any more).
    """
    server = _Server(api, resource, name, known=start is not None)
    try:
        state = start
        if state is None:
            state = await server.read()
            yield state
        uid, newest = state["metadata"]["uid"], state["metadata"]["resourceVersion"]
        version = newest
        while True:
            await server.ready_to_watch()
            try:
                watch = api.watch(resource, resource_version=version, field_selector=f"metadata.name={name}")
                async with aclosing(watch) as changes:
                    async for change in changes:
                        server.answered()
                        state = change.object
                        version = state["metadata"]["resourceVersion"]
                        if change.type == "BOOKMARK":
                            continue
                        if change.type == "DELETED" or state["metadata"]["uid"] != uid:
                            yield None
                            return
                        if _is_newer(version, newest):
                            newest = version
                            server.progressed()
                            yield state
            except errors.Expired:
                state, version = await server.read_again()
                if state is None or state["metadata"]["uid"] != uid:
                    yield None
                    return
                if _is_newer(state["metadata"]["resourceVersion"], newest):
                    newest = state["metadata"]["resourceVersion"]
                    yield state
            except errors.ApiError as error:
                await server.recover(error)
    finally:
        server.forget()


def _is_newer(version: str, than: str) -> bool:
    """Return whether this resource version is the later one. They are numbers, though the API does not promise it."""
    if version.isdecimal() and than.isdecimal():
        return int(version) > int(than)
    return version != than


class _Server:
    """The API server as one follower sees it: whether it answers, since when it does not, and when to ask again."""

    def __init__(self, api: Api, resource: Resource, name: str, *, known: bool) -> None:
        self._api = api
        self._resource = resource
        self._name = name
        self._known = known
        """Whether the object, and so its kind and the right to read it, has been seen."""
        self._loop = asyncio.get_running_loop()
        self._failures = 0
        """In a row: requests without an answer, and watches that ended at once."""
        self._rested = True
        """Whether there was a pause since the last failure."""
        self._opened: float | None = None
        """When the present watch was opened."""
        self._away_since: float | None = None
        self._last_trouble: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._warned = False

    async def ready_to_watch(self) -> None:
        """Return when the next watch may be opened: at once, unless the last ones were of no use."""
        self._judge_watch()
        if self._failures and not self._rested:
            await self._pause(None)
        self._opened, self._rested = self._loop.time(), False

    async def read(self) -> Object:
        """Return the object, however long it takes until the server answers.

        Raises:
            NotFound: there is none.
            ApiError: asking again would not help.
        """
        return await self._until_answered(lambda: self._api.get(self._resource, self._name))

    async def read_again(self) -> tuple[Object | None, str]:
        """Return the object, if it is still there, and the version of the cluster to watch from.

        The object's own version will not do: nobody may have changed it since long before the oldest version that the
        server remembers.

        Raises:
            ApiError: asking again would not help.
        """
        selector = f"metadata.name={self._name}"
        found = await self._until_answered(lambda: self._api.list(self._resource, field_selector=selector))
        return (found.items[0] if found.items else None), found.resource_version

    async def _until_answered(self, request: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                answer = await request()
            except errors.ApiError as error:
                if isinstance(error, errors.NotFound) and not (error.kind_is_missing and self._known):
                    self.answered()
                    raise
                await self._wait_after(error)
            else:
                self.answered()
                return answer

    async def recover(self, error: errors.ApiError) -> None:
        """Return when the server answers again, after a watch ended with this error.

        What it answers is left to the next watch, which shows all that happened in between.

        Raises:
            ApiError: this error, or one of those that came later: asking again would not help.
        """
        await self._wait_after(error)
        try:
            await self.read()
        except errors.NotFound:
            return

    def progressed(self) -> None:
        """Note that the present watch has shown a new state."""
        self._failures, self._opened = 0, None

    def answered(self) -> None:
        """Note that the server is there."""
        self._known = True
        if self._warned and self._away_since is not None:
            seconds = self._loop.time() - self._away_since
            log.info("the API server answers again after %.0f s", seconds)
        self._away_since, self._warned = None, False
        self.forget()

    def forget(self) -> None:
        """Leave no timer behind."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _wait_after(self, error: errors.ApiError) -> None:
        """Note that a request failed, and wait a while.

        Raises:
            ApiError: this error: asking again would not help.
        """
        now = self._loop.time()
        if isinstance(error, errors.Forbidden | errors.Unauthorized):
            if self._last_trouble is None or now - self._last_trouble > STARTING_SECONDS:
                raise error
        elif isinstance(error, errors.Unavailable) or (isinstance(error, errors.NotFound) and error.kind_is_missing):
            self._last_trouble = now
        else:
            raise error
        if self._opened is not None:
            self._judge_watch()
        else:
            self._failures += 1
        if self._away_since is None:
            self._away_since = now
            self._alarm = self._loop.call_later(WARNING_SECONDS, self._warn, error)
        await self._pause(error.retry_after if isinstance(error, errors.Unavailable) else None)

    def _judge_watch(self) -> None:
        """Count the watch that has ended, if there was one that showed nothing, as a failure unless it lasted."""
        if self._opened is not None:
            lasted = self._loop.time() - self._opened >= LASTING_SECONDS
            self._failures = 0 if lasted else self._failures + 1
            self._opened = None

    async def _pause(self, retry_after: float | None) -> None:
        await asyncio.sleep(pause(max(self._failures - 1, 0), retry_after, chance=random.random()))
        self._rested = True

    def _warn(self, error: errors.ApiError) -> None:
        self._warned = True
        log.warning(
            "the API server has not answered for %.0f s (%s); %s %s will be followed again when it does",
            WARNING_SECONDS,
            error,
            self._resource.kind,
            self._name,
        )
