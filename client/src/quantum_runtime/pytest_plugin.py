"""For tests of programs: the fixtures ``program`` and ``run_program``, and the old imports of Qiskit Runtime.

pytest loads this with every test run of an environment that has quantum-runtime, so it imports next to nothing before a
fixture is used. A fixture of the same name in a test module or a ``conftest.py`` goes first, as always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from quantum_runtime.testing import Outcomes, Program, RunProgram, Runs


def pytest_configure() -> None:
    """Let test modules import programs that import ``qiskit.providers.ibmq.runtime`` and its likes."""
    from runtime_runner import old_imports

    old_imports.make_available()


@pytest.fixture
def run_program(request: pytest.FixtureRequest) -> RunProgram:
    """Run a program, a file or a folder, on this machine, in the runner that a cluster has.

    ``run_program(path, {"iterations": 3}, backend="aer", max_execution_time=None)`` returns an `Outcome` with
    ``result`` and ``interim_results`` (decoded), ``logs``, ``succeeded``, ``reason``, ``message`` and ``traceback``. A
    program that fails raises nothing. Relative paths start at the test's folder.
    """
    from quantum_runtime.testing import RunProgram

    return RunProgram(request.path.parent)


@pytest.fixture(scope="session")
def program_runs() -> Runs:
    """How `program` runs a program: on this machine. Override it to run them elsewhere."""
    from quantum_runtime.testing import on_this_machine

    return on_this_machine


@pytest.fixture(scope="session")
def program_outcomes(program_runs: Runs) -> Outcomes:
    """How the examples went that have been run, by `program_runs`."""
    return {}


@pytest.fixture
def program(request: pytest.FixtureRequest, program_runs: Runs, program_outcomes: Outcomes) -> Program:
    """The program in the test's folder: ``program.run(iterations=3)``, ``program.example("short")``."""
    from quantum_runtime.testing import Program

    return Program(request.path.parent, runs=program_runs, outcomes=program_outcomes)
