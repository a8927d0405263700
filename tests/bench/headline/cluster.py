"""The experiment's place in a cluster: a namespace with its program and its pool, and jobs as a user has them run."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantum_runtime import RuntimeService
from runtime_operator.kube.client import POOLS

from bench import cluster
from bench.headline.arms import Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from runtime_operator.kube.client import Kube

PROGRAM = Path(__file__).with_name("lih_energy")
POOL = "headline"
JOB_SECONDS = 1800
POOL_SECONDS = 300


class User:
    """Who runs the jobs: the Python client, in one namespace, with the program uploaded."""

    def __init__(self, namespace: str) -> None:
        self._service = RuntimeService(namespace)
        self._program = self._service.upload_program(PROGRAM)

    def submit(self, inputs: Mapping[str, Any]) -> Job:
        """Run a job and return it with its result."""
        begin = time.perf_counter()
        job = self._service.run(self._program, inputs=dict(inputs))
        result = job.result(timeout=JOB_SECONDS)
        wall = (time.perf_counter() - begin) * 1e3
        return Job(result=result, wall_ms=wall, path=job.view.body["status"]["runner"]["path"])

    def close(self) -> None:
        """Close the connections."""
        self._service.close()


class Pool:
    """Pods that are ready for jobs of this namespace."""

    def __init__(self, kube: Kube, namespace: str, replicas: int) -> None:
        self._kube, self._namespace, self._replicas = kube, namespace, replicas

    async def full(self, *, after: int) -> None:
        """Wait until all its pods are ready and no other one is starting.

        Args:
            after: Number of jobs since the pool was made: a status that does not count them all is an old one.

        Raises:
            LookupError: there is no such pool any more.
            TimeoutError: it is not full after five minutes; the message has its status.
        """
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(POOL_SECONDS):
                while not self._says_full(status := await self._status(), after):  # noqa: ASYNC110 - not measured
                    await asyncio.sleep(cluster.POLL_SECONDS)
        except TimeoutError:
            wanted = f"{self._replicas} ready pods, or has not counted {after} jobs"
            raise TimeoutError(f"after {POOL_SECONDS} s the pool has not {wanted}: {status}") from None

    async def _status(self) -> dict[str, Any]:
        pool = await self._kube.get(POOLS, self._namespace, POOL)
        if pool is None:
            raise LookupError(f"the pool {POOL} is gone")
        status: dict[str, Any] = pool.get("status", {})
        return status

    def _says_full(self, status: dict[str, Any], after: int) -> bool:
        ready, starting = status.get("readyReplicas", 0), status.get("startingReplicas", 0)
        counted = status.get("hits", 0) + status.get("misses", 0)
        return bool(ready >= self._replicas and not starting and counted >= after)


@contextlib.asynccontextmanager
async def user(namespace: str) -> AsyncIterator[User]:
    """Connect, and upload the program."""
    made = await asyncio.to_thread(User, namespace)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


@contextlib.asynccontextmanager
async def pool(kube: Kube, namespace: str, replicas: int) -> AsyncIterator[Pool]:
    """Make a pool of the operator's default profile, which the program has, and have it deleted at the end."""
    body = await kube.create(POOLS, namespace, cluster.described("RunnerPool", POOL, {"replicas": replicas}))
    try:
        yield Pool(kube, namespace, replicas)
    finally:
        await kube.delete(POOLS, namespace, POOL, uid=body["metadata"]["uid"])
