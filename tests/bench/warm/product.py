"""RuntimeJobs, with or without a pool of ready pods."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from runtime_operator.api import names
from runtime_operator.kube.client import JOBS, PODS, Resource

from bench import cluster, program
from bench.loops import Run
from bench.timeline import Timeline

if TYPE_CHECKING:
    from runtime_operator.kube.client import Kube, Object

POOLS = Resource(names.GROUP, names.VERSION, "runnerpools")
POOL = "bench"
FILL_SECONDS = 300
KEEP_SECONDS = 3600
"""Longer than any loop."""
TERMINAL = ("Completed", "Failed", "Cancelled")


class Product:
    """Jobs of the bench's program in a namespace. Used as a context: it opens the user's watch."""

    pod_seconds = 0
    """How long a job's pod stays after its end."""

    def __init__(self, kube: Kube, namespace: str, *, prefix: str = "", profile: str = "") -> None:
        self.kube, self.namespace = kube, namespace
        self._prefix = prefix
        self._spec: dict[str, Any] = {"profile": profile} if profile else {}
        self._jobs = cluster.Follower(kube, JOBS, namespace)

    async def __aenter__(self) -> Product:
        await cluster.publish(self.kube, self.namespace, self._prefix + program.NAME, program.SOURCE, **self._spec)
        await self._jobs.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._jobs.__aexit__(*error)

    async def ready(self, jobs: int) -> None:
        """Wait until no pod is left."""
        await cluster.no_pods(self.kube, self.namespace)

    async def run(self, name: str) -> Run:
        """Run one job.

        Raises:
            AssertionError: it has not completed.
        """
        timeline, path = Timeline(), ""

        def changed(job: Object) -> bool:
            nonlocal path
            status = job.get("status", {})
            if status.get("phase") not in TERMINAL:
                return False
            timeline.mark("seen")
            assert status["phase"] == "Completed", status
            timeline.mark("main entered", float(status["interimResults"]["latest"][0]["value"]))
            path = status["runner"]["path"]
            return True

        spec = {"programRef": {"name": self._prefix + program.NAME}, "ttl": {"podSeconds": self.pod_seconds}}
        ended = self._jobs.until(self._prefix + name, changed)
        timeline.mark("created")
        await self.kube.create(JOBS, self.namespace, cluster.described("RuntimeJob", self._prefix + name, spec))
        await ended
        return Run.of(timeline, path)


class Pooled(Product):
    """The same with a pool, filled before every loop with as many pods as the loop has jobs, and refilled beside it."""

    settings: ClassVar[dict[str, Any]] = {}
    """Of the pool: none but the operator's defaults."""

    async def __aenter__(self) -> Pooled:
        await super().__aenter__()
        spec = {"replicas": 0, **self.settings}
        await self.kube.create(POOLS, self.namespace, cluster.described("RunnerPool", POOL, spec))
        return self

    async def ready(self, jobs: int) -> None:
        """Wait until so many pods are ready, and no others are left."""
        await fill(self.kube, self.namespace, jobs)


class Resting(Pooled):
    """The same under the floor's conditions: as long as a loop goes on, used pods stay and no others are started."""

    pod_seconds = KEEP_SECONDS
    settings: ClassVar[dict[str, Any]] = {"lowWatermark": 0}
    """Refilled when no job has asked for the operator's `quietSeconds`, and no loop of ours leaves it so long."""

    async def ready(self, jobs: int) -> None:
        """Remove the pods that were used, and wait until so many others are ready."""
        used, _ = await self.kube.list(PODS, self.namespace, label_selector=names.JOB_NAME_LABEL)
        for pod in used:
            name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
            await self.kube.delete(PODS, self.namespace, name, uid=uid, grace_seconds=0)
        await super().ready(jobs)


class Drained(Product):
    """The same with a pool of two pods that other jobs have just taken when the loop begins."""

    SIZE = 2

    async def __aenter__(self) -> Drained:
        await super().__aenter__()
        await self.kube.create(POOLS, self.namespace, cluster.described("RunnerPool", POOL, {"replicas": 0}))
        self._drained = 0
        return self

    async def ready(self, jobs: int) -> None:
        """Wait until the pool is full, and then run as many jobs as it has pods."""
        await fill(self.kube, self.namespace, self.SIZE)
        self._drained += 1
        first = [super(Drained, self).run(f"drain-{self._drained}-{number}") for number in range(self.SIZE)]
        for run in await asyncio.gather(*first):
            assert run.path == "warm", f"the pool of {self.SIZE} was full, and a job was {run.path}"


async def fill(kube: Kube, namespace: str, replicas: int) -> None:
    """Have the pool so large, and return when every one of its pods waits for a job and no other pod is left."""
    await kube.patch(POOLS, namespace, POOL, {"spec": {"replicas": replicas}})
    async with asyncio.timeout(FILL_SECONDS):
        while not await _is_full(kube, namespace, replicas):  # noqa: ASYNC110 - nothing is measured here
            await asyncio.sleep(cluster.POLL_SECONDS)


async def _is_full(kube: Kube, namespace: str, replicas: int) -> bool:
    pods, _ = await kube.list(PODS, namespace)
    pool = await kube.get(POOLS, namespace, POOL)
    assert pool is not None
    status = pool.get("status", {})
    # The status is written now and then: that it knows these very pods shows that it is about the present.
    there = {pod["metadata"]["uid"] for pod in pods}
    return (
        len(pods) == replicas
        and there == set(status.get("pods") or ())
        and status.get("readyReplicas", 0) == replicas
        and status.get("observedGeneration") == pool["metadata"]["generation"]
        and not any(names.JOB_NAME_LABEL in pod["metadata"]["labels"] for pod in pods)
    )
