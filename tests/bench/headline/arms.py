"""The same computation as one job, as one job per evaluation, and as one job per circuit.

Where jobs run and how long they take is known to the function that each arm is given. The optimiser is the program's
own: in the loop's job it runs there, otherwise here, as in a notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.headline.lih_energy import estimation, spsa

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Submit = Callable[[Mapping[str, Any]], "Job"]

SEED = 0
SHOTS = 1024
FIXED = {"seed": SEED, "shots": SHOTS}
"""Inputs that all jobs have in common."""


@dataclass(frozen=True)
class Job:
    """A job of the program `lih_energy` that has ended well."""

    result: Mapping[str, Any]
    wall_ms: float
    """From before its submission to when its result was in hand."""
    path: str
    """``cold`` or ``warm``: how it reached its runner."""


def overhead(submit: Submit) -> dict[str, Any]:
    """Return how long a job takes that does nothing."""
    job = submit({"task": "nothing"})
    return {"wall_ms": job.wall_ms, "path": job.path}


def loop(submit: Submit, evaluations: int) -> dict[str, Any]:
    """Return one job with all evaluations: its times, energies in hartree, and the last point."""
    job = submit({"task": "loop", "evaluations": evaluations, **FIXED})
    return {"wall_ms": job.wall_ms, "path": job.path, **job.result}


def per_evaluation(submit: Submit, evaluations: int) -> dict[str, Any]:
    """Return one job per evaluation: lists in their order, of times, energies and paths."""
    jobs: list[Job] = []

    def evaluate(number: int, point: NDArray[Any]) -> float:
        jobs.append(submit({"task": "evaluation", "number": number, "point": point.tolist(), **FIXED}))
        return float(jobs[-1].result["energy"])

    point = spsa.minimise(evaluate, estimation.start(SEED), evaluations=evaluations, seed=SEED)
    return {
        **_lists(jobs),
        "energies": [job.result["energy"] for job in jobs],
        "point": point.tolist(),
    }


def per_circuit(submit: Submit, points: Sequence[NDArray[Any]]) -> dict[str, Any]:
    """Return the energies of these points, the loop's first, with one job per circuit; lists as above."""
    circuits = range(len(estimation.groups()))
    evaluations = [
        [
            submit({"task": "circuit", "group": group, "number": number, "point": point.tolist(), **FIXED})
            for group in circuits
        ]
        for number, point in enumerate(points)
    ]
    return {
        **_lists([job for jobs in evaluations for job in jobs]),
        "energies": [sum(job.result["part"] for job in jobs) for jobs in evaluations],
    }


def points_of(energies: Sequence[float]) -> list[NDArray[Any]]:
    """Return the points that a loop with these energies has evaluated."""
    points: list[NDArray[Any]] = []

    def replay(number: int, point: NDArray[Any]) -> float:
        points.append(point)
        return energies[number]

    spsa.minimise(replay, estimation.start(SEED), evaluations=len(energies), seed=SEED)
    return points


def _lists(jobs: Sequence[Job]) -> dict[str, Any]:
    return {
        "wall_ms": [job.wall_ms for job in jobs],
        "path": [job.path for job in jobs],
        "prepare_ms": [job.result["prepare_ms"] for job in jobs],
        "work_ms": [job.result["work_ms"] for job in jobs],
    }
