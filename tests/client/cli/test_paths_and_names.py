from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cli import arguments
from quantum_runtime.cluster.api import JOBS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from client.cli.conftest import Terminal

    Write = Callable[..., Path]

MAIN = "def main(backend, user_messenger, **kwargs):\n    return kwargs"


@pytest.mark.parametrize("word", [".", "..", "./vqe", "programs/vqe", "/tmp/vqe", "vqe.py", "vqe/"])
def test_a_path_looks_like_one(word: str) -> None:
    assert arguments.is_path(word)


@pytest.mark.parametrize("word", ["vqe", "sample-program", "vqe.v2", "Sample_Program"])
def test_any_other_word_is_a_name(word: str) -> None:
    assert not arguments.is_path(word)


@pytest.mark.usefixtures("bare_runner")
def test_a_path_runs_here_and_a_name_there(
    terminal: Terminal, write: Write, backend_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write(MAIN).parent)
    terminal.program("my-program")
    for path in ("./my_program", "my_program/my_program.py"):
        done = terminal(f"run {path} -i iterations=3 --backend-file {backend_file}")
        assert done.stdout == 'result: {"iterations": 3}\n', done.stderr
    assert terminal("run my-program -i iterations=3 --name mine").stdout == (
        "runtimejob.quantumruntime.dev/mine created\n"
    )
    assert terminal.api.object(JOBS, "mine")["spec"]["inputs"] == {"iterations": 3}


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_folder_taken_for_a_name_is_pointed_out(
    terminal: Terminal, write: Write, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write(MAIN).parent)
    done = terminal(f"{command} my_program")
    assert done.exit_code == 7
    assert done.stderr.startswith("Error: there is no program 'my_program'")
    assert done.stderr.endswith("; for the folder of this name on this machine write ./my_program\n")


def test_a_folder_taken_for_a_name_is_pointed_out_where_there_is_no_cluster(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from click.testing import CliRunner
    from quantum_runtime import cli

    monkeypatch.chdir(write(MAIN).parent)
    done = CliRunner().invoke(cli.main, ["run", "my_program", "--kubeconfig", str(tmp_path / "none")])
    assert done.exit_code == 69
    assert done.stderr.endswith("; for the folder of this name on this machine write ./my_program\n")


REFUSALS = {
    "run ./x --follow": "--follow is for programs on a cluster; ./x is a path, and runs on this machine",
    "run ./x --tag a": "--tag is for programs on a cluster; ./x is a path, and runs on this machine",
    "run ./x --name a": "--name is for programs on a cluster; ./x is a path, and runs on this machine",
    "run ./x --start-deadline 3": "--start-deadline is for programs on a cluster",
    "run ./x -o name": "-o name is for programs on a cluster",
    "run ./x -n lab": "--namespace is for programs on a cluster; ./x is a path, and runs on this machine",
    "--context kind run ./x": "--context is for programs on a cluster",
    "run x --backend-file b.yaml": "--backend-file is for programs on this machine, "
    "x is the name of one on the cluster; write ./x",
    "run x --compatibility Qiskit0": "--compatibility is for programs on this machine, "
    "x is the name of one on the cluster; write ./x",
    "validate ./x --backend aer": "--backend is for programs on a cluster; ./x is a path on this machine",
    "validate ./x -n lab": "--namespace is for programs on a cluster; ./x is a path on this machine",
    "validate x -f job.yaml": "give either a PROGRAM, or a RuntimeJob with -f",
    "validate": "give either a PROGRAM, or a RuntimeJob with -f",
    "validate -f job.yaml -i a=1": "-i is in the RuntimeJob that -f names",
}


@pytest.mark.parametrize(("line", "complaint"), REFUSALS.items(), ids=REFUSALS.keys())
def test_an_option_that_only_the_other_way_has_is_refused(terminal: Terminal, line: str, complaint: str) -> None:
    done = terminal(line)
    assert done.exit_code == 2
    assert f"Error: {complaint}" in done.stderr
    assert terminal.api.requests == []


def test_everything_a_job_can_be_given_arrives(terminal: Terminal) -> None:
    terminal.program()
    terminal(
        "run toss -i iterations=3 --inputs - --backend fake-montreal --max-execution-time 60 --log-level debug "
        "--tag a --tag b --start-deadline 30 --name mine",
        stdin='{"seed": 7, "iterations": 1}',
    )
    spec = terminal.api.object(JOBS, "mine")["spec"]
    assert spec | {"ttl": None} == {
        "programRef": {"kind": "RuntimeProgram", "name": "toss"},
        "inputs": {"iterations": 3, "seed": 7},
        "backend": "fake-montreal",
        "maxExecutionTimeSeconds": 60,
        "startDeadlineSeconds": 30,
        "logLevel": "DEBUG",
        "tags": ["a", "b"],
        "suspend": False,
        "cancel": False,
        "ttl": None,
    }


class TestARuntimeJobInAFile:
    def check(self, terminal: Terminal, text: str, options: str = "") -> tuple[int, str]:
        terminal.program()
        done = terminal(f"validate -f - {options}", stdin=text)
        return done.exit_code, done.stdout + done.stderr

    JOB = "kind: RuntimeJob\nmetadata: {name: a}\nspec: {programRef: {name: toss}, inputs: {iterations: %s}}\n"

    def test_would_be_accepted(self, terminal: Terminal) -> None:
        assert self.check(terminal, self.JOB % 3) == (0, "toss: the cluster would run it (namespace chemistry)\n")
        assert terminal.api.objects(JOBS) == []

    def test_would_be_refused(self, terminal: Terminal) -> None:
        assert self.check(terminal, self.JOB % 0)[0] == 3

    def test_names_the_kind_of_its_program(self, terminal: Terminal) -> None:
        text = (self.JOB % 3).replace("name: toss", "name: toss, kind: ClusterRuntimeProgram")
        code, said = self.check(terminal, text)
        assert code == 7
        assert "there is no ClusterRuntimeProgram 'toss', but a RuntimeProgram: see spec.programRef.kind" in said

    def test_chooses_its_namespace(self, terminal: Terminal) -> None:
        text = (self.JOB % 3).replace("name: a", "name: a, namespace: chemistry")
        assert self.check(terminal, text)[0] == 0
        assert terminal.settings == {"namespace": "chemistry"}
        code, said = self.check(terminal, text.replace("chemistry", "lab"))
        assert code == 2
        assert "metadata.namespace is 'lab', and the namespace that was given 'chemistry'" in said

    def test_has_a_field_that_does_not_matter(self, terminal: Terminal) -> None:
        text = (self.JOB % 3).replace("inputs:", "ttl: {jobSeconds: 60}, inputs:")
        assert "warning: spec.ttl is not looked at" in self.check(terminal, text)[1]

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("kind: ConfigMap\n", "-: expected one RuntimeJob"),
            ("", "-: expected one RuntimeJob"),
            ("kind: RuntimeJob\n---\nkind: RuntimeJob\n", "-: expected one RuntimeJob"),
            ("kind: RuntimeJob\nspec: {}\n", "-: spec.programRef.name is missing: the program to run"),
            ("kind: RuntimeJob\nspec: {programRef: {name: a}, input: 3}\n", "-: there is no field spec.input"),
            ("a: [", "- is not YAML: "),
        ],
    )
    def test_is_none(self, terminal: Terminal, text: str, complaint: str) -> None:
        code, said = self.check(terminal, text)
        assert code == 2
        assert complaint in said

    def test_is_not_there(self, terminal: Terminal) -> None:
        assert "none.yaml cannot be read: No such file" in terminal("validate -f none.yaml").stderr
