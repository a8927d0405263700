"""One program: what its status should say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_operator.api.conditions import Condition, ConditionType, Reason, Status, set_conditions
from runtime_operator.decide.checks import program_finding
from runtime_operator.observe.snapshots import program_digest

if TYPE_CHECKING:
    from runtime_operator.config import OperatorConfig
    from runtime_operator.observe.schemas import Checked
    from runtime_operator.observe.snapshots import ProgramSnapshot, Source


def wants_check(program: ProgramSnapshot, config: OperatorConfig) -> bool:
    """Return whether the program has schemas that anybody will look at."""
    return 0 < program.schemas.size <= config.limits.schema_bytes


def program_status(
    program: ProgramSnapshot, source: Source | None, check: Checked | None, now: float, config: OperatorConfig
) -> dict[str, Any] | None:
    """Return the status the program should have; None while its source or its schemas have not been looked at."""
    if program.spec is not None and (source is None or (check is None and wants_check(program, config))):
        return None
    finding = program_finding(program, source, config)
    ready = Condition(
        type=ConditionType.READY,
        status=Status.FALSE if finding else Status.TRUE,
        reason=finding.reason if finding else Reason.ACCEPTED,
        message=finding.message if finding else "jobs can run this program",
    )
    conditions = [ready, _schemas_valid(program, check)] if check is not None else [ready]
    status: dict[str, Any] = {
        "observedGeneration": program.generation,
        "conditions": set_conditions(program.status.get("conditions", []), conditions, now, program.generation),
    }
    if program.spec is not None and source is not None and source.files is not None:
        status["digest"] = program_digest(program, source)
        if program.spec.entrypoint in source.files:
            status["entrypoint"] = program.spec.entrypoint
    return status


def _schemas_valid(program: ProgramSnapshot, check: Checked) -> Condition:
    """Say whether the schemas can be applied: what cannot is not enforced, and nobody else says so."""
    assert program.spec is not None
    bad = [(name, v) for name, v in zip(program.spec.schemas, check.verdicts, strict=True) if v.problem]
    if not bad:
        message = f"can be applied: {', '.join(program.spec.schemas)}"
        return Condition(type=ConditionType.SCHEMAS_VALID, status=Status.TRUE, reason=Reason.ACCEPTED, message=message)
    if check.failed:
        reason, status = Reason.SCHEMA_CHECK_FAILED, Status.UNKNOWN
    elif any(verdict.too_expensive for _, verdict in bad):
        reason, status = Reason.SCHEMA_TOO_EXPENSIVE, Status.FALSE
    else:
        reason, status = Reason.SCHEMA_NOT_APPLICABLE, Status.FALSE
    return Condition(
        type=ConditionType.SCHEMAS_VALID,
        status=status,
        reason=reason,
        message="; ".join(f"spec.{name}: {verdict.problem}" for name, verdict in bad),
    )
