from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from quantum_runtime.exceptions import IBMInputValueError
from quantum_runtime.service import submission
from quantum_runtime.service.parameters import ParameterNamespace
from quantum_runtime.service.submission import ProgramRef
from support import crd

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROGRAM = ProgramRef("ClusterRuntimeProgram", "sample-program")


def manifest(*arguments: Any, **keywords: Any) -> dict[str, Any]:
    return submission.job_manifest(submission.request("sample-program", *arguments, **keywords), PROGRAM, now=NOW)


def test_a_job_says_what_was_asked_for_and_leaves_the_rest_to_the_cluster() -> None:
    body = manifest({"iterations": 3}, name="my-job")
    del body["metadata"]["annotations"]
    assert body == {
        "apiVersion": "quantumruntime.dev/v1alpha1",
        "kind": "RuntimeJob",
        "metadata": {"name": "my-job"},
        "spec": {
            "programRef": {"kind": "ClusterRuntimeProgram", "name": "sample-program"},
            "inputs": {"iterations": 3},
        },
    }


def test_every_option_has_its_field() -> None:
    body = manifest(
        {},
        {"backend_name": "aer", "max_execution_time": 60},
        job_tags=("a", "b"),
        log_level="debug",
        start_deadline=30,
        instance="h/g/p",
    )
    assert body["spec"] == {
        "programRef": {"kind": "ClusterRuntimeProgram", "name": "sample-program"},
        "inputs": {},
        "backend": "aer",
        "maxExecutionTimeSeconds": 60,
        "startDeadlineSeconds": 30,
        "logLevel": "DEBUG",
        "tags": ["a", "b"],
    }
    assert not list(crd.problems("runtimejobs", body))


def test_tags_may_be_called_tags() -> None:
    assert manifest(tags=["a"])["spec"]["tags"] == ["a"]
    assert manifest(None, {"job_tags": ["b"]}, tags=["a"])["spec"]["tags"] == ["a"]
    assert manifest(None, {"job_tags": ["b"]})["spec"]["tags"] == ["b"]


@pytest.mark.parametrize(
    ("program", "pattern"),
    [
        ("sample-program", r"sample-program-[a-z0-9]{10}"),
        ("a" * 100, r"a{52}-[a-z0-9]{10}"),
        ("b" * 51 + "-c", r"b{51}-[a-z0-9]{10}"),
        ("with.dots", r"with\.dots-[a-z0-9]{10}"),
    ],
)
def test_a_job_is_named_after_its_program_in_at_most_63_characters(program: str, pattern: str) -> None:
    name = submission.new_name(program)
    assert re.fullmatch(pattern, name)
    assert len(name) <= 63
    assert submission.new_name(program) != name


def test_every_submission_can_be_told_from_all_others() -> None:
    request = submission.request("sample-program", name="my-job")
    one, other = (submission.job_manifest(request, PROGRAM, now=NOW) for _ in range(2))
    assert submission.same_submission(one)(one)
    assert not submission.same_submission(one)(other)
    assert submission.submitted(one).startswith("2026-01-02T03:04:05.000000+00:00-")


def test_values_of_python_are_sent_as_tagged_json() -> None:
    assert manifest({"z": 1j})["spec"]["inputs"] == {"z": {"__type__": "complex", "__value__": [0.0, 1.0]}}


def test_parameters_that_were_set_are_the_inputs() -> None:
    inputs = ParameterNamespace({"properties": {"a": {}, "b": {}}, "required": ["a"]})
    with pytest.raises(IBMInputValueError, match=r"Param \(a\) missing"):
        manifest(inputs)
    inputs.a = 1
    assert manifest(inputs)["spec"]["inputs"] == {"a": 1}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([1], "inputs is of type list, expected a dictionary"),
        ({"f": object()}, "inputs"),
        ({"text": "x" * 1024 * 1024}, r"spec.inputs is 1048\d{3} bytes of JSON, the limit is 1048576"),
    ],
)
def test_inputs_that_are_none_are_refused(inputs: Any, message: str) -> None:
    with pytest.raises(IBMInputValueError, match=message):
        manifest(inputs)


@pytest.mark.parametrize("given", [{"session_id": "s"}, {"start_session": True}])
def test_sessions_are_refused_with_what_to_do(given: dict[str, Any]) -> None:
    with pytest.raises(IBMInputValueError, match="there are no sessions here"):
        manifest(**given)


def test_an_unknown_keyword_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="there is no option 'shots'"):
        manifest(shots=100)


@pytest.mark.parametrize("program_id", ["", None, 5])
def test_a_program_must_be_named(program_id: Any) -> None:
    with pytest.raises(IBMInputValueError, match="expected the name of a program"):
        submission.request(program_id)
