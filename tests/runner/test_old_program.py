"""A program as they were written for the retired service, unchanged, in a real runner."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from runner.harness import Runner, make_job
from runtime_runner import contract, encoding

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.aer

FOLDER = Path(__file__).parents[1] / "data" / "old_program"
SOURCE = (FOLDER / "old_program.py").read_text()
INPUTS = json.loads((FOLDER / "inputs.json").read_text())


def job(**changes: Any) -> contract.Job:
    known: dict[str, Any] = {
        "files": {"old_program.py": SOURCE},
        "entrypoint": "old_program.py",
        "backend_name": "ibmq_qasm_simulator",
        "backend": {"aer": {"seed_simulator": 7}},
        "compatibility": "Qiskit0",
        "min_num_qubits": 3,
    }
    return make_job("", INPUTS, **(known | changes))


def test_it_runs_with_the_compatibility_layer(start: Callable[..., Runner]) -> None:
    journal = start(sys.executable).run(job())
    result = encoding.from_text(journal.result)
    assert result["backend"] == "ibmq_qasm_simulator"
    assert result["values"] == pytest.approx([math.cos(angle) for angle in INPUTS["angles"]], abs=0.08)
    assert result["lowest"] == pytest.approx(math.pi)
    assert result["teleported"] == 1.0
    assert result["qasm"].startswith("OPENQASM 2.0;")
    interims = [json.loads(text) for text in journal.interims]
    assert interims[0] == {"backend": "ibmq_qasm_simulator", "simulator": True}
    assert [one["angle"] for one in interims[1:]] == INPUTS["angles"]
    assert "without effect: rep_delay" in journal.log("stderr")


def test_without_the_layer_it_is_told_what_restores_the_first_name_it_misses(start: Callable[..., Runner]) -> None:
    failed = start(sys.executable).run(job(compatibility="")).failed
    assert failed.reason == contract.FailureReason.PROGRAM_FAILED
    assert failed.message.startswith("ImportError: cannot import name 'execute' from 'qiskit'")
    assert failed.message.endswith("(qiskit.execute is gone since Qiskit 1.0: `compatibility: Qiskit0` restores it)")


def test_on_a_device_without_enough_qubits_it_is_not_entered(start: Callable[..., Runner]) -> None:
    journal = start(sys.executable).run(job(backend_name="ibmq_armonk", backend={"generic": {"numQubits": 2}}))
    assert journal.failed.reason == contract.FailureReason.BACKEND_TOO_SMALL
    assert journal.failed.message == "the program needs a backend of at least 3 qubits, and 'ibmq_armonk' has 2"
    assert not journal.all(contract.Started)
