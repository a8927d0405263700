from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from quantum_runtime import cli
from quantum_runtime.cli import candidates
from quantum_runtime.cli.completion import answer_to_kubectl
from quantum_runtime.cli.session import Session
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS, PROGRAMS
from quantum_runtime.service.service import RuntimeService

if TYPE_CHECKING:
    from client.cli.conftest import Terminal

REPOSITORY = Path(__file__).resolve().parents[3]

PROGRAM = """#!{python}
import sys
sys.path[:0] = {path!r}
from quantum_runtime import cli
from quantum_runtime.cli import completion
from quantum_runtime.cli.session import Session
from quantum_runtime.service.service import RuntimeService
from client.cli.conftest import Terminal

terminal = Terminal()
terminal.program("toss")
terminal.program("vqe", public=True)
terminal.job("toss-1")
session = Session(connect=lambda **_: RuntimeService(api=terminal.api))
{call}
"""
"""The command line, on a cluster that is in its own memory."""


def ask(on: Terminal, *words: str) -> list[str]:
    """Return the candidates for the last word, without what they are."""
    answer = answer_to_kubectl(list(words), obj=Session(connect=on._connect))
    return [line.partition("\t")[0] for line in answer.splitlines()]


@pytest.fixture
def busy(terminal: Terminal) -> Terminal:
    terminal.program("toss")
    terminal.program("vqe", public=True)
    terminal.job("toss-1")
    terminal.job("toss-2")
    terminal.api.finish("toss-1")
    return terminal


class TestCandidates:
    def test_are_the_commands(self, busy: Terminal) -> None:
        assert ask(busy, "j") == ["jobs", ":4"]
        assert set(ask(busy, "")) == {*cli.COMMANDS, ":4"}

    def test_are_the_options_of_a_command(self, busy: Terminal) -> None:
        assert ask(busy, "jobs", "--s") == ["--status", "--since", "--sort", ":4"]

    def test_are_an_options_values(self, busy: Terminal) -> None:
        assert ask(busy, "jobs", "--sort", "s") == ["status", "seconds", ":4"]

    def test_are_programs(self, busy: Terminal) -> None:
        assert ask(busy, "run", "") == ["toss", "vqe", ":4"]
        assert ask(busy, "programs", "v") == ["vqe", ":4"]

    def test_are_files_where_a_path_is_begun_or_no_program_fits(self, busy: Terminal) -> None:
        assert ask(busy, "run", "./x") == [":0"]
        assert ask(busy, "run", "x") == [":0"]
        assert ask(busy, "upload", "x") == [":0"]

    def test_are_jobs_the_newest_first(self, busy: Terminal) -> None:
        assert ask(busy, "status", "toss-") == ["toss-2", "toss-1", ":4"]

    def test_are_the_newest_of_the_jobs_that_fit(self, busy: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(candidates, "MOST", 1)
        busy.job("vqe-1")
        assert ask(busy, "status", "toss-") == ["toss-2", ":4"]

    def test_of_jobs_take_no_reading_of_jobs(self, busy: Terminal) -> None:
        ask(busy, "status", "")
        assert [verb for verb, _, _ in busy.api.requests] == ["list"]

    def test_are_jobs_that_can_be_cancelled(self, busy: Terminal) -> None:
        assert ask(busy, "cancel", "") == ["toss-2", ":4"]

    def test_are_what_can_be_deleted(self, busy: Terminal) -> None:
        assert ask(busy, "delete", "") == ["program/", "toss-2", "toss-1", ":4"]
        assert ask(busy, "delete", "program/t") == ["program/toss", ":4"]
        assert ask(busy, "delete", "job/toss-1") == ["job/toss-1", ":4"]

    def test_are_backends(self, busy: Terminal) -> None:
        assert ask(busy, "run", "toss", "--backend", "aer-su") == ["aer-superop", ":4"]

    def test_come_from_the_cluster_that_was_chosen(self, busy: Terminal) -> None:
        assert ask(busy, "-n", "lab", "status", "--context", "kind", "toss-1") == ["toss-1", ":4"]
        assert busy.settings == {"namespace": "lab", "context": "kind"}

    def test_are_none_where_the_cluster_does_not_answer(
        self, busy: Terminal, capfd: pytest.CaptureFixture[str]
    ) -> None:
        busy.api.forbid("list", JOBS)
        busy.api.fail("list", PROGRAMS, errors.Unauthorized("who?"))
        assert ask(busy, "status", "") == [":4"]
        assert ask(busy, "programs", "") == [":4"]
        assert capfd.readouterr() == ("", "")

    def test_are_not_waited_for(self, busy: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(candidates, "PATIENCE_SECONDS", 0.01)
        answered = threading.Event()

        def connect(**_: object) -> RuntimeService:
            answered.wait()
            return RuntimeService(api=busy.api)

        assert answer_to_kubectl(["status", ""], obj=Session(connect=connect)) == ":4\n"
        answered.set()


@pytest.fixture
def on_path(tmp_path: Path) -> dict[str, str]:
    """An environment with the program under its names."""
    path = [str(REPOSITORY / "tests"), *sys.path]
    main = "cli.main(obj=session)"
    calls = {
        "quantum-runtime": main,
        "kubectl-runtime": main,
        "kubectl_complete-runtime": "print(completion.answer_to_kubectl(sys.argv[1:], obj=session), end='')",
    }
    for name, call in calls.items():
        (tmp_path / name).write_text(PROGRAM.format(python=sys.executable, path=path, call=call))
        (tmp_path / name).chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


BASH = """
source <({program} completion bash)
complete -p {program}
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_quantum_runtime_completion {program}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize("program", ["quantum-runtime", "kubectl-runtime"])
@pytest.mark.parametrize(
    ("words", "expected"), [("jobs --sort na", ["name"]), ("run v", ["vqe"]), ("cancel ''", ["toss-1"])]
)
def test_bash_completes(on_path: dict[str, str], program: str, words: str, expected: list[str]) -> None:
    script = BASH.format(program=program, words=f"{program} {words}")
    done = subprocess.run(["bash", "-c", script], env=on_path, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        f"complete -o nosort -F _quantum_runtime_completion {program}",
        *expected,
    ], done.stderr
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
class TestKubectl:
    def test_finds_the_plugin(self, on_path: dict[str, str]) -> None:
        done = subprocess.run(["kubectl", "runtime", "jobs", "-o", "name"], env=on_path, capture_output=True, text=True)
        assert done.stdout == "runtimejob.quantumruntime.dev/toss-1\n", done.stderr
        done = subprocess.run(["kubectl", "runtime", "status"], env=on_path, capture_output=True, text=True)
        assert done.stderr.startswith("Usage: kubectl runtime status [OPTIONS] JOB\n")

    def test_asks_the_plugin_for_candidates(self, on_path: dict[str, str]) -> None:
        command = ["kubectl", "__complete", "runtime", "run", "v"]
        done = subprocess.run(command, env=on_path, capture_output=True, text=True)
        assert done.stdout.splitlines() == ["vqe", ":4"], done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_serves_both_names(shell: str) -> None:
    done = CliRunner().invoke(cli.main, ["completion", shell])
    assert done.exit_code == 0
    assert "_QUANTUM_RUNTIME_COMPLETE=" in done.stdout
    assert done.stdout.splitlines()[-1].count("kubectl-runtime") == 1
    assert "%(" not in done.stdout
