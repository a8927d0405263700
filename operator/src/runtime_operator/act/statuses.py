"""Writes a status: what differs, guarded by uid, and never over an end that is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from runtime_operator.act.merge import merge_patch
from runtime_operator.api.v1alpha1 import Phase
from runtime_operator.kube.client import JOBS, POOLS
from runtime_operator.kube.errors import Conflict, Invalid
from runtime_operator.observe.snapshots import parse_job

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runtime_operator.kube.client import Kube
    from runtime_operator.metrics import Metrics
    from runtime_operator.observe.cache import Cache
    from runtime_operator.observe.pools import ObservedPool
    from runtime_operator.observe.snapshots import JobSnapshot

log = structlog.get_logger(__name__)


class Statuses:
    """See the module."""

    def __init__(self, kube: Kube, cache: Cache, metrics: Metrics) -> None:
        self._kube, self._cache, self._metrics = kube, cache, metrics

    async def write_job(self, job: JobSnapshot, wanted: Mapping[str, Any]) -> bool:
        """Make this the job's status, and return whether that took a write.

        That a terminal phase stays is guarded by the CRD's own rule.

        Raises:
            KubeError: it was not written; somebody else's change has been taken over first.
        """
        difference = merge_patch(job.status, wanted)
        if not difference:
            return False
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
            return True
        self._cache.put_job(written)
        if (phase := Phase(wanted["phase"])) is not job.phase:
            log.info("job changed", job=str(job.key), phase=phase.value, reason=_reason(wanted))
            if phase.terminal:
                self._metrics.ended.labels(phase.value).inc()
        return True

    async def write_pool(self, observed: ObservedPool, wanted: Mapping[str, Any]) -> None:
        """Make this the pool's status.

        Raises:
            KubeError: it was not written.
        """
        pool = observed.pool
        assert pool is not None
        difference = merge_patch(pool.status, wanted)
        if not difference:
            return
        body = {"metadata": {"uid": pool.uid}, "status": difference}
        try:
            written = await self._kube.patch(POOLS, pool.key.namespace, pool.key.name, body, subresource="status")
        except Conflict:
            written = None  # another pool of this name
        self._cache.remember_status_write(pool.uid, time.time())
        if written is None:
            self._cache.drop_pool(pool.key, pool.uid)
        else:
            self._cache.put_pool(written)


def _reason(status: Mapping[str, Any]) -> str:
    return str(next((c["reason"] for c in status.get("conditions", [])), ""))
