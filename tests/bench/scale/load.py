"""``python -m bench.scale.load``: makes jobs at random moments, and notes what it sees of each.

Open loop: when a job is made does not depend on how the ones before it fare. Its own lag, the time by which it comes
too late to make a job, is part of what it writes: with a large one it would be the generator that is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.kube.client import JOBS, Object, Resource
from runtime_operator.kube.errors import KubeError
from runtime_operator.kube.informer import Informer
from support.simulated import connecting
from support.simulated.kubelet import SECONDS_ANNOTATION

if TYPE_CHECKING:
    from runtime_operator.kube.client import Kube, WatchType

BATCH_JOBS = Resource("batch", "v1", "jobs")
LABEL = "bench.test/step"
PROGRAM = "simulated"


def runtime_job(name: str, step: str, work: float, interims: int, pod_seconds: int) -> Object:
    """Return a RuntimeJob whose simulated program runs for ``work`` seconds."""
    inputs: dict[str, Any] = {"seconds": work, "interims": interims, "log_lines": 2}
    spec = {"programRef": {"name": PROGRAM}, "inputs": inputs, "ttl": {"podSeconds": pod_seconds}}
    metadata = {"name": name, "labels": {LABEL: step}}
    return {"apiVersion": names.API_VERSION, "kind": "RuntimeJob", "metadata": metadata, "spec": spec}


def batch_job(name: str, step: str, work: float) -> Object:
    """Return a Kubernetes Job of one pod whose simulated container runs for ``work`` seconds."""
    container = {
        "name": "main",
        "image": "simulated",
        "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}},
    }
    pod = {
        "metadata": {"annotations": {SECONDS_ANNOTATION: str(work)}},
        "spec": {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]},
    }
    metadata = {"name": name, "labels": {LABEL: step}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"backoffLimit": 0, "template": pod}}


class Load:
    """One step of load."""

    def __init__(self, kube: Kube, options: argparse.Namespace) -> None:
        self._kube, self._options = kube, options
        self._resource = JOBS if options.kind == "RuntimeJob" else BATCH_JOBS
        self._moments: dict[str, dict[str, float]] = {}
        self._failed: dict[str, str] = {}
        self._over: set[str] = set()
        self._all_over = asyncio.Event()
        self._wanted: int | None = None

    async def run(self) -> Any:
        """Make the jobs, wait for their ends (or until patience is exhausted), and return what was seen."""
        options = self._options
        informer = Informer(
            self._kube,
            self._resource,
            self._changed,
            namespace=options.namespace,
            label_selector=f"{LABEL}={options.step}",
        )
        watching = asyncio.create_task(informer.run())
        await informer.synced.wait()
        began = time.time()
        lags = await self._create_all()
        self._wanted = len(self._moments)
        self._look_whether_over()
        with contextlib.suppress(TimeoutError):  # what is missing then, is seen in what was noted
            async with asyncio.timeout(options.patience):
                await self._all_over.wait()
        watching.cancel()
        return {"began": began, "lags": lags, "jobs": self._moments, "failed": self._failed}

    async def _create_all(self) -> list[float]:
        """Return by how many seconds each job was made too late."""
        options, loop = self._options, asyncio.get_running_loop()
        chance = random.Random(options.seed)
        lags: list[float] = []
        due = loop.time()
        end = due + options.seconds
        async with asyncio.TaskGroup() as tasks:
            while True:
                due += chance.expovariate(options.rate)
                if due > end or (options.most and len(lags) == options.most):
                    return lags
                await asyncio.sleep(max(0.0, due - loop.time()))
                lags.append(max(0.0, loop.time() - due))
                tasks.create_task(self._create(f"{options.step}-{len(lags)}"))

    async def _create(self, name: str) -> None:
        options = self._options
        if options.kind == "RuntimeJob":
            body = runtime_job(name, options.step, options.work, options.interims, options.pod_seconds)
        else:
            body = batch_job(name, options.step, options.work)
        moments = self._moments[name] = {"created": time.time()}
        try:
            await self._kube.create(self._resource, options.namespace, body)
        except KubeError as error:
            self._failed[name] = str(error)
            self._count(name)
            return
        moments["accepted"] = time.time()

    def _changed(self, kind: WatchType, body: Object) -> None:
        name = body["metadata"]["name"]
        moments = self._moments.get(name)
        if moments is None:
            return
        now, status = time.time(), body.get("status", {})
        if self._resource is JOBS:
            phase = status.get("phase", "Queued")
            promised, over, good = phase != "Queued", phase not in ("Queued", "Running"), phase == "Completed"
        else:
            kinds = {c["type"] for c in status.get("conditions", []) if c["status"] == "True"}
            promised, over = bool(status.get("startTime")), bool(kinds & {"Complete", "Failed"})
            good = "Complete" in kinds
        if promised:
            moments.setdefault("promised seen", now)
        if over:
            moments.setdefault("terminal seen", now)
            if not good:
                self._failed[name] = json.dumps(status.get("failure") or status.get("conditions"))
        if over or (promised and self._options.wait_for == "running"):
            self._count(name)

    def _count(self, name: str) -> None:
        self._over.add(name)
        self._look_whether_over()

    def _look_whether_over(self) -> None:
        if self._wanted is not None and len(self._over) >= self._wanted:
            self._all_over.set()


async def _run(options: argparse.Namespace) -> None:
    async with connecting.client(options.kubeconfig) as kube:
        options.out.write_text(json.dumps(await Load(kube, options).run()))


def main() -> None:
    """Parse the command line and make the load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="where the moments of the jobs go, as JSON")
    parser.add_argument("--kind", choices=("RuntimeJob", "Job"), default="RuntimeJob")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--step", required=True, help="begin of the jobs' names, and their label")
    parser.add_argument("--rate", type=float, required=True, help="jobs a second, on average")
    parser.add_argument("--seconds", type=float, required=True, help="how long jobs are made")
    parser.add_argument("--most", type=int, default=0, help="end after so many jobs; 0: only after the time")
    parser.add_argument("--work", type=float, default=1.0, help="seconds a program runs")
    parser.add_argument("--interims", type=int, default=0)
    parser.add_argument("--pod-seconds", type=int, default=3600, help="the jobs' ttl.podSeconds")
    parser.add_argument("--wait-for", choices=("running", "ended"), default="ended")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds to wait after the last job was made")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
