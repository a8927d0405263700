from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from click.testing import CliRunner, Result
from quantum_runtime import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

ECHO = """
    def main(backend, user_messenger, **kwargs):
        user_messenger.publish({"step": 1})
        print("a line of log")
        return kwargs
"""
INTEGER = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


def call(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments], input=stdin)


@pytest.mark.usefixtures("bare_runner")
class TestRun:
    def test_shows_interim_results_and_the_result_on_stdout_and_the_log_on_stderr(
        self, write: Write, backend_file: Path
    ) -> None:
        done = call("run", write(ECHO), "-i", "x=3", "--input", "name=hello", "--backend-file", backend_file)
        assert done.stdout == 'interim result 1: {"step": 1}\nresult: {"x": 3, "name": "hello"}\n'
        assert done.stderr == "a line of log\n"
        assert done.exit_code == 0

    def test_takes_inputs_from_files_stdin_and_options_of_which_the_last_wins(
        self, write: Write, backend_file: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "one.json").write_text('{"a": 1, "b": 1, "c": 1}')
        (tmp_path / "two.yaml").write_text("b: 2\nc: 2\n")
        done = call(
            "run", write(ECHO), "--inputs", tmp_path / "one.json", "--inputs", tmp_path / "two.yaml",
            "--inputs", "-", "-i", "d=4", "--backend-file", backend_file, stdin='{"c": 3, "d": 3}',
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == 'result: {"a": 1, "b": 2, "c": 3, "d": 4}'

    def test_prints_one_document_for_scripts(self, write: Write, backend_file: Path) -> None:
        path = write(
            """
            def main(backend, user_messenger, **kwargs):
                user_messenger.publish({"step": 1})
                print("a line of log")
                return {"z": 1 + 2j, "whole": 1.0}
            """,
            spec={"return_values": {"type": "string"}},
        )
        done = call("run", path, "-o", "json", "--backend-file", backend_file)
        assert done.exit_code == 0
        assert done.stderr == ""
        assert '"result": {"z": {"__type__": "complex", "__value__": [1.0, 2.0]}, "whole": 1.0}' in done.stdout
        document = json.loads(done.stdout)
        assert document.pop("seconds") >= 0
        assert document.pop("versions").keys() >= {"python", "runner"}
        assert document == {
            "program": "my-program",
            "backend": "bare",
            "succeeded": True,
            "reason": "Completed",
            "message": "",
            "traceback": "",
            "interimResultsDropped": 0,
            "logs": "a line of log\n",
            "logBytesDropped": 0,
            "warnings": [
                "not as the program's schemas say: result: expected string (type), given {'z': {...}, 'whole': 1.0}"
            ],
            "interimResults": [{"step": 1}],
            "result": {"z": {"__type__": "complex", "__value__": [1.0, 2.0]}, "whole": 1.0},
        }

    def test_shows_a_failure_with_the_programs_frames(self, write: Write, backend_file: Path) -> None:
        path = write(
            """
            def main(backend, user_messenger):
                print("no line end", end="")
                raise ValueError("no such \\x1b[31mansatz")
            """
        )
        done = call("run", path, "--backend-file", backend_file)
        assert done.exit_code == 1
        assert done.stdout == ""
        assert done.stderr.splitlines() == [
            "no line end",
            "Traceback (most recent call last):",
            '  File "my_program.py", line 3, in main',
            '    raise ValueError("no such \\x1b[31mansatz")',
            "ValueError: no such \\x1b[31mansatz",
            "ProgramFailed: ValueError: no such \\x1b[31mansatz",
        ]

    def test_shows_a_result_that_is_not_as_declared_and_says_so(self, write: Write, backend_file: Path) -> None:
        spec = {"return_values": {"type": "string"}, "validate_results": "Enforce"}
        done = call("run", write(ECHO, spec=spec), "--backend-file", backend_file)
        assert done.exit_code == 1
        assert done.stdout.splitlines()[-1] == "result: {}"
        assert done.stderr.splitlines()[-1] == (
            "InvalidResult: not as the program's schemas say: result: expected string (type), given {}"
        )

    def test_says_what_was_lost(self, write: Write, backend_file: Path) -> None:
        path = write(
            """
            def main(backend, user_messenger):
                for number in range(100):
                    user_messenger.publish("x" * 100_000)
            """
        )
        done = call("run", path, "--backend-file", backend_file)
        assert done.exit_code == 0
        assert "interim results were beyond the limit and are lost" in done.stderr

    def test_passes_the_log_level_on(self, write: Write, backend_file: Path) -> None:
        path = write("import logging\ndef main(backend, user_messenger):\n    return logging.getLogger().level")
        done = call("run", path, "--log-level", "debug", "--backend-file", backend_file)
        assert done.stdout == "result: 10\n"

    def test_ends_a_program_at_the_time_limit(self, write: Write, backend_file: Path) -> None:
        path = write("import time\ndef main(backend, user_messenger):\n    time.sleep(1000)")
        done = call("run", path, "--max-execution-time", 1, "--backend-file", backend_file)
        assert done.exit_code == 5
        assert "MaxExecutionTimeExceeded: the program ran longer than its maximum execution time of 1 s" in done.stderr

    def test_chooses_a_backend_of_several_in_a_file(self, write: Write, tmp_path: Path) -> None:
        spec = "spec: {custom: {factory: types:SimpleNamespace}}"
        several = "\n---\n".join(f"kind: RuntimeBackend\nmetadata: {{name: {n}}}\n{spec}" for n in ("one", "two"))
        (tmp_path / "backends.yaml").write_text(several)
        path = write("def main(backend, user_messenger):\n    return backend.name")
        done = call("run", path, "--backend-file", tmp_path / "backends.yaml", "--backend", "two")
        assert done.stdout == 'result: "two"\n'


REFUSALS: dict[str, tuple[list[str], int, str]] = {
    "wrong inputs": (["-i", "x=three"], 3, "InvalidInput: inputs.x: expected integer (type), given 'three'\n"),
    "a longer time limit": (
        ["-i", "x=1", "--max-execution-time", "61"],
        3,
        "MaxExecutionTimeAboveProgram: spec.maxExecutionTimeSeconds is 61, "
        "the limit of RuntimeProgram 'my-program' is 60\n",
    ),
    "no such backend": (
        ["-i", "x=1", "--backend", "fake-montreall"],
        4,
        "BackendNotFound: there is no RuntimeBackend 'fake-montreall'; did you mean",
    ),
    "a backend that is too small": (
        ["-i", "x=1", "--backend", "generic-4"],
        4,
        "BackendTooSmall: RuntimeProgram 'my-program' needs 5 qubits, backend 'generic-4' has 4\n",
    ),
    "an input without a value": (["-i", "x"], 2, "Error: expected NAME=VALUE, got 'x'\n"),
    "a file of inputs that is not there": (["--inputs", "none.json"], 2, "Error: none.json cannot be read: No such"),
    "a backend file that is not there": (["--backend-file", "none.yaml"], 2, "Error: none.yaml cannot be read"),
    "no time at all": (["--max-execution-time", "0"], 2, "0 is not in the range x>=1."),
}


@pytest.mark.parametrize(("arguments", "code", "complaint"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_run_that_is_refused_says_why_and_exits_by_reason(
    write: Write, arguments: list[str], code: int, complaint: str
) -> None:
    path = write(ECHO, spec={"parameters": INTEGER, "backend_requirements": {"min_num_qubits": 5}})
    done = call("run", path, *arguments)
    assert complaint in done.stderr
    assert done.exit_code == code
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["run", "test"])
def test_a_program_that_cannot_be_read_is_wrong_usage(command: str, tmp_path: Path) -> None:
    (tmp_path / "my_program.py").write_text("")
    (tmp_path / "my_program.json").write_text("{}")
    done = call(command, tmp_path / "my_program.py")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "error: my_program.json: name: is missing (InvalidSpec)",
        "error: my_program.json: max_execution_time: is missing: the program's time limit in seconds (InvalidSpec)",
    ]


def test_an_installation_without_qiskit_gets_one_sentence(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = call("run", write(ECHO))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: running a program needs Qiskit and Aer, which are not installed here: "
        "install quantum-runtime with its extra 'local'"
    )


@pytest.mark.usefixtures("bare_runner")
class TestTest:
    PROGRAM = """
        def main(backend, user_messenger, x, fail=False):
            if fail:
                raise RuntimeError("on purpose")
            return x
    """
    SPEC: ClassVar = {
        "parameters": INTEGER | {"properties": {"x": {}, "fail": {"type": "boolean"}}},
        "return_values": {"type": "integer"},
    }

    def test_has_a_line_for_every_example(self, write: Write, backend_file: Path) -> None:
        examples: dict[str, Any] = {"a_one": {"x": 1}, "b": {"x": "two"}, "c": {"x": 3, "fail": True}, "d": {}}
        done = call("test", write(self.PROGRAM, spec=self.SPEC, examples=examples), "--backend-file", backend_file)
        assert done.exit_code == 1
        lines = [line[:15] + line[27:] for line in done.stdout.splitlines()]
        assert lines == [
            "EXAMPLE  OUTCOM",
            "a_one    ok    ",
            "b        failed  InvalidResult: not as the program's schemas say: result: expected integer (type), "
            "given 'two'",
            'c        failed  ProgramFailed: RuntimeError: on purpose (File "my_program.py", line 3, in main)',
            "d        failed  InvalidInput: inputs.x: expected a value (required), given nothing",
            "1 of 4 examples",
        ]
        assert done.stdout.splitlines()[-1] == "1 of 4 examples succeeded"

    def test_runs_the_examples_it_is_asked_for(self, write: Write, backend_file: Path) -> None:
        path = write(self.PROGRAM, spec=self.SPEC, examples={"one": {"x": 1}, "two": {"x": "two"}})
        done = call("test", path, "--example", "one", "--backend-file", backend_file)
        assert done.exit_code == 0
        assert done.stdout.splitlines()[-1] == "1 of 1 examples succeeded"

    def test_names_the_examples_there_are(self, write: Write) -> None:
        done = call("test", write(self.PROGRAM, examples={"one": {}, "two": {}}), "--example", "three")
        assert (done.exit_code, done.stderr.splitlines()[-1]) == (
            2,
            "Error: my-program has no example 'three'; there are: one, two",
        )

    def test_says_where_examples_go_if_there_are_none(self, write: Write) -> None:
        path = write(self.PROGRAM)
        done = call("test", path)
        assert done.exit_code == 2
        assert f"put inputs into files {path}/examples/<name>.json" in done.stderr


class TestValidate:
    def test_says_that_a_program_is_fit_for_a_cluster(self, write: Write) -> None:
        done = call("validate", write(ECHO))
        assert (done.exit_code, done.stdout) == (0, "my-program: fit for a cluster (no errors, no warnings)\n")

    def test_prints_a_line_for_each_finding(self, write: Write) -> None:
        done = call("validate", write("def main(): pass", is_public="no", author="Ada"))
        assert done.exit_code == 1
        assert done.stdout.splitlines() == [
            "warning: my_program.json: author: a cluster has no field for this; it is kept as an annotation",
            'error: my_program.json: is_public: expected true or false, got "no" (InvalidSpec)',
            "error: my_program.py: line 1: main() must take backend and user_messenger as its first two arguments "
            "(InvalidProgram)",
            "my-program: a cluster would refuse it (2 errors, 1 warning)",
        ]

    def test_checks_inputs_from_stdin(self, write: Write) -> None:
        done = call("validate", write(ECHO, spec={"parameters": INTEGER}), "--inputs", "-", stdin="x: three")
        assert done.exit_code == 1
        assert "error: --inputs: inputs.x: expected integer (type), given 'three' (InvalidInput)" in done.stdout

    def test_names_a_path_without_a_program(self, tmp_path: Path) -> None:
        done = call("validate", tmp_path / "nothing")
        assert done.exit_code == 1
        assert done.stdout.splitlines()[0] == f"error: {tmp_path}/nothing: there is no such file or folder"


class TestNew:
    def test_makes_a_program_that_is_fit_for_a_cluster(self, tmp_path: Path) -> None:
        made = call("new", "My-Program", "--folder", tmp_path)
        assert made.exit_code == 0
        assert sorted(path.name for path in (tmp_path / "my_program").rglob("*.*")) == [
            "my_program.json",
            "my_program.py",
            "pair.json",
            "repeatable.json",
            "test_my_program.py",
        ]
        done = call("validate", tmp_path / "my_program")
        assert done.stdout == "my-program: fit for a cluster (no errors, no warnings)\n"

    def test_overwrites_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "my_program").mkdir()
        (tmp_path / "my_program" / "mine.txt").write_text("mine")
        done = call("new", "my-program", "--folder", tmp_path)
        assert done.exit_code == 2
        assert f"Error: {tmp_path}/my_program exists already" in done.stderr
        assert [path.name for path in (tmp_path / "my_program").iterdir()] == ["mine.txt"]

    @pytest.mark.parametrize("name", ["...", "3sat", "a" * 300, "../../etc"])
    def test_stays_in_its_folder_whatever_the_name(self, tmp_path: Path, name: str) -> None:
        done = call("new", name, "--folder", tmp_path / "here")
        made = [path.name for path in tmp_path.iterdir()]
        assert made in ([], ["here"])
        assert done.exit_code == (0 if name == "../../etc" else 2)

    @pytest.mark.aer
    def test_makes_examples_and_a_test_that_pass_at_once(self, tmp_path: Path) -> None:
        call("new", "my-program", "--folder", tmp_path)
        done = call("test", tmp_path / "my_program")
        assert done.stdout.splitlines()[-1] == "2 of 2 examples succeeded"
        tests = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "my_program"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert tests.returncode == 0, tests.stdout
        assert "3 passed" in tests.stdout


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_cancels_and_pressed_again_kills(
    write: Write, backend_file: Path, bare_python: str, tmp_path: Path, presses: int
) -> None:
    path = write(
        f"""
        import signal, time
        def main(backend, user_messenger):
            if {presses} == 2:
                signal.signal(signal.SIGTERM, lambda *_: user_messenger.publish("asked"))
            user_messenger.publish("in")
            while True:
                time.sleep(1000)
        """
    )
    code = f"""
import functools, sys
sys.path[:0] = {sys.path!r}
from quantum_runtime import cli, local
from runtime_runner import contract
from runtime_runner.local import LocalRunner
local.LocalRunner = functools.partial(LocalRunner, python={bare_python!r})
contract.Limits = functools.partial(contract.Limits, grace_seconds=1000.0)
cli.main(["run", {str(path)!r}, "--backend-file", {str(backend_file)!r}])
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == 'interim result 1: "in"\n'
        process.send_signal(signal.SIGINT)
        if presses == 2:
            assert process.stdout.readline() == 'interim result 2: "asked"\n'
            process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait() == 130
    assert said.startswith("Cancelled: ")
    assert "Traceback" not in said


@pytest.mark.usefixtures("bare_runner")
def test_ctrl_c_ends_a_test_run(write: Write, backend_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        """
        import os, signal, time
        def main(backend, user_messenger, pid):
            os.kill(pid, signal.SIGINT)
            time.sleep(1000)
        """,
        examples={"one": {"pid": os.getpid()}, "two": {"pid": os.getpid()}},
    )
    done = call("test", path, "--backend-file", backend_file)
    assert (done.exit_code, done.stderr) == (130, "Cancelled\n")


def test_a_reader_that_goes_away_ends_the_run(write: Write, backend_file: Path) -> None:
    path = write(
        """
        def main(backend, user_messenger):
            while True:
                user_messenger.publish("x" * 1000)
        """
    )
    command = [sys.executable, "-m", "quantum_runtime.cli", "run", str(path), "--backend-file", str(backend_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait() == 1
