"""What programs' schemas do to their jobs: every row is a sentence, what is known, and what should happen."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.plan import ApplySchemas, CreatePod, DeletePod, HandOver, StoreOutputs
from runtime_operator.decide.program import program_status, wants_check
from runtime_operator.observe.schemas import Checked
from runtime_operator.observe.snapshots import InterimResult, OutputRef, Outputs, Source
from runtime_runner.schema.verdicts import Verdict, Violation
from support import crd
from support.clock import START
from support.snapshots import (
    CONFIG,
    config,
    ended,
    exit_event,
    failed_event,
    job,
    observed,
    pod,
    program,
    runner,
    written,
)

if TYPE_CHECKING:
    from runtime_operator.decide.plan import Plan
    from runtime_operator.observe.snapshots import Observed, ProgramSnapshot

NOW = START + 3
SECRET = "'secret value'"
WRONG = Verdict(violations=(Violation("spec.inputs.n", "type", "integer", SECRET),))
MANY = Verdict(violations=tuple(Violation(f"spec.inputs.n[{n}]", "type", "integer", SECRET) for n in range(10)))
UNFIT = Verdict(problem="the schema is not valid: type is 'int'")
SLOW = Verdict(problem="the schema needs more than 2 s of CPU time to be applied", too_expensive=True)

STRICT = program(parameters={"type": "object"})
CHECKED = program(return_values={"type": "integer"}, interim_results={"type": "integer"})
ENFORCED = program(return_values={"type": "integer"}, interim_results={"type": "integer"}, validate_results="Enforce")
IGNORED = program(return_values={"type": "integer"}, validate_results="Ignore")


FAILED = Checked(of="sha256:of-the-schemas", verdicts=(Verdict(problem="no child can be started"),), failed=True)


def checked(*verdicts: Verdict) -> Checked:
    return Checked(of="sha256:of-the-schemas", verdicts=verdicts)


def promise(of: ProgramSnapshot, **spec: Any) -> Any:
    """Return a job that has been promised to its pod, as a decision for this program writes it."""
    seen = observed(program=of, pods=(pod(),), runner=runner(), input_check=checked(Verdict()))
    status = written(plan_job(seen, NOW, CONFIG))
    assert status
    assert not crd.problems("runtimejobs", status, part="status")
    return job(status=status, **spec)


def returned(of: ProgramSnapshot, *verdicts: Verdict, result: str = '"text"', **more: Any) -> Observed:
    """Return what is seen when the program has returned and these verdicts are known, none: not yet."""
    said = ended(
        result=result,
        interims=tuple(InterimResult(seq=n, time=START + 2, value=str(n)) for n in (8, 9)),
        interim_published=20,
        exit=exit_event(interim_published=20, interim_dropped=18),
    )
    seen = observed(job=promise(of), program=of, pods=(pod(),), runner=said, result_schemas=of.schemas.results)
    check = checked(*verdicts) if verdicts else None
    return dataclasses.replace(seen, result_check=check, **more)


def condition(plan: Plan, kind: str) -> dict[str, Any]:
    return next((c for c in (plan.status or {}).get("conditions", []) if c["type"] == kind), {})


@dataclass(frozen=True, kw_only=True)
class Row:
    """Only what a row names is compared."""

    title: str
    seen: Observed
    does: tuple[type, ...] = ()
    now: float = NOW
    phase: str = ""
    reason: str = ""
    says: tuple[str, ...] = ()
    results: tuple[str, str] = ("", "")
    """Status and reason of ResultsValid."""
    event: str = ""
    again: float | None = None


# fmt: off
INPUTS = [
    Row(title="inputs are checked before there is a pod", seen=observed(program=STRICT), does=(ApplySchemas,),
        again=2.0),
    Row(title="a check that takes long is said to be going on", seen=observed(program=STRICT), now=START + 5,
        does=(ApplySchemas,), phase="Queued", reason="CheckingInputs", again=595.0),
    Row(title="a job does not wait for its check longer than for its start", seen=observed(program=STRICT),
        now=START + 600, phase="Failed", reason="StartDeadlineExceeded", event="StartDeadlineExceeded"),
    Row(title="inputs that are as the schema says get a pod",
        seen=observed(program=STRICT, input_check=checked(Verdict())), does=(CreatePod,), again=5.0),
    Row(title="inputs that are not are refused with path, keyword, expected and given",
        seen=observed(program=STRICT, input_check=checked(WRONG)), phase="Failed", reason="InvalidInput",
        says=("spec.inputs.n: expected integer (type), given 'secret value'",), event="InvalidInput"),
    Row(title="of many violations three are told", seen=observed(program=STRICT, input_check=checked(MANY)),
        phase="Failed", reason="InvalidInput", says=("n[0]", "n[2]", "and 7 more"), event="InvalidInput"),
    Row(title="a schema that cannot be applied lets the job run",
        seen=observed(program=STRICT, input_check=checked(UNFIT)), does=(CreatePod,), again=5.0),
    Row(title="a schema that takes too long refuses the job, and says whose it is",
        seen=observed(program=STRICT, input_check=checked(SLOW)), phase="Failed", reason="SchemaTooExpensive",
        says=("parameters of RuntimeProgram 'a-program'", "2 s of CPU time"), event="SchemaTooExpensive"),
    Row(title="a program without parameters asks nobody", seen=observed(program=CHECKED), does=(CreatePod,), again=5.0),
    Row(title="a pod that is on its way is removed when the program's new schema refuses the inputs",
        seen=observed(program=STRICT, input_check=checked(WRONG), pods=(pod(),)), does=(DeletePod,), phase="Failed",
        reason="InvalidInput", event="InvalidInput"),
    Row(title="a schema that changed after the promise is asked before the hand-over",
        seen=observed(job=promise(STRICT), program=STRICT, pods=(pod(),), runner=runner()), does=(ApplySchemas,)),
    Row(title="a promise to inputs that the new schema refuses is not kept",
        seen=observed(job=promise(STRICT), program=STRICT, pods=(pod(),), runner=runner(), input_check=checked(WRONG)),
        does=(DeletePod,), phase="Failed", reason="InvalidInput", event="InvalidInput"),
    Row(title="checked inputs are handed over",
        seen=observed(job=promise(STRICT), program=STRICT, pods=(pod(deadline_seconds=315),), runner=runner(),
                      input_check=checked(Verdict())), does=(HandOver,), again=1.0),
    Row(title="what is wrong with the spec comes first",
        seen=observed(program=STRICT, input_check=checked(WRONG), job=job(max_execution_time_seconds=301)),
        phase="Failed", reason="MaxExecutionTimeAboveProgram", event="MaxExecutionTimeAboveProgram"),
]

RESULTS = [
    Row(title="a result is checked before the job ends", seen=returned(CHECKED), does=(ApplySchemas,)),
    Row(title="what does not fit the status is stored before", seen=returned(CHECKED, result='"' + "x" * 70_000 + '"'),
        does=(StoreOutputs,), again=0.0),
    Row(title="results as the schemas say complete the job", seen=returned(CHECKED, *[Verdict()] * 3),
        phase="Completed", reason="Completed", results=("True", "Accepted")),
    Row(title="a result that is not as its schema says completes the job with a warning",
        seen=returned(CHECKED, WRONG, Verdict(), Verdict()), phase="Completed", reason="Completed",
        results=("False", "ResultViolatesSchema"), event="ResultViolatesSchema"),
    Row(title="an interim result that is not completes it with another",
        seen=returned(CHECKED, Verdict(), Verdict(), WRONG), phase="Completed", reason="Completed",
        results=("False", "InterimResultViolatesSchema"), event="InterimResultViolatesSchema"),
    Row(title="a schema that cannot be applied leaves it open", seen=returned(CHECKED, UNFIT, Verdict(), Verdict()),
        phase="Completed", reason="Completed", results=("Unknown", "SchemaNotApplicable"),
        event="SchemaNotApplicable"),
    Row(title="a schema that takes too long leaves it open", seen=returned(CHECKED, SLOW, SLOW, SLOW),
        phase="Completed", reason="Completed", results=("Unknown", "SchemaTooExpensive"), event="SchemaTooExpensive"),
    Row(title="a violation counts more than a schema that cannot be applied", seen=returned(CHECKED, UNFIT, WRONG),
        phase="Completed", reason="Completed", results=("False", "InterimResultViolatesSchema"),
        event="InterimResultViolatesSchema"),
    Row(title="schemas that nobody knows any more leave it open", seen=returned(CHECKED, result_schemas=None),
        phase="Completed", reason="Completed", results=("Unknown", "ProgramChanged"), event="ProgramChanged"),
    Row(title="an enforced schema that is kept to completes the job", seen=returned(ENFORCED, *[Verdict()] * 3),
        phase="Completed", reason="Completed", results=("True", "Accepted")),
    Row(title="an enforced schema that is violated fails the job", seen=returned(ENFORCED, WRONG),
        phase="Failed", reason="InvalidResult", says=("as the program's schemas say", "expected integer"),
        results=("False", "ResultViolatesSchema"), event="InvalidResult"),
    Row(title="an enforced schema that cannot be applied fails the job", seen=returned(ENFORCED, UNFIT),
        phase="Failed", reason="InvalidResult", says=("could not be checked", "'int'"),
        results=("Unknown", "SchemaNotApplicable"), event="InvalidResult"),
    Row(title="an enforced schema that nobody knows any more fails the job",
        seen=returned(ENFORCED, result_schemas=None), phase="Failed", reason="InvalidResult",
        says=("changed or deleted",), results=("Unknown", "ProgramChanged"), event="InvalidResult"),
    Row(title="a check that the platform could not make leaves it open",
        seen=dataclasses.replace(returned(CHECKED), result_check=FAILED), phase="Completed", reason="Completed",
        results=("Unknown", "SchemaCheckFailed"), event="SchemaCheckFailed"),
    Row(title="and is not called an invalid result",
        seen=dataclasses.replace(returned(ENFORCED), result_check=FAILED), phase="Failed", reason="SchemaCheckFailed",
        says=("no child",), results=("Unknown", "SchemaCheckFailed"), event="SchemaCheckFailed"),
    Row(title="ignored schemas are not asked", seen=returned(IGNORED), phase="Completed", reason="Completed"),
    Row(title="a program that failed has no result to check",
        seen=dataclasses.replace(returned(CHECKED), runner=ended(failure=failed_event("ProgramFailed"))),
        phase="Failed", reason="ProgramFailed", event="ProgramFailed"),
    Row(title="a result that is left only in the termination message is checked, too",
        seen=dataclasses.replace(returned(ENFORCED), runner=runner(connected=False, journal_read=True), pods=(pod(
            phase="Succeeded", exit_code=0, termination_message=json.dumps(
                {"job_uid": "job-uid", "succeeded": True, "execution_seconds": 1.0, "result": "1"})),)),
        does=(ApplySchemas,)),
    Row(title="and fails the job if it has to be valid",
        seen=dataclasses.replace(returned(ENFORCED, WRONG), runner=runner(connected=False, journal_read=True), pods=(
            pod(phase="Succeeded", exit_code=0, termination_message=json.dumps(
                {"job_uid": "job-uid", "succeeded": True, "execution_seconds": 1.0, "result": "1"})),)),
        phase="Failed", reason="InvalidResult", results=("False", "ResultViolatesSchema"), event="InvalidResult"),
]
# fmt: on


@pytest.mark.parametrize("row", INPUTS + RESULTS, ids=lambda row: row.title)
def test_a_job_with_schemas(row: Row) -> None:
    plan = plan_job(row.seen, row.now, CONFIG)
    assert tuple(type(action) for action in plan.actions) == row.does
    assert (plan.status or {}).get("phase", "") == row.phase
    succeeded, results = condition(plan, "Succeeded"), condition(plan, "ResultsValid")
    assert succeeded.get("reason", "") == row.reason
    assert all(part in succeeded["message"] for part in row.says), succeeded
    assert (results.get("status", ""), results.get("reason", "")) == row.results
    assert (plan.notice.reason.value if plan.notice else "") == row.event
    assert plan.requeue_after == (None if row.again is None else pytest.approx(row.again))
    if plan.status is not None:
        assert not crd.problems("runtimejobs", plan.status, part="status")
    assert plan_job(row.seen, row.now, CONFIG) == plan


@pytest.mark.parametrize("seen", [row.seen for row in INPUTS + RESULTS], ids=[row.title for row in INPUTS + RESULTS])
def test_no_event_tells_what_a_user_put_in_or_a_program_made_of_it(seen: Observed) -> None:
    notice = plan_job(seen, NOW, CONFIG).notice
    assert notice is None or "secret" not in notice.message


def test_inputs_are_asked_about_by_the_path_a_user_knows() -> None:
    (action,) = plan_job(observed(program=STRICT, job=job(inputs={"n": [1, "é"]})), NOW, CONFIG).actions
    assert isinstance(action, ApplySchemas)
    assert (action.subject, action.digest) == ("inputs", STRICT.schemas.inputs_digest)
    (request,) = action.requests
    assert (request.schema, json.loads(request.text), request.what) == (
        {"type": "object"},
        {"n": [1, "é"]},
        "spec.inputs",
    )


def test_a_result_is_asked_about_as_it_stands_with_the_newest_interim_results() -> None:
    (action,) = plan_job(returned(CHECKED), NOW, CONFIG).actions
    assert isinstance(action, ApplySchemas)
    assert CHECKED.schemas.results is not None
    assert action.digest == CHECKED.schemas.results.digest
    assert [(r.what, r.text) for r in action.requests] == [
        ("result", '"text"'),
        ("interim result 19", "8"),
        ("interim result 20", "9"),
    ]


def test_without_interim_results_there_is_nothing_to_ask() -> None:
    quiet = program(interim_results={"type": "integer"})
    seen = observed(
        job=promise(quiet), program=quiet, pods=(pod(),), runner=ended(), result_schemas=quiet.schemas.results
    )
    plan = plan_job(seen, NOW, CONFIG)
    assert not plan.actions
    assert "0 interim results" in condition(plan, "ResultsValid")["message"]


@pytest.mark.parametrize("large", [False, True], ids=["in the status", "beside it"])
def test_a_result_that_fails_its_job_is_kept(large: bool) -> None:
    text = '"' + "x" * (70_000 if large else 7) + '"'
    outputs = Outputs(result=OutputRef(names=("a",), size=70_002, sha256="0" * 64)) if large else None
    status = plan_job(returned(ENFORCED, WRONG, result=text, outputs=outputs), NOW, CONFIG).status
    assert status is not None
    assert status["failure"]["reason"] == "InvalidResult"
    assert (status.get("result"), "resultRef" in status) == ((None, True) if large else (text, False))


def test_a_promise_says_how_results_will_be_checked() -> None:
    recorded = promise(ENFORCED).status["program"]
    assert ENFORCED.schemas.results is not None
    assert recorded["resultSchemas"] == ENFORCED.schemas.results.digest
    assert recorded["validateResults"] == "Enforce"
    assert recorded.keys() == {"kind", "name", "digest", "resultSchemas", "validateResults"}
    assert promise(IGNORED).status["program"].keys() == {"kind", "name", "digest"}


@pytest.mark.parametrize(
    ("check", "status", "reason", "says"),
    [
        (checked(Verdict(), Verdict()), "True", "Accepted", "can be applied: parameters, returnValues"),
        (dataclasses.replace(FAILED, verdicts=FAILED.verdicts * 2), "Unknown", "SchemaCheckFailed", "no child"),
        (checked(Verdict(), UNFIT), "False", "SchemaNotApplicable", "spec.returnValues: the schema is not valid"),
        (checked(UNFIT, SLOW), "False", "SchemaTooExpensive", "spec.parameters: the schema is not valid"),
    ],
)
def test_a_program_says_whether_its_schemas_can_be_applied(check: Checked, status: str, reason: str, says: str) -> None:
    snapshot = program(parameters={"type": "object"}, return_values={"type": "integer"})
    written = program_status(snapshot, snapshot.source, check, START, CONFIG)
    assert written is not None
    assert not crd.problems("runtimeprograms", written, part="status")
    ready, valid = written["conditions"]
    assert (ready["type"], ready["status"]) == ("Ready", "True"), "it runs all the same"
    assert (valid["type"], valid["status"], valid["reason"]) == ("SchemasValid", status, reason)
    assert says in valid["message"]


def test_a_program_is_judged_once_its_schemas_have_been_looked_at() -> None:
    assert program_status(STRICT, STRICT.source, None, START, CONFIG) is None
    assert wants_check(STRICT, CONFIG)
    assert not wants_check(program(), CONFIG)
    assert not wants_check(STRICT, config(schema_bytes=3)), "nobody will apply what is too large"
    written = program_status(STRICT, Source(files={"main.py": ""}), None, START, config(schema_bytes=3))
    assert written is not None
    assert [c["reason"] for c in written["conditions"]] == ["SchemaTooLarge"]
