from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cli import arguments
from quantum_runtime.cluster.api import JOBS, PROGRAMS

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
    assert ": there is no program 'my_program'" in done.stderr
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
    "validate x -f job.yaml": "give either a PROGRAM, or a file of RuntimeJobs with -f",
    "validate": "give either a PROGRAM, or a file of RuntimeJobs with -f",
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


@pytest.mark.parametrize("line", ["status toss-1 -o yaml", "jobs -o json", "programs toss -o json"])
def test_an_object_is_shown_without_the_record_of_who_wrote_what(terminal: Terminal, line: str) -> None:
    record = {"metadata": {"managedFields": [{"manager": "kubectl", "time": "2026-01-01T00:00:00Z"}]}}
    terminal.program()
    terminal.job()
    terminal.api.edit(JOBS, "toss-1", record)
    terminal.api.edit(PROGRAMS, "toss", record)
    assert "managedFields" not in terminal(line).stdout
