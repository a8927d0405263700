"""One job: from what is seen of it to what should happen next.

A job is queued until its status names the pod it is promised to; only then is it handed over, and no other pod ever
gets it. That one written sentence makes "at most once" true across crashes of the operator, of the runner and of the
node.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runtime_runner.contract import RunnerState

from runtime_operator.api.conditions import Reason
from runtime_operator.api.v1alpha1 import Phase
from runtime_operator.decide import checks, deadlines, ending, starting, status, storing, waiting
from runtime_operator.decide.plan import (
    Converse,
    DeleteJob,
    Plan,
    PrepareNamespace,
    SendCancel,
    delete,
)

if TYPE_CHECKING:
    from runtime_operator.config import OperatorConfig
    from runtime_operator.observe.snapshots import JobSnapshot, Observed, PodSnapshot, RunnerSnapshot


def plan_job(observed: Observed, now: float, config: OperatorConfig) -> Plan:
    """Return what should happen to the job now.

    Args:
        observed: everything known of the job.
        now: the operator's clock, seconds since the epoch.
        config: profiles and limits.
    """
    job = observed.job
    if job is None or job.deleting:
        gone = job.uid if job else observed.deleted_uid
        return Plan(actions=delete(*(pod for pod in observed.pods if pod.job_uid and pod.job_uid == gone)))
    if job.phase.terminal:
        return _after_the_end(observed, job, now)
    if job.phase is Phase.RUNNING:
        return _running(observed, job, now, config)
    return _queued(observed, job, now, config)


def _queued(observed: Observed, job: JobSnapshot, now: float, config: OperatorConfig) -> Plan:
    """No pod has been promised the job: it may still be refused, held, cancelled or given up without a trace."""
    pods = observed.own_pods
    if job.spec is not None and job.spec.cancel:
        return ending.give_up(job, now, Reason.CANCELLED, "cancelled before the program was started", *pods)
    if job.spec is not None and job.spec.suspend:
        held = status.queued(job, now, Reason.SUSPENDED, "suspended by spec.suspend")
        return Plan(actions=delete(*pods), status=held)
    finding = checks.refusal(observed, config)
    if finding is not None:
        since = max(deadlines.waiting_since(job), observed.reference_lost_at)
        wait = since + config.limits.reference_grace_seconds - now
        if finding.may_heal and wait > 0:
            waits = status.queued(job, now, finding.reason, f"{finding.message}; waiting for it to be created")
            read = starting.read_source(observed, job) if observed.source is not None else ()
            again = min(wait, deadlines.REREAD_SECONDS) if read else wait
            return Plan(actions=(*delete(*pods), *read), status=waits, requeue_after=again)
        return ending.give_up(job, now, finding.reason, finding.message, *pods, public=finding.public)
    assert job.spec is not None  # checked: SpecInvalid
    if deadlines.is_held(job):
        resumed = status.queued(job, now, Reason.WAITING_FOR_RUNNER, "resumed")
        return Plan(status=resumed, requeue_after=0.0)  # the start deadline counts from this condition
    left = deadlines.start_deadline(job, job.spec, config.limits) - now
    if left <= 0:
        return ending.give_up(job, now, Reason.START_DEADLINE_EXCEEDED, waiting.overdue(observed, config), *pods)
    return _look_within(starting.start(observed, job, now, config), left)


def _running(observed: Observed, job: JobSnapshot, now: float, config: OperatorConfig) -> Plan:
    """The job is promised to one pod: it ends with that pod, whatever happens, once the pod was claimed."""
    if observed.unclaimed:
        again = status.queued(job, now, Reason.WAITING_FOR_RUNNER, "the pod it was promised to could not be claimed")
        return Plan(status=again, requeue_after=0.0)
    pod = next((pod for pod in observed.own_pods if pod.uid == job.runner_uid), None)
    plan = _with_its_pod(observed, job, pod, now, config)
    ends = plan.status is not None and Phase(plan.status["phase"]).terminal
    if ends and (store := storing.rest(job, observed.runner)):
        return Plan(actions=(store,), requeue_after=0.0)
    if (
        pod is not None
        and not pod.ended
        and not observed.namespace_prepared
        and not waiting.after_refusal(observed, now)
    ):
        # Somebody has taken the policy away: nothing is more urgent.
        prepare = PrepareNamespace(namespace=job.key.namespace)
        plan = dataclasses.replace(plan, actions=(prepare, *plan.actions))
    left = ending.seconds_until_lost(pod, now, config) if pod is not None else None
    return plan if left is None or left <= 0 else _look_within(plan, left)


def _with_its_pod(
    observed: Observed, job: JobSnapshot, pod: PodSnapshot | None, now: float, config: OperatorConfig
) -> Plan:
    """Hand the job over, follow it, stop it, or say how it ended."""
    runner = observed.runner if observed.runner and observed.runner.pod_uid == job.runner_uid else None
    if runner is not None and runner.job_uid not in ("", job.uid):
        return ending.with_another_job(observed, job, runner, pod, now)
    if runner is not None and runner.exit is not None:
        return ending.by_the_runner(observed, job, runner, pod, now, config)
    if pod is None or pod.ended or (runner is not None and runner.broken):
        return ending.without_the_runner(observed, job, runner, pod, now)
    if lost := ending.lost(job, runner, pod, now, config):
        return lost
    cancelled = job.spec is not None and job.spec.cancel
    if runner is not None and runner.resting_until is not None and now < runner.resting_until and not cancelled:
        return Plan(requeue_after=runner.resting_until - now)
    if runner is None or not runner.connected:
        return _unheard(observed, job, runner, pod, now)
    if not runner.job_uid or runner.state is RunnerState.HELD:
        return starting.hand_over(observed, job, runner, pod, now, config)
    if cancelled:
        if runner.cancel_sent_at is None:
            return Plan(actions=(SendCancel(pod_uid=pod.uid),), requeue_after=deadlines.CANCEL_PATIENCE)
        patience = runner.cancel_sent_at + deadlines.CANCEL_PATIENCE - now
        return Plan(requeue_after=patience) if patience > 0 else Plan(actions=delete(pod))
    return _report(observed, job, runner, pod, now)


def _unheard(observed: Observed, job: JobSnapshot, runner: RunnerSnapshot | None, pod: PodSnapshot, now: float) -> Plan:
    """The runner has not said where it is: ask, and do not wait for its answer longer than for anybody's."""
    converse = Converse(namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid, hurry=False)
    cancelled = job.spec is not None and job.spec.cancel
    if runner is not None and runner.waits_for_room and not cancelled:
        return Plan(actions=(converse,), requeue_after=deadlines.ROOM_SECONDS)
    silence = now - max(runner.silent_since, runner.resting_until or 0.0) if runner is not None else 0.0
    stop = delete(pod) if cancelled and silence >= deadlines.CANCEL_PATIENCE else ()
    unreachable, unwritten = None, now - observed.status_written_at >= deadlines.STATUS_INTERVAL
    if runner is not None and silence >= deadlines.UNREACHABLE_SECONDS and unwritten:
        unreachable = status.unreachable(job, now, pod, runner.trouble)
    return Plan(actions=(converse, *stop), status=unreachable, requeue_after=deadlines.STATUS_INTERVAL)


def _report(observed: Observed, job: JobSnapshot, runner: RunnerSnapshot, pod: PodSnapshot, now: float) -> Plan:
    """The program runs: bring the status up to date, at most once per `deadlines.STATUS_INTERVAL`."""
    if runner.started is None:
        return Plan()  # still warming up; its next event brings us back
    wait = observed.status_written_at + deadlines.STATUS_INTERVAL - now
    if wait > 0:
        return Plan(requeue_after=wait)
    due = storing.waits(observed, runner, now)
    if due == 0:
        return Plan(actions=(storing.piled_up(job, runner),), requeue_after=0.0)
    return Plan(status=status.running(job, now, runner, pod), requeue_after=due)


def _after_the_end(observed: Observed, job: JobSnapshot, now: float) -> Plan:
    """The job is over and stays as it is: what is left is clearing away."""
    if job.spec is None:
        return Plan()
    if job.status.get("observedGeneration", job.generation) != job.generation:
        return Plan(status={**job.status, "observedGeneration": job.generation}, requeue_after=0.0)
    age = now - deadlines.ended_at(job)
    if job.spec.ttl.job_seconds is not None and age >= job.spec.ttl.job_seconds:
        return Plan(actions=(DeleteJob(namespace=job.key.namespace, name=job.key.name, uid=job.uid),))
    waits = [job.spec.ttl.job_seconds - age] if job.spec.ttl.job_seconds is not None else []
    pods = [pod for pod in observed.own_pods if pod.deleting_since is None]
    if pods and age >= job.spec.ttl.pod_seconds:
        return Plan(actions=delete(*pods), requeue_after=min(waits, default=None))
    if pods:
        waits.append(job.spec.ttl.pod_seconds - age)
    return Plan(requeue_after=min(waits, default=None))


def _look_within(plan: Plan, seconds: float) -> Plan:
    """Return the plan with a look at this moment at the latest, unless it ends the job."""
    if plan.status is not None and Phase(plan.status["phase"]).terminal:
        return plan
    wait = seconds if plan.requeue_after is None else min(seconds, plan.requeue_after)
    return dataclasses.replace(plan, requeue_after=wait)
