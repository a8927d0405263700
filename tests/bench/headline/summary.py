"""What page and picture say, computed from the recorded figures. Times in milliseconds, energies in hartree."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bench.headline.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to cut the computation into jobs.

    Attributes:
        name: As a row of a table begins.
        jobs: Of the whole computation.
        measured: Its time, on average if it was done more than once.
        predicted: The model's.
        path: ``cold`` or ``warm``.
        extrapolated: From how many jobs the time is extrapolated; 0 if all were run.
    """

    name: str
    jobs: int
    measured: float
    predicted: float
    path: str
    extrapolated: int = 0

    @property
    def error(self) -> float:
        """How much longer than measured the model says, as a part of the measured time."""
        return self.predicted / self.measured - 1


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All arms, and what the model makes of them.

    Attributes:
        model: With the work and the preparation as measured in the loops' jobs.
        overhead: Of a job that does nothing, by its path.
        floor: The overhead that no design can avoid, in pods that are ready.
        hits: How many jobs of the warm arm found a ready pod, as a part of all.
    """

    model: Model
    overhead: Mapping[str, float]
    floor: float
    hits: float
    loops: Mapping[str, Arm]
    per_evaluation: Mapping[str, Arm]
    per_circuit: Arm

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All of them, in the order of a table."""
        return (*self.loops.values(), *self.per_evaluation.values(), self.per_circuit)

    def ratio(self, arm: Arm) -> float:
        """Return how many times as long as one job this takes, by measurement; both start the same way."""
        return arm.measured / self.loops[arm.path].measured

    def predicted_ratio(self, arm: Arm) -> float:
        """Return the same, by the model."""
        return arm.predicted / self.loops[arm.path].predicted

    def cost(self, path: str) -> float:
        """Return what a job costs whatever it does: overhead and preparation."""
        return self.overhead[path] + self.model.prepare


def summary(data: Mapping[str, Any]) -> Summary:
    """Return what follows from the recorded figures."""
    evaluations, circuits = data["evaluations"], data["molecule"]["circuits"]
    loops = {path: data[path]["loop"] for path in ("cold", "warm")}
    everything = [loop for each in loops.values() for loop in each]
    model = Model(
        evaluations=evaluations,
        circuits=circuits,
        work=fmean(work for loop in everything for work in loop["work_ms"]),
        prepare=fmean(loop["prepare_ms"] for loop in everything),
    )
    overhead = {path: fmean(overheads(data, path)) for path in ("cold", "warm")}
    hits = fmean(path == "warm" for path in data["warm"]["per_evaluation"]["path"])
    sample = data["cold"]["per_circuit"]["wall_ms"]
    return Summary(
        model=model,
        overhead=overhead,
        floor=fmean(data["floor"]),
        hits=hits,
        loops={
            path: Arm(
                name=f"one job for all evaluations, {path}",
                jobs=1,
                measured=fmean(loop["wall_ms"] for loop in each),
                predicted=model.loop(overhead[path]),
                path=path,
            )
            for path, each in loops.items()
        },
        per_evaluation={
            "cold": Arm(
                name="one job per evaluation, cold",
                jobs=evaluations,
                measured=sum(data["cold"]["per_evaluation"]["wall_ms"]),
                predicted=model.per_evaluation(overhead["cold"]),
                path="cold",
            ),
            "warm": Arm(
                name=f"one job per evaluation, warm ({hits:.0%} of them)",
                jobs=evaluations,
                measured=sum(data["warm"]["per_evaluation"]["wall_ms"]),
                predicted=model.per_evaluation(hits * overhead["warm"] + (1 - hits) * overhead["cold"]),
                path="warm",
            ),
        },
        per_circuit=Arm(
            name="one job per circuit, cold",
            jobs=evaluations * circuits,
            measured=fmean(sample) * evaluations * circuits,
            predicted=model.per_circuit(overhead["cold"]),
            path="cold",
            extrapolated=len(sample),
        ),
    )


def overheads(data: Mapping[str, Any], path: str) -> list[float]:
    """Return the times of the jobs that did nothing and did reach their runner on this path."""
    return [job["wall_ms"] for job in data[path]["overhead"] if job["path"] == path]


def differences(data: Mapping[str, Any]) -> tuple[int, float]:
    """Return how many energies of other jobs were compared with those of the first loop, and the largest difference."""
    compared = list(_compared(data))
    return sum(number for number, _ in compared), max(difference for _, difference in compared)


def _compared(data: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    records = [*data["cold"]["loop"][1:], *data["warm"]["loop"]]
    records += [data["cold"]["per_evaluation"], data["warm"]["per_evaluation"], data["cold"]["per_circuit"]]
    for record in records:
        yield record["compared"], record["largest_difference"]
