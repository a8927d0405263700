"""One side has an older Qiskit: what we write is read there, and what is written there is read here."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from runtime_runner import encoding
from support.values import EXAMPLES

pytestmark = [
    pytest.mark.aer,
    pytest.mark.xdist_group("older Qiskit"),
    pytest.mark.filterwarnings("ignore:from_dict has been deprecated"),
]

OLDER = "1.4.6"  # the last of Qiskit 1; reads circuits up to QPY 13
ROOT = Path(__file__).parents[3]
UNKNOWN_THERE = {
    "NoiseModel": "No module named 'qiskit_aer'",
    "PauliLindbladMap": "has no attribute 'PauliLindbladMap'",
    "a later gate": "it is in QPY 17, written by Qiskit .*; Qiskit 1.4.6 here reads up to 13",
}


@pytest.fixture(scope="session")
def older_python() -> Path:
    """An interpreter with an older Qiskit, installed once per machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quantum-runtime"
    place = cache / f"qiskit-{OLDER}-python-{sys.version_info.major}.{sys.version_info.minor}"
    if not place.exists():
        uv = shutil.which("uv")
        if uv is None:
            pytest.fail(f"uv is not on PATH: it installs Qiskit {OLDER} for this test (`make unit` has it)")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            new = Path(folder) / "venv"
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, new], check=True)
            packages = ["--python", str(new / "bin/python"), f"qiskit=={OLDER}"]
            subprocess.run([uv, "pip", "install", "--quiet", *packages], check=True)
            try:
                new.rename(place)  # whole or not at all
            except OSError:
                if not place.exists():  # else another process was faster, and its is as good
                    raise
    return place / "bin/python"


def a_later_gate() -> Any:
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import PauliProductRotationGate
    from qiskit.quantum_info import Pauli

    circuit = QuantumCircuit(2)
    circuit.append(PauliProductRotationGate(Pauli("XZ"), 0.5), [0, 1])
    return circuit


@pytest.fixture(scope="session")
def values() -> dict[str, Any]:
    return {name: example.make() for name, example in EXAMPLES.items()} | {"a later gate": a_later_gate()}


@pytest.fixture(scope="session")
def answer(older_python: Path, values: dict[str, Any]) -> dict[str, Any]:
    """What the other side made of all values."""
    texts = {name: encoding.to_text(value) for name, value in values.items()}
    done = subprocess.run(
        [older_python, Path(__file__).parent / "older_side.py"],
        input=json.dumps(texts),
        env={"PYTHONPATH": str(ROOT / "runner-image/src"), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - set(UNKNOWN_THERE)))
def test_a_value_arrives_there_and_comes_back_as_it_was(
    answer: dict[str, Any], values: dict[str, Any], name: str
) -> None:
    assert answer["version"] == OLDER
    assert answer["problems"].get(name) is None
    assert EXAMPLES[name].same(values[name], encoding.from_text(answer["texts"][name]))


@pytest.mark.parametrize("name", UNKNOWN_THERE)
def test_what_cannot_be_read_there_is_refused_with_the_reason(answer: dict[str, Any], name: str) -> None:
    assert re.search(UNKNOWN_THERE[name], answer["problems"][name])


@pytest.mark.parametrize("name", ["its own", *(f"its own in QPY {version}" for version in range(10, 14))])
def test_a_circuit_of_the_other_side_is_read_here(answer: dict[str, Any], name: str) -> None:
    circuit = encoding.from_text(answer["texts"][name])
    assert (circuit.name, circuit.metadata) == ("old", {"n": 1})
    assert [parameter.name for parameter in circuit.parameters] == ["a", "v[0]", "v[1]"]
    bound = circuit.assign_parameters([0.5, 0.25, 2.0])
    assert bound.data[0].params == [3.0]
    assert bound.data[1].params == [pytest.approx(math.sin(0.125) / 3)]
