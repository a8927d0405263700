"""Why a job cannot be run: each check looks at what was observed and answers with a finding, or nothing.

The list `CHECKS` is the policy, and its order is the order in which a user is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_runner import backend_names
from runtime_runner.schema.verdicts import sentence

from runtime_operator.api.conditions import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.config import OperatorConfig
    from runtime_operator.observe.snapshots import Observed, ProgramSnapshot, Source


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason and one sentence for a person."""

    reason: Reason
    message: str
    may_heal: bool = False
    """What is missing may still be created."""
    public: str = ""
    """The sentence without the user's values, for an event: who reads events need not be allowed to read jobs."""


def refusal(observed: Observed, config: OperatorConfig) -> Finding | None:
    """Return the first finding against the job."""
    return next((finding for check in CHECKS if (finding := check(observed, config))), None)


def spec_is_invalid(observed: Observed, _config: OperatorConfig) -> Finding | None:
    """The CRD's schema is meant to refuse such a job; an older CRD may not have."""
    if observed.job and observed.job.spec is None:
        return Finding(Reason.INVALID_SPEC, observed.job.spec_error)
    return None


def program_is_missing(observed: Observed, _config: OperatorConfig) -> Finding | None:
    """It may be applied a moment after the job."""
    if observed.program is None and observed.job and observed.job.spec:
        ref = observed.job.spec.program_ref
        where = f" in namespace {observed.key.namespace}" if ref.kind == "RuntimeProgram" else ""
        return Finding(Reason.PROGRAM_NOT_FOUND, f"there is no {ref.kind} {ref.name!r}{where}", may_heal=True)
    return None


def program_is_unusable(observed: Observed, config: OperatorConfig) -> Finding | None:
    """Whatever its own status says, too."""
    return program_finding(observed.program, observed.source, config) if observed.program else None


def limit_is_above_the_programs(observed: Observed, _config: OperatorConfig) -> Finding | None:
    """A job may lower its program's limit, never raise it."""
    job, program = observed.job, observed.program
    if not (job and job.spec and program and program.spec):
        return None
    asked, allowed = job.spec.max_execution_time_seconds, program.spec.max_execution_time_seconds
    if asked is not None and asked > allowed:
        return Finding(
            Reason.LIMIT_ABOVE_PROGRAM,
            f"spec.maxExecutionTimeSeconds is {asked}, the limit of {program.kind} {program.name!r} is {allowed}",
        )
    return None


def inputs_are_too_large(observed: Observed, config: OperatorConfig) -> Finding | None:
    """Inputs and result share one object in etcd, whose size is limited."""
    size = observed.job.inputs_bytes if observed.job else 0
    if size > config.limits.input_bytes:
        limit = config.limits.input_bytes
        return Finding(Reason.INVALID_INPUT, f"spec.inputs is {size} bytes of JSON, the limit is {limit}")
    return None


def backend_is_missing(observed: Observed, config: OperatorConfig) -> Finding | None:
    """It may be applied a moment after the job."""
    if observed.backend is None and observed.job and observed.job.spec:
        name = observed.job.spec.backend or config.default_backend
        hint = backend_names.hint(name) if config.builtin_backends else ""
        return Finding(Reason.BACKEND_NOT_FOUND, f"there is no RuntimeBackend {name!r}{hint}", may_heal=True)
    return None


def backend_is_too_small(observed: Observed, _config: OperatorConfig) -> Finding | None:
    """Where the number of qubits is known only to Qiskit, the runner compares."""
    program, backend = observed.program, observed.backend
    if not (program and program.spec and backend):
        return None
    needed = program.spec.backend_requirements.min_num_qubits
    there = backend_names.num_qubits(backend.spec)
    if needed is None or there is None or there >= needed:
        return None
    return Finding(
        Reason.BACKEND_TOO_SMALL,
        f"{program.kind} {program.name!r} needs {needed} qubits, backend {backend.name!r} has {there}",
    )


def inputs_violate_schema(observed: Observed, _config: OperatorConfig) -> Finding | None:
    """As far as that is known yet. A schema that cannot be applied at all is its program's trouble, not the job's."""
    program, check = observed.program, observed.input_check
    if program is None or check is None:
        return None
    (verdict,) = check.verdicts
    if verdict.too_expensive:
        named = f"the parameters of {program.kind} {program.name!r}"
        return Finding(Reason.SCHEMA_TOO_EXPENSIVE, f"{named} cannot be checked: {verdict.problem}")
    if not verdict.violations:
        return None
    return Finding(
        Reason.INVALID_INPUT,
        sentence([str(violation) for violation in verdict.violations]),
        public=sentence([violation.demand for violation in verdict.violations]),
    )


CHECKS: tuple[Callable[[Observed, OperatorConfig], Finding | None], ...] = (
    spec_is_invalid,
    program_is_missing,
    program_is_unusable,
    limit_is_above_the_programs,
    inputs_are_too_large,
    backend_is_missing,
    backend_is_too_small,
    inputs_violate_schema,
)


def program_finding(program: ProgramSnapshot, source: Source | None, config: OperatorConfig) -> Finding | None:
    """Return what is wrong with a program, whoever runs it; a source that has not been read yet is not."""
    named = f"{program.kind} {program.name!r}"
    if program.spec is None:
        return Finding(Reason.INVALID_SPEC, f"{named}: {program.spec_error}")
    profile = program.spec.profile or config.default_profile
    if profile not in config.profiles:
        known = ", ".join(sorted(config.profiles))
        return Finding(Reason.PROFILE_NOT_FOUND, f"{named} asks for profile {profile!r}; there are: {known}")
    if program.schemas.size > config.limits.schema_bytes:
        size, limit = program.schemas.size, config.limits.schema_bytes
        return Finding(
            Reason.SCHEMA_TOO_LARGE, f"the schemas of {named} are {size} bytes of JSON, the limit is {limit}"
        )
    if source is None:
        return None
    if source.files is None:
        return Finding(Reason.SOURCE_NOT_FOUND, f"{named}: {source.problem}", may_heal=True)
    if source.size > config.limits.source_bytes:
        limit = config.limits.source_bytes
        return Finding(Reason.SOURCE_TOO_LARGE, f"the source of {named} is {source.size} bytes, the limit is {limit}")
    if program.spec.entrypoint not in source.files:
        there = ", ".join(sorted(source.files)[:10]) or "no file at all"
        return Finding(
            Reason.ENTRYPOINT_NOT_FOUND,
            f"entrypoint {program.spec.entrypoint!r} of {named} is not among its files: {there}",
            may_heal=program.spec.source.config_map_ref is not None,
        )
    return None
