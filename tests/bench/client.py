"""The Python client: what it takes to import it, and what it adds to a job between its creation and its result.

Every job is followed twice at the same time: by the client, as a user would, and by a bare watch in the same process,
which stops when it sees the terminal status. The difference is the client's.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantum_runtime import RuntimeService
from runtime_operator.api import names
from runtime_operator.kube.client import JOBS, PROGRAMS, Kube, Object

from bench.figures import percentiles, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = """\
def main(backend, user_messenger, **kwargs):
    user_messenger.publish("on its way")
    return "All done!"
"""
IMPORTS = {
    "nothing (Python's own start)": "pass",
    "`import quantum_runtime`": "import quantum_runtime",
    "`from quantum_runtime import RuntimeService`": "from quantum_runtime import RuntimeService",
    "`RuntimeService()`: connected, with the kubeconfig read": "import quantum_runtime as q; q.RuntimeService()",
    "`import kubernetes`, for comparison": "import kubernetes",
    "`import qiskit`, for comparison": "import qiskit",
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


async def measure(kube: Kube, namespace: str, runs: int) -> list[Run]:
    """Return so many runs, one at a time."""
    await kube.create(PROGRAMS, namespace, _object("RuntimeProgram", "client", PROGRAM_SPEC))
    service = await asyncio.to_thread(RuntimeService, namespace)
    await asyncio.to_thread(_through_the_client, service, "client-warm-up")
    return [await _run(kube, namespace, service, number) for number in range(runs)]


PROGRAM_SPEC = {"maxExecutionTimeSeconds": 60, "source": {"inline": PROGRAM}}


async def _run(kube: Kube, namespace: str, service: RuntimeService, number: int) -> Run:
    name = f"client-{number}"
    _, version = await kube.list(JOBS, namespace)

    async def watch() -> float:
        async for kind, body in kube.watch(JOBS, namespace, resource_version=version):
            if kind == "MODIFIED" and body["metadata"]["name"] == name and body["status"]["phase"] == "Completed":
                return time.perf_counter()
        raise AssertionError("the watch ended")

    seen = asyncio.create_task(watch())
    run, in_hand = await asyncio.to_thread(_through_the_client, service, name)
    async with asyncio.timeout(60):
        added = (in_hand - await seen) * 1e3
    begin = time.perf_counter()
    held = {"programRef": {"name": "client"}, "suspend": True}  # never runs: only its creation is looked at
    await kube.create(JOBS, namespace, _object("RuntimeJob", f"bare-{number}", held))
    return Run(create=(time.perf_counter() - begin) * 1e3, run=run, added=added)


def _through_the_client(service: RuntimeService, name: str) -> tuple[float, float]:
    """Return how long `run` took, and when the result was there."""
    begin = time.perf_counter()
    job = service.run("client", inputs={}, callback=lambda *_: None, name=name)
    taken = (time.perf_counter() - begin) * 1e3
    assert job.result(timeout=60) == "All done!"
    return taken, time.perf_counter()


def section(loaded: dict[str, list[float]], runs: Sequence[Run]) -> str:
    """Return the page's section."""
    rows = "\n".join(f"| {what} | {percentiles(taken)} |" for what, taken in loaded.items())
    run, create = [one.run for one in runs], [one.create for one in runs]
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
| terminal status seen by the bare watch → `job.result()` returned | {percentiles([one.added for one in runs], 1)} |

`run` takes {ratio(run, create)} times as long as the bare request: it looks the program up, because a name may be a
private or a public program's, and starts the watch for the callback. Nothing polls: the result is in hand as soon as
the status has arrived, been decoded, and the callback has had the last interim result. The two watches arrive in any
order, so the difference may be negative.
"""


def _object(kind: str, name: str, spec: dict[str, Any]) -> Object:
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
