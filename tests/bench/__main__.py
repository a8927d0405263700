"""Run the measurements and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from kubernetes import client, config
from runtime_operator.handlers import lifecycle
from runtime_operator.kube.http import HttpKube

from bench import client as python_client
from bench import cold_start
from bench.figures import percentiles, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.client import Run
    from bench.cold_start import Timeline

NAMESPACE = "quantum-bench"
REPORT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"

STEPS = (
    ("job created", "created", "pod created", "the operator sees the job and creates its pod"),
    ("pod created", "pod created", "scheduled", "the scheduler binds it"),
    ("scheduled", "scheduled", "worker started", "kubelet and containerd start the container, Python the worker"),
    ("worker started", "worker started", "ready", "Qiskit and Aer are imported and warmed up"),
    ("ready", "ready", "main entered", "claim, status, hand-over, backend, the program's own imports"),
    ("main entered", "main entered", "program returned", "one circuit of two qubits, 100 shots"),
    ("program returned", "program returned", "status seen", "event, status write, the user's watch"),
)


async def measure(runs: int, image: str) -> tuple[list[Timeline], list[Timeline], list[Run], dict[str, list[float]]]:
    """Return the timelines of jobs and of bare pods, and of the Python client its runs and the bad endings."""
    connection = await lifecycle.connect()
    session = connection.session()
    try:
        kube = HttpKube(session)
        jobs, pods = await cold_start.measure(kube, NAMESPACE, image, runs)
        good = await python_client.measure(kube, NAMESPACE, runs)
        return jobs, pods, good, await python_client.measure_endings(kube, NAMESPACE, max(1, runs // 4))
    finally:
        await session.close()
        await connection.close()


def report(jobs: Sequence[Timeline], pods: Sequence[Timeline], client_section: str) -> str:
    """Return the page."""
    entered, bare_entered = _values(jobs, "created", "main entered"), _values(pods, "created", "main entered")
    seen, bare_seen = _values(jobs, "created", "status seen"), _values(pods, "created", "status seen")
    started = _values(pods, "created", "python started")
    rows = [
        f"| {start} → {later} | {percentiles(_values(jobs, earlier, later))} | {what} |"
        for start, earlier, later, what in STEPS
    ]
    return f"""# Benchmarks

Made by `make bench`; do not edit. {len(jobs)} jobs and {len(pods)} bare pods, one at a time and in turn, on
{_machine()}.
Milliseconds. Machines differ and are noisy: the ratios are what counts.

## Cold start

A job whose runner image is on the node, but for which no pod is ready, against a bare pod of the same image and with
the same limits that runs the same program with `python` (Qiskit and Aer imported, one circuit run, counts printed).

| | p50 | p90 | p99 | max |
|---|---|---|---|---|
| job: created → `main` entered | {percentiles(entered)} |
| bare pod: created → `main` entered | {percentiles(bare_entered)} |
| bare pod: created → first line of Python | {percentiles(started)} |
| job: created → terminal status seen by a watch | {percentiles(seen)} |
| bare pod: created → `Succeeded` seen by a watch | {percentiles(bare_seen)} |

Ratio at p50: **{ratio(entered, bare_entered)}** to `main`, **{ratio(seen, bare_seen)}** to the end the user sees.
Most of a cold start is the pod's: Kubernetes takes {statistics.median(started):.0f} ms to the first line of Python, the
imports of Qiskit and Aer most of the rest. What a job adds is a second Python (the supervisor, before the worker), the
claim, the status that names the pod, and the hand-over. A bare pod's end is seen late because the kubelet looks at
ended containers once a second; a job's result comes over the stream.

### Where a job's time goes

| step | p50 | p90 | p99 | max | |
|---|---|---|---|---|---|
{chr(10).join(rows)}

{client_section}"""


def _values(timelines: Sequence[Timeline], earlier: str, later: str) -> list[float]:
    return sorted(timeline.between(earlier, later) for timeline in timelines)


def _machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    version = client.VersionApi().get_code().git_version
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}, Kubernetes {version} in kind"
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="jobs, and as many bare pods")
    parser.add_argument("--image", default="quantum-runtime/runner:dev", help="the runner image on the node")
    arguments = parser.parse_args()
    config.load_kube_config()
    api = client.CoreV1Api()
    api.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    try:
        loaded = python_client.imports(arguments.runs)
        jobs, pods, runs, endings = asyncio.run(measure(arguments.runs, arguments.image))
    finally:
        api.delete_namespace(NAMESPACE)
    REPORT.write_text(report(jobs, pods, python_client.section(loaded, runs, endings)))
    print(REPORT.read_text())


if __name__ == "__main__":
    main()
