"""`sample-program` with three iterations, in a warm pod, and with ``python`` on this machine, turn by turn."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from runtime_operator.kube.client import JOBS

from bench import cluster
from bench.timeline import Timeline
from bench.warm.product import TERMINAL, fill

if TYPE_CHECKING:
    from runtime_operator.kube.client import Kube, Object

SOURCE = Path(__file__).resolve().parents[3] / "programs" / "sample_program" / "sample_program.py"
ITERATIONS = 3
PLAIN = f"""
import runpy
from qiskit_aer import AerSimulator
class Messenger:
    def publish(self, message): print(message, flush=True)
print(runpy.run_path({str(SOURCE)!r})["main"](AerSimulator(), Messenger(), iterations={ITERATIONS}))
"""
SECONDS = 120


async def measure(kube: Kube, namespace: str, runs: int) -> dict[str, list[float]]:
    """Return the milliseconds of each, from creation or start to the end. There is a pool in the namespace."""
    await cluster.publish(kube, namespace, "sample-program", await asyncio.to_thread(SOURCE.read_text))
    await asyncio.to_thread(_with_python)  # brings the files into memory
    taken: dict[str, list[float]] = {"warm": [], "python": []}
    async with cluster.Follower(kube, JOBS, namespace) as jobs:
        for number in range(runs):
            await fill(kube, namespace, 1)
            taken["warm"].append(await _as_job(kube, namespace, jobs, f"sample-{number}"))
            await fill(kube, namespace, 0)
            taken["python"].append(await asyncio.to_thread(_with_python))
    return taken


async def _as_job(kube: Kube, namespace: str, jobs: cluster.Follower, name: str) -> float:
    timeline = Timeline()

    def changed(job: Object) -> bool:
        status = job.get("status", {})
        if status.get("phase") not in TERMINAL:
            return False
        timeline.mark("seen")
        assert status["phase"] == "Completed", status
        assert status["interimResults"]["published"] == ITERATIONS, status
        assert status["runner"]["path"] == "warm", status
        return True

    spec = {
        "programRef": {"name": "sample-program"},
        "inputs": {"iterations": ITERATIONS},
        "ttl": {"podSeconds": 0},
    }
    ended = jobs.until(name, changed)
    async with asyncio.timeout(SECONDS):
        timeline.mark("created")
        await kube.create(JOBS, namespace, cluster.described("RuntimeJob", name, spec))
        await ended
    return round(timeline.between("created", "seen"), 3)


def _with_python() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", PLAIN], check=True, capture_output=True)
    return round((time.perf_counter() - begin) * 1e3, 3)
