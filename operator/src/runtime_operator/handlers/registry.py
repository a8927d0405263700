"""All handlers in one registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kopf

from runtime_operator.handlers import pools, programs

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.observe.cache import Cache
    from runtime_operator.reconcile import Key
    from runtime_operator.workqueue import WorkQueue


def build(cache: Cache, queue: WorkQueue[Key], healthy: Callable[[], str]) -> kopf.OperatorRegistry:
    """Return the registry; ``healthy`` answers the liveness probe, and raises if all is not well."""
    registry = kopf.OperatorRegistry()
    programs.register(registry, cache, queue)
    pools.register(registry, cache, queue)

    @kopf.on.probe(registry=registry, id="watches")
    async def watches(**_: Any) -> str:
        try:
            return healthy()
        except RuntimeError as error:  # kopf would ask again after a minute, and say "ok" meanwhile
            raise kopf.PermanentError(str(error)) from error

    return registry
