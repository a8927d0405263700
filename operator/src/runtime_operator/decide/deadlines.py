"""Time rules: when something is over, and when somebody has to look again. Seconds throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_operator.api.conditions import ConditionType, Status, parse_time

if TYPE_CHECKING:
    from runtime_operator.api.v1alpha1 import JobSpec, ProgramSpec
    from runtime_operator.config import Limits
    from runtime_operator.observe.snapshots import JobSnapshot, PodSnapshot, RunnerSnapshot

STATUS_INTERVAL = 1.0
"""A running job's status is written at most this often."""

CANCEL_PATIENCE = 5.0
"""How long a runner may take to answer a cancel before its pod is deleted: its own grace period fits in twice."""

UNREACHABLE_SECONDS = 10.0
"""A silence that is over sooner, as when the operator or a stream starts again, is not worth a status write."""

ROOM_SECONDS = 15.0
"""How often a job whose runner waits for a stream is looked at, if nothing else brings it back."""

REREAD_SECONDS = 2.0
"""How often a ConfigMap that a waiting job needs is looked for: they are not watched."""


def execution_seconds(job: JobSpec, program: ProgramSpec, limits: Limits) -> int:
    """Return how long the program may run: the smallest of what job, program and operator allow."""
    asked = job.max_execution_time_seconds or program.max_execution_time_seconds
    return min(asked, program.max_execution_time_seconds, limits.max_execution_seconds)


def waiting_since(job: JobSnapshot) -> float:
    """Return since when the job has been waiting for its start: its creation, or the end of its last suspension."""
    for condition in job.status.get("conditions", []):
        if condition["type"] == ConditionType.SUSPENDED and condition["status"] == Status.FALSE:
            return max(job.created, parse_time(condition["lastTransitionTime"]))
    return job.created


def is_held(job: JobSnapshot) -> bool:
    """Return whether the status says that the job is suspended."""
    return any(
        condition["type"] == ConditionType.SUSPENDED and condition["status"] == Status.TRUE
        for condition in job.status.get("conditions", [])
    )


def ended_at(job: JobSnapshot) -> float:
    """Return when a job ended by the operator's clock; ``completionTime`` is the node's, which may be minutes off."""
    for condition in job.status.get("conditions", []):
        if condition["type"] == ConditionType.SUCCEEDED:
            return parse_time(condition["lastTransitionTime"])
    return job.created


def start_deadline(job: JobSnapshot, spec: JobSpec, limits: Limits) -> float:
    """Return the moment at which a job that has not started fails."""
    return waiting_since(job) + (spec.start_deadline_seconds or limits.start_deadline_seconds)


def first_pod_deadline_seconds(execution: int, limits: Limits, waiting: int = 0) -> int:
    """Return a new pod's ``activeDeadlineSeconds``: room for its start, a wait for a job and the run.

    The claim lowers it.
    """
    return limits.pod_start_seconds + waiting + execution + int(limits.stop_grace_seconds) + limits.backstop_seconds + 1


def pod_deadline_seconds(
    pod: PodSnapshot, runner: RunnerSnapshot, execution: float, limits: Limits, now: float
) -> int | None:
    """Return the ``activeDeadlineSeconds`` with which this pod outlives the program's limit by the backstop alone.

    Counted by the node's clock, which the runner has told us: the operator's may differ by minutes. None if the pod's
    present deadline, which can only be lowered, is too early for a whole run.
    """
    if pod.start_time is None:
        age = max(0.0, now - pod.created)
    else:
        age = max(0.0, runner.node_time + (now - runner.node_time_at) - pod.start_time)
    wanted = int(age + execution + limits.stop_grace_seconds + limits.backstop_seconds) + 1
    if pod.deadline_seconds is None or pod.deadline_seconds >= wanted:
        return wanted
    enough = age + execution + limits.stop_grace_seconds + limits.backstop_seconds / 2
    return pod.deadline_seconds if pod.deadline_seconds >= enough else None
