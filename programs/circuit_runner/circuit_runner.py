"""Transpiles circuits for the backend, runs them and returns what the backend said, readout corrected if wanted."""

import readout
from qiskit import QuantumCircuit, qasm2, qasm3, transpile


def main(
    backend,
    user_messenger,
    circuits,
    shots=1024,
    initial_layout=None,
    layout_method=None,
    routing_method=None,
    optimization_level=None,
    seed_transpiler=None,
    transpiler_options=None,
    skip_transpilation=False,
    measurement_error_mitigation=False,
    **run_options,
):
    """Run circuits.

    Args:
        backend: Where the circuits run.
        user_messenger: Not used: there is nothing to say before the result.
        circuits: One circuit or a list of them: a ``QuantumCircuit``, or a text in OpenQASM 2 or 3.
        shots: How many times to run each circuit.
        initial_layout: The physical qubit of each qubit, as a list.
        layout_method: See `qiskit.transpile`, as for the next three.
        routing_method: How qubits are brought next to each other.
        optimization_level: 0 (as it is) to 3 (as short as possible); 1 by default.
        seed_transpiler: Makes the transpiler's random choices repeatable.
        transpiler_options: Further keywords for `qiskit.transpile`.
        skip_transpilation: The circuits are ready for the backend as they are.
        measurement_error_mitigation: Measure the readout errors of the qubits first, and add the corrected
            distribution to each circuit's data as ``quasiprobabilities`` (keys as those of the counts).
        run_options: Everything else goes to ``backend.run``: ``memory``, ``seed_simulator``, ...

    Returns:
        ``Result.to_dict()``: give it to ``Result.from_dict`` (or to an old ``RunnerResult``) for its ``get_counts()``.
    """
    circuits = [read_circuit(circuit) for circuit in (circuits if isinstance(circuits, (list, tuple)) else [circuits])]
    if not skip_transpilation:
        circuits = transpile(
            circuits,
            backend,
            initial_layout=initial_layout,
            layout_method=layout_method,
            routing_method=routing_method,
            optimization_level=1 if optimization_level is None else optimization_level,
            seed_transpiler=seed_transpiler,
            **(transpiler_options or {}),
        )
    result = backend.run(circuits, shots=shots, **run_options).result().to_dict()
    if measurement_error_mitigation:
        readout.add_quasiprobabilities(result, circuits, backend, shots, run_options.get("seed_simulator"))
    return result


def read_circuit(value):
    """Return the circuit that is given as such or in OpenQASM."""
    if isinstance(value, QuantumCircuit):
        return value
    if isinstance(value, str):
        return qasm3.loads(value) if "OPENQASM 3" in value else qasm2.loads(value)
    raise TypeError(f"a circuit is a QuantumCircuit or a text in OpenQASM, not {type(value).__name__}")
