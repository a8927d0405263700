"""Checks under way: one task for each set of values, whose verdicts are kept and bring the key back to the queue.

A check never holds a worker of the queue: as many of those as there are could otherwise be kept waiting by one user's
slow schema. What a crash of the operator loses is asked again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog
from runtime_runner.schema.verdicts import completed

from runtime_operator.api.names import JobKey
from runtime_operator.observe.schemas import Checked
from runtime_operator.schema.checkers import CheckerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime_runner.schema.verdicts import Request, Verdict

    from runtime_operator.observe.cache import Cache, ProgramKey, Subject

    Key = JobKey | ProgramKey

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0
"""After a child could not be had: the machine is short of something, and will not have it sooner for our asking."""

TRIES = 5
"""Then the check has failed: no job hangs for want of a verdict."""


class Checking(Protocol):
    """What answers requests: `checkers.Checkers`, or a test's stand-in."""

    async def check(self, requests: Sequence[Request], *, share: str) -> list[Verdict]:
        """Return a verdict for each request, in order."""
        ...

    async def close(self) -> None:
        """End what is left of it."""
        ...


class Checks:
    """See the module's docstring. ``on_news`` is called with the key when there is something to decide."""

    def __init__(self, checking: Checking, cache: Cache, on_news: Callable[[Key], None]) -> None:
        self._checking, self._cache, self._on_news = checking, cache, on_news
        self._tasks: dict[Key, dict[tuple[str, Subject, str], asyncio.Task[None]]] = {}

    def ensure(self, key: Key, uid: str, subject: Subject, digest: str, requests: Sequence[Request]) -> None:
        """Have these values checked, unless that is under way.

        Args:
            key: the job or program that waits for it.
            uid: its uid.
            subject: what is checked.
            digest: of the schemas; with it the verdicts are kept.
            requests: the values.
        """
        tasks = self._tasks.setdefault(key, {})
        what = (uid, subject, digest)
        if what not in tasks:
            task = tasks[what] = asyncio.create_task(self._check(key, what, requests), name=f"check of {subject}")
            task.add_done_callback(lambda done: self._over(key, what, done))

    def drop(self, key: Key) -> None:
        """Nobody is interested in this key's checks any more."""
        for task in self._tasks.get(key, {}).values():
            task.cancel()

    async def close(self) -> None:
        """End all checks and their children."""
        tasks = [task for tasks in self._tasks.values() for task in tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._checking.close()

    async def _check(self, key: Key, what: tuple[str, Subject, str], requests: Sequence[Request]) -> None:
        uid, subject, digest = what
        share = key.namespace if isinstance(key, JobKey) else key[1]
        verdicts, trouble = await self._verdicts(requests, share)
        if trouble:
            verdicts = completed([], len(requests), trouble, too_expensive=False)
        checked = Checked(of=digest, verdicts=tuple(verdicts), failed=bool(trouble))
        self._cache.remember_check(key, uid, subject, checked)
        log.debug("schemas applied", key=str(key), subject=subject)
        self._on_news(key)

    def _over(self, key: Key, what: tuple[str, Subject, str], task: asyncio.Task[None]) -> None:
        tasks = self._tasks[key]
        del tasks[what]
        if not tasks:
            del self._tasks[key]
        if not task.cancelled() and task.exception() is not None:
            log.error("check crashed", key=str(key), exc_info=task.exception())

    async def _verdicts(self, requests: Sequence[Request], share: str) -> tuple[list[Verdict], str]:
        """Return the verdicts, or why there are none."""
        trouble = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(RETRY_SECONDS)
            try:
                return await self._checking.check(requests, share=share), ""
            except CheckerError as error:
                trouble = str(error)
                log.warning("schemas not applied", share=share, error=trouble)
            except Exception as error:
                trouble = f"{type(error).__name__} in the operator"
                log.exception("check crashed", share=share)
        return [], trouble
