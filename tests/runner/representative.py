"""Programs that stand for what users run, for what is said of a first run and a second: `runtime_runner.warming`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.harness import program

SAMPLE_PROGRAM = Path(__file__).parents[2] / "programs" / "sample_program" / "sample_program.py"

_TRANSPILED = program(
    """
    from qiskit import QuantumCircuit, transpile
    from qiskit.circuit.library import QFTGate, efficient_su2

    def main(backend, user_messenger, level):
        circuit = QuantumCircuit(8)
        ansatz = efficient_su2(8, reps=3)
        circuit.compose(ansatz.assign_parameters([0.1 * i for i in range(ansatz.num_parameters)]), inplace=True)
        circuit.append(QFTGate(8), range(8))
        circuit.measure_all()
        ready = transpile(circuit, backend, optimization_level=level, seed_transpiler=1)
        return backend.run(ready, shots=100, seed_simulator=1).result().get_counts()
    """
)
_GHZ = program(
    """
    from qiskit import QuantumCircuit, transpile

    def main(backend, user_messenger):
        circuit = QuantumCircuit(5)
        circuit.h(0)
        for qubit in range(1, 5):
            circuit.cx(0, qubit)
        circuit.measure_all()
        ready = transpile(circuit, backend, seed_transpiler=1)
        return backend.run(ready, shots=100, seed_simulator=1).result().get_counts()
    """
)
_VARIATIONAL = program(
    """
    import numpy as np
    from qiskit.circuit.library import efficient_su2
    from qiskit.primitives import BackendEstimatorV2
    from qiskit.quantum_info import SparsePauliOp
    from qiskit.transpiler import generate_preset_pass_manager
    from scipy.optimize import minimize

    def main(backend, user_messenger):
        observable = SparsePauliOp.from_list([("ZZ", 1.0), ("XX", 0.5), ("IZ", -0.3)])
        ansatz = generate_preset_pass_manager(1, backend, seed_transpiler=1).run(efficient_su2(2, reps=1))
        observable = observable.apply_layout(ansatz.layout)
        estimator = BackendEstimatorV2(backend=backend, options={"seed_simulator": 1})

        def energy(values):
            value = float(estimator.run([(ansatz, observable, values)], precision=0.05).result()[0].data.evs)
            user_messenger.publish(value)
            return value

        found = minimize(energy, np.zeros(ansatz.num_parameters), method="COBYLA", options={"maxiter": 12})
        return {"values": found.x, "energy": found.fun}
    """
)
_SAMPLED = program(
    """
    from qiskit import QuantumCircuit
    from qiskit.primitives import BackendSamplerV2
    from qiskit.transpiler import generate_preset_pass_manager

    def main(backend, user_messenger):
        circuit = QuantumCircuit(3)
        circuit.h(0)
        circuit.cx(0, 1)
        circuit.cx(0, 2)
        circuit.measure_all()
        ready = generate_preset_pass_manager(backend=backend, seed_transpiler=1).run([circuit])
        return BackendSamplerV2(backend=backend, options={"seed_simulator": 1}).run(ready, shots=100).result()
    """
)
_CIRCUIT = program(
    """
    from qiskit import QuantumCircuit, transpile
    from qiskit.circuit import Parameter

    def main(backend, user_messenger):
        circuit = QuantumCircuit(3)
        circuit.h(0)
        circuit.rx(Parameter("angle"), 1)
        circuit.ccx(0, 1, 2)
        return transpile(circuit, backend, seed_transpiler=1)
    """
)
_ARRAYS = program(
    """
    import numpy as np

    def main(backend, user_messenger):
        matrix = np.random.default_rng(1).normal(size=(200, 200))
        values, vectors = np.linalg.eigh(matrix + matrix.T)
        return {"values": values, "first": vectors[0], "inverse": np.linalg.inv(matrix)[0]}
    """
)


@dataclass(frozen=True, kw_only=True)
class Representative:
    """A program, and what it is given."""

    source: str
    backend: str = "aer"
    """A well-known name."""
    inputs: dict[str, Any] = field(default_factory=dict)


PROGRAMS = {
    "sample-program, 3 iterations": Representative(
        source=SAMPLE_PROGRAM.read_text(), inputs={"iterations": 3, "seed": 1}
    ),
    "transpile at level 1": Representative(source=_TRANSPILED, inputs={"level": 1}),
    "transpile at level 3": Representative(source=_TRANSPILED, inputs={"level": 3}),
    "generic-5": Representative(source=_GHZ, backend="generic-5"),
    "fake-montreal": Representative(source=_GHZ, backend="fake-montreal"),
    "estimator and optimizer": Representative(source=_VARIATIONAL),
    "sampler": Representative(source=_SAMPLED),
    "returns a circuit": Representative(source=_CIRCUIT),
    "NumPy": Representative(source=_ARRAYS),
}
