"""Cold start: a job, and a bare pod of the same image that runs the same program with ``python``, turn by turn."""

from __future__ import annotations

import asyncio
import statistics
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.kube.client import JOBS, PODS
from runtime_runner import contract

from bench import bare, cluster
from bench.figures import percentiles, quotient, ratio, verdict
from bench.timeline import Timeline

if TYPE_CHECKING:
    import argparse

    from runtime_operator.config import Profile
    from runtime_operator.kube.client import Kube, Object

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
STEPS = (
    ("job created", "created", "pod created", "the operator sees the job and creates its pod"),
    ("pod created", "pod created", "scheduled", "the scheduler binds it"),
    ("scheduled", "scheduled", "worker started", "kubelet and containerd start the container, Python the worker"),
    ("worker started", "worker started", "ready", "Qiskit and Aer are imported and warmed up"),
    ("ready", "ready", "main entered", "claim, status, hand-over, backend, the program's own imports"),
    ("main entered", "main entered", "program returned", "one circuit of two qubits, 100 shots"),
    ("program returned", "program returned", "status seen", "event, status write, the user's watch"),
)
TARGET = 1.1


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the moments of so many jobs and so many bare pods, one at a time and in turn."""
    jobs, pods = [], []
    async with cluster.connected() as kube, cluster.namespace(kube, "cold") as namespace:
        profile = await cluster.profile(kube)
        await cluster.publish(kube, namespace, "cold-start", PROGRAM)
        await _job(kube, namespace, "warm-up")  # prepares the namespace, and brings the image's files into memory
        await _bare_pod(kube, namespace, profile, "bare-warm-up")
        for number in range(options.runs):
            jobs.append(await _job(kube, namespace, f"cold-{number}"))
            pods.append(await _bare_pod(kube, namespace, profile, f"bare-{number}"))
    return {"jobs": [_since_creation(one) for one in jobs], "pods": [_since_creation(one) for one in pods]}


def section(data: dict[str, Any]) -> str:
    """Return the page's section."""
    jobs, pods = data["jobs"], data["pods"]
    entered, bare_entered = _values(jobs, "main entered"), _values(pods, "main entered")
    seen, bare_seen = _values(jobs, "status seen"), _values(pods, "status seen")
    started = _values(pods, "python started")
    rows = [
        f"| {start} → {later} | {percentiles(_values(jobs, later, earlier))} | {what} |"
        for start, earlier, later, what in STEPS
    ]
    return f"""\
## Cold start

A job whose runner image is on the node, but for which no pod is ready, against a bare pod of the same image and with
the same limits that runs the same program with `python` (Qiskit and Aer imported, one circuit run, counts printed).
{len(jobs)} jobs and {len(pods)} bare pods, one at a time and in turn.

| | p50 | p90 | p99 | max |
|---|---|---|---|---|
| job: created → `main` entered | {percentiles(entered)} |
| bare pod: created → `main` entered | {percentiles(bare_entered)} |
| bare pod: created → first line of Python | {percentiles(started)} |
| job: created → terminal status seen by a watch | {percentiles(seen)} |
| bare pod: created → `Succeeded` seen by a watch | {percentiles(bare_seen)} |

Ratio at p50: {ratio(entered, bare_entered)} to `main`, {ratio(seen, bare_seen)} to the end the user sees.
To `main`: {verdict(quotient(entered, bare_entered), TARGET)}{_added(jobs, entered, bare_entered)}
Most of a cold start is the pod's: Kubernetes takes {statistics.median(started):.0f} ms to the first line of Python, the
imports of Qiskit and Aer most of the rest. What a job adds is a second Python (the supervisor, before the worker), the
claim, the status that names the pod, and the hand-over. A bare pod's end is seen late because the kubelet looks at
ended containers once a second; a job's result comes over the stream.

### Where a job's time goes

| step | p50 | p90 | p99 | max | |
|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def _added(jobs: list[dict[str, float]], entered: list[float], bare_entered: list[float]) -> str:
    """Return, if the target was missed, what the difference is made of; otherwise nothing."""
    if quotient(entered, bare_entered) <= TARGET:
        return ""
    more = statistics.median(entered) - statistics.median(bare_entered)
    before = statistics.median(_values(jobs, "pod created"))
    after = statistics.median(_values(jobs, "main entered", "ready"))
    return f""" Of the {more:.0f} ms more,
{before:.0f} pass before the job's pod is created, and {after:.0f} between its runner's being ready and `main`;
{more - before - after:.0f} are the container's: the second Python, and a warm-up of more than the script imports."""


def _values(timelines: list[dict[str, float]], later: str, earlier: str = "created") -> list[float]:
    return sorted(one[later] - one[earlier] for one in timelines)


def _since_creation(timeline: Timeline) -> dict[str, float]:
    return {name: round(timeline.between("created", name), 3) for name in timeline.moments}


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
        return False

    def job_changed(job: Object) -> bool:
        status = job.get("status", {"phase": "Queued"})
        if status["phase"] in ("Queued", "Running"):
            return False
        timeline.mark("status seen")
        assert status["phase"] == "Completed", status
        timeline.mark("main entered", float(status["interimResults"]["latest"][0]["value"]))
        return True

    body = cluster.described("RuntimeJob", name, {"programRef": {"name": "cold-start"}, "ttl": {"podSeconds": 3}})
    async with (
        asyncio.timeout(120),
        cluster.Follower(kube, PODS, namespace, every=pod_changed),
        cluster.Follower(kube, JOBS, namespace) as jobs,
    ):
        ended = jobs.until(name, job_changed)
        timeline.mark("created")
        await kube.create(JOBS, namespace, body)
        await ended
    journal = await kube.pod_log(namespace, pod_name, names.RUNNER_CONTAINER)
    while journal is None:  # the program was over before the kubelet's first look
        await asyncio.sleep(cluster.POLL_SECONDS)
        journal = await kube.pod_log(namespace, pod_name, names.RUNNER_CONTAINER)
    for line in journal.splitlines():
        event = contract.parse_event(line)
        if isinstance(event, contract.Ready):
            timeline.mark("ready", event.time)
            timeline.mark("worker started", event.time - event.warmup_seconds)
        elif isinstance(event, contract.Exit):
            timeline.mark("program returned", event.time)
    await cluster.no_pods(kube, namespace)
    return timeline


async def _bare_pod(kube: Kube, namespace: str, profile: Profile, name: str) -> Timeline:
    timeline = Timeline()

    def pod_changed(pod: Object) -> bool:
        if pod["status"]["phase"] not in ("Succeeded", "Failed"):
            return False
        timeline.mark("status seen")
        assert pod["status"]["phase"] == "Succeeded", pod["status"]
        return True

    manifest = bare.manifest(name, namespace, profile, ("python3", "-c", bare.script(PROGRAM)))
    async with asyncio.timeout(120), cluster.Follower(kube, PODS, namespace) as pods:
        ended = pods.until(name, pod_changed)
        timeline.mark("created")
        created = await kube.create(PODS, namespace, manifest)
        await ended
    for what, moment in (await bare.moments(kube, namespace, name)).items():
        timeline.mark(what, moment)
    await kube.delete(PODS, namespace, name, uid=created["metadata"]["uid"], grace_seconds=0)
    await cluster.no_pods(kube, namespace)
    return timeline
