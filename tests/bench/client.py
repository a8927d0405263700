"""The Python client: what it takes to import it, and what it adds to a job between its creation and its result.

Every job is followed twice at the same time: by the client, as a user would, and by a bare watch in the same process,
which stops when it sees the terminal status. The difference is the client's.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from quantum_runtime import RuntimeService
from quantum_runtime.exceptions import RuntimeJobFailureError, RuntimeJobMaxTimeoutError, RuntimeJobNotFound
from runtime_operator.kube.client import JOBS, Kube

from bench import cluster
from bench.figures import percentiles, ratio

if TYPE_CHECKING:
    import argparse

PROGRAM = """\
import time
def main(backend, user_messenger, then="return"):
    user_messenger.publish("on its way")
    if then == "raise":
        raise ValueError(then)
    if then == "sleep":
        time.sleep(1000)
    return "All done!"
"""
IMPORTS = {
    "nothing (Python's own start)": "pass",
    "`import quantum_runtime`": "import quantum_runtime",
    "`from quantum_runtime import RuntimeService`": "from quantum_runtime import RuntimeService",
    "`RuntimeService()`: connected, with the kubeconfig read": "import quantum_runtime as q; q.RuntimeService()",
    "the first exception of a failed job: with Qiskit, whose `JobError` it is": (
        "from quantum_runtime.exceptions import RuntimeJobFailureError"
    ),
    "`import kubernetes`, for comparison": "import kubernetes",
    "`import qiskit`, for comparison": "import qiskit",
}


BAD_ENDINGS: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "the program raises": ({"inputs": {"then": "raise"}}, RuntimeJobFailureError),
    "it runs too long": ({"inputs": {"then": "sleep"}, "max_execution_time": 1}, RuntimeJobMaxTimeoutError),
    "the job is deleted": ({"inputs": {"then": "sleep"}}, RuntimeJobNotFound),
}


@dataclass(frozen=True)
class Run:
    """One job, in milliseconds."""

    create: float
    """A bare request that creates it."""
    run: float
    """`RuntimeService.run`, callback and all, which creates the other one."""
    added: float
    """From the moment when the bare watch saw the terminal status to the result in the user's hand."""


def imports(times: int) -> dict[str, list[float]]:
    """Return how many milliseconds a Python process takes that does this and ends, turn by turn."""
    taken: dict[str, list[float]] = {what: [] for what in IMPORTS}
    for turn in range(times + 1):
        for what, code in IMPORTS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            if turn:  # the first brings the files into memory
                taken[what].append((time.perf_counter() - begin) * 1e3)
    return taken


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return what imports take, so many runs, one at a time, and a quarter as many of each bad ending."""
    loaded = imports(options.runs)
    async with cluster.connected() as kube, cluster.namespace(kube, "client") as namespace:
        await cluster.publish(kube, namespace, "client", PROGRAM)
        service = await asyncio.to_thread(RuntimeService, namespace)
        await asyncio.to_thread(_through_the_client, service, "client-warm-up")
        runs = [await _run(kube, namespace, service, number) for number in range(options.runs)]
        endings = await _endings(kube, namespace, service, max(1, options.runs // 4))
    return {"imports": loaded, "runs": [asdict(run) for run in runs], "endings": endings}


async def _endings(kube: Kube, namespace: str, service: RuntimeService, runs: int) -> dict[str, list[float]]:
    """Return, by what happens to a job, the milliseconds from when the bare watch saw it to the exception."""
    taken: dict[str, list[float]] = {what: [] for what in BAD_ENDINGS}
    for number in range(runs):
        for place, what in enumerate(BAD_ENDINGS):
            name = f"ending-{place}-{number}"
            seen = await _bare_watch(kube, namespace, name)
            raised = await asyncio.to_thread(_until_it_raises, service, name, what)
            async with asyncio.timeout(60):
                taken[what].append((raised - await seen) * 1e3)
    return taken


def _until_it_raises(service: RuntimeService, name: str, what: str) -> float:
    keywords, expected = BAD_ENDINGS[what]
    published = threading.Event()
    job = service.run("client", name=name, callback=lambda *_: published.set(), **keywords)
    if expected is RuntimeJobNotFound:
        assert published.wait(60)
        threading.Thread(target=service.delete_job, args=(name,)).start()
    try:
        job.result(timeout=60)
    except expected:
        return time.perf_counter()
    raise AssertionError(f"{name} has a result")


async def _bare_watch(kube: Kube, namespace: str, name: str) -> asyncio.Task[float]:
    """Start a watch that ends, with the moment, when it has seen the end of this job."""
    _, version = await kube.list(JOBS, namespace)

    async def watch() -> float:
        async for kind, body in kube.watch(JOBS, namespace, resource_version=version):
            ended = kind == "DELETED" or (
                kind == "MODIFIED" and body.get("status", {}).get("phase") in ("Completed", "Failed")
            )
            if ended and body["metadata"]["name"] == name:
                return time.perf_counter()
        raise AssertionError("the watch ended")

    return asyncio.create_task(watch())


async def _run(kube: Kube, namespace: str, service: RuntimeService, number: int) -> Run:
    name = f"client-{number}"
    seen = await _bare_watch(kube, namespace, name)
    run, in_hand = await asyncio.to_thread(_through_the_client, service, name)
    async with asyncio.timeout(60):
        added = (in_hand - await seen) * 1e3
    begin = time.perf_counter()
    held = {"programRef": {"name": "client"}, "suspend": True}  # never runs: only its creation is looked at
    await kube.create(JOBS, namespace, cluster.described("RuntimeJob", f"bare-{number}", held))
    return Run(create=(time.perf_counter() - begin) * 1e3, run=run, added=added)


def _through_the_client(service: RuntimeService, name: str) -> tuple[float, float]:
    """Return how long `run` took, and when the result was there."""
    begin = time.perf_counter()
    job = service.run("client", inputs={}, callback=lambda *_: None, name=name)
    taken = (time.perf_counter() - begin) * 1e3
    assert job.result(timeout=60) == "All done!"
    return taken, time.perf_counter()


def section(data: dict[str, Any]) -> str:
    """Return the page's section."""
    loaded, runs, endings = data["imports"], data["runs"], data["endings"]
    bad = "\n".join(
        f"| {what}, as the bare watch saw → exception | {percentiles(ms, 1)} |" for what, ms in endings.items()
    )
    rows = "\n".join(f"| {what} | {percentiles(taken)} |" for what, taken in loaded.items())
    run, create = [one["run"] for one in runs], [one["create"] for one in runs]
    return f"""\
## The Python client

What a Python process takes that does nothing but this; {len(next(iter(loaded.values())))} times each, in turn.

| | p50 | p90 | p99 | max |
|---|---|---|---|---|
{rows}

{len(runs)} jobs, each followed by the client (with a callback) and by a bare watch in the same process.

| | p50 | p90 | p99 | max |
|---|---|---|---|---|
| bare request that creates a job | {percentiles(create, 1)} |
| `service.run(...)` | {percentiles(run, 1)} |
| terminal status seen by the bare watch → `job.result()` returned | {percentiles([one["added"] for one in runs], 1)} |
{bad}

`run` takes {ratio(run, create)} times as long as the bare request: it looks the program up, because a name may be a
private or a public program's, and starts the watch for the callback. Nothing polls: the result is in hand as soon as
the status has arrived, been decoded, and the callback has had the last interim result. The two watches arrive in any
order, so the difference may be negative. (Of the bad endings there are {len(next(iter(endings.values())))} each.)
"""
