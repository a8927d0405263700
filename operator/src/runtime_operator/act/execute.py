"""Carries out plans: actions in order, then the one status write, then the notice.

Every effect may be repeated: children have names that cannot differ, deletions and patches are guarded by uid, a
hand-over is known to the runner by the job's uid, and a status that is as it should be is not written.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, assert_never

import structlog

from runtime_operator.act.merge import merge_patch
from runtime_operator.act.outputs import store_interims, store_outputs
from runtime_operator.api import names
from runtime_operator.api.conditions import Reason
from runtime_operator.build.namespace import runner_policy, runner_service_account
from runtime_operator.decide import plan as plans
from runtime_operator.kube.client import CONFIG_MAPS, JOBS, NETWORK_POLICIES, PODS, SERVICE_ACCOUNTS
from runtime_operator.kube.errors import Conflict, Forbidden, Invalid, NotFound, QuotaExceeded, Unavailable
from runtime_operator.kube.events import InvolvedObject
from runtime_operator.observe.snapshots import parse_job, parse_pod
from runtime_operator.observe.source import source_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runtime_operator.api.names import JobKey
    from runtime_operator.kube.client import Kube
    from runtime_operator.kube.events import EventRecorder
    from runtime_operator.observe.cache import Cache
    from runtime_operator.observe.snapshots import Observed
    from runtime_operator.runners.conversations import Conversations
    from runtime_operator.schema.checks import Checks

log = structlog.get_logger(__name__)


class Executor:
    """Everything a plan may ask for."""

    def __init__(
        self, kube: Kube, cache: Cache, conversations: Conversations, checks: Checks, events: EventRecorder
    ) -> None:
        self._kube, self._cache, self._conversations = kube, cache, conversations
        self._checks, self._events = checks, events
        self._preparing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def execute(self, observed: Observed, plan: plans.Plan) -> float | None:
        """Carry out the plan made for what was observed; return in how many seconds to look again.

        An action that turns out to be impossible ends the pass; why, is remembered, and the next decision sees it.

        Raises:
            KubeError: the API server could not be reached or gave an unexpected answer: try again.
        """
        for action in plan.actions:
            if not await self._do(observed.key, action):
                return 0.0
        if plan.status is not None:
            await self._write_status(observed, plan.status)
        if plan.notice is not None and observed.job is not None:
            await self._events.record(
                _involved(observed.key, observed.job.uid), "Warning", plan.notice.reason, plan.notice.message
            )
        return plan.requeue_after

    async def _do(self, key: JobKey, action: plans.Action) -> bool:
        """Carry out one action; False if the plan's premise does not hold (any more)."""
        match action:
            case plans.PrepareNamespace():
                return await self._prepare(key, action.namespace)
            case plans.ReadSource():
                await self._read_source(action)
            case plans.ApplySchemas():
                self._checks.ensure(key, action.job_uid, action.subject, action.digest, action.requests)
            case plans.CreatePod():
                return await self._create_pod(key, action)
            case plans.Converse():
                self._conversations.ensure(key, action.pod, action.pod_uid)
            case plans.ClaimPod():
                return await self._claim(key, action)
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
                self._cache.note_deletion(action.pod_uid, time.time())
                log.info("pod deleted", job=str(key), pod=action.pod)
            case plans.DeleteJob():
                await self._kube.delete(JOBS, action.namespace, action.name, uid=action.uid, propagation="Background")
                log.info("job deleted after its time to live", job=str(key))
            case _:
                assert_never(action)
        return True

    async def _prepare(self, key: JobKey, namespace: str) -> bool:
        """Service account first, policy last: a namespace counts as prepared once the policy is there."""
        async with self._preparing[namespace]:  # once for all jobs that were applied together
            return self._cache.is_prepared(namespace) or await self._prepare_now(key, namespace)

    async def _prepare_now(self, key: JobKey, namespace: str) -> bool:
        try:
            await self._kube.create(SERVICE_ACCOUNTS, namespace, runner_service_account(namespace))
            wanted = runner_policy(namespace)
            policy = await self._kube.create(NETWORK_POLICIES, namespace, wanted)
            if difference := _tampered(policy, wanted):
                restored = await self._kube.patch(NETWORK_POLICIES, namespace, names.RUNNER_POLICY, difference)
                if restored is None:
                    return False
                policy = restored
                log.warning("runner policy restored", namespace=namespace)
        except (Forbidden, Invalid, NotFound) as error:
            self._refuse(
                key, Reason.NAMESPACE_NOT_PREPARED, f"namespace {namespace} cannot be prepared: {error.message}"
            )
            return False
        if policy["spec"] != wanted["spec"]:
            self._refuse(key, Reason.NAMESPACE_NOT_PREPARED, f"NetworkPolicy {names.RUNNER_POLICY} cannot be restored")
            return False
        self._cache.put_policy(policy)
        log.info("namespace prepared", namespace=namespace)
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

    async def _create_pod(self, key: JobKey, action: plans.CreatePod) -> bool:
        manifest = dict(action.manifest)
        try:
            created = await self._kube.create(PODS, key.namespace, manifest)
        except QuotaExceeded as error:
            self._refuse(key, Reason.QUOTA_EXCEEDED, error.message)
            return False
        except (Forbidden, Invalid, NotFound) as error:
            self._cache.unprepare(key.namespace)
            self._refuse(key, Reason.POD_REFUSED, f"the API server refuses the runner pod: {error.message}")
            return False
        if parse_pod(created).job_uid != action.job_uid:
            name = manifest["metadata"]["name"]
            self._refuse(key, Reason.NAME_CONFLICT, f"pod {name} exists and does not belong to this job")
            return False
        self._cache.put_pod(created)
        self._cache.forget_refusal(action.job_uid)
        log.info("pod created", job=str(key), pod=created["metadata"]["name"])
        return True

    async def _claim(self, key: JobKey, action: plans.ClaimPod) -> bool:
        uid = action.patch["metadata"]["uid"]
        try:
            claimed = await self._kube.patch(PODS, action.namespace, action.pod, dict(action.patch))
        except Conflict:
            claimed = await self._kube.get(PODS, action.namespace, action.pod)
            if claimed is not None and claimed["metadata"]["uid"] == uid:
                raise  # others write it, too, and it is still there: once more
            claimed = None
        if claimed is None:
            self._cache.drop_pod(uid)
            log.info("claim failed: the pod is gone", job=str(key), pod=action.pod)
            return False
        self._cache.put_pod(claimed)
        return True

    async def _write_status(self, observed: Observed, wanted: Mapping[str, Any]) -> None:
        """Write what differs. Guarded by uid; that a terminal phase stays is guarded by the CRD's own rule."""
        job = observed.job
        assert job is not None
        difference = merge_patch(job.status, wanted)
        if not difference:
            return
        body = {"metadata": {"uid": job.uid}, "status": difference}
        try:
            written = await self._kube.patch(JOBS, job.key.namespace, job.key.name, body, subresource="status")
        except (Conflict, Invalid) as error:
            written = await self._kube.get(JOBS, job.key.namespace, job.key.name)
            if written is not None and written["metadata"]["uid"] != job.uid:
                written = None
            elif written is not None and not parse_job(written).phase.terminal:
                self._cache.put_job(written)
                raise
            log.warning("status not written", job=str(job.key), error=str(error))
        self._cache.remember_status_write(job.uid, time.time())
        if written is None:
            self._cache.drop_job(job.key, job.uid)
            return
        self._cache.put_job(written)
        if wanted.get("phase") != job.status.get("phase"):
            log.info("job changed", job=str(job.key), phase=wanted.get("phase"), reason=_reason(wanted))

    def _refuse(self, key: JobKey, reason: Reason, message: str) -> None:
        job = self._cache.observe(key, lambda _: None).job
        if job is not None:
            self._cache.remember_refusal(job.uid, reason, message, time.time())
        log.warning("refused by the API server", job=str(key), reason=reason.value)


def _tampered(policy: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patch that makes the policy what it should be: its spec, and the label by which it is watched."""
    labels = wanted["metadata"]["labels"]
    spec = merge_patch(policy["spec"], wanted["spec"])
    if not spec and labels.items() <= policy["metadata"].get("labels", {}).items():
        return {}
    return {"metadata": {"uid": policy["metadata"]["uid"], "labels": labels}, "spec": spec}


def _involved(key: JobKey, uid: str) -> InvolvedObject:
    return InvolvedObject(
        api_version=names.API_VERSION, kind="RuntimeJob", namespace=key.namespace, name=key.name, uid=uid
    )


def _reason(status: Mapping[str, Any]) -> str:
    return str(next((c["reason"] for c in status.get("conditions", [])), ""))
