"""RuntimeProgram, ClusterRuntimeProgram and RuntimeBackend events: what jobs may be waiting for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import kopf

from runtime_operator.api import names

if TYPE_CHECKING:
    from runtime_operator.observe.cache import Cache
    from runtime_operator.reconcile import Key
    from runtime_operator.workqueue import WorkQueue


def register(registry: kopf.OperatorRegistry, cache: Cache, queue: WorkQueue[Key]) -> None:
    """Have programs remembered and reconciled, and the jobs that may wait for them looked at again."""

    @kopf.on.event(names.GROUP, names.VERSION, names.PROGRAMS, registry=registry)
    @kopf.on.event(names.GROUP, names.VERSION, names.CLUSTER_PROGRAMS, registry=registry)
    async def program_event(event: kopf.RawEvent, **_: Any) -> None:
        body: Any = event["object"]
        deleted = event["type"] == "DELETED"
        key = cache.drop_program(body, time.time()) if deleted else cache.put_program(body)
        queue.add(key)
        for job in cache.waiting_jobs(key[1]):
            queue.add(job)

    @kopf.on.event(names.GROUP, names.VERSION, names.BACKENDS, registry=registry)
    async def backend_event(event: kopf.RawEvent, **_: Any) -> None:
        body: Any = event["object"]
        if event["type"] == "DELETED":
            cache.drop_backend(body, time.time())
        else:
            cache.put_backend(body)
        for job in cache.waiting_jobs():
            queue.add(job)
