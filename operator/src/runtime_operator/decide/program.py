"""One program: what its status should say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_operator.api.conditions import Condition, ConditionType, Reason, Status, set_conditions
from runtime_operator.decide.checks import program_finding
from runtime_operator.observe.snapshots import program_digest

if TYPE_CHECKING:
    from runtime_operator.config import OperatorConfig
    from runtime_operator.observe.snapshots import ProgramSnapshot, Source


def program_status(
    program: ProgramSnapshot, source: Source | None, now: float, config: OperatorConfig
) -> dict[str, Any] | None:
    """Return the status the program should have; None while its source has not been read."""
    if program.spec is not None and source is None:
        return None
    finding = program_finding(program, source, config)
    ready = Condition(
        type=ConditionType.READY,
        status=Status.FALSE if finding else Status.TRUE,
        reason=finding.reason if finding else Reason.ACCEPTED,
        message=finding.message if finding else "jobs can run this program",
    )
    status: dict[str, Any] = {
        "observedGeneration": program.generation,
        "conditions": set_conditions(program.status.get("conditions", []), [ready], now, program.generation),
    }
    if program.spec is not None and source is not None and source.files is not None:
        status["digest"] = program_digest(program.spec, source)
        if program.spec.entrypoint in source.files:
            status["entrypoint"] = program.spec.entrypoint
    return status
