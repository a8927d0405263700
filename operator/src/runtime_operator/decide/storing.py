"""When a running job's interim results leave the operator's memory for RuntimeJobOutputs.

The status holds the newest. Those that it has no room for any more are stored in the order in which they came, the more
patiently the longer the program runs, so that their number of objects stays small; whoever reads them misses none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_operator.decide.deadlines import STATUS_INTERVAL
from runtime_operator.decide.plan import StoreInterims

if TYPE_CHECKING:
    from runtime_operator.observe.snapshots import JobSnapshot, Observed, RunnerSnapshot

PATIENCE = 0.04
"""Of the time a program has been running: so much later than in the status at most. 4 % of 8 h, the longest a program
may run, make at most 200 objects."""

PIECE_BYTES = 256 * 1024
"""So many bytes are not kept waiting."""


def waits(observed: Observed, runner: RunnerSnapshot, now: float) -> float | None:
    """Return in how many seconds what has piled up is due; None if nothing has."""
    if not runner.spilled_bytes:
        return None
    if runner.spilled_bytes >= PIECE_BYTES or runner.started is None:
        return 0.0
    patience = max(STATUS_INTERVAL, PATIENCE * (now - runner.started))
    return max(0.0, observed.interims_stored_at + patience - now)


def piled_up(job: JobSnapshot, runner: RunnerSnapshot) -> StoreInterims:
    """Return the storing of everything that the status has no room for."""
    return _store(job, runner, everything=False)


def rest(job: JobSnapshot, runner: RunnerSnapshot | None) -> StoreInterims | None:
    """Return the storing of what is missing when a job has ended, so that all its interim results are in one place."""
    if runner is None or runner.job_uid not in ("", job.uid):
        return None
    newest = runner.interims[-1].seq if runner.interims else 0
    complete = not job.stored_interims.names or newest <= job.stored_interims.seq
    return None if complete and not runner.spilled_bytes else _store(job, runner, everything=True)


def _store(job: JobSnapshot, runner: RunnerSnapshot, *, everything: bool) -> StoreInterims:
    return StoreInterims(
        job_uid=job.uid,
        namespace=job.key.namespace,
        job_name=job.key.name,
        pod_uid=runner.pod_uid,
        stored=job.stored_interims,
        everything=everything,
    )
