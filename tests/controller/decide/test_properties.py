"""What holds for every job in every situation: generated ones, most of which nobody would think of."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runtime_operator.api.conditions import Reason, format_time
from runtime_operator.api.names import child_name
from runtime_operator.api.v1alpha1 import Phase
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.plan import ClaimPod, CreatePod, DeletePod, HandOver
from runtime_operator.observe.schemas import Checked
from runtime_operator.observe.snapshots import (
    InterimResult,
    JobSnapshot,
    Observed,
    OutputRef,
    Outputs,
    PodSnapshot,
    Refusal,
    RunnerSnapshot,
    Source,
)
from runtime_runner.contract import FailureReason, RunnerState
from runtime_runner.schema.verdicts import Verdict, Violation
from support import crd, snapshots
from support.clock import START
from support.snapshots import CONFIG, JOB_UID, POD_UID, exit_event, failed_event

REASONS = {reason.value for reason in Reason}

moments = st.integers(-700, 700).map(lambda seconds: START + seconds)
texts = st.sampled_from(["", "x", "no such image\n\x1b[31m", "ünï" * 2000])
uids = st.sampled_from([POD_UID, "older-pod"])

runners = st.builds(
    RunnerSnapshot,
    pod_uid=uids,
    connected=st.booleans(),
    silent_since=moments,
    trouble=texts,
    broken=st.sampled_from([False, False, True]),
    state=st.sampled_from(RunnerState),
    job_uid=st.sampled_from(["", JOB_UID, "other"]),
    node_time=moments,
    node_time_at=moments,
    started=st.none() | moments,
    interims=st.lists(st.builds(InterimResult, seq=st.integers(1, 99), time=moments, value=texts), max_size=3).map(
        tuple
    ),
    interim_published=st.integers(0, 30),
    spilled_bytes=st.sampled_from([0, 0, 0, 7, 10**6]),
    log_tail=texts,
    log_bytes=st.integers(0, 10**6),
    result=st.sampled_from([None, '"done"', '"' + "x" * 70_000 + '"']),
    failure=st.none() | st.builds(failed_event, st.sampled_from([r.value for r in FailureReason]), texts, texts),
    exit=st.none() | st.builds(exit_event, succeeded=st.booleans(), interim_published=st.integers(0, 30)),
    journal_read=st.booleans(),
    cancel_sent_at=st.none() | moments,
)

pods = st.builds(
    PodSnapshot,
    namespace=st.just("default"),
    name=st.just(snapshots.POD_NAME),
    uid=uids,
    job_uid=st.sampled_from([JOB_UID, JOB_UID, JOB_UID, "other", ""]),
    job_name=st.just("a-job"),
    attempt=st.integers(0, 3),
    phase=st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]),
    node=st.sampled_from(["", "node-1"]),
    created=moments,
    start_time=st.none() | moments,
    scheduled=st.booleans(),
    scheduled_since=st.none() | moments,
    deadline_seconds=st.none() | st.integers(1, 5000),
    waiting_reason=st.sampled_from(["", "ErrImagePull", "Unschedulable", "ContainerCreating"]),
    waiting_message=texts,
    exit_code=st.none() | st.sampled_from([0, 1, 137]),
    reason=st.sampled_from(["", "OOMKilled", "Evicted", "DeadlineExceeded", "Error"]),
    message=texts,
    termination_message=st.sampled_from(
        ["", "x", '{"job_uid": "job-uid", "succeeded": true, "execution_seconds": 1, "result": "1"}']
    ),
    deleting_since=st.none() | moments,
    ready_lost_since=st.none() | moments,
)

conditions = st.lists(
    st.builds(
        lambda kind, status, at: {
            "type": kind,
            "status": status,
            "reason": "Running",
            "message": "",
            "lastTransitionTime": format_time(at),
        },
        st.sampled_from(["Succeeded", "Reconciling", "Suspended"]),
        st.sampled_from(["True", "False", "Unknown"]),
        moments,
    ),
    max_size=3,
    unique_by=lambda c: c["type"],
)


STRICT = snapshots.program(parameters={"type": "object"}, return_values={"type": "integer"})
assert STRICT.schemas.results is not None
STRICT_RESULTS = STRICT.schemas.results

checks = st.builds(
    lambda verdict: Checked(of="sha256:" + "0" * 64, verdicts=(verdict,)),
    st.sampled_from(
        [
            Verdict(),
            Verdict(violations=(Violation("result", "type", "integer", "'x'"),) * 4),
            Verdict(problem="the schema is not valid"),
            Verdict(problem="the schema takes too long", too_expensive=True),
        ]
    ),
)


@st.composite
def jobs(draw: st.DrawFn) -> JobSnapshot:
    phase = draw(st.sampled_from(Phase))
    status: dict[str, Any] = {"phase": phase.value, "conditions": draw(conditions)}
    if schemas := draw(st.sampled_from(["", "", STRICT_RESULTS.digest, "sha256:" + "0" * 64])):
        status["program"] = {"resultSchemas": schemas, "validateResults": draw(st.sampled_from(["Warn", "Enforce"]))}
    if phase is not Phase.QUEUED:
        status["runner"] = {"pod": snapshots.POD_NAME, "uid": draw(uids), "node": "n", "path": "cold", "attempt": 0}
    if phase.terminal:
        status["completionTime"] = format_time(draw(moments))
    spec: dict[str, Any] = {
        "cancel": draw(st.booleans()),
        "suspend": draw(st.booleans()),
        "ttl": {"job_seconds": draw(st.none() | st.just(60))},
    }
    job = snapshots.job(status=status, **spec)
    return dataclasses.replace(
        job,
        created=draw(moments),
        deleting=draw(st.sampled_from([False, False, False, True])),
        spec=draw(st.sampled_from([job.spec, job.spec, job.spec, None])),
        spec_error="spec: no",
    )


@st.composite
def situations(draw: st.DrawFn) -> Observed:
    program = draw(
        st.sampled_from(
            [
                snapshots.program(),
                snapshots.program(),
                snapshots.program(source={"config_map_ref": {"name": "source"}}),
                STRICT,
                None,
            ]
        )
    )
    source = program.source if program else None
    if program is not None and source is None:
        source = draw(
            st.sampled_from([None, Source(files=None, problem="it is not there"), Source(files={"main.py": "..."})])
        )
    job = draw(jobs())
    return snapshots.observed(
        job=job,
        program=program,
        source=source,
        input_check=draw(st.none() | checks) if program is STRICT else None,
        result_schemas=STRICT_RESULTS if job.result_schemas == STRICT_RESULTS.digest else None,
        result_check=draw(st.none() | checks) if job.result_schemas else None,
        pods=tuple(draw(st.lists(pods, max_size=2, unique_by=lambda pod: pod.uid))),
        runner=draw(st.none() | runners),
        outputs=draw(st.none() | st.just(Outputs(result=OutputRef(names=("a",), size=70_002, sha256="0" * 64)))),
        namespace_prepared=draw(st.sampled_from([True, True, False])),
        refusal=draw(
            st.none()
            | st.builds(
                Refusal,
                reason=st.sampled_from([Reason.QUOTA_EXCEEDED, Reason.POD_REFUSED, Reason.NAME_CONFLICT]),
                message=texts,
                at=moments,
                times=st.integers(1, 5000),
            )
        ),
        status_written_at=draw(moments),
    )


often = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@often
@given(seen=situations(), now=moments)
def test_every_plan_keeps_the_rules(seen: Observed, now: float) -> None:
    plan = plan_job(seen, now, CONFIG)
    job = seen.job
    assert job is not None

    # the same input, the same plan
    assert plan_job(seen, now, CONFIG) == plan

    # a job that has ended, or goes, is not written any more
    if job.phase.terminal or job.deleting:
        assert plan.status is None

    if plan.status is not None:
        # what is written is what the API server keeps
        assert not crd.problems("runtimejobs", plan.status, part="status")
        used = {condition["reason"] for condition in plan.status["conditions"]}
        assert used | {plan.status.get("failure", {}).get("reason", "Running")} <= REASONS
        # whatever was promised to a pod is never promised to another one
        if job.runner_uid and job.phase is Phase.RUNNING:
            assert plan.status.get("runner", {}).get("uid", job.runner_uid) == job.runner_uid

    # a job is handed over to the pod its status names, and to nobody else; nothing is created for one that is promised
    for action in plan.actions:
        if isinstance(action, HandOver):
            assert job.phase is Phase.RUNNING
            assert action.pod_uid == job.runner_uid
            assert action.request.job_uid == job.uid
        if isinstance(action, CreatePod):
            assert job.phase is Phase.QUEUED
        if isinstance(action, ClaimPod):
            assert job.phase is Phase.QUEUED or action.pod_uid == job.runner_uid
        if isinstance(action, (CreatePod, ClaimPod, HandOver)) and seen.program is STRICT:
            assert seen.input_check is not None, "inputs are checked before a pod is used"
            assert not seen.input_check.verdicts[0].violations
        if isinstance(action, DeletePod):
            assert any(pod.uid == action.pod_uid and pod.job_uid == JOB_UID for pod in seen.pods)

    # nothing is repeated at once without anything having been done or written
    if plan.requeue_after is not None:
        assert plan.requeue_after > 0 or plan.actions or plan.status is not None


@often
@given(seen=situations(), now=moments)
def test_a_promise_is_taken_back_only_from_a_runner_that_says_it_has_no_job(seen: Observed, now: float) -> None:
    plan = plan_job(seen, now, CONFIG)
    assert seen.job is not None
    if seen.job.phase is Phase.RUNNING and plan.status is not None and plan.status["phase"] == "Queued":
        assert seen.runner is not None
        assert seen.runner.connected
        assert seen.runner.job_uid == ""
        assert any(isinstance(action, DeletePod) for action in plan.actions)


@often
@given(seen=situations(), now=moments)
def test_time_alone_changes_nothing_before_the_moment_a_plan_names(seen: Observed, now: float) -> None:
    """No wake-up is lost: until ``requeue_after``, or for ever if it is None, looking again gives nothing new to do."""
    plan = plan_job(seen, now, CONFIG)
    if plan.actions or plan.status is not None:
        return  # carrying it out changes what is seen
    horizon = 10_000.0 if plan.requeue_after is None else plan.requeue_after
    for part in (0.25, 0.5, 0.99):
        later = plan_job(seen, now + part * horizon, CONFIG)
        assert later.actions == plan.actions
        assert later.status == plan.status


def test_children_of_different_attempts_and_jobs_have_different_names() -> None:
    names = [child_name(uid, role, n) for uid, role, n in itertools.product("ab", ("runner", "Logs"), range(3))]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 for name in names)
