"""Expectation values of diagonal operators, from counts."""

import numpy as np
from qiskit import QuantumCircuit, qasm2, qasm3, transpile

# What each letter of an operator multiplies an outcome by if its bit is 0, and if it is 1.
DIAGONALS = {"I": (1, 1), "Z": (1, -1), "0": (1, 0), "1": (0, 1)}


def main(
    backend,
    user_messenger,
    circuits,
    expectation_operators,
    shots=8192,
    transpiler_config=None,
    run_config=None,
    skip_transpilation=False,
    return_stddev=False,
    use_measurement_mitigation=False,
):
    """Estimate what the outcomes of circuits are worth on average.

    Args:
        backend: Where the circuits run.
        user_messenger: Not used.
        circuits: One circuit or a list of them: a ``QuantumCircuit``, or a text in OpenQASM 2 or 3. All classical bits
            count, the first on the right; a circuit without any is measured at its end.
        expectation_operators: One operator or a list of them: letters I, Z, 0, 1 (projectors) such as "IZZ", or values
            by outcome such as {"111": 1}, other outcomes being worth 0. One circuit is evaluated for every operator,
            one operator for every circuit; otherwise the first goes with the first, and so on.
        shots: How many times to measure each circuit.
        transpiler_config: Keywords for `qiskit.transpile`.
        run_config: Keywords for ``backend.run``, such as ``seed_simulator``.
        skip_transpilation: The circuits are ready for the backend as they are.
        return_stddev: Return the standard error of each value, too.
        use_measurement_mitigation: Must be false: circuit-runner corrects readout errors.

    Returns:
        A list of expectation values; with ``return_stddev`` a list of [value, standard error].
    """
    if use_measurement_mitigation:
        raise ValueError("this program corrects no readout errors: circuit-runner does")
    circuits = [read_circuit(circuit) for circuit in (circuits if isinstance(circuits, (list, tuple)) else [circuits])]
    operators = expectation_operators if isinstance(expectation_operators, (list, tuple)) else [expectation_operators]
    if not skip_transpilation:
        circuits = transpile(circuits, backend, **(transpiler_config or {}))
    counts = backend.run(circuits, shots=shots, **(run_config or {})).result().get_counts()
    counts = counts if isinstance(counts, list) else [counts]

    if len(counts) == 1:
        counts = counts * len(operators)
    if len(operators) == 1:
        operators = operators * len(counts)
    if len(counts) != len(operators):
        raise ValueError(f"{len(counts)} circuits do not go with {len(operators)} operators")
    values = [expectation(*pair) for pair in zip(counts, operators, strict=True)]
    return [list(pair) for pair in values] if return_stddev else [value for value, _ in values]


def expectation(counts, operator):
    """Return the mean of an operator over the counts, and the mean's standard error."""
    weights = np.array(list(counts.values())) / sum(counts.values())
    values = np.array([worth(outcome.replace(" ", ""), operator) for outcome in counts], dtype=float)
    mean = weights @ values
    variance = max(weights @ values**2 - mean**2, 0)
    return float(mean), float(np.sqrt(variance / sum(counts.values())))


def worth(outcome, operator):
    """Return the diagonal element of the operator for this outcome."""
    if isinstance(operator, dict):
        return operator.get(outcome, 0)
    if len(operator) != len(outcome) or not set(operator) <= DIAGONALS.keys():
        raise ValueError(f"{operator!r} is not an operator of {len(outcome)} letters out of {', '.join(DIAGONALS)}")
    return np.prod([DIAGONALS[letter][int(bit)] for letter, bit in zip(operator, outcome, strict=True)])


def read_circuit(value):
    """Return the circuit that is given as such or in OpenQASM, with measurements."""
    if isinstance(value, str):
        value = qasm3.loads(value) if "OPENQASM 3" in value else qasm2.loads(value)
    if not isinstance(value, QuantumCircuit):
        raise TypeError(f"a circuit is a QuantumCircuit or a text in OpenQASM, not {type(value).__name__}")
    return value if value.num_clbits else value.measure_all(inplace=False)
