"""Conditions as the Kubernetes API conventions describe them, and the closed list of reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from runtime_runner.contract import FailureReason

if TYPE_CHECKING:
    from collections.abc import Iterable

MESSAGE_CHARACTERS = 1024
"""Longest message in a condition or an event: the API allows more, people do not read it."""


class ConditionType(StrEnum):
    """The conditions of our resources. kstatus (Argo CD, Flux, kpt) reads `RECONCILING`, `STALLED`, `READY`."""

    SUCCEEDED = "Succeeded"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    SUSPENDED = "Suspended"
    RESULTS_VALID = "ResultsValid"
    READY = "Ready"
    SCHEMAS_VALID = "SchemasValid"


class Status(StrEnum):
    """The three values of a condition's status."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Why a condition is as it is, or why a job failed. Closed: scripts compare with these."""

    # How a job ended, said by its runner: the same names as in the protocol.
    INVALID_PROGRAM = FailureReason.INVALID_PROGRAM.value
    PROGRAM_FAILED = FailureReason.PROGRAM_FAILED.value
    PROGRAM_EXITED = FailureReason.PROGRAM_EXITED.value
    MISSING_MODULE = FailureReason.MISSING_MODULE.value
    INVALID_INPUT = FailureReason.INVALID_INPUT.value
    INVALID_RESULT = FailureReason.INVALID_RESULT.value
    RESULT_TOO_LARGE = FailureReason.RESULT_TOO_LARGE.value
    MAX_EXECUTION_TIME_EXCEEDED = FailureReason.MAX_EXECUTION_TIME_EXCEEDED.value
    OUT_OF_MEMORY = FailureReason.OUT_OF_MEMORY.value
    BACKEND_TOO_SMALL = FailureReason.BACKEND_TOO_SMALL.value
    INVALID_BACKEND = FailureReason.INVALID_BACKEND.value
    CANCELLED = FailureReason.CANCELLED.value
    RUNNER_ERROR = FailureReason.RUNNER_ERROR.value
    COMPLETED = "Completed"

    # What the user asked for cannot be done.
    INVALID_SPEC = "InvalidSpec"
    PROGRAM_NOT_FOUND = "ProgramNotFound"
    BACKEND_NOT_FOUND = "BackendNotFound"
    PROFILE_NOT_FOUND = "ProfileNotFound"
    SOURCE_NOT_FOUND = "SourceNotFound"
    ENTRYPOINT_NOT_FOUND = "EntrypointNotFound"
    SOURCE_TOO_LARGE = "SourceTooLarge"
    LIMIT_ABOVE_PROGRAM = "MaxExecutionTimeAboveProgram"

    # What a job waits for.
    SUSPENDED = "Suspended"
    CHECKING_INPUTS = "CheckingInputs"
    WAITING_FOR_RUNNER = "WaitingForRunner"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    POD_REFUSED = "PodRefused"
    NAMESPACE_NOT_PREPARED = "NamespaceNotPrepared"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    RUNNER_UNREACHABLE = "RunnerUnreachable"
    RUNNING = "Running"

    # How the platform ended a job.
    START_DEADLINE_EXCEEDED = "StartDeadlineExceeded"
    RUNNER_START_FAILED = "RunnerStartFailed"
    RUNNER_LOST = "RunnerLost"
    NODE_LOST = "NodeLost"
    EVICTED = "Evicted"
    NAME_CONFLICT = "NameConflict"

    # Programs and their schemas.
    ACCEPTED = "Accepted"
    SCHEMA_TOO_LARGE = "SchemaTooLarge"
    SCHEMA_TOO_EXPENSIVE = "SchemaTooExpensive"
    SCHEMA_NOT_APPLICABLE = "SchemaNotApplicable"
    SCHEMA_CHECK_FAILED = "SchemaCheckFailed"
    RESULT_VIOLATES_SCHEMA = "ResultViolatesSchema"
    INTERIM_RESULT_VIOLATES_SCHEMA = "InterimResultViolatesSchema"
    PROGRAM_CHANGED = "ProgramChanged"

    # Runner pools.
    POOL_READY = "PoolReady"
    REFILLING = "Refilling"
    SCALED_TO_ZERO = "ScaledToZero"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One condition, without its transition time: `set_condition` keeps that."""

    type: ConditionType
    status: Status
    reason: Reason
    message: str = ""


def set_conditions(
    old: Iterable[dict[str, object]], new: Iterable[Condition], now: float, generation: int
) -> list[dict[str, object]]:
    """Return the new conditions as the API wants them; one whose status is unchanged keeps its transition time."""
    since = {c.get("type"): (c.get("status"), c.get("lastTransitionTime")) for c in old}
    stamped: list[dict[str, object]] = []
    for condition in new:
        status, time = since.get(condition.type.value, (None, None))
        stamped.append(
            {
                "type": condition.type.value,
                "status": condition.status.value,
                "reason": condition.reason.value,
                "message": shorten(condition.message),
                "lastTransitionTime": time if status == condition.status.value and time else format_time(now),
                "observedGeneration": generation,
            }
        )
    return stamped


def shorten(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """Return printable text of at most ``limit`` characters: control characters escaped, long text without its end."""
    text = "".join(
        c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text[: 2 * limit]
    )
    return text if len(text) <= limit else f"{text[: limit - 21]} ... (shortened)"


def format_time(moment: float) -> str:
    """Return a moment (seconds since the epoch) as the API writes times: UTC, whole seconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_exact_time(moment: float) -> str:
    """Return a moment with its milliseconds, where whole seconds would make different moments equal."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Return seconds since the epoch for a time as the API writes it."""
    return datetime.fromisoformat(text).timestamp()
