"""Lists that notebooks show as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from quantum_runtime.service.program import RuntimeProgram

if TYPE_CHECKING:
    from quantum_runtime.service.view import JobView


class _Job(Protocol):
    @property
    def view(self) -> JobView: ...


J = TypeVar("J", bound=_Job)


class ProgramList(list[RuntimeProgram]):
    """Programs; a list in every other respect."""

    def _repr_html_(self) -> str:
        from quantum_runtime import rendering

        return rendering.programs_html(self)


class JobList(list[J]):
    """Jobs; a list in every other respect."""

    def _repr_html_(self) -> str:
        from quantum_runtime import rendering

        return rendering.jobs_html([job.view for job in self])
