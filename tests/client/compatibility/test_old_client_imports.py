"""What old notebooks import resolves to the client's classes, with and without the real packages."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from quantum_runtime import old_client_imports
from runtime_runner import stand_ins

HIDE = """
import importlib.machinery
find = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = staticmethod(
    lambda name, *where: None if name.partition(".")[0] in HIDDEN else find(name, *where)
)
"""
"""Lets packages seem not to be installed."""

ASK = """
import json, sys
from runtime_runner import old_imports, stand_ins
if sys.argv[2:]:
    old_imports.make_available()
import quantum_runtime.ibmq, quantum_runtime.ibm_runtime
from quantum_runtime import old_client_imports
answers = []
for module, name in json.loads(sys.argv[1]):
    space = {}
    try:
        exec(f"from {module} import {name} as thing", space)
        wanted = stand_ins.look_up(old_client_imports.COLLECTIONS[module][name])
        answers.append("ours" if space["thing"] is wanted else "another")
    except ImportError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""

NAMES = [(module, name) for module, places in old_client_imports.COLLECTIONS.items() for name in places]


def run(code: str, *arguments: str, hidden: tuple[str, ...] = ()) -> str:
    code = f"HIDDEN = {hidden!r}\n{HIDE}\n{code}"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(names: list[tuple[str, str]], *arguments: str, hidden: tuple[str, ...]) -> dict[tuple[str, str], str]:
    answers = json.loads(run(ASK, json.dumps(names), *arguments, hidden=hidden))
    return dict(zip(names, answers, strict=True))


@pytest.mark.aer
@pytest.mark.parametrize("before", [(), ("the runner's finder is there",)])
def test_every_name_is_the_clients(before: tuple[str, ...]) -> None:
    answers = ask(NAMES, *before, hidden=("qiskit_ibm_runtime",))
    assert {name: answer for name, answer in answers.items() if answer != "ours"} == {
        ("qiskit_ibm_runtime", name): answers["qiskit_ibm_runtime", name]
        for name in ("Sampler", "Estimator", "Session")
    }
    assert "runs the program 'sampler'" in answers["qiskit_ibm_runtime", "Sampler"]


@pytest.mark.aer
def test_beside_the_real_package_only_what_it_lacks_is_supplied() -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    names = [
        ("qiskit_ibm_runtime", "QiskitRuntimeService"),
        ("qiskit_ibm_runtime.exceptions", "RuntimeJobFailureError"),
        ("qiskit_ibm_runtime.program", "UserMessenger"),
        ("qiskit_ibm_runtime", "RuntimeProgram"),
    ]
    assert list(ask(names, hidden=()).values()) == ["another", "another", "ours", "ours"]


def test_without_any_qiskit_the_names_of_qiskit_ibm_runtime_are_supplied() -> None:
    names = [(module, name) for module, name in NAMES if module.startswith("qiskit_ibm_runtime")]
    names = [(module, name) for module, name in names if name not in ("Sampler", "Estimator", "Session")]
    hidden = ("qiskit", "qiskit_aer", "qiskit_ibm_runtime")
    assert set(ask(names, hidden=hidden).values()) == {"ours"}
    assert "No module named 'qiskit'" in run(
        """
import quantum_runtime.ibmq
try:
    import qiskit.providers.ibmq
except ImportError as error:
    print(error)
""",
        hidden=hidden,
    )


@pytest.mark.aer
def test_exceptions_that_are_raised_are_caught_by_their_old_names() -> None:
    run(
        """
import quantum_runtime.ibmq
from qiskit.providers.ibmq.runtime.exceptions import QiskitRuntimeError, RuntimeJobFailureError
from qiskit.providers.ibmq.exceptions import IBMQError
from quantum_runtime import exceptions
try:
    raise exceptions.RuntimeJobFailureError("no", job_id="j", reason="ProgramFailed")
except RuntimeJobFailureError as error:
    assert isinstance(error, QiskitRuntimeError) and isinstance(error, IBMQError)
"""
    )


@pytest.mark.aer
def test_what_notebooks_wrote_resolves() -> None:
    run(
        """
import quantum_runtime.ibmq
from qiskit.providers.ibmq import IBMQ, least_busy
from qiskit.providers.ibmq.runtime import UserMessenger, ResultDecoder, RuntimeEncoder, IBMRuntimeService
from qiskit.providers.ibmq.runtime.utils import RuntimeDecoder
from qiskit.providers.aer import AerSimulator
assert IBMQ is quantum_runtime.ibmq.IBMQ
class MyResultDecoder(ResultDecoder):
    @classmethod
    def decode(cls, data):
        return super().decode(data)
assert MyResultDecoder.decode('1') == 1
"""
    )


def test_nothing_is_made_importable_by_the_package_itself() -> None:
    run(
        """
import quantum_runtime
from quantum_runtime import RuntimeService
import sys
from runtime_runner import stand_ins
assert not any(isinstance(finder, stand_ins.Finder) for finder in sys.meta_path)
"""
    )


def test_every_place_in_the_table_is_there() -> None:
    places = {place for names in old_client_imports.COLLECTIONS.values() for place in names.values()}
    for place in sorted(places):
        if not place.endswith((":Sampler", ":Estimator", ":Session")):
            assert stand_ins.look_up(place) is not None


def test_making_them_available_twice_is_the_same_as_once() -> None:
    before = list(sys.meta_path)
    old_client_imports.make_available()
    old_client_imports.make_available()
    assert sys.meta_path.count(old_client_imports._FINDER) == 1
    sys.meta_path[:] = before
