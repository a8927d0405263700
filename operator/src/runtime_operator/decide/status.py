"""The status a job should have, written whole: one function per situation a job can be in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_operator.api.conditions import (
    Condition,
    ConditionType,
    Reason,
    Status,
    format_exact_time,
    format_time,
    set_conditions,
    shorten,
)
from runtime_operator.api.v1alpha1 import Compatibility, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_runner.contract import TerminationMessage

    from runtime_operator.decide.results import Judgement
    from runtime_operator.observe.snapshots import (
        JobSnapshot,
        OutputRef,
        Outputs,
        PodSnapshot,
        ProgramSnapshot,
        RunnerSnapshot,
    )

FAILURE_MESSAGE_CHARACTERS = 4096
"""Longest failure message: the runner's own are shorter; this bounds what a broken one can send."""


def queued(job: JobSnapshot, now: float, reason: Reason, message: str) -> dict[str, Any]:
    """The job waits; the reason says for what."""
    suspended = job.spec is not None and job.spec.suspend
    was_suspended = any(c["type"] == ConditionType.SUSPENDED for c in job.status.get("conditions", []))
    conditions = [
        Condition(type=ConditionType.SUCCEEDED, status=Status.UNKNOWN, reason=reason, message=message),
        Condition(
            type=ConditionType.RECONCILING,
            status=Status.FALSE if suspended else Status.TRUE,
            reason=reason,
            message=message,
        ),
    ]
    if suspended or was_suspended:
        held = Status.TRUE if suspended else Status.FALSE
        conditions.append(Condition(type=ConditionType.SUSPENDED, status=held, reason=reason, message=message))
    return {"phase": Phase.QUEUED.value, **_observed(job, now, conditions)}


def handed_over(
    job: JobSnapshot,
    now: float,
    *,
    pod: PodSnapshot,
    attempt: int,
    program: ProgramSnapshot,
    digest: str,
    backend: str,
) -> dict[str, Any]:
    """The job is promised to this pod: written before the hand-over, so that no other pod ever gets it."""
    return {
        "phase": Phase.RUNNING.value,
        **_observed(job, now, _running_conditions(_handed_over_to(pod))),
        "program": {"kind": program.kind.value, "name": program.name, "digest": digest, **_special(program)},
        "backend": {"name": backend},
        "runner": {
            "pod": pod.name,
            "uid": pod.uid,
            "node": pod.node,
            "path": "warm" if pod.pool else "cold",
            "attempt": attempt,
        },
    }


def running(job: JobSnapshot, now: float, runner: RunnerSnapshot, pod: PodSnapshot) -> dict[str, Any]:
    """What the program has said so far; nothing new before it has been entered."""
    if runner.started is None:
        return {**job.status, **_observed(job, now, _running_conditions(_handed_over_to(pod)))}
    status = {**job.status, **_observed(job, now, _running_conditions("the program is running"))}
    return {**status, **_progress(job, runner, None)}


def unreachable(job: JobSnapshot, now: float, pod: PodSnapshot, trouble: str) -> dict[str, Any]:
    """The program may well be running, but its runner does not answer: what is known stays."""
    message = f"the runner in pod {pod.name} does not answer: {trouble or 'it is connected, and silent'}"
    return {**job.status, **_observed(job, now, _running_conditions(message, Reason.RUNNER_UNREACHABLE))}


def completed(
    job: JobSnapshot,
    now: float,
    judged: Judgement,
    runner: RunnerSnapshot,
    outputs: Outputs | None,
    inline_bytes: int,
) -> dict[str, Any]:
    """The program returned; its result is complete."""
    assert runner.exit is not None
    assert runner.result is not None
    assert (outputs and outputs.result) or len(runner.result) <= inline_bytes
    status = _ended(job, Phase.COMPLETED, now, runner, outputs) | _result(runner.result, outputs)
    message = f"the program returned after {runner.exit.execution_seconds:.3f} s"
    done = Condition(type=ConditionType.SUCCEEDED, status=Status.TRUE, reason=Reason.COMPLETED, message=message)
    return {**status, **_observed(job, now, _with(judged, done))}


def from_termination(
    job: JobSnapshot, now: float, judged: Judgement, words: TerminationMessage, runner: RunnerSnapshot | None
) -> dict[str, Any]:
    """The program returned, as the pod's termination message says: the journal was not to be had."""
    assert words.result is not None
    if judged.failure:
        return invalid_result(job, now, judged, result=words.result, runner=runner)
    status = _ended(job, Phase.COMPLETED, now, runner, None)
    message = f"the program returned after {words.execution_seconds:.3f} s (its container log was lost)"
    done = Condition(type=ConditionType.SUCCEEDED, status=Status.TRUE, reason=Reason.COMPLETED, message=message)
    seconds = round(words.execution_seconds, 3)
    ended = {"result": words.result, "executionSeconds": seconds, **_observed(job, now, _with(judged, done))}
    return {**status, **ended}


def invalid_result(
    job: JobSnapshot,
    now: float,
    judged: Judgement,
    *,
    result: str,
    runner: RunnerSnapshot | None,
    outputs: Outputs | None = None,
) -> dict[str, Any]:
    """The program wants only valid results to count, and this one is not known to be. It is kept."""
    ended = unsuccessful(job, now, judged.reason, judged.failure, runner=runner, outputs=outputs, judged=judged)
    return ended | _result(result, outputs)


def unsuccessful(
    job: JobSnapshot,
    now: float,
    reason: Reason,
    message: str,
    *,
    traceback: str = "",
    runner: RunnerSnapshot | None = None,
    outputs: Outputs | None = None,
    judged: Judgement | None = None,
) -> dict[str, Any]:
    """The job failed or was cancelled; whatever the program had said is kept."""
    phase = Phase.CANCELLED if reason is Reason.CANCELLED else Phase.FAILED
    status = _ended(job, phase, now, runner, outputs)
    failure = {"reason": reason.value, "message": shorten(message, FAILURE_MESSAGE_CHARACTERS)}
    status["failure"] = {**failure, "traceback": traceback} if traceback else failure
    conditions = [Condition(type=ConditionType.SUCCEEDED, status=Status.FALSE, reason=reason, message=message)]
    if phase is Phase.FAILED:
        conditions.append(Condition(type=ConditionType.STALLED, status=Status.TRUE, reason=reason, message=message))
    return {**status, **_observed(job, now, _with(judged, *conditions) if judged else conditions)}


def _ended(
    job: JobSnapshot, phase: Phase, now: float, runner: RunnerSnapshot | None, outputs: Outputs | None
) -> dict[str, Any]:
    status = {**job.status, "phase": phase.value}
    if runner is None or (runner.started is None and runner.exit is None):
        return {**status, "completionTime": format_time(now)}
    status |= _progress(job, runner, outputs)
    if runner.exit is None:
        return {**status, "completionTime": format_time(now)}
    status["completionTime"] = format_time(runner.exit.time)
    status["executionSeconds"] = round(runner.exit.execution_seconds, 3)
    return status


def _progress(job: JobSnapshot, runner: RunnerSnapshot, outputs: Outputs | None) -> dict[str, Any]:
    """Times, interim results and logs, from what the runner has said."""
    dropped = runner.exit.interim_dropped if runner.exit else 0
    published = runner.exit.interim_published if runner.exit else runner.interim_published
    log_bytes = runner.exit.log_bytes if runner.exit else runner.log_bytes
    interims: dict[str, Any] = {"published": published, "dropped": dropped}
    if runner.interims:
        interims["latest"] = [
            {"seq": i.seq, "time": format_exact_time(i.time), "value": i.value} for i in runner.interims
        ]
    logs: dict[str, Any] = {
        "tail": runner.log_tail,
        "bytes": log_bytes,
        "truncated": not runner.log_is_whole,
    }
    if job.stored_interims.names:
        interims |= {"ref": _ref(job.stored_interims), "storedSeq": job.stored_interims.seq}
    if outputs and outputs.logs:
        logs["ref"] = _ref(outputs.logs)
    times: dict[str, Any] = {}
    if runner.started is not None:
        times = {
            "startTime": format_time(runner.started),
            "queuedSeconds": round(max(0.0, runner.started - job.created), 3),
        }
    return {**times, "interimResults": interims, "logs": logs}


def _special(program: ProgramSnapshot) -> dict[str, str]:
    """Return what matters at the job's end, or to its reader, of a program that is not like most."""
    assert program.spec is not None  # decided by the checks
    special: dict[str, str] = {}
    if program.spec.compatibility is not Compatibility.NONE:
        special["compatibility"] = program.spec.compatibility.value
    if program.schemas.results is not None:
        special["resultSchemas"] = program.schemas.results.digest
        special["validateResults"] = program.spec.validate_results.value
    return special


def _result(text: str, outputs: Outputs | None) -> dict[str, Any]:
    return {"resultRef": _ref(outputs.result)} if outputs and outputs.result else {"result": text}


def _with(judged: Judgement, *conditions: Condition) -> list[Condition]:
    return [*conditions, judged.condition] if judged.condition else [*conditions]


def _handed_over_to(pod: PodSnapshot) -> str:
    return f"handed over to pod {pod.name}"


def _running_conditions(message: str, reason: Reason = Reason.RUNNING) -> list[Condition]:
    return [
        Condition(type=ConditionType.SUCCEEDED, status=Status.UNKNOWN, reason=reason, message=message),
        Condition(type=ConditionType.RECONCILING, status=Status.TRUE, reason=reason, message=message),
    ]


def _observed(job: JobSnapshot, now: float, conditions: list[Condition]) -> dict[str, Any]:
    return {
        "observedGeneration": job.generation,
        "conditions": set_conditions(job.status.get("conditions", []), conditions, now, job.generation),
    }


def _ref(ref: OutputRef) -> Mapping[str, Any]:
    return {"names": list(ref.names), "size": ref.size, "sha256": ref.sha256}
