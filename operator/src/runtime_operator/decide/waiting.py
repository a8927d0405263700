"""What a queued job waits for, in words, and when waiting ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_operator.api.conditions import Reason
from runtime_operator.decide import status
from runtime_operator.decide.plan import Notice, Plan

if TYPE_CHECKING:
    from runtime_operator.config import Limits, OperatorConfig
    from runtime_operator.observe.snapshots import Observed, PodSnapshot, Refusal

QUIET_SECONDS = 5.0
"""A start that takes no longer is not worth a status write."""

MOST_BACK_OFF = 60.0

_IMAGE_TROUBLE = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a pod is held up by; ``gives_up`` once it has lasted too long."""

    reason: Reason
    message: str
    gives_up: bool = False


def trouble(pod: PodSnapshot, now: float, limits: Limits) -> Trouble | None:
    """Return what keeps the pod from bringing up its runner; None while it may still be on its way."""
    detail = ": ".join(filter(None, (pod.waiting_reason, pod.waiting_message)))
    if not pod.scheduled:
        if pod.waiting_reason:
            return Trouble(Reason.UNSCHEDULABLE, f"no node has room for the pod: {pod.waiting_message}")
        return None
    overdue = now - _scheduled(pod) >= limits.pod_start_seconds
    if pod.waiting_reason in _IMAGE_TROUBLE:
        late = f"; given up after {limits.pod_start_seconds} s" if overdue else ""
        return Trouble(Reason.IMAGE_PULL_FAILED, f"the runner image cannot be pulled: {detail}{late}", overdue)
    if overdue:
        message = f"pod {pod.name} brought up no runner within {limits.pod_start_seconds} s: {detail or pod.phase}"
        return Trouble(Reason.RUNNER_START_FAILED, message, gives_up=True)
    if now - _scheduled(pod) < QUIET_SECONDS:
        return None
    return Trouble(Reason.WAITING_FOR_RUNNER, f"pod {pod.name} is starting: {detail or pod.phase}")


def look_again(pod: PodSnapshot, now: float, limits: Limits) -> float | None:
    """Return in how many seconds time alone makes `trouble` answer differently."""
    moments = (_scheduled(pod) + QUIET_SECONDS, _scheduled(pod) + limits.pod_start_seconds)
    return min((moment - now for moment in moments if moment > now), default=None)


def after_refusal(observed: Observed, now: float) -> Plan | None:
    """Return what to do while the API server's last refusal is fresh; None: try again."""
    refusal, job = observed.refusal, observed.job
    if refusal is None or job is None:
        return None
    if refusal.reason is Reason.NAME_CONFLICT:
        return Plan(
            status=status.unsuccessful(job, now, refusal.reason, refusal.message),
            notice=Notice(reason=refusal.reason, message=refusal.message),
        )
    wait = refusal_wait(refusal, now)
    if wait <= 0:
        return None
    return Plan(status=status.queued(job, now, refusal.reason, refusal.message), requeue_after=wait)


def refusal_wait(refusal: Refusal | None, now: float) -> float:
    """Return for how many seconds a refusal holds: twice as long each time it is repeated."""
    if refusal is None:
        return 0.0
    return max(0.0, refusal.at + min(2.0 ** min(refusal.times - 1, 16), MOST_BACK_OFF) - now)


def overdue(observed: Observed, config: OperatorConfig) -> str:
    """Return the sentence for a job whose start deadline has passed: the limit, and what it waited for last."""
    job = observed.job
    assert job is not None
    assert job.spec is not None
    allowed = job.spec.start_deadline_seconds or config.limits.start_deadline_seconds
    waited = next((c for c in job.status.get("conditions", []) if c["type"] == "Reconciling"), None)
    what = f"; it was waiting for: {waited['reason']}: {waited['message']}" if waited else ""
    return f"the program was not started within {allowed} s (startDeadlineSeconds){what}"


def _scheduled(pod: PodSnapshot) -> float:
    """Return since when the pod has been on its way up: until it had a node it was nobody's fault."""
    return pod.created if pod.scheduled_since is None else pod.scheduled_since


def why_it_ended(pod: PodSnapshot) -> str:
    """Return a pod's end in a few words."""
    if pod.deleting_since is not None and not pod.ended:
        return "deleted"
    code = f"exit code {pod.exit_code}" if pod.exit_code is not None else ""
    return ", ".join(filter(None, (pod.reason, code, pod.message))) or pod.phase
