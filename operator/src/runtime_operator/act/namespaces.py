"""Prepares a namespace for runner pods, once for all jobs and pools that want it at the same time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

import structlog

from runtime_operator.act.merge import merge_patch
from runtime_operator.api import names
from runtime_operator.build.namespace import runner_policy, runner_service_account
from runtime_operator.kube.client import NETWORK_POLICIES, SERVICE_ACCOUNTS
from runtime_operator.kube.errors import Forbidden, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runtime_operator.kube.client import Kube
    from runtime_operator.observe.cache import Cache

log = structlog.get_logger(__name__)


class Namespaces:
    """Service account first, policy last: a namespace counts as prepared once the policy is there."""

    def __init__(self, kube: Kube, cache: Cache) -> None:
        self._kube, self._cache = kube, cache
        self._preparing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def prepare(self, namespace: str) -> str:
        """Make sure of both; return what is in the way, or nothing.

        Raises:
            KubeError: the API server could not be reached or gave an unexpected answer: try again.
        """
        async with self._preparing[namespace]:
            return "" if self._cache.is_prepared(namespace) else await self._prepare(namespace)

    async def _prepare(self, namespace: str) -> str:
        try:
            await self._kube.create(SERVICE_ACCOUNTS, namespace, runner_service_account(namespace))
            wanted = runner_policy(namespace)
            policy = await self._kube.create(NETWORK_POLICIES, namespace, wanted)
            if difference := _tampered(policy, wanted):
                restored = await self._kube.patch(NETWORK_POLICIES, namespace, names.RUNNER_POLICY, difference)
                if restored is None:
                    return f"NetworkPolicy {names.RUNNER_POLICY} was deleted"
                policy = restored
                log.warning("runner policy restored", namespace=namespace)
        except (Forbidden, Invalid, NotFound) as error:
            return f"namespace {namespace} cannot be prepared: {error.message}"
        if policy["spec"] != wanted["spec"]:
            return f"NetworkPolicy {names.RUNNER_POLICY} cannot be restored"
        self._cache.put_policy(policy)
        log.info("namespace prepared", namespace=namespace)
        return ""


def _tampered(policy: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patch that makes the policy what it should be: its spec, and the label by which it is watched."""
    labels = wanted["metadata"]["labels"]
    spec = merge_patch(policy["spec"], wanted["spec"])
    if not spec and labels.items() <= policy["metadata"].get("labels", {}).items():
        return {}
    return {"metadata": {"uid": policy["metadata"]["uid"], "labels": labels}, "spec": spec}
