"""RunnerPool events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kopf

from runtime_operator.api import names
from runtime_operator.api.names import PoolKey

if TYPE_CHECKING:
    from runtime_operator.observe.cache import Cache
    from runtime_operator.reconcile import Key
    from runtime_operator.workqueue import WorkQueue


def register(registry: kopf.OperatorRegistry, cache: Cache, queue: WorkQueue[Key]) -> None:
    """Have RunnerPools remembered and reconciled."""

    @kopf.on.event(names.GROUP, names.VERSION, names.POOLS, registry=registry)
    async def pool_event(event: kopf.RawEvent, **_: Any) -> None:
        body: Any = event["object"]
        if event["type"] == "DELETED":
            key = PoolKey(body["metadata"]["namespace"], body["metadata"]["name"])
            cache.drop_pool(key, body["metadata"]["uid"])
        else:
            key = cache.put_pool(body)
        queue.add(key)
