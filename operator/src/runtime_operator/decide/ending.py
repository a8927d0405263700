"""How a job that was promised to a pod ends: by its runner's word, or without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_runner import contract

from runtime_operator.api.conditions import Reason
from runtime_operator.decide import results, status
from runtime_operator.decide.plan import ApplySchemas, Notice, Plan, ReadJournal, StoreOutputs, delete
from runtime_operator.decide.waiting import why_it_ended

if TYPE_CHECKING:
    from runtime_operator.config import OperatorConfig
    from runtime_operator.observe.snapshots import JobSnapshot, Observed, PodSnapshot, RunnerSnapshot

_EVICTIONS = {
    "Evicted",
    "Preempting",
    "PreemptionByScheduler",
    "EvictionByEvictionAPI",
    "TerminationByKubelet",
    "DeletionByTaintManager",
    "DeletionByPodGC",
    "NodeShutdown",
    "Terminated",
}


def by_the_runner(
    observed: Observed,
    job: JobSnapshot,
    runner: RunnerSnapshot,
    pod: PodSnapshot | None,
    now: float,
    config: OperatorConfig,
) -> Plan:
    """The journal is complete: store what the status is too small for, then say how the job ended."""
    assert runner.exit is not None
    failure, cancelled = runner.failure, job.spec is not None and job.spec.cancel
    if failure and failure.reason is contract.FailureReason.CANCELLED and not cancelled:
        if pod is not None and not pod.ended:
            return Plan()  # somebody else stopped the pod; its end will say who
        reason, message = _platform(job, pod)
        return _fail(job, now, reason, message, runner=runner, observed=observed)
    left = seconds_until_lost(pod, now, config) if pod is not None else None
    reachable = pod if left is None or left > 0 else None  # else nobody answers for its log
    if observed.outputs is None and (store := _oversized(job, runner, reachable, config)):
        return Plan(actions=(store,), requeue_after=0.0)
    if failure is not None:
        reason = Reason(failure.reason.value)
        return _fail(job, now, reason, failure.message, failure.traceback, runner=runner, observed=observed)
    if not runner.exit.succeeded or runner.result is None:
        message = "the runner ended without a complete result and without a reason"
        return _fail(job, now, Reason.RUNNER_ERROR, message, runner=runner, observed=observed)
    judged = results.judge(observed, job, runner.result, runner)
    if isinstance(judged, ApplySchemas):
        return Plan(actions=(judged,))
    if judged.failure:
        ended = status.invalid_result(job, now, judged, result=runner.result, runner=runner, outputs=observed.outputs)
    else:
        ended = status.completed(job, now, judged, runner, observed.outputs, config.limits.inline_result_bytes)
    return Plan(status=ended, notice=judged.notice)


def with_another_job(
    observed: Observed, job: JobSnapshot, runner: RunnerSnapshot, pod: PodSnapshot | None, now: float
) -> Plan:
    """The runner says it serves another job: whatever it tells is not about this one."""
    message = f"the runner has another job ({runner.job_uid}); this one is not started again"
    return _fail(job, now, Reason.RUNNER_ERROR, message, runner=None, observed=observed, remove=pod)


def without_the_runner(
    observed: Observed, job: JobSnapshot, runner: RunnerSnapshot | None, pod: PodSnapshot | None, now: float
) -> Plan:
    """The pod is over or its runner talks nonsense, and the journal has no end: find out from what is left."""
    if runner is not None and runner.broken:
        return _fail(job, now, Reason.RUNNER_ERROR, runner.trouble, runner=runner, observed=observed, remove=pod)
    if pod is not None and not (runner and runner.journal_read):
        return Plan(actions=(ReadJournal(namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid),), requeue_after=0.0)
    if pod is not None and (last := _last_words(job, pod)):
        if last.succeeded and last.result is not None:
            judged = results.judge(observed, job, last.result, runner)
            if isinstance(judged, ApplySchemas):
                return Plan(actions=(judged,))
            ended = status.from_termination(job, now, judged, last, runner)
            return Plan(status=ended, notice=judged.notice)
        if last.reason and last.reason != contract.FailureReason.CANCELLED:
            return _fail(job, now, Reason(last.reason), last.message, runner=runner, observed=observed)
    reason, message = _platform(job, pod)
    return _fail(job, now, reason, message, runner=runner, observed=observed)


def lost(
    job: JobSnapshot, runner: RunnerSnapshot | None, pod: PodSnapshot, now: float, config: OperatorConfig
) -> Plan | None:
    """Return the end of a job whose node has been silent for too long."""
    left = seconds_until_lost(pod, now, config)
    if left is None or left > 0:
        return None
    message = f"node {pod.node or '?'} has not been heard of for {config.limits.lost_node_seconds} s"
    return _fail(job, now, Reason.NODE_LOST, message, runner=runner, remove=pod)


def seconds_until_lost(pod: PodSnapshot, now: float, config: OperatorConfig) -> float | None:
    """Return when a silent node's job counts as lost; None while the node is heard of."""
    silent = [moment for moment in (pod.deleting_since, pod.ready_lost_since) if moment is not None]
    return min(silent) + config.limits.lost_node_seconds - now if silent else None


def _oversized(
    job: JobSnapshot, runner: RunnerSnapshot, pod: PodSnapshot | None, config: OperatorConfig
) -> StoreOutputs | None:
    assert runner.exit is not None
    large = runner.result is not None and len(runner.result.encode()) > config.limits.inline_result_bytes
    logs = pod is not None and runner.log_bytes > len(runner.log_tail.encode())
    if not (large or logs):
        return None
    return StoreOutputs(
        job_uid=job.uid,
        namespace=job.key.namespace,
        job_name=job.key.name,
        pod=pod.name if pod else "",
        pod_uid=runner.pod_uid,
        result=runner.result if large else None,
        logs=logs,
    )


def _platform(job: JobSnapshot, pod: PodSnapshot | None) -> tuple[Reason, str]:
    """Return what ended a pod whose runner could not say it."""
    if job.spec is not None and job.spec.cancel:
        return Reason.CANCELLED, "cancelled while the program was running"
    if pod is None:
        return Reason.RUNNER_LOST, "the runner pod was deleted while it had the job; the program is not started again"
    if pod.reason == "DeadlineExceeded":
        return (
            Reason.MAX_EXECUTION_TIME_EXCEEDED,
            f"the pod's deadline of {pod.deadline_seconds} s ended the program: its runner had not stopped it in time",
        )
    if pod.reason == "OOMKilled":
        return Reason.OUT_OF_MEMORY, "the runner pod used more memory than its profile allows and was killed"
    if pod.reason in _EVICTIONS:
        return Reason.EVICTED, f"the runner pod was evicted: {why_it_ended(pod)}"
    if pod.deleting_since is not None:
        return Reason.RUNNER_LOST, "the runner pod was deleted while it had the job; the program is not started again"
    how = why_it_ended(pod)
    return Reason.RUNNER_LOST, f"the runner pod ended without a word ({how}); the program is not started again"


def _last_words(job: JobSnapshot, pod: PodSnapshot) -> contract.TerminationMessage | None:
    """Return the termination message, if the supervisor wrote it last: the program can write there, too.

    The container's exit code is the supervisor's own; no program can choose it.
    """
    try:
        words = contract.parse_termination(pod.termination_message)
    except contract.ProtocolError:
        return None
    code = contract.ExitCode.SUCCEEDED if words.succeeded else contract.ExitCode.FAILED
    known = not words.reason or words.reason in {reason.value for reason in Reason}
    return words if words.job_uid == job.uid and pod.exit_code == code and known else None


def _fail(
    job: JobSnapshot,
    now: float,
    reason: Reason,
    message: str,
    traceback: str = "",
    *,
    runner: RunnerSnapshot | None,
    observed: Observed | None = None,
    remove: PodSnapshot | None = None,
) -> Plan:
    ended = status.unsuccessful(
        job,
        now,
        reason,
        message,
        traceback=traceback,
        runner=runner,
        outputs=observed.outputs if observed else None,
    )
    actions = delete(remove) if remove is not None else ()
    return Plan(
        actions=actions,
        status=ended,
        notice=None if reason is Reason.CANCELLED else Notice(reason=reason, message=message),
    )


def give_up(job: JobSnapshot, now: float, reason: Reason, message: str, *pods: PodSnapshot, public: str = "") -> Plan:
    """Return the end of a job whose program was never entered; ``public`` is what an event may say of it."""
    return Plan(
        actions=delete(*(pod for pod in pods if not pod.ended)),
        status=status.unsuccessful(job, now, reason, message),
        notice=None if reason is Reason.CANCELLED else Notice(reason=reason, message=public or message),
    )
