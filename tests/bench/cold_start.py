"""Cold start: a job, and a bare pod of the same image that runs the same program with ``python``, turn by turn.

All moments are of one clock: this process, the API server and the node run on one machine.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.build.pod import runner_pod
from runtime_operator.config import Profile
from runtime_operator.kube.client import JOBS, PODS, PROGRAMS, Kube, Object, Resource
from runtime_runner import contract

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = """\
import time
from qiskit import QuantumCircuit
def main(backend, user_messenger, **kwargs):
    user_messenger.publish(time.time())
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return backend.run(circuit, shots=100).result().get_counts()
"""
BARE = (
    """\
import json, time
print(json.dumps({"python": time.time()}), flush=True)
"""
    + PROGRAM
    + """
from qiskit_aer import AerSimulator
class Messenger:
    def publish(self, message): print(json.dumps({"entered": message}), flush=True)
print(json.dumps(main(AerSimulator(), Messenger())), flush=True)
"""
)


@dataclass
class Timeline:
    """When what happened in one run, in seconds since the epoch."""

    moments: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str, moment: float | None = None) -> None:
        """Note this moment, unless it has been noted."""
        self.moments.setdefault(name, time.time() if moment is None else moment)

    def between(self, earlier: str, later: str) -> float:
        """Return the milliseconds from one to the other."""
        return (self.moments[later] - self.moments[earlier]) * 1e3


async def measure(kube: Kube, namespace: str, image: str, runs: int) -> tuple[list[Timeline], list[Timeline]]:
    """Return the timelines of so many jobs and so many bare pods, run one at a time and in turn."""
    await kube.create(
        PROGRAMS,
        namespace,
        {
            "apiVersion": names.API_VERSION,
            "kind": "RuntimeProgram",
            "metadata": {"name": "cold-start", "namespace": namespace},
            "spec": {"maxExecutionTimeSeconds": 60, "source": {"inline": PROGRAM}},
        },
    )
    await _job(kube, namespace, "warm-up")  # prepares the namespace, and brings the image's files into memory
    await _bare_pod(kube, namespace, image, "warm-up")
    jobs, pods = [], []
    for number in range(runs):
        jobs.append(await _job(kube, namespace, f"cold-{number}"))
        pods.append(await _bare_pod(kube, namespace, image, f"bare-{number}"))
    return jobs, pods


async def _job(kube: Kube, namespace: str, name: str) -> Timeline:
    timeline = Timeline()
    pod_name = ""

    def pod_changed(pod: Object) -> bool:
        nonlocal pod_name
        if pod["metadata"]["labels"].get(names.JOB_NAME_LABEL) != name:
            return False
        pod_name = pod["metadata"]["name"]
        timeline.mark("pod created")
        if pod["spec"].get("nodeName"):
            timeline.mark("scheduled")
        if pod["status"]["phase"] == "Running":
            timeline.mark("Running seen")
        return False

    def job_changed(job: Object) -> bool:
        if job["metadata"]["name"] != name or job["status"]["phase"] == "Queued":
            return False
        timeline.mark("promised")
        if job["status"]["phase"] == "Running":
            return False
        timeline.mark("status seen")
        assert job["status"]["phase"] == "Completed", job["status"]
        timeline.mark("main entered", float(job["status"]["interimResults"]["latest"][0]["value"]))
        return True

    body = {
        "apiVersion": names.API_VERSION,
        "kind": "RuntimeJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"programRef": {"name": "cold-start"}, "ttl": {"podSeconds": 3}},
    }
    async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
        pods = await _follow(tasks, kube, PODS, namespace, pod_changed)
        jobs = await _follow(tasks, kube, JOBS, namespace, job_changed)
        timeline.mark("created")
        await kube.create(JOBS, namespace, body)
        await jobs
        pods.cancel()
    journal = await kube.pod_log(namespace, pod_name, names.RUNNER_CONTAINER)
    while journal is None:  # the program was over before the kubelet's first look
        await asyncio.sleep(0.2)
        journal = await kube.pod_log(namespace, pod_name, names.RUNNER_CONTAINER)
    for line in journal.splitlines():
        event = contract.parse_event(line)
        if isinstance(event, contract.Ready):
            timeline.mark("ready", event.time)
            timeline.mark("worker started", event.time - event.warmup_seconds)
        elif isinstance(event, contract.Exit):
            timeline.mark("program returned", event.time)
    await _gone(kube, namespace, pod_name)
    return timeline


async def _bare_pod(kube: Kube, namespace: str, image: str, name: str) -> Timeline:
    timeline = Timeline()
    profile = Profile(image=image, image_pull_policy="Never", command=("python3", "-c", BARE))
    pod = runner_pod(
        job_name=name,
        job_uid=name,
        namespace=namespace,
        attempt=0,
        profile_name="bare",
        profile=profile,
        deadline_seconds=60,
    )
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": {"bench": name}}
    body = {**pod, "metadata": metadata}

    def pod_changed(pod: Object) -> bool:
        if pod["metadata"]["name"] != name:
            return False
        if pod["spec"].get("nodeName"):
            timeline.mark("scheduled")
        if pod["status"]["phase"] in ("Succeeded", "Failed"):
            timeline.mark("status seen")
            assert pod["status"]["phase"] == "Succeeded", pod["status"]
            return True
        return False

    async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
        pods = await _follow(tasks, kube, PODS, namespace, pod_changed)
        timeline.mark("created")
        created = await kube.create(PODS, namespace, body)
        await pods
    journal = await kube.pod_log(namespace, name, names.RUNNER_CONTAINER)
    assert journal is not None
    for line in journal.splitlines()[:2]:
        ((what, moment),) = json.loads(line).items()
        timeline.mark({"python": "python started", "entered": "main entered"}[what], moment)
    await kube.delete(PODS, namespace, name, uid=created["metadata"]["uid"], grace_seconds=0)
    await _gone(kube, namespace, name)
    return timeline


async def _follow(
    tasks: asyncio.TaskGroup, kube: Kube, resource: Resource, namespace: str, until: Callable[[Object], bool]
) -> asyncio.Task[None]:
    """Start a watch that ends when the callback says so; return when it sees everything from now on."""
    _, version = await kube.list(resource, namespace)

    async def watch() -> None:
        async for kind, body in kube.watch(resource, namespace, resource_version=version):
            if kind in ("ADDED", "MODIFIED") and until(body):
                return

    return tasks.create_task(watch())


async def _gone(kube: Kube, namespace: str, pod: str) -> None:
    """Wait until the pod is gone: the next run is to have the machine for itself."""
    while await kube.get(PODS, namespace, pod) is not None:  # noqa: ASYNC110 - nothing is measured here
        await asyncio.sleep(0.2)
