"""Which jobs are meant: what ``jobs()`` is asked for, as what the API server can choose by and what is left to us."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quantum_runtime.exceptions import IBMInputValueError
from quantum_runtime.metadata import resource_name
from quantum_runtime.service import submission
from quantum_runtime.service.options import NO_SESSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantum_runtime.cluster.api import Object

UNFINISHED = ("Queued", "Running")
PHASES = (*UNFINISHED, "Completed", "Failed", "Cancelled")

_OF_STATUS = {
    "INITIALIZING": "Queued",
    "VALIDATING": "Queued",
    "QUEUED": "Queued",
    "RUNNING": "Running",
    "DONE": "Completed",
    "COMPLETED": "Completed",
    "ERROR": "Failed",
    "FAILED": "Failed",
    "CANCELLED": "Cancelled",
}
"""Names of Qiskit's `JobStatus`, and the phases', in capitals."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which jobs, in which order."""

    limit: int | None
    """None: all of them."""
    skip: int
    phases: frozenset[str]
    program: str
    """Empty: of any; likewise the next one."""
    backend: str
    tags: frozenset[str]
    """A job has all of these."""
    after: datetime | None
    before: datetime | None
    newest_first: bool

    @property
    def field_selector(self) -> str:
        """What the API server can choose by."""
        parts = [f"status.phase!={phase}" for phase in PHASES if phase not in self.phases]
        parts = [f"status.phase={phase}" for phase in self.phases] if len(self.phases) == 1 else parts
        parts += [f"spec.programRef.name={self.program}"] if self.program else []
        parts += [f"spec.backend={self.backend}"] if self.backend else []
        return ",".join(parts)

    @property
    def by_metadata(self) -> bool:
        """Whether the jobs can be chosen by their metadata, and most need not be read."""
        return self.limit is not None and not self.tags

    def choose(self, bodies: Iterable[Object]) -> list[Object]:
        """Return those that are meant, in order, of what the API server has chosen."""
        found = [body for body in bodies if self._is_meant(body)]
        found.sort(key=_moment_and_order, reverse=self.newest_first)
        end = None if self.limit is None else self.skip + self.limit
        return found[self.skip : end]

    def _is_meant(self, body: Object) -> bool:
        created = datetime.fromisoformat(body["metadata"]["creationTimestamp"])
        if self.after is not None and created < self.after.replace(microsecond=0):  # the API server knows no fractions
            return False
        if self.before is not None and created > self.before:
            return False
        return self.tags <= set(body.get("spec", {}).get("tags") or ())


def selection(
    limit: int | None = 10,
    skip: int | None = 0,
    backend_name: Any = None,
    pending: bool | None = None,
    program_id: str | None = None,
    instance: str | None = None,
    job_tags: Sequence[str] | None = None,
    session_id: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    descending: bool = True,
    status: Any = None,
) -> Selection:
    """Return what the arguments of ``jobs()`` mean.

    Raises:
        IBMInputValueError: one of them cannot be used; the message names it.
    """
    if session_id:
        raise IBMInputValueError(NO_SESSIONS)
    if job_tags is not None and (isinstance(job_tags, str) or not all(isinstance(tag, str) for tag in job_tags)):
        raise IBMInputValueError("job_tags needs to be a list of strings.")
    for name, value in (("limit", limit), ("skip", skip)):
        if value is not None and (not isinstance(value, int) or value < 0):
            raise IBMInputValueError(f"{name} is {value!r}, expected a number from 0 on")
    phases = frozenset(PHASES) if status is None else frozenset(map(_phase, _several(status)))
    if pending is not None:
        phases = frozenset(phase for phase in phases if (phase in UNFINISHED) is bool(pending))
    return Selection(
        limit=limit,
        skip=skip or 0,
        phases=phases,
        program=_selectable("program_id", resource_name(program_id) or program_id if program_id else ""),
        backend=_selectable("backend_name", str(backend_name) if backend_name else ""),
        tags=frozenset(job_tags or ()),
        after=_aware("created_after", created_after),
        before=_aware("created_before", created_before),
        newest_first=descending,
    )


def _moment_and_order(body: Object) -> tuple[str, str, str]:
    metadata = body["metadata"]
    return metadata["creationTimestamp"], submission.submitted(body), metadata["name"]


def _several(status: Any) -> Iterable[Any]:
    return status if isinstance(status, Iterable) and not isinstance(status, str) else [status]


def _phase(status: Any) -> str:
    name = status.name if isinstance(status, enum.Enum) else str(status)
    if name.upper() not in _OF_STATUS:
        raise IBMInputValueError(f"status is {status!r}, expected a JobStatus or one of {', '.join(PHASES)}")
    return _OF_STATUS[name.upper()]


def _selectable(argument: str, value: str) -> str:
    """Refuse what would be read as something else in a field selector."""
    if any(character in value for character in ",=!\\"):
        raise IBMInputValueError(f"{argument} is {value!r}, which is no name")
    return value


def _aware(argument: str, moment: datetime | None) -> datetime | None:
    """Return the moment with its time zone: the local one if it has none."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise IBMInputValueError(f"{argument} is {moment!r}, expected a datetime")
    return moment.astimezone()
