"""The floor as an arm: its kind of job, its process, and its user."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runtime_operator.kube.client import Resource

from bench import bare, cluster
from bench.floor import FLOOR_JOBS, GROUP, VERSION
from bench.loops import Run
from bench.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime_operator.config import Profile
    from runtime_operator.kube.client import Kube, Object

CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False)
TESTS = Path(__file__).resolve().parents[2]
CRD_SECONDS = 2.0
"""A watch that is opened right after its kind was defined may be closed, or stay silent."""


class Floor:
    """Jobs of the floor's own kind, served by a process of its own."""

    def __init__(self, kube: Kube, namespace: str, process: asyncio.subprocess.Process) -> None:
        self._kube, self._namespace, self._process = kube, namespace, process
        self._jobs = cluster.Follower(kube, FLOOR_JOBS, namespace)

    async def ready(self, jobs: int) -> None:
        """Wait until so many pods are ready.

        Raises:
            RuntimeError: the process has failed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{jobs}\n".encode())
        answer = (await self._process.stdout.readline()).decode().strip()
        if answer != "ready":
            raise RuntimeError(f"the floor's process: {answer or 'it has ended'}")

    async def run(self, name: str) -> Run:
        """Run one job."""
        timeline = Timeline()

        def changed(job: Object) -> bool:
            status = job.get("status", {})
            if status.get("phase") == "Failed":
                raise RuntimeError(f"the floor's process: {status['message']}")
            if status.get("phase") != "Completed":
                return False
            timeline.mark("seen")
            timeline.mark("main entered", float(status["entered"]))
            return True

        body = cluster.described("FloorJob", name, {}, api_version=f"{GROUP}/{VERSION}")
        ended = self._jobs.until(name, changed)
        timeline.mark("created")
        await self._kube.create(FLOOR_JOBS, self._namespace, body)
        await ended
        return Run.of(timeline)

    async def __aenter__(self) -> Floor:
        await self._jobs.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._jobs.__aexit__(*error)


@contextlib.asynccontextmanager
async def floor(kube: Kube, namespace: str, profile: Profile) -> AsyncIterator[Floor]:
    """Define the floor's kind and start its process, in this namespace and with pods of this profile."""
    await bare.prepare(kube, namespace)
    defined = await kube.create(CRDS, None, _definition())
    await asyncio.sleep(CRD_SECONDS)
    command = [sys.executable, "-m", "bench.floor", namespace, profile.model_dump_json()]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    try:
        async with Floor(kube, namespace, process) as arm:
            yield arm
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await kube.delete(CRDS, None, FLOOR_JOBS_NAME, uid=defined["metadata"]["uid"])


FLOOR_JOBS_NAME = f"{FLOOR_JOBS.plural}.{GROUP}"


def _definition() -> Object:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    plural, kind = FLOOR_JOBS.plural, "FloorJob"
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": free, "status": free}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": FLOOR_JOBS_NAME},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [version],
        },
    }
