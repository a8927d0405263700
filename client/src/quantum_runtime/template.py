"""The program that ``quantum-runtime new`` makes: it measures an entangled state, and runs as it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from quantum_runtime.metadata import module_name

if TYPE_CHECKING:
    from pathlib import Path

DRAFT = "https://json-schema.org/draft/2019-09/schema"

_SOURCE = '''\
"""Measures an entangled state of several qubits, and returns how often each outcome was seen."""

from qiskit import QuantumCircuit, transpile


def main(backend, user_messenger, **kwargs):
    """Prepare the state in which all qubits agree, and measure it.

    Args:
        backend: Where the circuit runs.
        user_messenger: Takes interim results: publish(anything JSON, NumPy or Qiskit) while the program runs.
        kwargs: ``num_qubits`` (2 by default), ``shots`` (1024 by default), ``seed`` for the same counts again.
    """
    num_qubits = kwargs.get("num_qubits", 2)
    shots = kwargs.get("shots", 1024)

    circuit = QuantumCircuit(num_qubits)
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(0, qubit)
    circuit.measure_all()
    user_messenger.publish({"depth": circuit.depth()})

    job = backend.run(transpile(circuit, backend), shots=shots, seed_simulator=kwargs.get("seed"))
    return {"counts": job.result().get_counts(), "shots": shots}
'''

_TEST = '''\
"""Run with pytest: the fixture `program` is the program in this folder, run as a job is run."""


def test_all_qubits_agree(program):
    inputs, outcome = program.example("repeatable")
    assert outcome.succeeded, outcome
    assert set(outcome.result["counts"]) == {"000", "111"}
    assert sum(outcome.result["counts"].values()) == inputs["shots"]


def test_both_outcomes_are_about_equally_likely(program):
    outcome = program.run(num_qubits=2, shots=4000)
    assert abs(outcome.result["counts"]["00"] / 4000 - 0.5) < 0.05  # six standard deviations


def test_the_depth_is_published(program):
    outcome = program.run(num_qubits=4)
    assert outcome.interim_results == [{"depth": 5}]
'''

_EXAMPLES: dict[str, dict[str, Any]] = {
    "pair": {"num_qubits": 2, "shots": 1024},
    "repeatable": {"num_qubits": 3, "shots": 1000, "seed": 7},
}


def write(path: Path, name: str) -> list[Path]:
    """Write the folder of a program of this name; return its files.

    Raises:
        FileExistsError: there is something of that name already; nothing has been changed.
        OSError: it cannot be written.
    """
    module = module_name(name)
    entrypoint = f"{module}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    (path / "examples").mkdir()
    texts = {
        entrypoint: _SOURCE,
        f"{module}.json": json.dumps(_metadata(name), indent=2) + "\n",
        f"test_{module}.py": _TEST,
    }
    texts |= {f"examples/{example}.json": json.dumps(inputs) + "\n" for example, inputs in _EXAMPLES.items()}
    for file, text in texts.items():
        (path / file).write_text(text)
    return [path / file for file in texts]


def _metadata(name: str) -> dict[str, Any]:
    integer = {"type": "integer", "minimum": 1}
    return {
        "name": name,
        "description": "Measures an entangled state of several qubits.",
        "max_execution_time": 300,
        "spec": {
            "backend_requirements": {"min_num_qubits": 2},
            "parameters": {
                "$schema": DRAFT,
                "type": "object",
                "properties": {
                    "num_qubits": {
                        "description": "How many qubits the state has.",
                        "type": "integer",
                        "minimum": 2,
                        "maximum": 20,
                        "default": 2,
                    },
                    "shots": {"description": "How often it is measured.", **integer, "default": 1024},
                    "seed": {"description": "Gives the same counts again.", "type": "integer", "minimum": 0},
                },
                "required": ["num_qubits"],
            },
            "return_values": {
                "$schema": DRAFT,
                "type": "object",
                "properties": {
                    "counts": {
                        "description": "How often each outcome was seen.",
                        "type": "object",
                        "additionalProperties": integer,
                    },
                    "shots": {"description": "How often it was measured.", **integer},
                },
                "required": ["counts", "shots"],
            },
            "interim_results": {
                "$schema": DRAFT,
                "type": "object",
                "properties": {"depth": {"description": "Depth of the circuit.", **integer}},
            },
        },
    }
