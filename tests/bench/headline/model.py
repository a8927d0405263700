"""How long a loop of N evaluations takes, by how it is cut into jobs. Times in milliseconds.

A job costs its overhead ``o`` and the preparation ``s`` of its circuits, whatever it does; an evaluation is work ``w``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Model:
    """A computation.

    Attributes:
        evaluations: N.
        circuits: G, of each evaluation.
        work: w, of one evaluation, when its circuits are there.
        prepare: s, to make the circuits of an evaluation.
    """

    evaluations: int
    circuits: int
    work: float
    prepare: float

    def loop(self, overhead: float) -> float:
        """Return the time of one job with everything: o + s + N w."""
        return overhead + self.prepare + self.evaluations * self.work

    def per_evaluation(self, overhead: float) -> float:
        """Return the time of one job per evaluation: N (o + s + w)."""
        return self.evaluations * (overhead + self.prepare + self.work)

    def per_circuit(self, overhead: float) -> float:
        """Return the time of one job per circuit, each with its share of the preparation: N (G o + s + w)."""
        return self.evaluations * (self.circuits * overhead + self.prepare + self.work)


def work_for(ratio: float, *, evaluations: int, once: float, each: float) -> float | None:
    """Return the work w per evaluation at which one job is so many times as fast as many; None if it never is.

    It is the w that solves N (each + w) = R (once + N w).

    Args:
        ratio: R, above 1.
        evaluations: N.
        once: What the one job costs beside the work.
        each: What the jobs of one evaluation cost beside the work.
    """
    work = (each - ratio * once / evaluations) / (ratio - 1)
    return work if work > 0 else None


def cost_for(ratio: float, *, evaluations: int, work: float, jobs: int = 1) -> float | None:
    """Return what every job must cost for one job to be so many times as fast as many; None if none is enough.

    It is the c that solves N (k c + w) = R (c + N w).

    Args:
        ratio: R, above 1.
        evaluations: N.
        work: w, of one evaluation.
        jobs: k, of one evaluation.
    """
    share = jobs - ratio / evaluations
    return work * (ratio - 1) / share if share > 0 else None
