"""One runner, from the first attach to its last event.

A stream only carries what is said from now on. So every attach begins with a `Resume`; if its answer shows that the
journal is ahead of what has been folded, the container log is read up to there: nothing is missed or counted twice.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from runtime_runner import contract

from runtime_operator.api import names
from runtime_operator.kube.errors import KubeError, NotFound, Unavailable
from runtime_operator.runners.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.kube.attach import Attachment
    from runtime_operator.kube.client import Kube
    from runtime_operator.observe.pods import Owner
    from runtime_operator.runners.fold import RunnerFold

log = structlog.get_logger(__name__)

FIRST_ATTACH_SECONDS = 0.5
"""From the pod's scheduling to the first attempt to attach, unless the kubelet says before that the container runs: it
is there half a second after the scheduling at the earliest. Each attempt that comes to nothing costs API server and
kubelet some 15 ms of CPU just when they are busy with the pod."""

ATTACH_RETRY_SECONDS = (0.1,) + (0.2,) * 16 + (0.5, 1.0, 2.0)
"""Between attempts. The kubelet says late, up to a second, that a container runs; attaching while its runner warms up
is what makes a cold start fast."""

_PROGRESS = (contract.Started, contract.Log, contract.Interim, contract.Result)
"""Events that change no decision at once: the status is brought up to date in its own time, and after a result comes
the exit."""

GONE_FAILURES = 5
"""So many attempts may be answered "not found": a kubelet says so, too, until it has heard of the pod."""

ATTACHES, CALM_ATTACHES = 16, 4
"""Streams being opened at the same time, and how many of them for programs that run already. Each costs API server,
kubelet and operator some milliseconds of CPU: an operator that starts among a thousand running jobs would otherwise
keep new ones waiting until it has asked them all."""

JOURNALS, CALM_JOURNALS = 16, 4
"""Container logs being read at the same time, likewise: each may have 8 MiB."""


class Gates:
    """What all conversations together may do at the same time."""

    def __init__(self) -> None:
        self.attach = Gate(ATTACHES, calm=CALM_ATTACHES)
        self.journal = Gate(JOURNALS, calm=CALM_JOURNALS)


class Conversation:
    """See the module. ``on_news`` is called with it and whether what came is more than progress."""

    def __init__(
        self,
        kube: Kube,
        key: Owner,
        pod: str,
        fold: RunnerFold,
        gates: Gates,
        on_news: Callable[[Conversation, bool], None],
    ) -> None:
        self.key, self.pod, self.fold = key, pod, fold
        self.hurry = False
        """Somebody waits for this runner to be spoken to."""
        self.container_runs = asyncio.Event()
        """The kubelet has said so."""
        self.task: asyncio.Task[None] | None = None
        self.stream: Attachment | None = None
        self.journal_failures = 0
        self._kube, self._gates = kube, gates
        self._on_news = on_news

    async def run(self) -> None:
        """Attach, and attach again whenever the stream breaks, until the runner has said its last word."""
        failures = 0
        if not self.container_runs.is_set():
            await self._pause(FIRST_ATTACH_SECONDS)
        while self.fold.exit is None:
            connected = False
            try:
                async with self._gates.attach.passing(hurry=self.hurry):
                    self.stream = await self._kube.attach(self.key.namespace, self.pod, names.RUNNER_CONTAINER)
                connected = await self._listen(self.stream)
            except NotFound:
                if failures >= GONE_FAILURES:
                    return
            except KubeError as error:
                self.fold.trouble = error.sentence
                connected = self.fold.connected
                log.debug("attach failed", owner=str(self.key), pod=self.pod, error=str(error))
            except Exception:  # a bug of ours must not become a hot loop
                self.fold.trouble = "the operator failed to understand the runner"
                log.exception("conversation crashed", owner=str(self.key), pod=self.pod)
            finally:
                await self._hang_up()
            if self.fold.exit is not None:
                return
            failures = 0 if connected else failures + 1
            await self._pause(ATTACH_RETRY_SECONDS[min(failures, len(ATTACH_RETRY_SECONDS) - 1)])

    @property
    def under_way(self) -> bool:
        """Whether there is a stream that stays, or somebody tries to open one."""
        return self.task is not None

    @property
    def may_rest(self) -> bool:
        """Whether it is about a program that is running, and all is quiet."""
        return self.under_way and self.fold.connected and self.fold.started and self.fold.exit is None

    def stop(self) -> None:
        """Close the stream."""
        if self.task is not None:
            self.task.cancel()
            self.task = None

    async def read_journal(self) -> None:
        """Fold what the container log has beyond what is known.

        Raises:
            KubeError: it could not be read.
        """
        async with self._gates.journal.passing(hurry=self.hurry):
            text = await self._kube.pod_log(self.key.namespace, self.pod, names.RUNNER_CONTAINER)
            for line in (text or b"").splitlines():
                if isinstance(event := _parse(line), contract.JournalEvent):
                    self.fold.take(event)

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until the kubelet says that the container runs, if that is news."""
        if self.container_runs.is_set():
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.container_runs.wait()

    async def _listen(self, stream: Attachment) -> bool:
        # The empty line ends whatever part of a request an earlier stream broke off with.
        await stream.send(b"\n" + contract.encode(contract.Resume()))
        async for line in stream.lines():
            event = _parse(line)
            await self._hear(event, len(line))
            self._on_news(self, not isinstance(event, _PROGRESS))
            if self.fold.exit is not None:
                break
        return self.fold.connected

    async def _hear(self, event: contract.AnyEvent | None, length: int) -> None:
        match event:
            case None:
                log.warning("line from a runner is no event", owner=str(self.key), pod=self.pod, length=length)
            case contract.Resumed():
                await self._catch_up(event.seq)
                self.fold.answer(event, time.time())
            case contract.Refused():
                log.warning("request refused by a runner", owner=str(self.key), pod=self.pod, message=event.message)
                self.fold.refused(event)
            case _:
                await self._catch_up(event.seq - 1)
                self.fold.take(event)

    async def _catch_up(self, seq: int) -> None:
        """Have everything up to this number folded: the log has it, at most a moment after the runner wrote it."""
        for wait in (0.0, 0.05, 0.2, 1.0):
            if self.fold.last_seq >= seq:
                return
            await asyncio.sleep(wait)
            await self.read_journal()
        if self.fold.last_seq < seq:
            raise Unavailable(f"the container log ends at event {self.fold.last_seq}, the runner is at {seq}")

    async def _hang_up(self) -> None:
        stream, self.stream = self.stream, None
        self.fold.lose_touch(time.time())
        if stream is not None:
            await stream.close()
            self._on_news(self, self.fold.exit is None)


def _parse(line: bytes) -> contract.AnyEvent | None:
    try:
        return contract.parse_event(line)
    except contract.ProtocolError:
        return None
