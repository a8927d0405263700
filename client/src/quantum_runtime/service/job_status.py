"""What Qiskit's `JobStatus` calls the states of a job.

Where Qiskit is not installed an enumeration of ours, with the same names and values, stands in for it.
"""

from __future__ import annotations

import enum
import functools
from typing import Any

_OF_PHASES = {
    "Queued": "QUEUED",
    "Running": "RUNNING",
    "Completed": "DONE",
    "Failed": "ERROR",
    "Cancelled": "CANCELLED",
}


def _ours() -> Any:
    return enum.Enum(
        "JobStatus",
        {
            "INITIALIZING": "job is being initialized",
            "QUEUED": "job is queued",
            "VALIDATING": "job is being validated",
            "RUNNING": "job is actively running",
            "CANCELLED": "job has been cancelled",
            "DONE": "job has successfully run",
            "ERROR": "job incurred error",
        },  # programs print these
        module=__name__,
    )


_OURS = _ours()


def of_phase(phase: str) -> enum.Enum:
    """Return the `JobStatus` of a job in this phase. A job that ran too long has failed: ERROR."""
    status: enum.Enum = job_status()[_OF_PHASES[phase]]
    return status


@functools.cache
def job_status() -> Any:
    """Return the enumeration. The first call imports Qiskit, if it is installed."""
    try:
        from qiskit.providers import JobStatus
    except ImportError:
        return _OURS
    return JobStatus


def __getattr__(name: str) -> Any:
    if name != "JobStatus":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return job_status()
