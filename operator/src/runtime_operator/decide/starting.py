"""How a queued job reaches its runner: inputs checked, a pod brought up, the job promised to it and handed over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runtime_runner import contract
from runtime_runner.schema.verdicts import Request

from runtime_operator.api.conditions import Reason
from runtime_operator.api.v1alpha1 import Compatibility
from runtime_operator.build.pod import claim, runner_pod, template_digest
from runtime_operator.decide import checks, deadlines, ending, status, waiting
from runtime_operator.decide.plan import (
    ApplySchemas,
    ClaimPod,
    Converse,
    CreatePod,
    HandOver,
    Plan,
    PrepareNamespace,
    ReadSource,
    delete,
)
from runtime_operator.decide.warm import candidates
from runtime_operator.observe.snapshots import program_digest

if TYPE_CHECKING:
    from runtime_operator.api.v1alpha1 import ProgramSpec
    from runtime_operator.config import OperatorConfig
    from runtime_operator.observe.snapshots import JobSnapshot, Observed, PodSnapshot, RunnerSnapshot


def start(observed: Observed, job: JobSnapshot, now: float, config: OperatorConfig) -> Plan:
    """Bring up a runner for the job and promise the job to it."""
    assert job.spec is not None
    limits = config.limits
    assert observed.program is not None
    assert observed.backend is not None  # checked: ProgramNotFound, BackendNotFound
    if unchecked := _unchecked_inputs(observed, job):
        quiet = deadlines.waiting_since(job) + waiting.QUIET_SECONDS - now
        message = "its inputs are being checked with the program's schema"
        waits = status.queued(job, now, Reason.CHECKING_INPUTS, message) if quiet <= 0 else None
        return Plan(actions=(unchecked,), status=waits, requeue_after=quiet if quiet > 0 else None)
    if not observed.namespace_prepared:
        held = waiting.after_refusal(observed, now)
        return held or Plan(actions=(PrepareNamespace(namespace=job.key.namespace),), requeue_after=0.0)
    if observed.source is None:
        return Plan(actions=read_source(observed, job), requeue_after=0.0)
    pods = observed.own_pods
    pod = pods[-1] if pods else None
    if pod is None or pod.ended or pod.deleting_since is not None:
        return _next_attempt(observed, job, now, config)
    runner = observed.runner if observed.runner and observed.runner.pod_uid == pod.uid else None
    # The pod's deadline set by the claim has no room for a slow start, so the runner has to be warm by then.
    if runner is None or not runner.connected or runner.state is contract.RunnerState.STARTING:
        trouble = waiting.trouble(pod, now, limits)
        if trouble is not None and trouble.gives_up:
            return ending.give_up(job, now, trouble.reason, trouble.message, *pods)
        converse = Converse(namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid, runs=pod.running)
        waits = status.queued(job, now, trouble.reason, trouble.message) if trouble else None
        return Plan(
            actions=(converse,) if pod.scheduled else (),
            status=waits,
            requeue_after=waiting.look_again(pod, now, limits),
        )
    if runner.broken or runner.job_uid not in ("", job.uid):
        return Plan(actions=delete(pod))
    return _claim(observed, job, pod, runner, now, config) or Plan(actions=delete(pod))


def _claim(
    observed: Observed,
    job: JobSnapshot,
    pod: PodSnapshot,
    runner: RunnerSnapshot,
    now: float,
    config: OperatorConfig,
    attempt: int | None = None,
) -> Plan | None:
    """Promise the job to this pod, its own or one of a pool; None if the pod's deadline leaves no time for the run."""
    program = observed.program
    assert job.spec is not None
    assert program is not None
    assert program.spec is not None
    assert observed.source is not None
    assert observed.backend is not None  # all checked
    execution = deadlines.execution_seconds(job.spec, program.spec, config.limits)
    deadline = deadlines.pod_deadline_seconds(pod, runner, execution, config.limits, now)
    if deadline is None:
        return None
    number = pod.attempt if attempt is None else attempt
    patch = claim(job.key.name, job.uid, number, pod=pod, deadline_seconds=deadline, execution_seconds=execution)
    promise = status.handed_over(
        job,
        now,
        pod=pod,
        attempt=number,
        program=program,
        digest=program_digest(program, observed.source),
        backend=observed.backend.name,
    )
    request = _request(observed, job, program.spec, number, config, hold=True)
    action = ClaimPod(
        namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid, patch=patch, promise=promise, request=request
    )
    return Plan(actions=(action,), requeue_after=0.0)


def _take_warm(
    observed: Observed, job: JobSnapshot, now: float, config: OperatorConfig, *, attempt: int
) -> Plan | None:
    """Claim a pod that waits in a pool of the job's namespace and profile, if there is one."""
    assert job.spec is not None
    assert observed.program is not None
    assert observed.program.spec is not None
    if not observed.idle:
        return None
    execution = deadlines.execution_seconds(job.spec, observed.program.spec, config.limits)
    profile = observed.program.spec.profile or config.default_profile
    template = template_digest(profile, config.profiles[profile])
    ready = candidates(observed.idle, template, execution, config.limits, now)
    if not ready:
        return None
    runner = next(entry.runner for entry in observed.idle if entry.pod.uid == ready[0].uid)
    assert runner is not None
    return _claim(observed, job, ready[0], runner, now, config, attempt)


def _next_attempt(observed: Observed, job: JobSnapshot, now: float, config: OperatorConfig) -> Plan:
    """Take a warm pod or create one, unless the API server has just refused one or enough have failed."""
    assert job.spec is not None
    assert observed.program is not None
    assert observed.program.spec is not None
    pods = observed.own_pods
    if pods and pods[-1].attempt + 1 >= config.limits.start_attempts:
        last = waiting.why_it_ended(pods[-1])
        message = f"{config.limits.start_attempts} pods ended before the program was started; the last one: {last}"
        return ending.give_up(job, now, Reason.RUNNER_START_FAILED, message, *pods)
    attempt = pods[-1].attempt + 1 if pods else 0
    if warm := _take_warm(observed, job, now, config, attempt=attempt):
        return warm
    held = waiting.after_refusal(observed, now)
    if held is not None:
        return held
    profile = observed.program.spec.profile or config.default_profile
    manifest = runner_pod(
        job_name=job.key.name,
        job_uid=job.uid,
        namespace=job.key.namespace,
        attempt=attempt,
        profile_name=profile,
        profile=config.profiles[profile],
        deadline_seconds=deadlines.first_pod_deadline_seconds(
            deadlines.execution_seconds(job.spec, observed.program.spec, config.limits), config.limits
        ),
    )
    return Plan(actions=(CreatePod(manifest=manifest, owner_uid=job.uid),), requeue_after=waiting.QUIET_SECONDS)


def hand_over(
    observed: Observed, job: JobSnapshot, runner: RunnerSnapshot, pod: PodSnapshot, now: float, config: OperatorConfig
) -> Plan:
    """The runner has not entered the program: have it do so, if all is still as it was when the job was promised.

    It may have the job already, and be told nothing new but that it need not hold it.
    """
    if job.spec is not None and job.spec.cancel:
        return ending.give_up(job, now, Reason.CANCELLED, "cancelled before the program was started", pod)
    finding = checks.refusal(observed, config)
    if finding is not None:
        return ending.give_up(job, now, finding.reason, finding.message, pod, public=finding.public)
    program = observed.program
    assert job.spec is not None
    assert program is not None
    assert program.spec is not None
    assert observed.backend is not None  # all checked
    if unchecked := _unchecked_inputs(observed, job):
        return Plan(actions=(unchecked,))
    if observed.source is None:
        return Plan(actions=read_source(observed, job), requeue_after=0.0)
    execution = deadlines.execution_seconds(job.spec, program.spec, config.limits)
    deadline = deadlines.pod_deadline_seconds(pod, runner, execution, config.limits, now)
    if deadline is None:
        again = status.queued(job, now, Reason.WAITING_FOR_RUNNER, "the pod's deadline became too early for a run")
        return Plan(actions=delete(pod), status=again, requeue_after=0.0)
    digest = program_digest(program, observed.source)
    if job.status.get("program", {}).get("digest") != digest:
        backend = observed.backend.name
        promised = status.handed_over(
            job, now, pod=pod, attempt=pod.attempt, program=program, digest=digest, backend=backend
        )
        return Plan(status=promised, requeue_after=0.0)
    if pod.deadline_seconds is None or deadline < pod.deadline_seconds:
        # The promise was written, the claim, which was made at the same time, was not: the pod has its first deadline.
        return _claim(observed, job, pod, runner, now, config) or Plan(requeue_after=0.0)
    request = _request(observed, job, program.spec, pod.attempt, config)
    return Plan(actions=(HandOver(pod_uid=pod.uid, request=request),), requeue_after=deadlines.STATUS_INTERVAL)


def _request(
    observed: Observed,
    job: JobSnapshot,
    program: ProgramSpec,
    attempt: int,
    config: OperatorConfig,
    *,
    hold: bool = False,
) -> contract.Job:
    """Return what the runner is told."""
    assert job.spec is not None
    assert observed.source is not None
    assert observed.source.files is not None
    assert observed.backend is not None  # all checked
    execution = deadlines.execution_seconds(job.spec, program, config.limits)
    return contract.Job(
        job_uid=job.uid,
        job_name=job.key.name,
        attempt=attempt,
        files=dict(observed.source.files),
        entrypoint=program.entrypoint,
        inputs=job.spec.inputs,
        backend_name=observed.backend.name,
        backend=dict(observed.backend.spec),
        limits=contract.Limits(
            execution_seconds=float(execution),
            grace_seconds=config.limits.stop_grace_seconds,
            result_bytes=config.limits.result_bytes,
            interim_bytes=config.limits.interim_bytes,
            log_bytes=config.limits.log_bytes,
        ),
        log_level=job.spec.log_level,
        compatibility="" if program.compatibility is Compatibility.NONE else program.compatibility.value,
        min_num_qubits=program.backend_requirements.min_num_qubits or 0,
        hold=hold,
    )


def read_source(observed: Observed, job: JobSnapshot) -> tuple[ReadSource, ...]:
    """Read the program's ConfigMap, if it has its files there."""
    spec = observed.program.spec if observed.program else None
    ref = spec.source.config_map_ref if spec else None
    return (ReadSource(namespace=job.key.namespace, ref=ref, job_uid=job.uid),) if ref else ()


def _unchecked_inputs(observed: Observed, job: JobSnapshot) -> ApplySchemas | None:
    """Return what has to be known before a pod is used; nothing for a program that does not say what it takes."""
    program = observed.program
    assert job.spec is not None
    assert program is not None
    assert program.spec is not None
    if not program.schemas.inputs_digest or observed.input_check is not None:
        return None
    try:
        text = json.dumps(job.spec.inputs, separators=(",", ":"))
    except RecursionError:
        text = "nested too deeply"  # which is no JSON: the verdict will be that the inputs cannot be read
    request = Request(schema=program.spec.parameters, text=text, what="spec.inputs")
    digest = program.schemas.inputs_digest
    return ApplySchemas(job_uid=job.uid, subject="inputs", digest=digest, requests=(request,))
