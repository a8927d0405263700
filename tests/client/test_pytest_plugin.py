from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

ECHO = """
    from qiskit.providers.ibmq.runtime import UserMessenger

    def main(backend, user_messenger, **kwargs):
        assert isinstance(user_messenger, UserMessenger)
        user_messenger.publish({"step": 1})
        return kwargs
"""


def pytest_says(folder: Path, test: str, *arguments: str) -> str:
    """Run a user's test in a user's environment, which has the plugin by its entry point."""
    (folder / "test_my_program.py").write_text(textwrap.dedent(test))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rf", *arguments, folder],
        capture_output=True,
        text=True,
        cwd=folder.parent,
    )
    return done.stdout


@pytest.mark.aer
def test_a_users_test_runs_a_program_in_the_runner(write: Write) -> None:
    said = pytest_says(
        write(ECHO, spec={"parameters": {"properties": {"x": {"type": "integer"}}}}),
        """
        import pathlib

        def test_runs(run_program):
            outcome = run_program(".", {"x": 3})
            assert outcome.succeeded, outcome
            assert outcome.result == {"x": 3}
            assert outcome.interim_results == [{"step": 1}]
            assert outcome.logs == ""

        def test_takes_a_whole_path(run_program):
            assert run_program(pathlib.Path(__file__).parent / "my_program.py").succeeded

        def test_is_refused(run_program):
            outcome = run_program(".", {"x": "three"}, backend="aer-statevector")
            assert (outcome.succeeded, outcome.reason) == (False, "InvalidInput")
        """,
    )
    assert "3 passed" in said, said


@pytest.mark.aer
def test_the_program_of_the_tests_folder_has_a_fixture_of_its_own(write: Write) -> None:
    said = pytest_says(
        write(ECHO, examples={"short": {"x": 1}}, spec={"return_values": {"type": "string"}}),
        """
        def test_results_have_to_be_as_declared(program):
            inputs, outcome = program.example("short")
            assert inputs == {"x": 1}
            assert outcome.reason == "InvalidResult"
            assert outcome.result == {"x": 1}

        def test_another_backend(program):
            assert program.on("generic-2").run(x=2).result == {"x": 2}
        """,
    )
    assert "2 passed" in said, said


def test_a_fixture_of_the_users_goes_first(write: Write) -> None:
    said = pytest_says(
        write(ECHO),
        """
        import pytest

        @pytest.fixture
        def program():
            return "mine"

        def test_it(program):
            assert program == "mine"
        """,
    )
    assert "1 passed" in said, said


def test_a_program_with_old_imports_is_called_in_a_users_test(write: Write) -> None:
    said = pytest_says(
        write(ECHO),
        """
        from qiskit.providers.ibmq.runtime import UserMessenger
        import importlib.util, pathlib

        def test_it(capsys):
            path = pathlib.Path(__file__).parent / "my_program.py"
            spec = importlib.util.spec_from_file_location("my_program", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            assert module.main(None, UserMessenger(), x=1) == {"x": 1}
            assert capsys.readouterr().out == '{"step": 1}\\n'
        """,
    )
    assert "1 passed" in said, said


def test_a_failing_run_shows_in_the_report(write: Write) -> None:
    said = pytest_says(
        write(ECHO, backend_requirements={"min_num_qubits": 5}),
        """
        def test_it(run_program):
            outcome = run_program(".", backend="generic-2")
            assert outcome.succeeded, outcome
        """,
    )
    assert "<Outcome BackendTooSmall after 0 s: RuntimeProgram 'my-program' needs 5 qubits" in said


def test_the_plugin_costs_a_test_run_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            """
            import sys

            def test_it():
                heavy = {"qiskit", "numpy", "yaml", "jsonschema", "click", "runtime_runner.encoding"}
                assert sorted(heavy & sys.modules.keys()) == []
                assert "quantum_runtime.pytest_plugin" in sys.modules
            """
        )
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "quantum_runtime.pytest_plugin", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout


def test_the_plugin_is_found_by_its_entry_point() -> None:
    from importlib.metadata import entry_points

    found = {point.value for point in entry_points(group="pytest11")}
    assert "quantum_runtime.pytest_plugin" in found
