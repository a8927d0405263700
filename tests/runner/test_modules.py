"""What a program is told that imports what is not there."""

from __future__ import annotations

import re
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from runner.conftest import PROJECT
from runner.harness import Journal, Runner, make_job, program
from runtime_runner import modules
from runtime_runner.contract import FailureReason, Started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Journal]

NOT_THERE = "which this runner does not have"


def test_the_table_is_that_of_the_extra_science() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    distributions = {re.split(r"[<>=;\[ ]", one)[0] for one in extras["science"]} - {"runtime-runner"}
    assert set(modules._SCIENCE.values()) == distributions


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("import nonexistent", f"'nonexistent', {NOT_THERE}", id="nobody has it"),
        pytest.param("import nonexistent.deep", f"'nonexistent', {NOT_THERE}", id="a module inside it"),
        pytest.param("from nonexistent import x", f"'nonexistent', {NOT_THERE}", id="a name of it"),
        pytest.param(
            "import sklearn.svm", f"'sklearn', {NOT_THERE}; the runner profile 'science' has it", id="science has it"
        ),
        pytest.param("import json.nothing", "'json.nothing', which this runner's json does not have", id="inside json"),
        pytest.param(
            "import qiskit_ibm_provider",
            f"'qiskit_ibm_provider', {NOT_THERE}; qiskit_ibm_provider is gone since 2024: a program has no account; "
            "use the `backend` it is given",
            id="an account",
        ),
        pytest.param(
            "def main(b, m):\n    import nonexistent", f"'nonexistent', {NOT_THERE}", id="not before main is called"
        ),
    ],
)
def test_a_missing_module_ends_the_program_with_its_name(run: Run, source: str, message: str) -> None:
    journal = run(source)
    assert journal.failed.reason == FailureReason.MISSING_MODULE
    assert journal.failed.message == f"the program imports {message}"
    assert 'File "main.py", line' in journal.failed.traceback
    assert journal.all(Started)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({"main.py": "import parts.two", "parts/__init__.py": ""}, "'parts.two'", id="in its own package"),
        pytest.param({"main.py": "import parts.two", "parts/one.py": ""}, "'parts.two'", id="in its own folder"),
        pytest.param(
            {"main.py": "import one.two", "one.py": ""}, "'one.two'; 'one' is not a package", id="in a module"
        ),
        pytest.param({"main.py": "raise ModuleNotFoundError('made up')"}, "made up", id="by its own word"),
        pytest.param(
            {"main.py": "raise ModuleNotFoundError('made up', name='x')"}, "made up", id="by its own word, with a name"
        ),
        pytest.param({"main.py": "raise ModuleNotFoundError('made up', name=5)"}, "made up", id="with an odd name"),
    ],
)
def test_a_module_of_the_programs_own_is_its_own_affair(run: Run, files: dict[str, str], message: str) -> None:
    failed = run("", files=files).failed
    assert failed.reason == FailureReason.PROGRAM_FAILED
    assert message in failed.message


def test_a_module_that_another_of_the_programs_imports_is_missing_all_the_same(run: Run) -> None:
    failed = run("", files={"main.py": "import helpers", "helpers.py": "\nimport pandas"}).failed
    assert failed.reason == FailureReason.MISSING_MODULE
    assert failed.message == f"the program imports 'pandas', {NOT_THERE}; the runner profile 'science' has it"
    assert 'File "helpers.py", line 2' in failed.traceback


def test_a_program_may_do_without_a_module(run: Run) -> None:
    source = """
        try:
            import pandas
        except ImportError as error:
            pandas = error.name
        def main(b, m): return pandas
    """
    assert run(source).result == '"pandas"'


def test_an_exception_that_follows_from_a_missing_module_is_the_programs(run: Run) -> None:
    source = """
        try:
            import nonexistent
        except ImportError as error:
            raise RuntimeError("no tables today") from error
    """
    failed = run(source).failed
    assert (failed.reason, failed.message) == (FailureReason.PROGRAM_FAILED, "RuntimeError: no tables today")


@pytest.mark.parametrize(
    ("few", "limit"), [(True, ""), (False, ", if its image was built on x86-64 with Python before")]
)
def test_a_module_published_for_few_is_promised_to_few(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, few: bool, limit: str
) -> None:
    monkeypatch.setattr(modules, "_is_one_of_few", lambda: few)
    assert ("mthree" in modules.of_science()) == few
    assert "pandas" in modules.of_science()
    error = ModuleNotFoundError("No module named 'mthree'", name="mthree")
    failure = modules.failure(error, tmp_path)
    assert failure is not None
    assert f"; the runner profile 'science' has it{limit}" in failure.message
    assert failure.message.endswith("has it") == few


@pytest.mark.aer
@pytest.mark.parametrize(
    ("source", "reason", "message"),
    [
        pytest.param(
            "from qiskit.opflow import Z",
            FailureReason.MISSING_MODULE,
            "the program imports 'qiskit.opflow', which this runner's qiskit does not have; qiskit.opflow is gone "
            "since Qiskit 1.0: operators are `SparsePauliOp` now, expectation values come from primitives",
            id="a module that stays away",
        ),
        pytest.param(
            "import qiskit.tools.monitor",
            FailureReason.MISSING_MODULE,
            "the program imports 'qiskit.tools', which this runner's qiskit does not have; qiskit.tools is gone since "
            "Qiskit 1.0: `compatibility: Qiskit0` restores it",
            id="a module that the layer has",
        ),
        pytest.param(
            "from qiskit import Aer",
            FailureReason.PROGRAM_FAILED,
            "(qiskit.Aer is gone since Qiskit 1.0: `compatibility: Qiskit0` restores it)",
            id="a name",
        ),
        pytest.param(
            "from qiskit import QuantumCircuit\nQuantumCircuit(1).bind_parameters([])",
            FailureReason.PROGRAM_FAILED,
            "(qiskit.QuantumCircuit.bind_parameters is gone since Qiskit 1.0: `compatibility: Qiskit0` restores it)",
            id="a method",
        ),
        pytest.param(
            "import qiskit\nqiskit.execute",
            FailureReason.PROGRAM_FAILED,
            "(qiskit.execute is gone since Qiskit 1.0: `compatibility: Qiskit0` restores it)",
            id="an attribute of the package",
        ),
        pytest.param(
            "from qiskit.circuit.library import XGate\nXGate().c_if(0, 1)",
            FailureReason.PROGRAM_FAILED,
            "(qiskit.Instruction.c_if is gone since Qiskit 2.0: a gate that is in no circuit yet cannot be made "
            "conditional; use `circuit.if_test`)",
            id="a method of a base class",
        ),
        pytest.param(
            "import numpy as np\nnp.float_",
            FailureReason.PROGRAM_FAILED,
            "(numpy.float_ is gone since NumPy 2.0: `compatibility: Qiskit0` restores it)",
            id="a name of NumPy",
        ),
    ],
)
def test_names_that_qiskit_no_longer_has_are_told_with_what_to_do(
    start: Callable[..., Runner], source: str, reason: FailureReason, message: str
) -> None:
    failed = start(sys.executable).run(make_job(program(source))).failed
    assert failed.reason == reason
    assert failed.message.endswith(message)


@pytest.mark.aer
@pytest.mark.parametrize("layer", ["", "Qiskit0"])
def test_a_name_that_needs_the_profile_science_too_says_so(start: Callable[..., Runner], layer: str) -> None:
    job = make_job("from qiskit.algorithms.optimizers import SPSA", compatibility=layer)
    failed = start(sys.executable).run(job).failed
    assert failed.reason == FailureReason.MISSING_MODULE
    assert failed.message.endswith("`compatibility: Qiskit0` restores it in the runner profile 'science'")


@pytest.mark.aer
@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(
            "from qiskit.ignis.verification import tomography",
            "; qiskit.ignis.verification is gone since Qiskit 0: `compatibility: Qiskit0` restores qiskit.ignis "
            "without it",
            id="a module",
        ),
        pytest.param(
            "from qiskit.tools.monitor import backend_overview",
            " (qiskit.tools.monitor.backend_overview is gone since Qiskit 1.0: `compatibility: Qiskit0` restores "
            "qiskit.tools.monitor without it)",
            id="a name in a module",
        ),
        pytest.param(
            "import qiskit.extensions.simulator",
            "; qiskit.extensions.simulator is gone since Qiskit 1.0: `compatibility: Qiskit0` restores "
            "qiskit.extensions without it",
            id="a module in one that has another name",
        ),
    ],
)
def test_what_the_layer_does_not_have_is_not_promised_to_a_program_that_has_the_layer(
    start: Callable[..., Runner], source: str, message: str
) -> None:
    failed = start(sys.executable).run(make_job(source, compatibility="Qiskit0")).failed
    assert failed.message.endswith(message)


def test_an_exception_whose_object_misbehaves_is_told_without_a_hint(run: Run) -> None:
    source = """
        class Odd(type):
            @property
            def __mro__(cls): raise SystemExit(0)
        def main(b, m):
            raise AttributeError("odd", name="x", obj=Odd("Odd", (), {}))
    """
    failed = run(source).failed
    assert (failed.reason, failed.message) == (FailureReason.PROGRAM_FAILED, "AttributeError: odd")


def test_an_ordinary_mistake_has_no_hint(run: Run) -> None:
    assert run("import json\njson.nothing").failed.message == "AttributeError: module 'json' has no attribute 'nothing'"
