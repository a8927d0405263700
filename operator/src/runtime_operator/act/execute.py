"""Carries out plans: actions in order, then the one status write, then the notice.

Every effect may be repeated: children have names that cannot differ, deletions and patches are guarded by uid, a
hand-over is known to the runner by the job's uid, and a status that is as it should be is not written.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, assert_never

import structlog

from runtime_operator.act.claims import Claims
from runtime_operator.act.namespaces import Namespaces
from runtime_operator.act.outputs import store_interims, store_outputs
from runtime_operator.act.statuses import Statuses
from runtime_operator.api import names
from runtime_operator.api.conditions import Reason
from runtime_operator.api.names import JobKey, PoolKey
from runtime_operator.decide import plan as plans
from runtime_operator.kube.client import CONFIG_MAPS, JOBS, PODS
from runtime_operator.kube.errors import Conflict, Forbidden, Invalid, NotFound, QuotaExceeded, Unavailable
from runtime_operator.kube.events import InvolvedObject
from runtime_operator.observe.snapshots import parse_pod
from runtime_operator.observe.source import source_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.kube.client import Kube
    from runtime_operator.kube.events import EventRecorder
    from runtime_operator.metrics import Metrics
    from runtime_operator.observe.cache import Cache
    from runtime_operator.observe.pods import Owner
    from runtime_operator.observe.pools import ObservedPool
    from runtime_operator.observe.snapshots import JobSnapshot, Observed
    from runtime_operator.runners.conversations import Conversations
    from runtime_operator.schema.checks import Checks

log = structlog.get_logger(__name__)


class _Subject(NamedTuple):
    """Whom an action is for: a job, which may be gone, or a pool."""

    key: Owner
    uid: str
    job: JobSnapshot | None = None


class Executor:
    """Everything a plan may ask for."""

    def __init__(
        self,
        kube: Kube,
        cache: Cache,
        conversations: Conversations,
        checks: Checks,
        events: EventRecorder,
        metrics: Metrics,
        look_at_pool: Callable[[PoolKey], None],
    ) -> None:
        self._kube, self._cache, self._conversations = kube, cache, conversations
        self._checks, self._events, self._metrics = checks, events, metrics
        self._look_at_pool = look_at_pool
        self._namespaces = Namespaces(kube, cache)
        self._statuses = Statuses(kube, cache, metrics)
        self._claims = Claims(kube, cache, conversations, self._statuses, metrics, look_at_pool)

    async def execute(self, observed: Observed, plan: plans.Plan) -> float | None:
        """Carry out the plan made for what was observed; return in how many seconds to look again.

        An action that turns out to be impossible ends the pass; why, is remembered, and the next decision sees it.

        Raises:
            KubeError: the API server could not be reached or gave an unexpected answer: try again.
        """
        job = observed.job
        subject = _Subject(observed.key, job.uid if job else observed.deleted_uid, job)
        if job is not None:
            self._claims.note_look(job)
        for action in plan.actions:
            if not await self._do(subject, action):
                return 0.0
        if job is None:
            return plan.requeue_after
        written = plan.status is not None and await self._statuses.write_job(job, plan.status)
        if plan.notice is not None:
            await self._events.record(_involved(job.key, job.uid), "Warning", plan.notice.reason, plan.notice.message)
        # What was written is not told again by the watch: if the plan names no moment, it is made anew.
        return 0.0 if written and plan.requeue_after is None else plan.requeue_after

    def forget(self, job_uid: str) -> None:
        """The job is over, or gone."""
        self._claims.forget(job_uid)

    async def execute_pool(self, observed: ObservedPool, plan: plans.Plan) -> float | None:
        """Do the same for a pool.

        Raises:
            KubeError: as `execute`.
        """
        self._metrics.show_pool(observed)
        subject = _Subject(observed.key, observed.pool.uid if observed.pool else "")
        for action in plan.actions:
            if not await self._do(subject, action):
                return 0.0
        if plan.status is not None:
            await self._statuses.write_pool(observed, plan.status)
        return plan.requeue_after

    async def _do(self, subject: _Subject, action: plans.Action) -> bool:
        """Carry out one action; False if the plan's premise does not hold (any more)."""
        key = subject.key
        match action:
            case plans.PrepareNamespace():
                if problem := await self._namespaces.prepare(action.namespace):
                    self._refuse(subject, Reason.NAMESPACE_NOT_PREPARED, problem)
                    return False
            case plans.ReadSource():
                await self._read_source(action)
            case plans.ApplySchemas():
                assert isinstance(key, JobKey)
                self._checks.ensure(key, action.job_uid, action.subject, action.digest, action.requests)
            case plans.CreatePod():
                return await self._create_pod(subject, action)
            case plans.Converse():
                self._conversations.ensure(key, action.pod, action.pod_uid, hurry=action.hurry, runs=action.runs)
            case plans.ClaimPod():
                assert subject.job is not None
                return await self._claims.claim(subject.job, action)
            case plans.HandOver():
                try:
                    await self._conversations.hand_over(action.pod_uid, action.request)
                except Unavailable:
                    return False
                log.info("job handed over", job=str(key), pod_uid=action.pod_uid)
            case plans.SendCancel():
                try:
                    await self._conversations.send_cancel(action.pod_uid)
                except Unavailable:
                    return False
                log.info("cancel sent", job=str(key), pod_uid=action.pod_uid)
            case plans.ReadJournal():
                await self._conversations.read_journal(key, action.pod, action.pod_uid)
            case plans.StoreInterims():
                await self._store_interims(action)
            case plans.StoreOutputs():
                self._cache.remember_outputs(action.job_uid, await store_outputs(self._kube, action))
            case plans.DeletePod():
                await self._kube.delete(PODS, action.namespace, action.pod, uid=action.pod_uid)
                self._cache.pods.note_deletion(action.pod_uid, time.time())
                log.info("pod deleted", owner=str(key), pod=action.pod)
            case plans.DiscardPod():
                return await self._discard(subject, action)
            case plans.DeleteJob():
                await self._kube.delete(JOBS, action.namespace, action.name, uid=action.uid, propagation="Background")
                log.info("job deleted after its time to live", job=str(key))
            case _:
                assert_never(action)
        return True

    async def _read_source(self, action: plans.ReadSource) -> None:
        found = await self._kube.get(CONFIG_MAPS, action.namespace, action.ref.name)
        self._cache.remember_source(action.job_uid, action.ref, source_of(found, action.ref))

    async def _store_interims(self, action: plans.StoreInterims) -> None:
        waiting = self._conversations.unstored(action.pod_uid, action.stored.seq, everything=action.everything)
        if waiting is None or not waiting[0]:
            return
        stored = await store_interims(self._kube, action, *waiting)
        self._cache.remember_stored_interims(action.job_uid, stored, time.time())
        self._conversations.forget_interims(action.pod_uid, stored.seq)

    async def _create_pod(self, subject: _Subject, action: plans.CreatePod) -> bool:
        manifest = dict(action.manifest)
        try:
            created = await self._kube.create(PODS, subject.key.namespace, manifest)
        except QuotaExceeded as error:
            self._refuse(subject, Reason.QUOTA_EXCEEDED, error.message)
            return False
        except (Forbidden, Invalid, NotFound) as error:
            self._cache.unprepare(subject.key.namespace)
            self._refuse(subject, Reason.POD_REFUSED, f"the API server refuses the runner pod: {error.message}")
            return False
        pod = parse_pod(created)
        if action.owner_uid not in (pod.job_uid, pod.pool_uid):
            name = manifest["metadata"]["name"]
            self._refuse(subject, Reason.NAME_CONFLICT, f"pod {name} exists and belongs to somebody else")
            return False
        self._cache.forget_refusal(subject.uid)
        if isinstance(subject.key, PoolKey):
            self._cache.put_made_pod(subject.uid, created)
        else:
            self._cache.put_pod(created)
            self._missed(subject, pod.profile)
        log.info("pod created", owner=str(subject.key), pod=pod.name)
        return True

    def _missed(self, job: _Subject, profile: str) -> None:
        """Tell the pools that would have had a pod for this job that they had none ready."""
        now = time.time()
        self._cache.demand.accepted(job.uid)
        self._cache.demand.starting(job.uid, job.key.namespace, profile)
        for pool in self._cache.pools(job.key.namespace, profile):
            if pool.spec is not None and pool.spec.replicas > 0:
                self._cache.demand.asked(pool.uid, now, hit=False)
                self._metrics.asked.labels(pool.key.namespace, pool.key.name, "miss").inc()
                self._look_at_pool(pool.key)

    async def _discard(self, subject: _Subject, action: plans.DiscardPod) -> bool:
        """Delete a pod that waits in a pool, if it still does: a claim that is under way goes first."""
        if not self._cache.pods.take(action.pod_uid):
            return False
        try:
            await self._kube.delete(
                PODS, action.namespace, action.pod, uid=action.pod_uid, resource_version=action.version
            )
        except Conflict:
            current = await self._kube.get(PODS, action.namespace, action.pod)
            if current is not None and current["metadata"]["uid"] == action.pod_uid:
                self._cache.put_pod(current)
            return False
        finally:
            self._cache.pods.release(action.pod_uid)
        self._cache.pods.note_deletion(action.pod_uid, time.time())
        self._metrics.wasted.labels(action.namespace, subject.key.name, action.why.value).inc()
        log.info("pool's pod discarded", pool=str(subject.key), pod=action.pod, why=action.why.value)
        return True

    def _refuse(self, subject: _Subject, reason: Reason, message: str) -> None:
        self._cache.remember_refusal(subject.uid, reason, message, time.time())
        if reason is Reason.QUOTA_EXCEEDED and isinstance(subject.key, JobKey):
            self._cache.demand.refused(subject.uid, subject.key.namespace)
        log.warning("refused by the API server", owner=str(subject.key), reason=reason.value)


def _involved(key: JobKey, uid: str) -> InvolvedObject:
    return InvolvedObject(
        api_version=names.API_VERSION, kind="RuntimeJob", namespace=key.namespace, name=key.name, uid=uid
    )
