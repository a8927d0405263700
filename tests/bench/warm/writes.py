"""What the operator has written through the API server, by its own count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families
from runtime_operator.kube.client import PODS

from bench import cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp
    from runtime_operator.kube.client import Kube

OPERATOR = "app.kubernetes.io/component=operator"
METRIC = "quantum_runtime_api_writes_total"
METRICS_PORT = 9090
OF_POOL = "patch runnerpools/status"
NOT_OF_JOBS = ("leases",)
"""Written all the time, whether there are jobs or not."""


class Counting:
    """Counts the operator's writes from the moment it is opened, by ``"verb resource[/subresource]"``."""

    def __init__(self, session: aiohttp.ClientSession, kube: Kube) -> None:
        self._session, self._kube = session, kube
        self._before: Counter[str] = Counter()

    async def __aenter__(self) -> Counting:
        self._before = await self._now()
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def writes(self) -> dict[str, int]:
        """Return what has been written since."""
        return dict(sorted((await self._now() - self._before).items()))

    async def _now(self) -> Counter[str]:
        """Ask the operator, by way of the API server.

        Raises:
            LookupError: there is not exactly one operator.
        """
        pods, _ = await self._kube.list(PODS, cluster.SYSTEM, label_selector=OPERATOR)
        if len(pods) != 1:
            raise LookupError(f"there are {len(pods)} operators in {cluster.SYSTEM}, and the bench wants one")
        path = PODS.path(cluster.SYSTEM, f"{pods[0]['metadata']['name']}:{METRICS_PORT}", "proxy/metrics")
        async with self._session.get(path) as answer:
            answer.raise_for_status()
            return parsed(await answer.text())


def per_job(writes: Mapping[str, int], jobs: int) -> float:
    """Return the writes per job, those of the pool's status apart."""
    return sum(count for request, count in writes.items() if request != OF_POOL) / jobs


def parsed(metrics: str) -> Counter[str]:
    """Return the writes so far from the text of the operator's metrics."""
    counted: Counter[str] = Counter()
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == METRIC and sample.labels["resource"] not in NOT_OF_JOBS:
                counted[f"{sample.labels['verb']} {sample.labels['resource']}"] += round(sample.value)
    return counted
