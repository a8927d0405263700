"""What local mode says, against what the operator says of the same program and job."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import folder, inputs, judgement, manifest, metadata
from quantum_runtime.backends import BackendError, by_name
from quantum_runtime.outcome import COMPLETED, EXIT_CODES, Outcome
from runtime_operator.api.conditions import Reason
from runtime_operator.api.names import JobKey
from runtime_operator.config import Limits, OperatorConfig, Profile
from runtime_operator.decide import checks, results
from runtime_operator.observe import snapshots
from runtime_operator.observe.schemas import Checked
from runtime_operator.observe.snapshots import Observed
from runtime_runner.schema import bounded
from support import builders

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = OperatorConfig(profiles={"default": Profile(image="runner")})
MAIN = "def main(backend, user_messenger, **kwargs): pass\n"
SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "integer", "minimum": 1} for name in "abcde"},
    "required": ["a"],
}


def program(spec: Mapping[str, Any], *, public: bool = False) -> folder.ProgramFolder:
    document = {"name": "a-program", "max_execution_time": 60, "is_public": public, "spec": spec}
    about = metadata.from_document(document, file="a_program.json")
    return folder.ProgramFolder(
        path=Path(), name=about.name, metadata=about, files={"main.py": MAIN}, entrypoint="main.py"
    )


def observed(given: folder.ProgramFolder, values: dict[str, Any], backend: str, seconds: int | None) -> Observed:
    """Return what an operator sees of the same program, applied from its manifest, and of a job that runs it."""
    body = manifest.program_manifest(given)
    body["metadata"] = builders.metadata(given.name, "default")
    seen = snapshots.parse_program(body)
    spec: dict[str, Any] = {"programRef": {"kind": body["kind"], "name": given.name}, "inputs": values}
    spec |= {"backend": backend} | ({} if seconds is None else {"maxExecutionTimeSeconds": seconds})
    check = None
    if schema := given.metadata.parameters:
        request = bounded.Request(schema=schema, text=json.dumps(values), what="inputs")
        check = Checked(of=seen.schemas.inputs_digest, verdicts=tuple(bounded.check([request])))
    try:
        there = snapshots.BackendSnapshot(name=backend, spec=by_name(backend).spec)
    except BackendError:
        there = None
    return Observed(
        key=JobKey("default", "a-job"),
        job=snapshots.parse_job(builders.job(**spec)),
        program=seen,
        source=seen.source,
        backend=there,
        input_check=check,
    )


def said_locally(
    given: folder.ProgramFolder, values: dict[str, Any], backend: str, seconds: int | None
) -> tuple[str, str] | None:
    """Return reason and message."""
    try:
        chosen = by_name(backend)
    except BackendError as error:
        return "BackendNotFound", str(error)
    if refusal := judgement.refusal(given, values, chosen, seconds):
        return refusal
    return judgement.of_inputs(given, values)[0]


NEEDS_FIVE = {"backend_requirements": {"min_num_qubits": 5}}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, int | None]] = {
    "nothing wrong": ({"parameters": SCHEMA} | NEEDS_FIVE, {"a": 1}, "aer", 60),
    "a limit above the program's": ({}, {}, "aer", 61),
    "inputs that are too large": ({}, {"x": "<ü>" * 200_000}, "aer", None),
    "a backend nobody knows": ({}, {}, "nowhere", None),
    "a backend that is misspelt": ({}, {}, "fake-montreall", None),
    "a backend that is too small": (NEEDS_FIVE, {}, "generic-4", None),
    "a retired device that is large enough": (NEEDS_FIVE, {}, "ibmq_montreal", None),
    "a missing input": ({"parameters": SCHEMA}, {}, "aer", None),
    "an input of the wrong type": ({"parameters": SCHEMA}, {"a": "x"}, "aer", None),
    "five wrong inputs": ({"parameters": SCHEMA}, dict.fromkeys("abcde", 0), "aer", None),
    "a schema that cannot be applied": ({"parameters": {"$ref": "https://example.org/x"}}, {"a": 1}, "aer", None),
    "a schema that takes for ever": (
        {"parameters": {"properties": {"a": {"pattern": "^(a+)+$"}}}},
        {"a": "a" * 60 + "!"},
        "aer",
        None,
    ),
    "list-style metadata": ({"parameters": [{"name": "a", "type": "int", "required": True}]}, {}, "aer", None),
}


@pytest.mark.parametrize("public", [False, True], ids=["private", "public"])
@pytest.mark.parametrize(("spec", "values", "backend", "seconds"), CASES.values(), ids=CASES.keys())
def test_a_run_is_refused_with_the_operators_reason_and_message(
    spec: dict[str, Any],
    values: dict[str, Any],
    backend: str,
    seconds: int | None,
    public: bool,
    short_patience: None,
) -> None:
    given = program(spec, public=public)
    finding = checks.refusal(observed(given, values, backend, seconds), CONFIG)
    assert said_locally(given, values, backend, seconds) == (finding and (finding.reason.value, finding.message))


def test_the_sizes_are_the_operators() -> None:
    limits = Limits()
    assert limits.source_bytes == folder.SOURCE_BYTES
    assert limits.input_bytes == inputs.INPUT_BYTES
    assert limits.schema_bytes == metadata.SCHEMA_BYTES
    assert limits.max_execution_seconds == metadata.LONGEST_SECONDS
    assert (limits.status_interims, limits.status_interim_bytes) == (judgement.INTERIMS, judgement.INTERIM_BYTES)
    assert CONFIG.default_backend == "aer"


def test_every_reason_that_can_be_given_locally_is_one_of_the_clusters() -> None:
    assert {str(reason) for reason in EXIT_CODES} - {reason.value for reason in Reason} == set()


VALUES = {"return_values": {"type": "string"}, "interim_results": {"type": "object"}}


@pytest.mark.parametrize("mode", ["Warn", "Enforce", "Ignore"])
@pytest.mark.parametrize(
    ("result", "interims"),
    [('"x"', ["{}"]), ("3", ["{}"]), ('"x"', ["{}", "1", "{}", "2", "3", "4"]), ("3", ["1"])],
    ids=["right", "wrong result", "wrong interim results", "both wrong"],
)
def test_results_are_judged_as_the_operator_judges_them(mode: str, result: str, interims: list[str]) -> None:
    given = program(VALUES | {"validate_results": mode})
    outcome = Outcome(reason=COMPLETED, result_text=result, interim_texts=tuple(interims))
    judged = judgement.of_results(given, outcome)

    seen = observed(given, {}, "aer", None)
    assert seen.program is not None
    assert seen.job is not None
    status = {"program": {"validateResults": mode, "resultSchemas": "digest" if seen.program.schemas.results else ""}}
    job = dataclasses.replace(seen.job, status=status)
    seen = dataclasses.replace(seen, result_schemas=seen.program.schemas.results)
    requests = judgement._requests(given, outcome)
    seen = dataclasses.replace(seen, result_check=Checked(of="", verdicts=tuple(bounded.check(requests))))
    verdict = results.judge(seen, job, result, None)

    assert isinstance(verdict, results.Judgement)
    if verdict.failure:
        assert (judged.reason, judged.message) == ("InvalidResult", verdict.failure)
        return
    assert judged.reason == COMPLETED
    condition = verdict.condition
    expected = condition.message if condition and condition.status.value == "False" else ""
    assert judged.warnings == ((f"not as the program's schemas say: {expected}",) if expected else ())
