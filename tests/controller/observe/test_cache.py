"""What is remembered, and what is not believed."""

from __future__ import annotations

from typing import Any

import pytest
from runtime_operator.api.conditions import Reason
from runtime_operator.api.names import JobKey
from runtime_operator.api.v1alpha1 import ConfigMapRef, ProgramKind
from runtime_operator.build.namespace import runner_policy
from runtime_operator.observe.cache import Cache
from runtime_operator.observe.schemas import Checked
from runtime_operator.observe.snapshots import BackendSnapshot, Outputs, RunnerSnapshot, Source
from runtime_runner.schema.verdicts import Verdict
from support import builders
from support.clock import START

KEY = JobKey("default", "a-job")


def version(body: dict[str, Any], number: int) -> dict[str, Any]:
    return builders.merge(body, {"metadata": {"resourceVersion": str(number)}})  # type: ignore[no-any-return]


def nobody(uid: str) -> RunnerSnapshot | None:
    return None


@pytest.fixture
def cache() -> Cache:
    return Cache("aer")


JOB = builders.job(uid="job-uid")
POD = builders.pod(owner=JOB, uid="pod-uid")


def test_an_older_version_changes_nothing(cache: Cache) -> None:
    cache.put_job(version(builders.merge(JOB, {"spec": {"cancel": True}}), 100))
    cache.put_job(version(JOB, 99))
    job = cache.observe(KEY, nobody).job
    assert job is not None
    assert job.spec is not None
    assert job.spec.cancel


def test_versions_are_numbers_and_not_text(cache: Cache) -> None:
    cache.put_pod(version(POD, 9))
    cache.put_pod(version(builders.merge(POD, {"status": {"phase": "Running"}}), 10))
    assert cache.observe(KEY, nobody).pods[0].phase == "Running"


def test_an_answer_that_comes_after_the_deletion_does_not_bring_a_pod_back(cache: Cache) -> None:
    cache.put_pod(version(POD, 1))
    assert cache.drop_pod("pod-uid") == (KEY,)
    cache.put_pod(version(POD, 2))
    assert cache.observe(KEY, nobody).pods == ()
    assert cache.drop_pod("pod-uid") == ()


def test_an_answer_that_comes_after_the_deletion_does_not_bring_a_job_back(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    cache.drop_job(KEY, "job-uid")
    assert cache.put_job(version(JOB, 2)) == KEY
    assert cache.observe(KEY, nobody).job is None


def test_the_late_deletion_of_an_earlier_job_of_the_same_name_leaves_the_new_one(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    cache.put_job(version(builders.job(uid="new"), 5))
    cache.drop_job(KEY, "job-uid")
    job = cache.observe(KEY, nobody).job
    assert job is not None
    assert job.uid == "new"


def test_a_deleted_jobs_pods_are_known_until_they_are_gone(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    cache.put_pod(version(POD, 2))
    cache.drop_job(KEY, "job-uid")
    seen = cache.observe(KEY, nobody)
    assert (seen.deleted_uid, len(seen.pods)) == ("job-uid", 1)
    cache.drop_pod("pod-uid")
    assert cache.observe(KEY, nobody).deleted_uid == ""


def test_of_a_job_that_has_ended_little_is_kept(cache: Cache) -> None:
    done = {"type": "Succeeded", "status": "True", "reason": "Completed", "message": "x" * 999}
    status = {
        "phase": "Completed",
        "result": "x" * 60_000,
        "completionTime": "2026-01-01T00:00:00Z",
        "conditions": [done | {"lastTransitionTime": "2026-01-01T00:00:00Z"}],
    }
    cache.remember_source("job-uid", ConfigMapRef(name="source"), Source(files={"main.py": "..."}))
    cache.put_job(version(builders.job(uid="job-uid", status=status, inputs={"n": "x" * 9999}), 1))
    job = cache.observe(KEY, nobody).job
    assert job is not None
    assert job.spec is not None
    assert job.spec.inputs == {}
    assert len(str(job.status)) < 300
    assert job.status["conditions"] == [
        {"type": "Succeeded", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    ]


def test_a_job_is_seen_with_its_program_backend_and_runner(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    assert cache.observe(KEY, nobody).program is None
    cache.put_program(version(builders.program(), 2))
    cache.put_backend(version(builders.backend(), 3))
    cache.put_pod(version(POD, 4))
    seen = cache.observe(KEY, lambda uid: RunnerSnapshot(pod_uid=uid))
    assert seen.program is not None
    assert seen.source == Source(files={"main.py": builders.MAIN})
    assert seen.backend is not None
    assert seen.runner == RunnerSnapshot(pod_uid="pod-uid")
    cache.drop_program(builders.program(), 5.0)
    assert cache.observe(KEY, nobody).program is not None, "that was another program of the same name"
    cache.drop_backend(builders.backend(), 6.0)
    seen = cache.observe(KEY, nobody)
    assert seen.backend == BackendSnapshot(name="aer", spec={"aer": {}}), "a well-known name"
    assert seen.reference_lost_at == 6.0


def test_a_source_counts_only_while_the_program_names_its_config_map(cache: Cache) -> None:
    cache.put_job(version(builders.job(uid="job-uid"), 1))
    cache.put_program(version(builders.program(source={"configMapRef": {"name": "one"}}), 2))
    cache.remember_source("job-uid", ConfigMapRef(name="one"), Source(files={"main.py": "..."}))
    assert cache.observe(KEY, nobody).source == Source(files={"main.py": "..."})
    cache.put_program(version(builders.program(source={"configMapRef": {"name": "two"}}), 3))
    assert cache.observe(KEY, nobody).source is None
    items = [{"key": "main", "path": "main.py"}]
    cache.put_program(version(builders.program(source={"configMapRef": {"name": "one", "items": items}}), 4))
    assert cache.observe(KEY, nobody).source is None


def test_the_running_jobs_of_a_namespace_are_known(cache: Cache) -> None:
    cache.put_job(version(builders.job(status={"phase": "Running"}), 1))
    assert cache.running_jobs(KEY.namespace) == [KEY]
    assert cache.running_jobs("another") == []


def test_a_job_names_a_cluster_program_by_its_kind(cache: Cache) -> None:
    cache.put_job(version(builders.job(programRef={"kind": "ClusterRuntimeProgram"}), 1))
    cache.put_program(version(builders.program(), 2))
    assert cache.observe(KEY, nobody).program is None
    key = cache.put_program(version(builders.program(namespace=None, kind="ClusterRuntimeProgram"), 3))
    assert key == (ProgramKind.CLUSTER, "", "a-program")
    assert cache.observe(KEY, nobody).program is not None


def test_the_promised_pods_runner_is_the_one_that_is_heard(cache: Cache) -> None:
    status = {"phase": "Running", "runner": {"uid": "promised"}}
    cache.put_job(version(builders.job(uid="job-uid", status=status), 1))
    cache.put_pod(version(POD, 2))
    runner = cache.observe(KEY, lambda uid: RunnerSnapshot(pod_uid=uid)).runner
    assert runner is not None
    assert runner.pod_uid == "promised"


def test_a_namespace_is_prepared_only_while_its_policy_says_what_it_should(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    policy = runner_policy("default")
    cache.put_policy(policy)
    assert cache.observe(KEY, nobody).namespace_prepared
    cache.put_policy(builders.merge(policy, {"spec": {"egress": [{}]}}))
    assert not cache.observe(KEY, nobody).namespace_prepared
    cache.put_policy(policy)
    cache.put_policy(builders.merge(policy, {"metadata": {"name": "another"}, "spec": {"egress": [{}]}}))
    assert cache.observe(KEY, nobody).namespace_prepared
    cache.unprepare("default")
    assert not cache.observe(KEY, nobody).namespace_prepared


def test_refusals_are_counted_until_one_is_accepted(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    for n in range(1, 3):
        cache.remember_refusal("job-uid", Reason.QUOTA_EXCEEDED, "no", START + n)
        refusal = cache.observe(KEY, nobody).refusal
        assert refusal is not None
        assert (refusal.times, refusal.at) == (n, START + n)
    cache.forget_refusal("job-uid")
    assert cache.observe(KEY, nobody).refusal is None


def test_what_is_remembered_belongs_to_one_uid(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    cache.remember_outputs("job-uid", Outputs())
    cache.remember_status_write("job-uid", START)
    seen = cache.observe(KEY, nobody)
    assert (seen.outputs, seen.status_written_at) == (Outputs(), START)
    cache.put_job(version(builders.job(uid="new"), 2))
    seen = cache.observe(KEY, nobody)
    assert (seen.outputs, seen.status_written_at) == (None, 0.0)


def test_waiting_jobs_are_those_that_are_queued(cache: Cache) -> None:
    cache.put_job(version(JOB, 1))
    cache.put_job(version(builders.job("b", "other"), 2))
    cache.put_job(version(builders.job("c", status={"phase": "Running"}), 3))
    assert cache.waiting_jobs("default") == [KEY]
    assert len(cache.waiting_jobs()) == 2


def test_a_well_known_name_is_a_backend_unless_there_is_a_runtime_backend_of_that_name() -> None:
    body = builders.job(backend="ibmq_montreal")
    own = BackendSnapshot(name="ibmq_montreal", spec={"aer": {}})
    builtin, none = Cache("aer"), Cache("aer", builtin_backends=False)
    for cache in (builtin, none):
        cache.put_job(version(body, 1))
    assert none.observe(KEY, nobody).backend is None
    twin = BackendSnapshot(name="ibmq_montreal", spec={"fake": {"name": "FakeMontrealV2"}})
    assert builtin.observe(KEY, nobody).backend == twin
    builtin.put_backend(version(builders.backend("ibmq_montreal"), 2))
    assert builtin.observe(KEY, nobody).backend == own


VALID = Verdict()
STRICT = {"parameters": {"type": "object"}, "returnValues": {"type": "integer"}}


def with_program(cache: Cache, number: int, **spec: Any) -> Any:
    body = builders.program(**spec)
    body["metadata"]["uid"] = "program-uid"
    cache.put_program(version(body, number))
    program = cache.program((ProgramKind.NAMESPACED, "default", "a-program"))
    assert program is not None
    return program


def test_a_check_counts_as_long_as_job_and_schema_are_the_same(cache: Cache) -> None:
    cache.put_job(version(builders.job(uid="job-uid"), 1))
    schemas = with_program(cache, 2, **STRICT).schemas
    checked = Checked(of=schemas.inputs_digest, verdicts=(VALID,))
    cache.remember_check(KEY, "job-uid", "inputs", checked)
    assert cache.observe(KEY, nobody).input_check == checked
    with_program(cache, 3, **STRICT, description="another description")
    assert cache.observe(KEY, nobody).input_check == checked
    with_program(cache, 4, parameters={"type": "array"})
    assert cache.observe(KEY, nobody).input_check is None


def test_a_check_that_comes_back_late_is_forgotten(cache: Cache) -> None:
    cache.put_job(version(builders.job(uid="job-uid"), 1))
    checked = Checked(of=with_program(cache, 2, **STRICT).schemas.inputs_digest, verdicts=(VALID,))
    cache.remember_check(KEY, "an-older-job", "inputs", checked)
    cache.put_job(version(builders.job(uid="job-uid", status={"phase": "Cancelled"}), 3))
    cache.remember_check(KEY, "job-uid", "inputs", checked)
    assert cache._memory == {}


def test_a_running_job_keeps_the_schemas_its_results_are_checked_with(cache: Cache) -> None:
    results = with_program(cache, 1, **STRICT).schemas.results
    assert results is not None
    status = {"phase": "Running", "program": {"resultSchemas": results.digest}}
    cache.put_job(version(builders.job(uid="job-uid", status=status), 2))
    assert cache.observe(KEY, nobody).result_schemas == results
    with_program(cache, 3, returnValues={"type": "string"})
    assert cache.observe(KEY, nobody).result_schemas == results
    cache.drop_program(version(builders.program(), 4), 5.0)
    assert cache.observe(KEY, nobody).result_schemas == results


def test_schemas_that_changed_before_the_operator_started_are_not_taken_for_those_of_the_job(cache: Cache) -> None:
    with_program(cache, 1, **STRICT)
    status = {"phase": "Running", "program": {"resultSchemas": "sha256:another"}}
    cache.put_job(version(builders.job(uid="job-uid", status=status), 2))
    assert cache.observe(KEY, nobody).result_schemas is None


def test_what_is_known_of_a_programs_schemas_goes_with_them(cache: Cache) -> None:
    key = (ProgramKind.NAMESPACED, "default", "a-program")
    checked = Checked(of=with_program(cache, 1, **STRICT).schemas.digest, verdicts=(VALID, VALID))
    cache.remember_check(key, "another-uid", "program", checked)
    assert cache.program_check(key) is None
    cache.remember_check(key, "program-uid", "program", checked)
    assert cache.program_check(key) == checked
    with_program(cache, 2, parameters={"type": "array"})
    assert cache.program_check(key) is None
