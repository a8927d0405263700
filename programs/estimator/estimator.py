"""Estimates expectation values of observables in the states that circuits prepare."""

from numbers import Real

import numpy as np
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.primitives import BackendEstimatorV2, StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager

SHOTS = 4000


def main(
    backend,
    user_messenger,
    circuits,
    observables,
    parameter_values=None,
    circuit_indices=None,
    observable_indices=None,
    parameters=None,
    run_options=None,
    transpilation_options=None,
    skip_transpilation=False,
):
    """Return the expectation value of each pair of a circuit and an observable.

    Args:
        backend: Where the circuits run.
        user_messenger: Not used.
        circuits: One circuit or a list of them, without measurements: a ``QuantumCircuit``, or a text in OpenQASM.
        observables: One observable or a list of them: a ``SparsePauliOp``, a Pauli string such as "ZZ", or
            coefficients by Pauli string such as {"ZZ": 0.5, "XI": -1}; qubit 0 is on the right.
        parameter_values: For each value of the result the values of its circuit's parameters, as a list.
        circuit_indices: For each value of the result the number of its circuit; default: each circuit once, in order,
            or the only circuit for every observable.
        observable_indices: Likewise for the observables.
        parameters: For each circuit its parameters (or their names), in the order of their values; default: the
            circuit's own order.
        run_options: ``shots`` per group of Pauli terms that are measured together (4000 by default; "exact"
            for values without noise), ``seed_simulator``.
        transpilation_options: Keywords for Qiskit's preset pass manager: ``optimization_level``, ``seed_transpiler``...
        skip_transpilation: The circuits are ready for the backend as they are, the observables are on its qubits.

    Returns:
        ``values``: the expectation values. ``metadata``: for each of them its ``standard_error``, the ``variance`` of
        one shot (square of the standard error times shots) and the ``shots``, as in the input.
    """
    circuits = [read_circuit(circuit) for circuit in (circuits if isinstance(circuits, (list, tuple)) else [circuits])]
    single = isinstance(observables, (str, dict, SparsePauliOp))
    observables = [read_observable(value) for value in ([observables] if single else observables)]
    run_options = {"shots": SHOTS} | (run_options or {})
    shots, seed = run_options["shots"], run_options.get("seed_simulator")
    count = max(len(circuits), len(observables))
    which_circuit = read_indices(circuit_indices, len(circuits), count)
    which_observable = read_indices(observable_indices, len(observables), len(which_circuit))
    values = read_values(parameter_values, len(which_circuit))
    pubs = [
        (circuits[c], observables[o], in_order(circuits[c], row, parameters and parameters[c]))
        for c, o, row in zip(which_circuit, which_observable, values, strict=True)
    ]

    exact = shots == "exact"
    if exact:
        if getattr(backend.options, "noise_model", None) is not None:
            raise ValueError("shots: exact asks for values without noise, and this backend has noise")
        results = StatevectorEstimator().run(pubs).result()
    else:
        if not skip_transpilation:
            options = dict(transpilation_options or {})
            if options.get("optimization_level") is None:
                options["optimization_level"] = 1
            passes = generate_preset_pass_manager(backend=backend, **options)
            ready = passes.run([circuit for circuit, _, _ in pubs])
            pubs = [(c, o.apply_layout(c.layout), row) for c, (_, o, row) in zip(ready, pubs, strict=True)]
        estimator = BackendEstimatorV2(backend=backend, options={"seed_simulator": seed})
        results = estimator.run(pubs, precision=(shots - 0.5) ** -0.5).result()  # which asks for so many shots
    errors = [0.0 if exact else float(result.data.stds) for result in results]
    variances = [0.0 if exact else error**2 * shots for error in errors]
    return {
        "values": [float(result.data.evs) for result in results],
        "metadata": [
            {"variance": variance, "standard_error": error, "shots": shots}
            for variance, error in zip(variances, errors, strict=True)
        ],
    }


def read_circuit(value):
    """Return the circuit that is given as such or in OpenQASM."""
    if isinstance(value, QuantumCircuit):
        return value
    if isinstance(value, str):
        return qasm3.loads(value) if "OPENQASM 3" in value else qasm2.loads(value)
    raise TypeError(f"a circuit is a QuantumCircuit or a text in OpenQASM, not {type(value).__name__}")


def read_observable(value):
    """Return the operator of a Pauli string, of coefficients by Pauli string, or of anything Qiskit reads."""
    if isinstance(value, dict):
        return SparsePauliOp.from_list(list(value.items()))
    return SparsePauliOp(value)


def read_indices(indices, there, count):
    """Return which one to use for each entry of the result: one for all, or each in turn."""
    if indices is not None:
        return indices
    if there not in (1, count):
        raise ValueError(f"{there} circuits or observables do not go with {count}: say which with ..._indices")
    return [0] * count if there == 1 else range(count)


def read_values(values, count):
    """Return a row of parameter values for each entry of the result; one row alone may be given as it is."""
    if values is None:
        return [[]] * count
    values = list(values)
    return [values] * count if all(isinstance(value, Real) for value in values) else values


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
