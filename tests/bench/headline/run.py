"""The arms, one after the other, in one cluster: what is measured, and in which order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bench import cluster, loops
from bench.floor.arm import floor
from bench.headline import arms, exact
from bench.headline.cluster import pool, user
from bench.headline.lih_energy import estimation
from bench.headline.picture import draw

if TYPE_CHECKING:
    import argparse

    from runtime_operator.kube.client import Kube

    from bench.headline.arms import Submit
    from bench.headline.cluster import Pool

EVALUATIONS, QUICK_EVALUATIONS = 501, 21
SAMPLE, QUICK_SAMPLE = 2, 1
"""Evaluations that are done with one job per circuit."""
LOOPS = 2
"""On each path."""
REPLICAS = 4
"""Of the pool."""


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of all arms, in milliseconds and hartree, and draw the picture of them.

    Args:
        options: ``runs`` is the number of jobs that do nothing, on each path; ``quick`` shortens the loop to 21
            evaluations and draws nothing.
    """
    evaluations, sample = (QUICK_EVALUATIONS, QUICK_SAMPLE) if options.quick else (EVALUATIONS, SAMPLE)
    async with (
        cluster.connected() as kube,
        cluster.namespace(kube, "headline") as namespace,
        user(namespace) as somebody,
    ):
        submit = somebody.submit
        await asyncio.to_thread(submit, {"task": "nothing"})  # prepares namespace and node, and is not counted
        cold = await asyncio.to_thread(_cold, submit, evaluations, options.runs, sample)
        async with pool(kube, namespace, REPLICAS) as ready:
            warm = await _warm(submit, ready, evaluations, options.runs)
        lowest = await _floor(kube, options.runs)
    found = figures(cold, warm) | {"floor": lowest}
    if not options.quick:
        draw(found)
    return found


def _cold(submit: Submit, evaluations: int, nothings: int, sample: int) -> dict[str, Any]:
    overheads = [arms.overhead(submit) for _ in range(nothings)]
    first = arms.loop(submit, evaluations)
    per_evaluation = arms.per_evaluation(submit, evaluations)
    later = [arms.loop(submit, evaluations) for _ in range(LOOPS - 1)]  # before and after: machines change their speed
    per_circuit = arms.per_circuit(submit, arms.points_of(first["energies"])[:sample])
    return {
        "overhead": overheads,
        "loop": [first, *later],
        "per_evaluation": per_evaluation,
        "per_circuit": per_circuit,
    }


async def _warm(submit: Submit, ready: Pool, evaluations: int, nothings: int) -> dict[str, Any]:
    overheads, loops = [], []
    for number in range(nothings):
        await ready.full(after=number)  # so that no pod starts beside the job
        overheads.append(await asyncio.to_thread(arms.overhead, submit))
    for number in range(LOOPS):
        await ready.full(after=nothings + number)
        loops.append(await asyncio.to_thread(arms.loop, submit, evaluations))
    await ready.full(after=nothings + LOOPS)
    per_evaluation = await asyncio.to_thread(arms.per_evaluation, submit, evaluations)
    return {"overhead": overheads, "loop": loops, "per_evaluation": per_evaluation}


async def _floor(kube: Kube, jobs: int) -> list[float]:
    """Return how long jobs that do nothing take at the bench's floor, in pods that are ready, one after the other."""
    async with (
        cluster.namespace(kube, "floor") as namespace,
        floor(kube, namespace, await cluster.profile(kube)) as lowest,
    ):
        await loops.closed([lowest], 1, label="first")
        [runs] = await loops.closed([lowest], jobs)
    return [run.seen for run in runs]


def figures(cold: dict[str, Any], warm: dict[str, Any]) -> dict[str, Any]:
    """Return what is recorded: of energies, those of one loop, and how far those of the other arms are from them."""
    loop = cold["loop"][0]
    energies, point = loop["energies"], loop["point"]
    return {
        "molecule": {
            "qubits": estimation.QUBITS,
            "terms": len(estimation.hamiltonian()),
            "circuits": len(estimation.groups()),
            "parameters": estimation.PARAMETERS,
            "shots": arms.SHOTS,
            "ground_state": exact.ground_state(),
            "best_basis_state": exact.best_basis_state(),
        },
        "evaluations": len(energies),
        "seed": arms.SEED,
        "replicas": REPLICAS,
        "energies": energies,
        "exact_at_start": exact.at(estimation.start(arms.SEED).tolist()),
        "exact_at_end": exact.at(point),
        "cold": {name: _recorded(arm, energies) for name, arm in cold.items()},
        "warm": {name: _recorded(arm, energies) for name, arm in warm.items()},
    }


def _recorded(arm: Any, energies: list[float]) -> Any:
    if isinstance(arm, list):
        return [_recorded(one, energies) for one in arm]
    rounded = {key: _rounded(arm[key]) for key in ("wall_ms", "prepare_ms", "work_ms") if key in arm}
    record = {"path": arm["path"], **rounded}
    if own := arm.get("energies"):
        record["compared"] = len(own)
        record["largest_difference"] = max(
            abs(one - other) for one, other in zip(own, energies[: len(own)], strict=True)
        )
    return record


def _rounded(milliseconds: Any) -> Any:
    return [round(each, 2) for each in milliseconds] if isinstance(milliseconds, list) else round(milliseconds, 2)
