"""States of jobs for tests of what is shown of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from quantum_runtime.service.view import parse_job

if TYPE_CHECKING:
    from quantum_runtime.service.view import JobView

CREATED = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """Return the time so long after the job was created."""
    return CREATED + timedelta(seconds=seconds)


def at(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def state(
    phase: str = "Queued",
    reason: str = "",
    message: str = "",
    *,
    name: str = "toss",
    created: datetime = CREATED,
    spec: dict[str, Any] | None = None,
    **status: Any,
) -> JobView:
    """Return a state of a job of the program `coin`."""
    if reason:
        truth = {"Completed": "True", "Failed": "False", "Cancelled": "False"}.get(phase, "Unknown")
        status["conditions"] = [{"type": "Succeeded", "status": truth, "reason": reason, "message": message}]
    return parse_job(
        {
            "metadata": {"name": name, "namespace": "lab", "uid": "1", "creationTimestamp": at(created)},
            "spec": {"programRef": {"kind": "RuntimeProgram", "name": "coin"}, **(spec or {})},
            "status": {"phase": phase, **status},
        }
    )


def running(*, seconds: float = 3, **fields: Any) -> JobView:
    """Return the state of a job that was started so long after its creation."""
    fields.setdefault("reason", "Running")
    fields.setdefault("message", "the program is running")
    created = fields.setdefault("created", CREATED)
    return state("Running", startTime=at(created + timedelta(seconds=seconds)), **fields)
