"""The worker with Qiskit: one runner, warmed up as in a pod."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from runner.harness import Journal, Runner, make_job
from runtime_runner import contract

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.aer


@pytest.fixture
def run(start: Callable[..., Runner]) -> Callable[..., Journal]:
    return lambda main, **changes: start(sys.executable).run(make_job(main, **changes))


def test_a_circuit_is_run_on_aer_and_everything_qiskit_can_travel(run: Callable[..., Journal]) -> None:
    journal = run(
        """
        import multiprocessing
        import sys
        import numpy as np
        from qiskit import QuantumCircuit, transpile

        def main(backend, user_messenger, circuit):
            assert circuit.num_qubits == 2
            circuits = transpile([circuit] * 3, backend)
            result = backend.run(circuits, shots=100).result()
            user_messenger.publish({"counts": result.get_counts(0), "success": np.bool_(True)})
            return {
                "name": backend.name,
                "circuit": circuits[0],
                "result": result,
                "array": np.eye(2),
                "warm": "qiskit_aer" in sys.modules,
            }
        """,
        inputs={"circuit": json.loads(_bell())},
        backend_name="my-aer",
        backend={"aer": {"method": "statevector"}},
    )
    from runtime_runner import encoding

    assert journal.one(contract.Ready).versions.keys() == {"python", "runner", "qiskit", "qiskit-aer"}
    result = encoding.from_text(journal.result)
    assert result["name"] == "my-aer"
    assert sum(result["result"].get_counts(0).values()) == 100
    assert result["array"].tolist() == [[1, 0], [0, 1]]
    assert result["warm"]
    assert json.loads(journal.interims[0])["success"] is True


def test_qiskits_own_errors_are_told_with_the_programs_line(run: Callable[..., Journal]) -> None:
    journal = run(
        """
        from qiskit import QuantumCircuit
        def main(backend, user_messenger):
            circuit = QuantumCircuit(1)
            circuit.h(5)
        """,
        backend={"aer": {}},
    )
    assert journal.failed.message.startswith("CircuitError: ")
    lines = journal.failed.traceback.splitlines()
    assert lines[1:3] == ['  File "main.py", line 4, in main', "    circuit.h(5)"]
    assert any(line.startswith('  File "site-packages/qiskit/') for line in lines)


def _bell() -> str:
    from qiskit import QuantumCircuit
    from runtime_runner import encoding

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return encoding.to_text(circuit)
