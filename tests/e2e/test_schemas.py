"""What a program says of its inputs and results holds, and no schema keeps the operator from its work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from e2e.support.cluster import Job, condition

if TYPE_CHECKING:
    from e2e.support.cluster import Object, Space

RETURN_IT = (
    "def main(backend, user_messenger, value=None, **kwargs):\n    user_messenger.publish(value)\n    return value"
)

PARAMETERS = {
    "$schema": "https://json-schema.org/draft/2019-09/schema",
    "type": "object",
    "properties": {"value": {"type": "integer", "minimum": 1, "default": 7}, "point": {"type": "array"}},
    "required": ["value"],
}

EVIL = {"properties": {"value": {"type": "string", "pattern": "^(a+)+$"}}}


@pytest.fixture(scope="module")
def strict(space: Space) -> str:
    """A program that says what it takes."""
    return space.program(RETURN_IT, name="strict", parameters=PARAMETERS)


def refused(job: Job, reason: str) -> str:
    """Return why the job failed before it had a pod."""
    status = job.ended()
    assert (status["phase"], status["failure"]["reason"]) == ("Failed", reason), status
    assert condition(status, "Stalled")["reason"] == reason
    assert job.pods_ever() == []
    message: str = status["failure"]["message"]
    return message


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        pytest.param({"value": "three"}, ("value", "type", "integer", "three"), id="wrong type"),
        pytest.param({"value": 0}, ("value", "minimum", "1", "0"), id="below the minimum"),
        pytest.param({"point": [1]}, ("required", "value"), id="missing; the default is not applied"),
    ],
)
def test_inputs_that_violate_the_schema_are_refused_without_a_pod(
    space: Space, strict: str, inputs: Object, words: tuple[str, ...]
) -> None:
    message = refused(space.job(strict, inputs=inputs), "InvalidInput")
    assert all(word in message for word in words), message


def test_a_tagged_array_passes_where_the_schema_says_array(space: Space, strict: str) -> None:
    array = {"__type__": "array", "__value__": [1, 2]}
    status = space.job(strict, inputs={"value": 1, "point": array}).ended()
    assert (status["phase"], status["result"]) == ("Completed", "1"), status


def test_a_schema_that_takes_for_ever_fails_its_job_and_no_other(space: Space, strict: str) -> None:
    evil = space.program(RETURN_IT, name="evil", parameters=EVIL)
    slow = [space.job(evil, inputs={"value": "a" * 40 + "!"}) for _ in range(4)]
    status = space.job(strict, inputs={"value": 2}).ended()
    assert (status["phase"], status["result"]) == ("Completed", "2"), status
    for job in slow:
        assert "parameters" in refused(job, "SchemaTooExpensive")


def test_a_schema_in_the_older_list_style_is_no_obstacle(space: Space) -> None:
    program = space.program(
        RETURN_IT, parameters={"properties": {"value": {"type": "List[int]", "description": "Python's word for it"}}}
    )
    status = space.job(program, inputs={"value": [1]}).ended()
    assert (status["phase"], status["result"]) == ("Completed", "[1]"), status


def outcome(space: Space, value: Any, **spec: Any) -> tuple[Job, Object]:
    spec |= {"returnValues": {"type": "integer"}, "interimResults": {"type": "integer"}}
    job = space.job(space.program(RETURN_IT, **spec), inputs={"value": value})
    return job, job.ended()


def test_a_result_that_violates_its_schema_is_kept_and_warned_of(space: Space) -> None:
    job, status = outcome(space, "text")
    assert (status["phase"], status["result"]) == ("Completed", '"text"'), status
    found = condition(status, "ResultsValid")
    assert found["status"] == "False"
    assert "integer" in found["message"]
    assert found["reason"] in space.kubectl("events", "--for", f"runtimejob/{job.name}")


def test_a_program_may_ask_that_such_a_result_fails_its_job(space: Space) -> None:
    _, status = outcome(space, "text", validateResults="Enforce")
    assert (status["phase"], status["failure"]["reason"]) == ("Failed", "InvalidResult"), status
    assert "integer" in status["failure"]["message"]
    assert status["result"] == '"text"', "what was computed is not lost"


@pytest.mark.parametrize("mode", ["Ignore", "Warn", "Enforce"])
def test_a_result_that_keeps_to_its_schema_completes(space: Space, mode: str) -> None:
    _, status = outcome(space, 3, validateResults=mode)
    assert (status["phase"], status["result"]) == ("Completed", "3"), status
    assert condition(status, "ResultsValid").get("status") != "False"


def test_ignored_schemas_leave_no_trace(space: Space) -> None:
    job, status = outcome(space, "text", validateResults="Ignore")
    assert (status["phase"], condition(status, "ResultsValid")) == ("Completed", {}), status
    assert json.loads(status["result"]) == "text"
    assert "No events" in space.kubectl("events", "--for", f"runtimejob/{job.name}")
