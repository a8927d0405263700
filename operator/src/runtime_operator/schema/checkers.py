"""The children that apply schemas: a few, started when first needed, each used again until it fails.

They are the same children as the command line's (`runtime_runner.schema`), asked without waiting. A schema can keep one
busy for its CPU time and no longer, and the event loop not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import TYPE_CHECKING

import structlog
from runtime_runner.schema import child
from runtime_runner.schema.verdicts import Bounds, Verdict, completed, encode_requests, parse_verdict

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence

    from runtime_runner.schema.verdicts import Request

log = structlog.get_logger(__name__)

LONGEST_ANSWER = 256 * 1024
"""Far above what a verdict can have: only a child that is not ours would write a longer line."""


class CheckerError(RuntimeError):
    """A child could not be started, or ended for a reason that is neither schema's nor value's."""


class Checkers:
    """See the module's docstring."""

    def __init__(self, most: int, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - a constant
        self._bounds = bounds
        self._most_of_one = max(1, most - 1)
        self._free = asyncio.Semaphore(most)
        self._shares: weakref.WeakValueDictionary[str, asyncio.Semaphore] = weakref.WeakValueDictionary()
        self._idle: list[Process] = []
        self.started = 0
        """Children started so far."""

    async def check(self, requests: Sequence[Request], *, share: str) -> list[Verdict]:
        """Return a verdict for each request, in order, within the bounds.

        Args:
            requests: what to check; the bounds are for all of them together.
            share: whose they are. With several children, nobody gets all of them.

        Raises:
            CheckerError: there is no answer, and asking again may bring one.
        """
        if not requests:
            return []
        share_of = self._shares.get(share) or self._shares.setdefault(share, asyncio.Semaphore(self._most_of_one))
        async with share_of, self._free:
            process = await self._child()
            verdicts: list[Verdict] = []
            in_time = True
            try:
                async with asyncio.timeout(self._bounds.wall_seconds):
                    await _ask(process, requests, verdicts)
            except TimeoutError:
                in_time = False
            finally:
                if len(verdicts) < len(requests):
                    await _end(process, kill=not in_time or not process.stdout or not process.stdout.at_eof())
            if len(verdicts) == len(requests):
                self._idle.append(process)
                return verdicts
            problem, too_expensive = child.cause_of_death(process.returncode if in_time else None, self._bounds)
            log.info("schema checker ended", cause=problem)
            if not too_expensive:
                raise CheckerError(problem)
            return completed(verdicts, len(requests), problem, too_expensive=True)

    async def close(self) -> None:
        """End the children that nobody is waiting for."""
        while self._idle:
            await _end(self._idle.pop(), kill=True)

    async def _child(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        self.started += 1
        pipe = asyncio.subprocess.PIPE
        try:
            return await asyncio.create_subprocess_exec(
                *child.command(self._bounds), stdin=pipe, stdout=pipe, limit=LONGEST_ANSWER
            )
        except OSError as error:
            raise CheckerError(f"no child can be started: {error}") from error


async def _ask(process: Process, requests: Sequence[Request], verdicts: list[Verdict]) -> None:
    """Add the child's verdicts to the list; fewer than requests if it ends before."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(encode_requests(requests))
        await process.stdin.drain()
    while len(verdicts) < len(requests):
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            return
        verdicts.append(parse_verdict(line))


async def _end(process: Process, *, kill: bool) -> None:
    if kill:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    # Its pipes are closed by its end; a wait that is cut short leaves nothing behind.
    await process.wait()
