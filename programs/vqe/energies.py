"""Expectation values in the states of an ansatz: exact, or measured on a backend."""

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import Statevector


class ExactEnergies:
    """From the state vector: no noise, no sampling."""

    def __init__(self, ansatz):
        self._ansatz = ansatz

    def of(self, operator):
        """Return the function from parameters to the expectation value and its standard error, which is 0."""
        matrix = operator.to_matrix(sparse=True)

        def measure(point):
            state = Statevector(self._ansatz.assign_parameters(point)).data
            return float(np.vdot(state, matrix @ state).real), 0.0

        return measure


class SampledEnergies:
    """From counts: the terms that agree on a basis for every qubit are measured together.

    Circuits are transpiled once per operator, with their parameters free.

    Args:
        ansatz: Prepares the states.
        backend: Where the circuits run.
        shots: Of each circuit.
        random: Gives each run of the simulator its seed; None leaves that to chance.
    """

    def __init__(self, ansatz, backend, shots, random):
        self._ansatz, self._backend, self._shots, self._random = ansatz, backend, shots, random

    def of(self, operator):
        """Return the function from parameters to the expectation value and its standard error."""
        groups = operator.group_commuting(qubit_wise=True)
        circuits = [self._ansatz.compose(basis_change(group)).measure_all(inplace=False) for group in groups]
        circuits = transpile(circuits, self._backend, optimization_level=1, seed_transpiler=0)

        def measure(point):
            bound = [circuit.assign_parameters(point) for circuit in circuits]
            options = {} if self._random is None else {"seed_simulator": int(self._random.integers(2**31))}
            counts = self._backend.run(bound, shots=self._shots, **options).result().get_counts()
            counts = counts if isinstance(counts, list) else [counts]
            means, errors = zip(*map(mean_and_error, groups, counts), strict=True)
            return float(sum(means)), float(np.linalg.norm(errors))

        return measure


def basis_change(group):
    """Return the circuit after which measuring each qubit measures its letter (X, Y or Z) in all terms at once."""
    circuit = QuantumCircuit(group.num_qubits)
    for qubit in range(group.num_qubits):
        x, z = group.paulis.x[:, qubit], group.paulis.z[:, qubit]
        if (x & z).any():
            circuit.sdg(qubit)
        if x.any():
            circuit.h(qubit)
    return circuit


def mean_and_error(group, counts):
    """Return the mean of the group over outcomes measured in its basis, and its standard error.

    Each outcome gives one value to the whole group, so correlations between its terms are in the error.
    """
    bits = np.array([[bit == "1" for bit in reversed(outcome)] for outcome in counts], dtype=int)
    involved = (group.paulis.x | group.paulis.z).astype(int)
    values = ((1 - 2 * (bits @ involved.T % 2)) @ group.coeffs).real
    shots = sum(counts.values())
    weights = np.array(list(counts.values())) / shots
    mean = weights @ values
    return mean, np.sqrt(weights @ (values - mean) ** 2 / shots)
