"""What cannot be done is refused, in words, by the API server or in the job's status; everybody else is served on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from e2e.support.cluster import Job, Refused, condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.support.cluster import Object, Space

MIB = 1024 * 1024

DIGEST = """
import hashlib

def main(backend, user_messenger, data):
    return hashlib.sha256(data.encode()).hexdigest()
"""


@pytest.fixture(scope="module")
def program(space: Space) -> str:
    """One that says what it was given."""
    return space.program(DIGEST, name="digest", maxExecutionTimeSeconds=30)


@pytest.fixture(scope="module", autouse=True)
def others(space: Space, program: str) -> Iterator[None]:
    """After all that was refused, a job is served as ever."""
    yield
    status = space.job(program, inputs={"data": "x"}).ended(seconds=30)
    assert (status["phase"], json.loads(status["result"])) == ("Completed", sha256("x"))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(kind: str, name: str, **spec: Any) -> str:
    return yaml.safe_dump(
        {"apiVersion": "quantumruntime.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    )


def apply(space: Space, text: str, verb: str = "apply") -> str:
    """Return what kubectl says to somebody who applies this."""
    return space.kubectl(verb, "--filename", "-", stdin=text, check=False)


def refused(job: Job, reason: str) -> str:
    """Return why the job failed before it had a pod."""
    status = job.ended()
    assert (status["phase"], status["failure"]["reason"]) == ("Failed", reason)
    assert condition(status, "Stalled")["reason"] == reason
    assert job.pods_ever() == []
    message: str = status["failure"]["message"]
    return message


def test_a_job_of_a_missing_program_waits_for_it_and_then_fails(space: Space) -> None:
    job = space.job("nobody-wrote-it")
    assert "waiting for it to be created" in job.waiting("ProgramNotFound")
    assert refused(job, "ProgramNotFound") == (
        f"there is no RuntimeProgram 'nobody-wrote-it' in namespace {space.name}"
    )
    events = space.kubectl("events", "--for", f"runtimejob/{job.name}")
    assert "ProgramNotFound" in events
    assert "nobody-wrote-it" in events


def test_a_job_applied_before_its_program_runs(space: Space) -> None:
    job = space.job("late", inputs={"data": "x"})
    job.waiting("ProgramNotFound")
    space.program(DIGEST, name="late")
    assert job.ended()["phase"] == "Completed"


def test_a_job_above_its_programs_limit_fails_with_both_figures(space: Space, program: str) -> None:
    message = refused(space.job(program, maxExecutionTimeSeconds=31), "MaxExecutionTimeAboveProgram")
    assert message == "spec.maxExecutionTimeSeconds is 31, the limit of RuntimeProgram 'digest' is 30"


def test_a_job_on_a_missing_backend_fails_with_its_name(space: Space, program: str) -> None:
    assert "'no-such-backend'" in refused(space.job(program, backend="no-such-backend"), "BackendNotFound")


def test_a_program_of_an_unknown_profile_says_which_there_are(space: Space) -> None:
    job = space.run(DIGEST, profile="imaginary")
    message = refused(job, "ProfileNotFound")
    assert "'imaginary'" in message
    assert "default, no-image" in message


def test_inputs_of_a_mebibyte_reach_the_program(space: Space, program: str) -> None:
    data = "ü" * 1000
    data += "x" * (MIB - len(json.dumps({"data": data})))
    job = space.job(program, inputs={"data": data})
    status = job.ended()
    assert (status["phase"], json.loads(status["result"])) == ("Completed", sha256(data)), status


def test_inputs_above_a_mebibyte_fail_with_both_figures(space: Space, program: str) -> None:
    message = refused(space.job(program, inputs={"data": "x" * MIB}), "InvalidInput")
    assert message == f"spec.inputs is {MIB + 11} bytes of JSON, the limit is {MIB}"


def test_inputs_too_large_for_the_cluster_are_refused_by_it(space: Space, program: str) -> None:
    with pytest.raises(Refused, match="too large"):
        space.job(program, inputs={"data": "x" * (4 * MIB)})


def test_kubectl_refuses_to_apply_what_it_cannot_annotate_and_creates_it(space: Space, program: str) -> None:
    text = manifest("RuntimeJob", "large-inputs", programRef={"name": program}, inputs={"data": "x" * (MIB // 2)})
    assert "metadata.annotations: Too long" in apply(space, text)
    assert apply(space, text, "create") == "runtimejob.quantumruntime.dev/large-inputs created\n"
    assert Job(space, "large-inputs").ended()["phase"] == "Completed"


REFUSALS = {
    "a program with two sources": (
        manifest("RuntimeProgram", "p", maxExecutionTimeSeconds=1, source={"inline": "x", "files": {"main.py": "x"}}),
        "exactly one of inline, files and configMapRef must be given",
    ),
    "a program without a source": (
        manifest("RuntimeProgram", "p", maxExecutionTimeSeconds=1, source={}),
        "exactly one of inline, files and configMapRef must be given",
    ),
    "a program that asks for a pod field": (
        manifest("RuntimeProgram", "p", maxExecutionTimeSeconds=1, source={"inline": "x"}, image="mine"),
        'unknown field "spec.image"',
    ),
    "a job with an unknown field": (
        manifest("RuntimeJob", "j", programRef={"name": "digest"}, input={"data": "x"}),
        'unknown field "spec.input"',
    ),
    "a job whose program is in another namespace": (
        manifest("RuntimeJob", "j", programRef={"name": "digest", "namespace": "default"}),
        'unknown field "spec.programRef.namespace"',
    ),
    "a job with a name of 300 characters": (
        manifest("RuntimeJob", "j" * 300, programRef={"name": "digest"}),
        "must be no more than 253",
    ),
    "a job with a name of 100 characters": (
        manifest("RuntimeJob", "j" * 100, programRef={"name": "digest"}),
        "more than 63 characters",
    ),
    "a time limit of nothing": (
        manifest("RuntimeJob", "j", programRef={"name": "digest"}, maxExecutionTimeSeconds=0),
        "should be greater than or equal to 1",
    ),
    "a time limit of text": (
        manifest("RuntimeJob", "j", programRef={"name": "digest"}, maxExecutionTimeSeconds="long"),
        "must be of type integer",
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_the_api_refuses(space: Space, what: str) -> None:
    text, words = REFUSALS[what]
    said = apply(space, text)
    assert words in said
    assert "created" not in said


def test_the_api_refuses_to_change_a_job(space: Space, program: str) -> None:
    job = space.job(program, inputs={"data": "x"})
    with pytest.raises(Refused, match="cannot be changed, a job is one run"):
        job.patch(inputs={"data": "y"})
    assert job.ended()["phase"] == "Completed"


def test_nobody_but_the_operator_writes_a_status(space: Space, program: str) -> None:
    forged: Object = {"status": {"phase": "Completed", "result": '"forged"'}}
    job = space.job(program, inputs={"data": "x"}, suspend=True)
    with pytest.raises(Refused, match="written by the operator alone"):
        space.cluster.request("PATCH", f"{job.path}/status", forged)
    job.waiting("Suspended")
