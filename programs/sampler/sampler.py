"""Samples circuits: which outcomes they have, and how probable each is."""

from numbers import Real

import numpy as np
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.primitives import BackendSamplerV2
from qiskit.quantum_info import Statevector
from qiskit.transpiler import generate_preset_pass_manager

SHOTS = 4000


def main(
    backend,
    user_messenger,
    circuits,
    parameter_values=None,
    circuit_indices=None,
    parameters=None,
    run_options=None,
    transpilation_options=None,
    skip_transpilation=False,
):
    """Return the distribution of outcomes of each circuit.

    Args:
        backend: Where the circuits run.
        user_messenger: Not used.
        circuits: One circuit or a list of them: a ``QuantumCircuit``, or a text in OpenQASM 2 or 3.
        parameter_values: For each entry of the result the values of its circuit's parameters, as a list.
        circuit_indices: For each entry of the result the number of its circuit; default: each circuit once, in order.
        parameters: For each circuit its parameters (or their names), in the order of their values; default: the
            circuit's own order.
        run_options: ``shots`` (4000 by default; "exact" for probabilities without noise), ``seed_simulator``.
        transpilation_options: Keywords for Qiskit's preset pass manager: ``optimization_level``, ``seed_transpiler``...
        skip_transpilation: The circuits are ready for the backend as they are.

    Returns:
        ``quasi_dists``: for each entry the probability of each outcome, a text of bits whose first classical bit is on
        the right. ``metadata``: for each entry its ``shots``, as in the input.
    """
    circuits = [read_circuit(circuit) for circuit in (circuits if isinstance(circuits, (list, tuple)) else [circuits])]
    run_options = {"shots": SHOTS} | (run_options or {})
    shots, seed = run_options["shots"], run_options.get("seed_simulator")
    indices = range(len(circuits)) if circuit_indices is None else circuit_indices
    values = read_values(parameter_values, len(indices))
    entries = [
        (circuits[index], in_order(circuits[index], row, parameters and parameters[index]))
        for index, row in zip(indices, values, strict=True)
    ]
    for circuit, _ in entries:
        if not circuit.num_clbits:
            raise ValueError(f"{circuit.name} measures nothing: add measurements, for example measure_all()")

    if shots == "exact":
        if getattr(backend.options, "noise_model", None) is not None:
            raise ValueError("shots: exact asks for probabilities without noise, and this backend has noise")
        distributions = [exact_distribution(circuit.assign_parameters(row)) for circuit, row in entries]
    else:
        if not skip_transpilation:
            options = dict(transpilation_options or {})
            if options.get("optimization_level") is None:
                options["optimization_level"] = 1
            passes = generate_preset_pass_manager(backend=backend, **options)
            ready = passes.run([circuit for circuit, _ in entries])
            entries = [(circuit, row) for circuit, (_, row) in zip(ready, entries, strict=True)]
        sampler = BackendSamplerV2(backend=backend, options={"seed_simulator": seed})
        distributions = [
            {outcome: count / shots for outcome, count in pub.join_data().get_counts().items()}
            for pub in sampler.run(entries, shots=shots).result()
        ]
    return {"quasi_dists": distributions, "metadata": [{"shots": shots} for _ in distributions]}


def exact_distribution(circuit):
    """Return the probability of each outcome of a circuit that measures at its end and nowhere else."""
    measured = {
        circuit.find_bit(instruction.clbits[0]).index: circuit.find_bit(instruction.qubits[0]).index
        for instruction in circuit.data
        if instruction.operation.name == "measure"
    }
    if sorted(measured) != list(range(circuit.num_clbits)):
        raise ValueError(f"{circuit.name}: exact probabilities need a measurement into every classical bit")
    state = Statevector(circuit.remove_final_measurements(inplace=False))
    probabilities = state.probabilities_dict([measured[clbit] for clbit in sorted(measured)], decimals=15)
    return {str(outcome): float(probability) for outcome, probability in probabilities.items()}


def read_circuit(value):
    """Return the circuit that is given as such or in OpenQASM."""
    if isinstance(value, QuantumCircuit):
        return value
    if isinstance(value, str):
        return qasm3.loads(value) if "OPENQASM 3" in value else qasm2.loads(value)
    raise TypeError(f"a circuit is a QuantumCircuit or a text in OpenQASM, not {type(value).__name__}")


def read_values(values, count):
    """Return a row of parameter values for each entry of the result; one row alone may be given as it is."""
    if values is None:
        return [[]] * count
    values = list(values)
    return [values] if count == 1 and all(isinstance(value, Real) for value in values) else values


def in_order(circuit, values, parameters):
    """Return the values in the circuit's own order of parameters."""
    if len(values) != circuit.num_parameters:
        raise ValueError(f"{circuit.name} has {circuit.num_parameters} parameters, and {len(values)} values are given")
    if parameters is None:
        return np.asarray(values, dtype=float)
    by_name = {
        getattr(parameter, "name", parameter): value for parameter, value in zip(parameters, values, strict=True)
    }
    return np.array([by_name[parameter.name] for parameter in circuit.parameters], dtype=float)
