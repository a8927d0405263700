"""What a program's schemas say of its result and interim results, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_runner.schema.verdicts import Request, sentence

from runtime_operator.api.conditions import Condition, ConditionType, Reason, Status
from runtime_operator.api.v1alpha1 import ValidateResults
from runtime_operator.decide.plan import ApplySchemas, Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_runner.schema.verdicts import Verdict

    from runtime_operator.observe.schemas import ResultSchemas
    from runtime_operator.observe.snapshots import JobSnapshot, Observed, RunnerSnapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a job that has a result is told about it."""

    condition: Condition | None = None
    notice: Notice | None = None
    failure: str = ""
    """Why the job fails, although its program has returned; empty: it does not."""
    reason: Reason = Reason.INVALID_RESULT
    """Of the failure."""


def judge(observed: Observed, job: JobSnapshot, result: str, runner: RunnerSnapshot | None) -> ApplySchemas | Judgement:
    """Return what follows from the result, or what has to be found out first.

    Only jobs whose program declared schemas at their hand-over are judged. Of the interim results those are checked
    that the status holds: the newest ones.
    """
    if not job.result_schemas:
        return Judgement()
    enforced = job.status["program"].get("validateResults") == ValidateResults.ENFORCE
    if observed.result_schemas is None:
        problem = "the program was changed or deleted while the job ran, and its schemas are not known any more"
        return _unknown(Reason.PROGRAM_CHANGED, problem, enforced=enforced)
    requests = _requests(observed.result_schemas, result, runner)
    if requests and observed.result_check is None:
        return ApplySchemas(job_uid=job.uid, subject="results", digest=job.result_schemas, requests=requests)
    verdicts = observed.result_check.verdicts if observed.result_check else ()
    if broken := next((verdict for verdict in verdicts if verdict.violations), None):
        of_result = observed.result_schemas.return_values and broken is verdicts[0]
        reason = Reason.RESULT_VIOLATES_SCHEMA if of_result else Reason.INTERIM_RESULT_VIOLATES_SCHEMA
        return _violated(reason, verdicts, enforced=enforced)
    if unsure := next((verdict for verdict in verdicts if verdict.problem), None):
        reason = Reason.SCHEMA_TOO_EXPENSIVE if unsure.too_expensive else Reason.SCHEMA_NOT_APPLICABLE
        if observed.result_check is not None and observed.result_check.failed:
            reason = Reason.SCHEMA_CHECK_FAILED
        return _unknown(reason, unsure.problem, enforced=enforced)
    message = f"as the program's schemas say: {_count(observed.result_schemas, requests)}"
    return Judgement(
        condition=Condition(
            type=ConditionType.RESULTS_VALID, status=Status.TRUE, reason=Reason.ACCEPTED, message=message
        )
    )


def _requests(schemas: ResultSchemas, result: str, runner: RunnerSnapshot | None) -> tuple[Request, ...]:
    requests = []
    if schemas.return_values:
        requests.append(Request(schema=schemas.return_values, text=result, what="result"))
    if schemas.interim_results and runner is not None:
        before = runner.interim_published - len(runner.interims)
        requests += [
            Request(schema=schemas.interim_results, text=interim.value, what=f"interim result {number}")
            for number, interim in enumerate(runner.interims, start=before + 1)
        ]
    return tuple(requests)


def _violated(reason: Reason, verdicts: Sequence[Verdict], *, enforced: bool) -> Judgement:
    violations = [violation for verdict in verdicts for violation in verdict.violations]
    message = sentence([str(violation) for violation in violations])
    public = sentence([violation.demand for violation in violations])
    return Judgement(
        condition=Condition(type=ConditionType.RESULTS_VALID, status=Status.FALSE, reason=reason, message=message),
        notice=Notice(reason=Reason.INVALID_RESULT if enforced else reason, message=public),
        failure=f"not as the program's schemas say: {message}" if enforced else "",
    )


def _unknown(reason: Reason, problem: str, *, enforced: bool) -> Judgement:
    """Nobody knows: a warning is enough for a program that warns, and not for one that lets only valid results pass."""
    failure = f"result and interim results could not be checked: {problem}"
    blame = Reason.SCHEMA_CHECK_FAILED if reason is Reason.SCHEMA_CHECK_FAILED else Reason.INVALID_RESULT
    return Judgement(
        condition=Condition(type=ConditionType.RESULTS_VALID, status=Status.UNKNOWN, reason=reason, message=problem),
        notice=Notice(reason=blame if enforced else reason, message=failure),
        failure=failure if enforced else "",
        reason=blame,
    )


def _count(schemas: ResultSchemas, requests: Sequence[Request]) -> str:
    interims = len(requests) - bool(schemas.return_values)
    parts = ["the result"] if schemas.return_values else []
    if schemas.interim_results:
        parts.append(f"{interims} interim result{'' if interims == 1 else 's'}")
    return " and ".join(parts)
