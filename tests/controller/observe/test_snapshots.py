"""What is understood of a pod in every state the kubelet may leave it in, and of jobs nobody should have written."""

from __future__ import annotations

from typing import Any

import pytest
from runtime_operator.api import names
from runtime_operator.api.v1alpha1 import Phase, ProgramKind
from runtime_operator.observe.snapshots import (
    Source,
    parse_backend,
    parse_job,
    parse_pod,
    parse_program,
    program_digest,
)
from support import builders
from support.clock import START

JOB = builders.job(uid="job-uid")
LABELS = {names.JOB_NAME_LABEL: "a-job", names.ATTEMPT_LABEL: "1"}


def state(
    *, conditions: list[dict[str, str]] | None = None, container: dict[str, Any] | None = None, **status: Any
) -> Any:
    containers = [{"name": "sidecar", "state": {"terminated": {"exitCode": 9}}}]
    if container is not None:
        containers.append({"name": "runner", "state": container})
    return {"phase": "Running", "conditions": conditions or [], "containerStatuses": containers, **status}


SINCE = "2026-01-01T00:00:07Z"
STATES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "a pod nobody has looked at yet",
        {"status": {}},
        {"phase": "Pending", "scheduled": False, "start_time": None, "ended": False, "waiting_reason": ""},
    ),
    (
        "a pod that fits nowhere",
        {
            "status": state(
                phase="Pending",
                conditions=[
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
                ],
            )
        },
        {
            "waiting_reason": "Unschedulable",
            "waiting_message": "0/3 nodes",
            "scheduled": False,
            "scheduled_since": None,
        },
    ),
    (
        "a pod that has a node",
        {
            "status": state(
                phase="Pending",
                conditions=[{"type": "PodScheduled", "status": "True", "lastTransitionTime": SINCE}],
            ),
            "nodeName": "node-1",
        },
        {"scheduled": True, "node": "node-1", "scheduled_since": START + 7, "waiting_reason": ""},
    ),
    (
        "an image that cannot be pulled",
        {
            "status": state(
                phase="Pending", container={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
            )
        },
        {"waiting_reason": "ImagePullBackOff", "waiting_message": "no such image", "ended": False},
    ),
    (
        "a runner at work",
        {"status": state(container={"running": {}}, startTime=SINCE)},
        {"phase": "Running", "start_time": START + 7, "ended": False, "exit_code": None},
    ),
    (
        "a container that has ended in a pod that does not know yet",
        {"status": state(container={"terminated": {"exitCode": 0, "reason": "Completed", "message": "words"}})},
        {"ended": True, "exit_code": 0, "reason": "Completed", "termination_message": "words"},
    ),
    (
        "a container killed for its memory",
        {"status": state(phase="Failed", container={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})},
        {"ended": True, "exit_code": 137, "reason": "OOMKilled"},
    ),
    (
        "a pod evicted before its container was created",
        {"status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource"}},
        {"ended": True, "reason": "Evicted", "message": "The node was low on resource", "exit_code": None},
    ),
    (
        "a pod drained from its node",
        {
            "status": state(
                phase="Failed",
                conditions=[
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "EvictionByEvictionAPI",
                        "message": "drain",
                    }
                ],
                container={"terminated": {"exitCode": 1, "reason": "Error"}},
            )
        },
        {"reason": "EvictionByEvictionAPI", "message": "drain"},
    ),
    (
        "a pod past its deadline",
        {"status": state(phase="Failed", reason="DeadlineExceeded"), "activeDeadlineSeconds": 12},
        {"reason": "DeadlineExceeded", "deadline_seconds": 12, "ended": True},
    ),
    (
        "a pod whose node is silent",
        {
            "status": state(
                conditions=[
                    {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "lastTransitionTime": SINCE}
                ]
            )
        },
        {"ready_lost_since": START + 7},
    ),
    (
        "a pod that is not ready on a node that talks",
        {"status": state(conditions=[{"type": "Ready", "status": "False", "lastTransitionTime": SINCE}])},
        {"ready_lost_since": None},
    ),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in STATES], ids=[row[0] for row in STATES])
def test_a_pod(body: dict[str, Any], expected: dict[str, Any]) -> None:
    pod = parse_pod(builders.pod(owner=JOB, labels=LABELS, **body))
    assert {name: getattr(pod, name) for name in expected} == expected
    assert (pod.job_uid, pod.job_name, pod.attempt) == ("job-uid", "a-job", 1)


def test_a_pod_that_is_being_deleted() -> None:
    body = builders.pod(owner=JOB)
    body["metadata"]["deletionTimestamp"] = SINCE
    assert parse_pod(body).deleting_since == START + 7


@pytest.mark.parametrize("attempt", ["", "two", "1.5", "\u0000", "9" * 5000])
def test_a_malformed_label_counts_as_missing(attempt: str) -> None:
    labels = {names.ATTEMPT_LABEL: attempt, names.JOB_NAME_LABEL: "somebody-elses-job"}
    body = builders.pod(owner=JOB, labels=labels)
    pod = parse_pod(body)
    assert pod.attempt == 0
    assert pod.job_name == "a-job", "whose pod it is, its owner says and not a label"


@pytest.mark.parametrize(
    "owner",
    [None, builders.pod() | {"kind": "ReplicaSet"}, {**JOB, "kind": "Job"}],
    ids=["nobody", "a replica set", "another kind of job"],
)
def test_a_pod_that_no_job_owns_belongs_to_no_job(owner: Any) -> None:
    assert parse_pod(builders.pod(owner=owner, labels=LABELS)).job_uid == ""


def test_an_owner_that_does_not_control_the_pod_does_not_own_it() -> None:
    body = builders.pod(owner=JOB)
    body["metadata"]["ownerReferences"][0]["controller"] = False
    assert parse_pod(body).job_uid == ""


def test_a_job_without_a_status_is_queued() -> None:
    job = parse_job(builders.job())
    assert job.phase is Phase.QUEUED
    assert job.runner_uid == ""
    assert job.spec is not None
    assert job.spec.ttl.pod_seconds == 60


def test_a_jobs_inputs_are_measured_as_the_api_server_stores_them() -> None:
    assert parse_job(builders.job(inputs={"a": "ü"})).inputs_bytes == len('{"a":"ü"}'.encode())
    assert parse_job(builders.job(inputs={"a": "<"})).inputs_bytes == len('{"a":"\\u003c"}')


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"logLevel": "LOUD"}, "spec.logLevel"),
        ({"programRef": {"kind": "Secret"}}, "spec.programRef.kind"),
        ({"tags": 3}, "spec.tags"),
    ],
)
def test_a_spec_that_cannot_be_understood_is_named_by_its_fields(spec: dict[str, Any], says: str) -> None:
    job = parse_job(builders.job(**spec))
    assert job.spec is None
    assert says in job.spec_error


def test_a_job_without_any_spec_is_understood_as_wrong() -> None:
    body = builders.job()
    del body["spec"]
    assert "spec.programRef" in parse_job(body).spec_error


def test_a_program_has_its_files_in_one_of_three_ways() -> None:
    assert parse_program(builders.program()).source == Source(files={"main.py": builders.MAIN})
    several = parse_program(builders.program(source={"files": {"main.py": "1", "lib.py": "22"}}))
    assert several.source is not None
    assert several.source.size == 3
    assert parse_program(builders.program(source={"configMapRef": {"name": "x"}})).source is None
    public = parse_program(builders.program(namespace=None, kind="ClusterRuntimeProgram"))
    assert (public.kind, public.namespace) == (ProgramKind.CLUSTER, "")


def test_a_program_that_cannot_be_understood_has_no_source() -> None:
    program = parse_program(builders.program(maxExecutionTimeSeconds="soon"))
    assert program.spec is None
    assert program.source is None
    assert "spec.maxExecutionTimeSeconds" in program.spec_error


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


def test_a_schema_that_is_nested_too_deeply_is_a_fault_of_its_program_and_of_nobody_else() -> None:
    program = parse_program(builders.program(parameters=nested(100_000)))
    assert program.spec is None
    assert program.spec_error == "a schema is nested too deeply"


def test_a_deeply_nested_schema_has_a_digest() -> None:
    program = parse_program(builders.program(parameters=nested(300)))
    assert program_digest(program, Source(files={})).startswith("sha256:")


def test_a_digest_depends_on_what_runs_and_not_on_how_it_is_given() -> None:
    def digest(files: Source, **spec: Any) -> str:
        return program_digest(parse_program(builders.program(**spec)), files)

    files = Source(files={"main.py": "1"})
    same = digest(files, source={"inline": "1"})
    assert same == digest(files, source={"configMapRef": {"name": "x"}})
    assert same != digest(Source(files={"main.py": "2"}))
    assert same != digest(files, maxExecutionTimeSeconds=5)
    assert same != digest(files, compatibility="Qiskit0")
    assert same != digest(files, backendRequirements={"minNumQubits": 5})
    assert same != digest(files, validateResults="Ignore")
    schema = {"type": "object"}
    by_schema = {digest(files, **{field: schema}) for field in ("parameters", "returnValues", "interimResults")}
    assert len(by_schema | {same}) == 4
    assert same.startswith("sha256:")


def test_a_backend_goes_to_the_runner_as_it_stands() -> None:
    assert parse_backend(builders.backend(fake={"name": "FakeMontrealV2"})).spec == {"fake": {"name": "FakeMontrealV2"}}
