"""The sequence of the load test: the plain alternative, the operator alone, with live jobs, killed, and restarted."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.kube.client import JOBS, PROGRAMS
from runtime_operator.kube.informer import Informer
from support.simulated import connecting, control_plane, nodes

from bench.scale import api_server, operators, profiling, steps
from bench.scale.load import PROGRAM, runtime_job
from bench.scale.steps import Load

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Sequence

    from runtime_operator.kube.client import Object, WatchType
    from runtime_operator.kube.http import HttpKube
    from support.simulated.control_plane import ControlPlane
    from support.simulated.nodes import Nodes
    from support.simulated.processes import Process

WORK_SECONDS = 1.0
"""A program's own time in the steps."""
LONG_SECONDS = 7000.0
"""... and of a program that lives until it is told to end."""
REACTION_SECONDS = 900.0
POD_SECONDS = 10
"""After its end, the pod of such a job is deleted."""
IDLE_SECONDS, IDLE_SHARE = 2.0, 0.2
"""An operator that used less of a core than this share for so long has nothing left to do."""
DRAIN_SECONDS = 90.0
MANAGER_FLAGS = ("--concurrent-job-syncs=32",)
"""As many as the operator has workers; the default is 5."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    rates: tuple[float, ...]
    """Jobs a second, one step each, until two are not held."""
    seconds: float
    """Length of a step."""
    live: int
    """Jobs that run at the same time."""
    fill_seconds: float
    """How long making them may take at most, at the highest rate that was held before."""
    live_rates: tuple[float, ...]
    nodes: int = 6


FULL = Size(
    rates=(5, 10, 15, 20, 30, 40, 60),
    seconds=20,
    live=10_000,
    fill_seconds=900,
    live_rates=(5, 10, 15, 20, 30, 40, 60),
)
QUICK = Size(rates=(4, 8), seconds=6, live=200, fill_seconds=40, live_rates=(4, 8))


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the raw figures: milliseconds, bytes, CPU seconds and counts."""
    size = QUICK if options.quick else FULL
    folder = Path(tempfile.mkdtemp(prefix="scale-"))
    data: dict[str, Any] = {"work_seconds": WORK_SECONDS, "step_seconds": size.seconds, "live": size.live}
    async with _cluster(folder, size) as (plane, played):
        data["versions"] = plane.versions
        data["job_controller"] = await _rising(
            plane, played, Load(step="jc", kind="Job", **_step(size)), size.rates, {}
        )
        data["profile"] = await _profile(plane, played, size)
        data["api_server"] = await _api_server(plane, played, size)
        data |= await _operator_alone(plane, played, size)
    shutil.rmtree(folder)
    return data


async def _profile(plane: ControlPlane, played: Nodes, size: Size) -> dict[str, Any]:
    """Return what an operator spends its time on at an easy rate."""
    profile = plane.folder / "operator.profile"
    operator = operators.start(plane, "operator-0", profile_to=profile)
    await _reaction("profile", plane, operator)
    load = Load(**_step(size) | {"step": "profile", "rate": size.rates[1]})
    step = await steps.run(plane, played, load, {"operator": operator})
    await operator.stop()
    return profiling.summary(profile, step["jobs"])


async def _api_server(plane: ControlPlane, played: Nodes, size: Size) -> dict[str, Any]:
    """Return what the API server spends its time on at an easy rate, in shares, and its CPU time per job: for both."""
    data: dict[str, Any] = {}
    operator = operators.start(plane, "operator-0")
    await _reaction("api-server", plane, operator)
    for kind, watched in (("RuntimeJob", {"operator": operator}), ("Job", {})):
        load = Load(**_step(size) | {"step": f"api-{kind.lower()}", "kind": kind, "rate": size.rates[1]})
        profiling_now = asyncio.create_task(api_server.profile(plane, size.seconds, plane.folder / f"{kind}.pprof"))
        step = await steps.run(plane, played, load, watched)
        cpu = 1e3 * step["cpu"]["kube-apiserver"] / step["jobs"]
        data[kind] = {"shares": await profiling_now, "cpu_ms": round(cpu, 1), "jobs": step["jobs"]}
    await operator.stop()
    return data


async def _operator_alone(plane: ControlPlane, played: Nodes, size: Size) -> dict[str, Any]:
    """Return the figures of one operator without other jobs, then with live ones, of its heir, and of that one's."""
    data: dict[str, Any] = {}
    first = operators.start(plane, "operator-1")
    data["idle_start_ms"] = await _reaction("first", plane, first)
    data["empty"] = first.usage().resident_bytes
    load = Load(step="alone", **_step(size))
    data["alone"] = await _rising(plane, played, load, size.rates, {"operator": first})
    held = [step["rate"] for step in data["alone"] if step["held"]]
    data["fill"] = await _filled(plane, played, size, max(held, default=size.rates[0]), first)
    data["with_live"] = await _rising(plane, played, replace(load, step="with"), size.live_rates, {"operator": first})
    data["full"] = _memory(plane, played, first)
    began = time.monotonic()
    first.kill()
    second = operators.start(plane, "operator-2")
    data["fail_over"] = await _took_over(plane, second, began)
    data["all_end"] = await _end_all(plane, played, second)
    await asyncio.sleep(POD_SECONDS)
    await _idle(second)  # their pods are cleared away, too
    await second.stop()
    data["writes"] = operators.writes(second)
    third = operators.start(plane, "operator-3")
    data["restart_ms"] = await _reaction("restart", plane, third)
    data["restarted"] = {"resident": third.usage().resident_bytes, "peak": third.usage().peak_bytes}
    await third.stop()
    return data


@asynccontextmanager
async def _cluster(folder: Path, size: Size) -> AsyncIterator[tuple[ControlPlane, Nodes]]:
    async with (
        control_plane.running(folder, controller_manager_flags=MANAGER_FLAGS) as plane,
        nodes.running(plane, size.nodes) as played,
        connecting.client(plane.admin) as kube,
    ):
        program = {
            "apiVersion": names.API_VERSION,
            "kind": "RuntimeProgram",
            "metadata": {"name": PROGRAM},
            "spec": {
                "maxExecutionTimeSeconds": 28800,
                "source": {"inline": "def main(backend, user_messenger, **kwargs): ...\n"},
            },
        }
        await kube.create(PROGRAMS, "default", program)
        yield plane, played


async def _rising(
    plane: ControlPlane, played: Nodes, load: Load, rates: Sequence[float], processes: dict[str, Process]
) -> list[dict[str, Any]]:
    """Return a step for each rate, until two in a row are not held: one may be bad luck."""
    results: list[dict[str, Any]] = []
    for rate in rates:
        step = replace(load, step=f"{load.step}-{rate:g}".replace(".", "-"), rate=rate)
        results.append(await steps.run(plane, played, step, processes))
        plane.check()
        if not any(result["held"] for result in results[-2:]) and len(results) > 1:
            break
    return results


async def _filled(plane: ControlPlane, played: Nodes, size: Size, rate: float, operator: Process) -> dict[str, Any]:
    """Have as many jobs run as are to live through the rest; return how that went."""
    fill = Load(
        step="live",
        rate=rate,
        seconds=size.fill_seconds,
        most=size.live,
        work=LONG_SECONDS,
        wait_for="running",
        patience=DRAIN_SECONDS,
        pod_seconds=POD_SECONDS,
    )
    return await steps.run(plane, played, fill, {"operator": operator})


async def _reaction(name: str, plane: ControlPlane, operator: Process) -> float:
    """Return in how many milliseconds, from now on, an operator just started promises a new job to a pod."""
    began = time.monotonic()
    async with connecting.client(plane.admin) as kube:
        await kube.create(JOBS, "default", runtime_job(name, "reaction", 0.0, 0, 5))
        async with asyncio.timeout(REACTION_SECONDS):
            while await _phase(kube, name) == "Queued":
                operator.check()
                await asyncio.sleep(0.02)
    return round(1e3 * (time.monotonic() - began), 1)


async def _took_over(plane: ControlPlane, operator: Process, began: float) -> dict[str, float]:
    """Return after how many milliseconds a new job was promised to a pod, and the operator had nothing left to do."""
    await _reaction("fail-over", plane, operator)
    reacted = time.monotonic() - began
    await _idle(operator)
    idle = time.monotonic() - began - IDLE_SECONDS
    usage = operator.usage()
    return {
        "reaction_ms": round(1e3 * reacted, 1),
        "idle_ms": round(1e3 * idle, 1),
        "cpu_seconds": round(usage.cpu_seconds, 2),
        "resident": usage.resident_bytes,
        "peak": usage.peak_bytes,
    }


async def _idle(operator: Process) -> None:
    """Return when the operator has had nothing to do for `IDLE_SECONDS`."""
    async with asyncio.timeout(REACTION_SECONDS):
        while True:
            before = operator.usage().cpu_seconds
            await asyncio.sleep(IDLE_SECONDS)
            if operator.usage().cpu_seconds - before < IDLE_SHARE * IDLE_SECONDS:
                return


async def _end_all(plane: ControlPlane, played: Nodes, operator: Process) -> dict[str, Any]:
    """Have all live programs return at once; return how long it took until every job's status said so."""
    over: set[str] = set()
    known: set[str] = set()

    def changed(kind: WatchType, body: Object) -> None:
        name = body["metadata"]["name"]
        known.add(name)
        if body.get("status", {}).get("phase") in ("Completed", "Failed", "Cancelled"):
            over.add(name)

    async with connecting.client(plane.admin) as kube:
        informer = Informer(kube, JOBS, changed)
        watching = asyncio.create_task(informer.run())
        await informer.synced.wait()
        living, cpu, began = len(known) - len(over), operator.usage().cpu_seconds, time.monotonic()
        played.finish_programs()
        async with asyncio.timeout(REACTION_SECONDS + living / 5):
            while len(over) < len(known):  # noqa: ASYNC110 - a tenth of a second more or less is nothing
                await asyncio.sleep(0.1)
        took = time.monotonic() - began
        watching.cancel()
    usage = operator.usage()
    return {
        "jobs": living,
        "finished": len(over),
        "seconds": round(took, 1),
        "operator_cpu_seconds": round(usage.cpu_seconds - cpu, 2),
        "operator_peak": usage.peak_bytes,
    }


def _memory(plane: ControlPlane, played: Nodes, operator: Process) -> dict[str, int]:
    everybody = {**plane.processes, "kubelets": played.process, "operator": operator}
    return {name: process.usage().resident_bytes for name, process in everybody.items()}


def _step(size: Size) -> dict[str, Any]:
    return {"rate": 0.0, "seconds": size.seconds, "work": WORK_SECONDS, "patience": DRAIN_SECONDS}


async def _phase(kube: HttpKube, name: str) -> str:
    job = await kube.get(JOBS, "default", name) or {}
    return str(job.get("status", {}).get("phase", "Queued"))
