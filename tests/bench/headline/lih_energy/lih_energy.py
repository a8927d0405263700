"""The energy of lithium hydride, in portions: all evaluations of an optimisation, one of them, or one of its circuits.

The benchmark gives the same computation to few or many jobs, so how much of it is one job's is an input.
"""

from __future__ import annotations

import time
from typing import Any

import estimation  # type: ignore[import-not-found]  # beside this file, which is the runner's first place to look
import spsa  # type: ignore[import-not-found]  # likewise


def main(
    backend: Any,
    user_messenger: Any,
    task: str,
    evaluations: int = 501,
    number: int = 0,
    point: list[float] | None = None,
    group: int = 0,
    shots: int = 1024,
    seed: int = 0,
) -> dict[str, Any]:
    """Do one portion.

    Args:
        backend: Where the circuits run.
        user_messenger: Gets nothing: there are no interim results.
        task: ``nothing``; ``loop``, all evaluations and the optimiser between them; ``evaluation``, the energy of one
            point; ``circuit``, the part of that energy which one circuit measures.
        evaluations: Of the loop; an odd number.
        number: Of the evaluation among those of its loop, from 0: with the seed, it settles what is measured.
        point: Parameters of the evaluation.
        group: Number of the circuit, from 0.
        shots: Of each circuit.
        seed: Of everything that is random.

    Returns:
        For a loop ``energies`` of all evaluations and the last ``point``, for an evaluation its ``energy``, for a
        circuit its ``part``: hartree. ``prepare_ms`` is what it took to build and transpile the circuits once,
        ``work_ms`` what it took to evaluate: a list for a loop.
    """
    if task == "nothing":
        return {}
    begin = time.perf_counter()
    energy = estimation.Estimation(backend, shots=shots, seed=seed, only=group if task == "circuit" else None)
    prepared = time.perf_counter()
    result: dict[str, Any] = {"prepare_ms": (prepared - begin) * 1e3}
    if task == "loop":
        work: list[float] = []
        energies: list[float] = []

        def evaluate(number: int, point: Any) -> float:
            begin = time.perf_counter()
            energies.append(sum(energy.parts(number, point)))
            work.append((time.perf_counter() - begin) * 1e3)
            return energies[-1]

        found = spsa.minimise(evaluate, estimation.start(seed), evaluations=evaluations, seed=seed)
        return {**result, "energies": energies, "work_ms": work, "point": found.tolist()}
    if point is None:
        raise ValueError(f"task {task}: point is missing, a list of {estimation.PARAMETERS} angles")
    parts = energy.parts(number, point)
    result["work_ms"] = (time.perf_counter() - prepared) * 1e3
    return {**result, "energy" if task == "evaluation" else "part": sum(parts)}
