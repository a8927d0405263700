"""The claim: a pod becomes a job's, and the job's status promises the job to it.

Both are written at the same time, while the runner prepares the job; only when both are there, it enters the program.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from runtime_operator.api.names import PoolKey
from runtime_operator.api.v1alpha1 import Phase
from runtime_operator.kube.client import PODS
from runtime_operator.kube.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.act.statuses import Statuses
    from runtime_operator.decide.plan import ClaimPod
    from runtime_operator.kube.client import Kube, Object
    from runtime_operator.metrics import Metrics
    from runtime_operator.observe.cache import Cache
    from runtime_operator.observe.snapshots import JobSnapshot
    from runtime_operator.runners.conversations import Conversations

log = structlog.get_logger(__name__)

TRIES = 3
"""A pool's pod that others write at the same moment, as the kubelet does when it starts, is claimed at the next try."""


class Claims:
    """See the module."""

    def __init__(
        self,
        kube: Kube,
        cache: Cache,
        conversations: Conversations,
        statuses: Statuses,
        metrics: Metrics,
        look_at_pool: Callable[[PoolKey], None],
    ) -> None:
        self._kube, self._cache, self._conversations = kube, cache, conversations
        self._statuses, self._metrics, self._look_at_pool = statuses, metrics, look_at_pool
        self._first_looks: dict[str, float] = {}

    async def claim(self, job: JobSnapshot, action: ClaimPod) -> bool:
        """Write both and have the program entered; False if the pod is not to be had: then it is entered nowhere.

        Raises:
            KubeError: one of the two was not written, as far as is known.
        """
        warm = "ownerReferences" in action.patch["metadata"]
        if warm and not self._cache.pods.take(action.pod_uid):
            return False
        try:
            _, pod, promised = await asyncio.gather(
                self._conversations.prepare(action.pod_uid, action.request),
                self._claimed(job.uid, action),
                self._statuses.write_job(job, action.promise),
                return_exceptions=True,
            )
            if isinstance(pod, dict):
                seen = self._cache.put_pod(pod)
                self._conversations.move(action.pod_uid, job.key)
                if warm:
                    self._note_hit(PoolKey(seen.namespace, seen.pool), time.time() - seen.created)
            ready = isinstance(pod, dict) and not isinstance(promised, BaseException)
            with suppress(Unavailable):  # then it is asked on the next stream
                if ready:
                    await self._conversations.enter(action.pod_uid, job.uid)
                    log.info("job handed over", job=str(job.key), pod=action.pod, warm=warm)
                else:
                    await self._conversations.ask(action.pod_uid)
        finally:
            self._cache.pods.release(action.pod_uid)
        for outcome in (promised, pod):
            if isinstance(outcome, BaseException):
                raise outcome
        if pod is None:
            self._cache.remember_unclaimed(job.uid, action.pod_uid)
            log.info("claim failed: the pod is not to be had", job=str(job.key), pod=action.pod)
            return False
        if (began := self._first_looks.pop(job.uid, None)) is not None:
            self._metrics.claims.labels("warm" if warm else "cold").observe(max(0.0, time.time() - began))
        return True

    def note_look(self, job: JobSnapshot) -> None:
        """Begin to count how long this job waits for its claim, if that is not known already."""
        if job.phase is Phase.QUEUED:
            self._first_looks.setdefault(job.uid, time.time())

    def forget(self, job_uid: str) -> None:
        """The job is over."""
        self._first_looks.pop(job_uid, None)

    async def _claimed(self, job_uid: str, action: ClaimPod) -> Object | None:
        """Return the pod as it was claimed; None if it is gone, going, or another job's.

        Raises:
            KubeError: it was not claimed, as far as is known.
        """
        patch = dict(action.patch)
        for left in reversed(range(TRIES)):
            try:
                return await self._kube.patch(PODS, action.namespace, action.pod, patch)
            except Conflict:
                current = await self._kube.get(PODS, action.namespace, action.pod)
                if current is None or current["metadata"]["uid"] != action.pod_uid:
                    self._cache.drop_pod(action.pod_uid)
                    return None
                pod = self._cache.put_pod(current)
                if pod.deleting_since is not None or pod.job_uid not in ("", job_uid):
                    return None
                if not left:
                    raise
                if "resourceVersion" in patch["metadata"]:
                    patch = {**patch, "metadata": {**patch["metadata"], "resourceVersion": pod.version}}
        raise AssertionError("the last try returns or raises")

    def _note_hit(self, key: PoolKey, age: float) -> None:
        pool = self._cache.pool(key)
        if pool is not None:
            self._cache.demand.asked(pool.uid, time.time(), hit=True)
        self._metrics.asked.labels(key.namespace, key.name, "hit").inc()
        self._metrics.ages.labels(key.namespace, key.name).observe(max(0.0, age))
        self._look_at_pool(key)
