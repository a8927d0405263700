"""What a cluster would say about one run, before it starts and after it ends: the same reasons, the same sentences.

The operator has these rules for its own objects; a test compares what both say.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from runtime_runner import backend_names
from runtime_runner.contract import FailureReason
from runtime_runner.schema import verdicts

from quantum_runtime import findings
from quantum_runtime.inputs import INPUT_BYTES, stored_bytes
from quantum_runtime.manifest import PRIVATE, PUBLIC
from quantum_runtime.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from quantum_runtime.backends import Backend
    from quantum_runtime.folder import ProgramFolder

LIMIT_ABOVE_PROGRAM = "MaxExecutionTimeAboveProgram"

IGNORE, WARN, ENFORCE = "Ignore", "Warn", "Enforce"

INTERIMS = 20
INTERIM_BYTES = 64 * 1024
"""Interim results that are checked: the newest, as many as a job's status holds with the operator's defaults."""


class Refusal(NamedTuple):
    """Why a run is not started."""

    reason: str
    message: str


def refusal(
    program: ProgramFolder, inputs: dict[str, Any], backend: Backend, max_execution_time: int | None
) -> Refusal | None:
    """Return why a cluster would not start this run, its inputs' schema aside; or nothing."""
    named = f"{PUBLIC if program.metadata.is_public else PRIVATE} {program.name!r}"
    allowed = program.metadata.max_execution_time
    if max_execution_time is not None and max_execution_time > allowed:
        asked = f"spec.maxExecutionTimeSeconds is {max_execution_time}"
        return Refusal(LIMIT_ABOVE_PROGRAM, f"{asked}, the limit of {named} is {allowed}")
    if too_large := inputs_are_too_large(inputs):
        return too_large
    there = backend_names.num_qubits(backend.spec)
    needed = program.metadata.min_num_qubits
    if there is not None and there < needed:
        message = f"{named} needs {needed} qubits, backend {backend.name!r} has {there}"
        return Refusal(FailureReason.BACKEND_TOO_SMALL.value, message)
    return None


def inputs_are_too_large(inputs: dict[str, Any]) -> Refusal | None:
    """Inputs and result share one object in etcd, whose size is limited."""
    size = stored_bytes(inputs)
    message = f"spec.inputs is {size} bytes of JSON, the limit is {INPUT_BYTES}"
    return Refusal(FailureReason.INVALID_INPUT.value, message) if size > INPUT_BYTES else None


def of_inputs(program: ProgramFolder, inputs: dict[str, Any], *, what: str = "inputs") -> tuple[Refusal | None, str]:
    """Return why the program's ``parameters`` refuse the inputs, or nothing; and a warning, or nothing.

    A schema that cannot be applied to any value is its program's trouble and not the run's.

    Args:
        program: Whose parameters.
        inputs: As (tagged) JSON.
        what: How the sentence calls them: a cluster, where they are part of a job, says ``spec.inputs``.
    """
    if not program.metadata.parameters:
        return None, ""
    request = verdicts.Request(schema=program.metadata.parameters, text=json.dumps(inputs), what=what)
    (verdict,) = _check([request])
    if verdict.too_expensive:
        named = f"the parameters of {PUBLIC if program.metadata.is_public else PRIVATE} {program.name!r}"
        return Refusal(findings.SCHEMA_TOO_EXPENSIVE, f"{named} cannot be checked: {verdict.problem}"), ""
    if verdict.violations:
        return Refusal(FailureReason.INVALID_INPUT.value, sentence(verdict.violations)), ""
    return None, f"the inputs were not checked: {verdict.problem}" if verdict.problem else ""


def of_results(program: ProgramFolder, outcome: Outcome, *, mode: str = "") -> Outcome:
    """Return the outcome with what the program's schemas say about its results.

    Args:
        program: Whose schemas.
        outcome: Of a run that has ended.
        mode: `IGNORE`, `WARN` or `ENFORCE`; empty: as the program's metadata say.
    """
    mode = mode or program.metadata.validate_results or WARN
    if mode == IGNORE or not outcome.succeeded:
        return outcome
    said = _check(_requests(program, outcome))
    violations = [violation for verdict in said for violation in verdict.violations]
    problem = next((verdict.problem for verdict in said if verdict.problem), "")
    if violations:
        message = f"not as the program's schemas say: {sentence(violations)}"
    elif problem:
        message = f"result and interim results could not be checked: {problem}"
    else:
        return outcome
    if mode == ENFORCE:
        return dataclasses.replace(outcome, reason=FailureReason.INVALID_RESULT.value, message=message)
    return dataclasses.replace(outcome, warnings=(*outcome.warnings, message))


def sentence(violations: Iterable[verdicts.Violation]) -> str:
    """Return the first few of these as one text."""
    return verdicts.sentence([str(violation) for violation in violations])


def refused(said: Refusal) -> Outcome:
    """Return the outcome of a run that is not started."""
    return Outcome(reason=said.reason, message=said.message)


def _check(requests: Sequence[verdicts.Request]) -> list[verdicts.Verdict]:
    from runtime_runner.schema import bounded  # not for those who only submit jobs

    return bounded.check(requests)


def _requests(program: ProgramFolder, outcome: Outcome) -> list[verdicts.Request]:
    requests = []
    if (schema := program.metadata.return_values) and outcome.result_text is not None:
        requests.append(verdicts.Request(schema=schema, text=outcome.result_text, what="result"))
    if schema := program.metadata.interim_results:
        newest = _newest(outcome.interim_texts)
        published = len(outcome.interim_texts) + outcome.interim_dropped
        requests += [
            verdicts.Request(schema=schema, text=text, what=f"interim result {number}")
            for number, text in enumerate(newest, start=published - len(newest) + 1)
        ]
    return requests


def _newest(texts: Sequence[str]) -> list[str]:
    newest: list[str] = []
    room = INTERIM_BYTES
    for text in reversed(texts[-INTERIMS:]):
        room -= len(text.encode())
        if room < 0:
            break
        newest.insert(0, text)
    return newest
