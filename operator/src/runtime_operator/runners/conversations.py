"""All conversations with runners: one task a pod, from the first attach to the runner's last event.

A stream only carries what is said from now on. So every attach begins with a `Resume`; if its answer shows that the
journal is ahead of what has been folded, the container log is read up to there: nothing is missed or counted twice.

The number of streams is bounded. Beyond the bound, a runner that needs one gets that of the running program that has
been silent for longest, which then *rests*: it is asked again after a while, when its job is cancelled, and its log is
read when its pod has ended. Nothing is lost by it, interim results come later.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from runtime_runner import contract

from runtime_operator.api import names
from runtime_operator.kube.errors import KubeError, NotFound, Unavailable
from runtime_operator.runners.fold import RunnerFold
from runtime_operator.runners.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.config import Limits
    from runtime_operator.kube.attach import Attachment
    from runtime_operator.kube.client import Kube
    from runtime_operator.observe.pods import Owner
    from runtime_operator.observe.snapshots import RunnerSnapshot, StoredInterims

log = structlog.get_logger(__name__)

ATTACH_RETRY_SECONDS = (0.1, 0.5) + (0.2,) * 15 + (0.5, 1.0, 2.0)
"""Between attempts to attach. A container is there half a second after its pod's scheduling at the earliest, and its
runner takes as long again to warm up: attaching in that time is what makes a cold start fast. Each attempt that comes
to nothing costs API server and kubelet some 15 ms of CPU just when they are busy with the pod."""

_PROGRESS = (contract.Started, contract.Log, contract.Interim, contract.Result)
"""Events that change no decision at once: the status is brought up to date in its own time, and after a result comes
the exit."""

GONE_FAILURES = 5
"""So many attempts may be answered "not found": a kubelet says so, too, until it has heard of the pod."""

JOURNAL_TRIES = 12
"""Attempts to read an ended pod's log before the job is decided without it: with the queue's back-off two to three
minutes, longer than an API server or a kubelet needs to restart."""


ATTACHES = 16
"""Streams being opened at the same time. Each costs API server, kubelet and operator some milliseconds of CPU: an
operator that starts among a thousand running jobs would otherwise keep new ones waiting until it has asked them all."""

REST_SECONDS = 60.0
"""How long a runner rests while fewer than a thousand do; with more of them proportionally longer."""


class Conversation:
    """One runner, from attach to its last event."""

    def __init__(
        self, kube: Kube, key: Owner, pod: str, fold: RunnerFold, gate: Gate, on_news: Callable[[Owner, bool], None]
    ) -> None:
        self.key, self.pod, self.fold = key, pod, fold
        self.hurry = False
        """Somebody waits for this runner to be spoken to."""
        self.task: asyncio.Task[None] | None = None
        self.stream: Attachment | None = None
        self.journal_failures = 0
        self.heard_at = time.time()
        """When it said something last."""
        self._kube, self._gate = kube, gate
        self._on_news = on_news

    async def run(self) -> None:
        """Attach, and attach again whenever the stream breaks, until the runner has said its last word."""
        failures = 0
        while self.fold.exit is None:
            connected = False
            try:
                async with self._gate.passing(hurry=self.hurry):
                    self.stream = await self._kube.attach(self.key.namespace, self.pod, names.RUNNER_CONTAINER)
                connected = await self._listen(self.stream)
            except NotFound:
                if failures >= GONE_FAILURES:
                    return
            except KubeError as error:
                self.fold.trouble = _sentence(error)
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
            await asyncio.sleep(ATTACH_RETRY_SECONDS[min(failures, len(ATTACH_RETRY_SECONDS) - 1)])

    @property
    def under_way(self) -> bool:
        """Whether there is a stream that stays, or somebody tries to open one."""
        return self.task is not None and not self.task.done() and self.fold.resting_until is None

    @property
    def may_rest(self) -> bool:
        """Whether it is about a program that is running, and all is quiet."""
        return self.under_way and self.fold.connected and self.fold.started and self.fold.exit is None

    def rest(self, until: float) -> None:
        """Close the stream, and mean it."""
        assert self.task is not None
        self.task.cancel()
        self.fold.resting_until = until

    async def read_journal(self) -> None:
        """Fold what the container log has beyond what is known.

        Raises:
            KubeError: it could not be read.
        """
        text = await self._kube.pod_log(self.key.namespace, self.pod, names.RUNNER_CONTAINER)
        for line in (text or b"").splitlines():
            if isinstance(event := _parse(line), contract.JournalEvent):
                self.fold.take(event)

    async def _listen(self, stream: Attachment) -> bool:
        # The empty line ends whatever part of a request an earlier stream broke off with.
        await stream.send(b"\n" + contract.encode(contract.Resume()))
        async for line in stream.lines():
            self.heard_at = time.time()
            event = _parse(line)
            await self._hear(event, len(line))
            self._on_news(self.key, not isinstance(event, _PROGRESS))
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
            self._on_news(self.key, self.fold.exit is None)


class Conversations:
    """The conversations by pod uid.

    ``on_news`` is called with the pod's owner when there is something to decide, ``on_progress`` when it has time: a
    program says more than once a second what the status takes up once a second.
    """

    def __init__(
        self,
        kube: Kube,
        limits: Limits,
        on_news: Callable[[Owner], None],
        on_progress: Callable[[Owner], None],
        *,
        streams: int = 2000,
    ) -> None:
        self._kube, self._limits, self._streams = kube, limits, streams
        self._on_news, self._on_progress = on_news, on_progress
        self._gate = Gate(ATTACHES)
        self._by_pod: dict[str, Conversation] = {}
        self._waiting: dict[str, None] = {}
        """Pods whose runners could have no stream; the first goes first."""
        self._by_owner: dict[Owner, set[str]] = {}

    def snapshot(self, pod_uid: str) -> RunnerSnapshot | None:
        """Return what the runner in this pod has said so far; None if nobody has spoken to it."""
        conversation = self._by_pod.get(pod_uid)
        return conversation.fold.snapshot() if conversation else None

    def open_streams(self) -> int:
        """Return how many streams are open, or about to be."""
        return sum(conversation.under_way for conversation in self._by_pod.values())

    def ensure(self, key: Owner, pod: str, pod_uid: str, *, hurry: bool = False) -> None:
        """Have a conversation with this runner under way, or as soon as there is room for one more.

        Whoever is in a ``hurry`` is connected before those who are not.
        """
        conversation = self._conversation(key, pod, pod_uid)
        conversation.hurry = hurry
        if conversation.under_way:
            return
        if not self._make_room():
            conversation.fold.waits_for_room = True
            self._waiting[pod_uid] = None
            return
        self._waiting.pop(pod_uid, None)
        conversation.fold.be_asked(time.time())
        conversation.task = asyncio.create_task(conversation.run(), name=f"conversation with {pod}")
        conversation.task.add_done_callback(self._over)

    async def hand_over(self, pod_uid: str, request: contract.Job) -> None:
        """Give the runner its job.

        Raises:
            Unavailable: the stream is not open (any more).
        """
        await self._send(pod_uid, request)
        await self.ask(pod_uid)

    async def prepare(self, pod_uid: str, request: contract.Job) -> None:
        """Give the runner its job to be prepared and held.

        Raises:
            Unavailable: the stream is not open (any more).
        """
        await self._send(pod_uid, request)

    async def enter(self, pod_uid: str, job_uid: str) -> None:
        """Have the runner enter the program it holds.

        Raises:
            Unavailable: the stream is not open (any more).
        """
        await self._send(pod_uid, contract.Enter(job_uid=job_uid))
        await self.ask(pod_uid)

    async def ask(self, pod_uid: str) -> None:
        """Ask the runner where it is: nobody acts on what was known of it before it answers.

        Raises:
            Unavailable: the stream is not open (any more).
        """
        if pod_uid in self._by_pod:
            self._by_pod[pod_uid].fold.lose_touch(time.time())
        await self._send(pod_uid, contract.Resume())

    async def send_cancel(self, pod_uid: str) -> None:
        """Ask the runner to stop its program.

        Raises:
            Unavailable: the stream is not open (any more).
        """
        await self._send(pod_uid, contract.Cancel())
        self._by_pod[pod_uid].fold.cancel_sent_at = time.time()

    def unstored(self, pod_uid: str, stored_seq: int, *, everything: bool) -> tuple[str, StoredInterims] | None:
        """Return what `RunnerFold.unstored` does of this runner; None if nobody has spoken to it."""
        conversation = self._by_pod.get(pod_uid)
        return conversation.fold.unstored(stored_seq, everything=everything) if conversation else None

    def forget_interims(self, pod_uid: str, stored_seq: int) -> None:
        """Let go of the interim results that are stored."""
        if pod_uid in self._by_pod:
            self._by_pod[pod_uid].fold.spill.forget(stored_seq)

    async def read_journal(self, key: Owner, pod: str, pod_uid: str) -> None:
        """Read the log of a pod that has ended, once it is certain that the stream brings nothing more.

        Raises:
            KubeError: it could not be read; after a few times, the journal counts as read.
        """
        conversation = self._conversation(key, pod, pod_uid)
        await _stop(conversation)
        try:
            await conversation.read_journal()
        except KubeError:
            conversation.journal_failures += 1
            if conversation.journal_failures < JOURNAL_TRIES:
                raise
            log.warning("journal given up", owner=str(key), pod=pod)
        conversation.fold.journal_read = True

    def move(self, pod_uid: str, key: Owner) -> None:
        """From now on this runner's news are another owner's: a job has claimed a pool's pod."""
        conversation = self._by_pod.get(pod_uid)
        if conversation is None or conversation.key == key:
            return
        self._forget_owner(conversation)
        conversation.key = key
        self._by_owner.setdefault(key, set()).add(pod_uid)

    def retain(self, key: Owner, pod_uids: set[str]) -> None:
        """Drop this owner's conversations with other pods than these."""
        for pod_uid in self._by_owner.get(key, set()) - pod_uids:
            self._drop(pod_uid)

    async def close(self) -> None:
        """End all conversations; the programs run on."""
        tasks = [c.task for c in self._by_pod.values() if c.task is not None]
        for pod_uid in list(self._by_pod):
            self._drop(pod_uid)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _make_room(self) -> bool:
        """Return whether one more stream may be opened, after having closed one where that is possible."""
        if self.open_streams() < self._streams:
            return True
        quiet = [conversation for conversation in self._by_pod.values() if conversation.may_rest]
        if not quiet:
            return False
        resting = sum(c.fold.resting_until is not None for c in self._by_pod.values())
        longest = min(quiet, key=lambda conversation: conversation.heard_at)
        longest.rest(time.time() + REST_SECONDS * max(1.0, resting / 1000))
        return True

    def _over(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("conversation crashed", task=task.get_name(), exc_info=task.exception())
        self._wake_next()

    def _news(self, key: Owner, urgent: bool) -> None:
        (self._on_news if urgent else self._on_progress)(key)
        self._wake_next()  # who has just spoken may be the next to rest

    def _wake_next(self) -> None:
        """Have whoever has waited longest for a stream decided again."""
        if self._waiting:
            pod_uid = next(iter(self._waiting))
            del self._waiting[pod_uid]
            self._on_news(self._by_pod[pod_uid].key)

    def _drop(self, pod_uid: str) -> None:
        self._waiting.pop(pod_uid, None)
        conversation = self._by_pod.pop(pod_uid)
        if conversation.task is not None:
            conversation.task.cancel()
        self._forget_owner(conversation)

    def _forget_owner(self, conversation: Conversation) -> None:
        pods = self._by_owner[conversation.key]
        pods.discard(conversation.fold.pod_uid)
        if not pods:
            del self._by_owner[conversation.key]

    def _conversation(self, key: Owner, pod: str, pod_uid: str) -> Conversation:
        if pod_uid not in self._by_pod:
            fold = RunnerFold(pod_uid, self._limits)
            fold.silent_since = time.time()
            self._by_pod[pod_uid] = Conversation(self._kube, key, pod, fold, self._gate, self._news)
            self._by_owner.setdefault(key, set()).add(pod_uid)
        return self._by_pod[pod_uid]

    async def _send(self, pod_uid: str, request: contract.Request) -> None:
        conversation = self._by_pod.get(pod_uid)
        if conversation is None or conversation.stream is None:
            raise Unavailable("no stream to the runner is open")
        try:
            await conversation.stream.send(contract.encode(request))
        except Unavailable as error:
            conversation.fold.lose_touch(time.time(), _sentence(error))
            raise


async def _stop(conversation: Conversation) -> None:
    if conversation.task is not None and not conversation.task.done():
        conversation.task.cancel()
        await asyncio.gather(conversation.task, return_exceptions=True)


def _parse(line: bytes) -> contract.AnyEvent | None:
    try:
        return contract.parse_event(line)
    except contract.ProtocolError:
        return None


def _sentence(error: KubeError) -> str:
    return error.message or str(error)
