from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS, PROGRAMS

if TYPE_CHECKING:
    from client.cli.conftest import Terminal

JOB = """\
apiVersion: quantumruntime.dev/v1alpha1
kind: RuntimeJob
metadata: {{name: {name}}}
spec: {{programRef: {{name: toss}}, inputs: {{iterations: {iterations}}}}}
"""
GOOD = JOB.format(name="good", iterations=3)
BAD = JOB.format(name="bad", iterations=0)


@pytest.fixture(autouse=True)
def toss(terminal: Terminal) -> None:
    terminal.program()


def check(terminal: Terminal, text: str, options: str = "") -> tuple[int, str]:
    done = terminal(f"validate -f - {options}", stdin=text)
    return done.exit_code, done.stdout + done.stderr


def test_a_job_would_be_accepted_and_is_not_created(terminal: Terminal) -> None:
    assert check(terminal, GOOD) == (0, "RuntimeJob 'good': the cluster would run it (namespace chemistry)\n")
    assert terminal.api.objects(JOBS) == []


def test_a_job_would_be_refused_in_the_clusters_words(terminal: Terminal) -> None:
    code, said = check(terminal, BAD)
    assert (code, said) == (3, "InvalidInput: spec.inputs.iterations: expected at least 1 (minimum), given 0\n")


def test_each_job_of_a_file_gets_its_answer_and_the_first_refusal_is_the_exit_code(terminal: Terminal) -> None:
    nowhere = GOOD.replace("name: toss", "name: nothing")
    code, said = check(terminal, "---\n".join(["", GOOD, nowhere, BAD]))
    assert code == 7
    assert said.splitlines() == [
        "RuntimeJob 'good': the cluster would run it (namespace chemistry)",
        "ProgramNotFound: stdin, document 2: there is no RuntimeProgram 'nothing' in namespace chemistry",
        "InvalidInput: stdin, document 3: spec.inputs.iterations: expected at least 1 (minimum), given 0",
    ]


def test_the_job_is_checked_as_it_stands(terminal: Terminal) -> None:
    text = GOOD.replace("name: good", "generateName: good-, labels: {team: a}")
    assert check(terminal, text.replace("inputs:", "ttl: {jobSeconds: 60}, inputs:"))[0] == 0
    code, said = check(terminal, text.replace("inputs:", "input: 3, inputs:"))
    assert code == 3
    assert "the cluster would refuse the job: " in said
    assert "input" in said


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        ("suspend", "the cluster would run it, but not before spec.suspend is false"),
        ("cancel", "the cluster would take it, and not run it: spec.cancel is true"),
    ],
)
def test_a_job_that_would_not_run_at_once_is_told_so(terminal: Terminal, field: str, verdict: str) -> None:
    assert verdict in check(terminal, GOOD.replace("inputs:", f"{field}: true, inputs:"))[1]


def test_a_job_names_the_kind_of_its_program(terminal: Terminal) -> None:
    code, said = check(terminal, GOOD.replace("name: toss", "name: toss, kind: ClusterRuntimeProgram"))
    assert code == 7
    assert "there is no ClusterRuntimeProgram 'toss', but a RuntimeProgram; see spec.programRef.kind" in said


def test_a_name_that_is_taken_is_refused(terminal: Terminal) -> None:
    terminal.job("good")
    code, said = check(terminal, GOOD)
    assert code == 3
    assert "there is a job 'good' in the namespace chemistry already; choose another name" in said


def test_a_job_chooses_its_namespace(terminal: Terminal) -> None:
    text = GOOD.replace("name: good", "name: good, namespace: chemistry")
    assert check(terminal, text)[0] == 0
    assert terminal.settings == {"namespace": "chemistry"}
    code, said = check(terminal, text, "--namespace lab")
    assert code == 2
    assert "stdin: metadata.namespace is 'chemistry', --namespace says 'lab'" in said


def test_where_no_cluster_answers_the_other_jobs_are_not_tried(terminal: Terminal) -> None:
    terminal.api.fail("get", PROGRAMS, errors.ApiError("the certificate is not to be trusted"))
    code, said = check(terminal, f"{GOOD}---\n{BAD}")
    assert code == 69
    assert "InvalidInput" not in said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "apiVersion: v1\nkind: ConfigMap\n",
            "stdin: expected quantumruntime.dev/v1alpha1 RuntimeJob, got v1 ConfigMap",
        ),
        (
            f"{GOOD}---\nkind: List\n",
            "stdin, document 2: expected quantumruntime.dev/v1alpha1 RuntimeJob, got no apiVe",
        ),
        ("- a\n", "stdin: expected quantumruntime.dev/v1alpha1 RuntimeJob, got a list"),
        ("", "stdin is empty, expected a RuntimeJob"),
        ("apiVersion: quantumruntime.dev/v1alpha1\nkind: RuntimeJob\nspec: {}\n", "stdin: it has no metadata"),
        ("a: [", "stdin is not YAML: "),
    ],
)
def test_what_is_no_job_is_wrong_usage(terminal: Terminal, text: str, complaint: str) -> None:
    code, said = check(terminal, text)
    assert code == 2
    assert complaint in said
    assert ("create", JOBS.plural, "good") not in terminal.api.requests


def test_a_file_that_is_not_there_is_wrong_usage(terminal: Terminal) -> None:
    assert "none.yaml cannot be read: No such file" in terminal("validate -f none.yaml").stderr
