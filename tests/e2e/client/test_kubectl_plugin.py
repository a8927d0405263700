"""``kubectl runtime ...``: the command line as kubectl finds it, on a real cluster, and what a shell completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from e2e.support.cluster import Cluster, Space

BIN = Path(sys.executable).parent
PROGRAM = """
import time

def main(backend, user_messenger, words=("hello",), pause=0.0):
    for word in words:
        print("saying", word)
        user_messenger.publish({"word": word})
        time.sleep(pause)
    return " ".join(words)
"""
METADATA = {
    "name": "say",
    "description": "Says words.",
    "max_execution_time": 60,
    "spec": {"parameters": {"type": "object", "properties": {"words": {"type": "array"}, "pause": {"type": "number"}}}},
}


JOB = """\
apiVersion: quantumruntime.dev/v1alpha1
kind: RuntimeJob
metadata: {{name: {name}}}
spec: {{programRef: {{name: say}}, inputs: {{{fields}}}, suspend: false}}
"""


TIMES_PRESSED = 10


class Terminal:
    """Somebody who types ``kubectl runtime``, in this namespace."""

    def __init__(self, cluster: Cluster, space: Space) -> None:
        self.space = space
        self.environment = os.environ | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "KUBECONFIG": str(cluster.kubeconfig),
        }

    def says(self, *arguments: str, exits: int = 0) -> str:
        """Return what it prints, its complaints included."""
        done = self.run("kubectl", "runtime", *arguments, "--namespace", self.space.name)
        assert done.returncode == exits, done.stdout + done.stderr
        return done.stdout + done.stderr

    def offers(self, word: str, *command: str) -> bool:
        """Return whether this is offered, to somebody who presses the key again where the machine is busy."""
        return any(word in self.run(*command).stdout.split() for _ in range(TIMES_PRESSED))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def terminal(cluster: Cluster, space: Space) -> Terminal:
    return Terminal(cluster, space)


@pytest.fixture(scope="module")
def say(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("programs") / "say"
    folder.mkdir()
    (folder / "say.py").write_text(PROGRAM)
    (folder / "say.json").write_text(json.dumps(METADATA))
    assert "say" in terminal.says("upload", str(folder))
    return "say"


def test_kubectl_lists_it_among_its_plugins(terminal: Terminal) -> None:
    assert f"{BIN}/kubectl-runtime" in terminal.run("kubectl", "plugin", "list").stdout
    assert "Usage: kubectl runtime" in terminal.run("kubectl", "runtime", "--help").stdout


def test_a_job_is_run_followed_looked_at_and_deleted(terminal: Terminal, say: str) -> None:
    followed = terminal.says("run", say, "--name", "spoken", "-i", 'words=["a", "b"]', "--tag", "e2e", "--follow")
    for part in ("spoken", '"a"', '"b"', '"a b"'):
        assert part in followed
    assert terminal.says("result", "spoken", "-o", "json").strip() == '"a b"'
    assert "saying a\nsaying b\n" in terminal.says("logs", "spoken")
    assert "Completed" in terminal.says("status", "spoken")
    assert terminal.says("jobs", "--tag", "e2e", "-o", "name").split() == ["runtimejob.quantumruntime.dev/spoken"]
    assert json.loads(terminal.says("status", "spoken", "-o", "json"))["status"]["phase"] == "Completed"
    assert '"word": "b"' in terminal.says("interim", "spoken")
    terminal.says("delete", "spoken")
    assert "spoken" not in terminal.says("jobs")


def test_a_job_is_cancelled(terminal: Terminal, say: str) -> None:
    terminal.says("run", say, "--name", "long", "-i", 'words=["a", "b", "c", "d"]', "-i", "pause=100")
    terminal.says("cancel", "long")
    assert "Cancelled" in terminal.says("result", "long", "--wait", exits=130)


def test_a_failing_job_says_why_and_exits_by_its_outcome(terminal: Terminal, say: str) -> None:
    said = terminal.says("run", say, "-i", "words=[1]", "--follow", exits=1)
    for part in ("ProgramFailed", "TypeError", "say.py"):
        assert part in said


def test_validate_gives_the_clusters_answer_and_creates_nothing(terminal: Terminal, say: str) -> None:
    before = terminal.says("jobs", "-o", "name")
    terminal.says("validate", say, "-i", 'words=["a"]')
    assert "words" in terminal.says("validate", say, "-i", "words=3", exits=3)
    assert "no-such" in terminal.says("validate", say, "--backend", "no-such", exits=4)
    assert terminal.says("jobs", "-o", "name") == before


def test_a_file_of_jobs_is_checked_as_it_stands_and_nothing_is_created(
    terminal: Terminal, say: str, tmp_path: Path
) -> None:
    before = terminal.says("jobs", "-o", "name")
    good = JOB.format(name="good", fields="words: [a]")
    bad = JOB.format(name="bad", fields="words: 3")
    unknown = JOB.format(name="odd", fields="words: [a]}, input: {a: 1")
    (tmp_path / "jobs.yaml").write_text(f"{good}---\n{bad}---\n{unknown}")
    said = terminal.says("validate", "-f", str(tmp_path / "jobs.yaml"), exits=3)
    for part in (
        "'good': the cluster would run it",
        "InvalidInput: ",
        "document 2: spec.inputs.words",
        'unknown field "spec.input"',
    ):
        assert part in said
    assert terminal.says("jobs", "-o", "name") == before


def test_a_program_that_is_replaced_is_as_if_it_had_been_uploaded(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.mkdir()
    (path / "words.py").write_text(PROGRAM)
    for metadata in (METADATA | {"name": "words", "licence": "MIT"}, {"name": "words", "max_execution_time": 30}):
        (path / "words.json").write_text(json.dumps(metadata))
        terminal.says("upload", str(path), "--replace")
    replaced = json.loads(terminal.says("programs", "words", "-o", "json"))
    assert replaced["metadata"].get("annotations", {}) == {}
    assert replaced["spec"].keys() == {
        "maxExecutionTimeSeconds",
        "entrypoint",
        "source",
        "compatibility",
        "validateResults",
    }
    terminal.says("delete", "program/words")


def test_programs_and_backends_are_listed(terminal: Terminal, say: str) -> None:
    assert "say" in terminal.says("programs")
    assert "Says words." in terminal.says("programs", say)
    assert "fake-montreal" in terminal.says("backends")


def test_bash_completes_names_from_the_cluster(terminal: Terminal, say: str) -> None:
    script = f"""
        source <(quantum-runtime completion bash)
        COMP_WORDS=(quantum-runtime -n {terminal.space.name} run sa) COMP_CWORD=4
        $(complete -p quantum-runtime | sed 's/.*-F \\([^ ]*\\).*/\\1/') quantum-runtime sa run
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert terminal.offers("say", "bash", "--norc", "-c", script)


def test_kubectl_completes_names_from_the_cluster(terminal: Terminal, say: str) -> None:
    assert terminal.offers("say", "kubectl", "__complete", "runtime", "-n", terminal.space.name, "run", "sa")
