"""All conversations with runners: one task a pod, from the first attach to the runner's last event.

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

from runtime_operator.kube.errors import KubeError, Unavailable
from runtime_operator.runners.conversation import Conversation, Gates
from runtime_operator.runners.fold import RunnerFold
from runtime_operator.runners.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.config import Limits
    from runtime_operator.kube.client import Kube
    from runtime_operator.observe.pods import Owner
    from runtime_operator.observe.snapshots import RunnerSnapshot, StoredInterims

log = structlog.get_logger(__name__)

JOURNAL_TRIES = 12
"""Attempts to read an ended pod's log before the job is decided without it: with the queue's back-off two to three
minutes, longer than an API server or a kubelet needs to restart."""

REST_SECONDS = 60.0
"""How long a runner rests while fewer than a thousand do; with more of them proportionally longer."""


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
        self._kube, self._limits = kube, limits
        self._on_news, self._on_progress = on_news, on_progress
        self._gates, self._streams = Gates(), Streams(streams)
        self._by_pod: dict[str, Conversation] = {}
        self._by_owner: dict[Owner, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Also those that are hanging up. A conversation's own reference goes with its end: a task that is over keeps
        the frames of whatever ended it, and in them the stream."""

    def snapshot(self, pod_uid: str) -> RunnerSnapshot | None:
        """Return what the runner in this pod has said so far; None if nobody has spoken to it."""
        conversation = self._by_pod.get(pod_uid)
        return conversation.fold.snapshot() if conversation else None

    def open_streams(self) -> int:
        """Return how many streams are open, or about to be."""
        return len(self._streams)

    def has_heard_of(self, pod_uid: str) -> bool:
        """Return whether there is, or was, a conversation with the runner in this pod."""
        return pod_uid in self._by_pod

    def ensure(self, key: Owner, pod: str, pod_uid: str, *, hurry: bool = False, runs: bool = True) -> None:
        """Have a conversation with this runner under way, or as soon as there is room for one more.

        Whoever is in a ``hurry`` is connected before those who are not. ``runs``: its container does, as the kubelet
        says; before, there may be nobody to speak to yet.
        """
        conversation = self._conversation(key, pod, pod_uid)
        conversation.hurry = hurry
        if runs:
            conversation.container_runs.set()
        if conversation.under_way:
            return
        if not self._make_room():
            conversation.fold.waits_for_room = True
            self._streams.wait(pod_uid)
            return
        self._streams.opened(pod_uid)
        conversation.fold.be_asked(time.time())
        task = asyncio.create_task(conversation.run(), name=f"conversation with {pod}")
        conversation.task = task
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._over(conversation, task))

    async def hand_over(self, pod_uid: str, request: contract.Job) -> None:
        """Give the runner its job.

        Raises:
            Unavailable: the stream is not open (any more).
        """
        await self.ask(pod_uid, request)

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
        await self.ask(pod_uid, contract.Enter(job_uid=job_uid))

    async def ask(self, pod_uid: str, *first: contract.Request) -> None:
        """Ask the runner where it is, after these requests: nobody acts on what was known of it before it answers.

        Raises:
            Unavailable: the stream is not open (any more).
        """
        if pod_uid in self._by_pod:
            self._by_pod[pod_uid].fold.lose_touch(time.time())
        await self._send(pod_uid, *first, contract.Resume())

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
        await self._stop(conversation)
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
        for pod_uid in list(self._by_pod):
            self._drop(pod_uid)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _make_room(self) -> bool:
        """Return whether one more stream may be opened, after having closed one where that is possible."""
        while not self._streams.has_room():
            pod_uid = self._streams.longest_silent()
            if pod_uid is None:
                return False
            conversation = self._by_pod[pod_uid]
            if not conversation.may_rest:  # it has just been asked something; when it answers it is quiet again
                self._streams.heard(pod_uid, may_rest=False)
                continue
            conversation.stop()
            conversation.fold.resting_until = time.time() + REST_SECONDS * max(1.0, self._streams.resting / 1000)
            self._streams.rested(pod_uid)
        return True

    async def _stop(self, conversation: Conversation) -> None:
        """Close the stream, and return when that is done."""
        task = conversation.task
        conversation.stop()
        self._streams.closed(conversation.fold.pod_uid)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def _over(self, conversation: Conversation, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("conversation crashed", task=task.get_name(), exc_info=task.exception())
        if conversation.task is task:
            conversation.task = None
            self._streams.closed(conversation.fold.pod_uid)
        self._wake_next()

    def _news(self, conversation: Conversation, urgent: bool) -> None:
        (self._on_news if urgent else self._on_progress)(conversation.key)
        self._streams.heard(conversation.fold.pod_uid, may_rest=conversation.may_rest)
        self._wake_next()  # who has just spoken may be the next to rest

    def _wake_next(self) -> None:
        """Have whoever has waited longest for a stream decided again."""
        if (pod_uid := self._streams.take_waiting()) is not None:
            self._on_news(self._by_pod[pod_uid].key)

    def _drop(self, pod_uid: str) -> None:
        conversation = self._by_pod.pop(pod_uid)
        conversation.stop()
        self._streams.forget(pod_uid)
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
            self._by_pod[pod_uid] = Conversation(self._kube, key, pod, fold, self._gates, self._news)
            self._by_owner.setdefault(key, set()).add(pod_uid)
        return self._by_pod[pod_uid]

    async def _send(self, pod_uid: str, *requests: contract.Request) -> None:
        conversation = self._by_pod.get(pod_uid)
        if conversation is None or conversation.stream is None:
            raise Unavailable("no stream to the runner is open")
        try:
            await conversation.stream.send(b"".join(map(contract.encode, requests)))
        except Unavailable as error:
            conversation.fold.lose_touch(time.time(), error.sentence)
            raise
