"""A quantum kernel: how much the states of two samples overlap."""

from itertools import combinations

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Statevector


class QuantumKernel:
    """The kernel K(x, y) = |<y|x>|^2 of the states that a feature map gives to samples.

    Args:
        backend: Where the circuits run.
        feature_dimension: Number of features, twice the number of qubits.
        entangler_map: Pairs of qubits that are entangled; all by default.
        shots: Of each circuit; "exact" for overlaps from state vectors.
        initial_layout: The physical qubit of each qubit.
        random: Gives each run of the simulator its seed; None leaves that to chance.
    """

    def __init__(self, backend, feature_dimension, entangler_map=None, shots="exact", initial_layout=None, random=None):
        if feature_dimension < 2 or feature_dimension % 2:
            raise ValueError(f"feature_dimension must be even, two features per qubit, not {feature_dimension}")
        if shots == "exact" and getattr(backend.options, "noise_model", None) is not None:
            raise ValueError("shots: exact asks for kernels without noise, and this backend has noise")
        self.num_qubits = feature_dimension // 2
        self._backend, self._shots, self._random = backend, shots, random
        self._x, self._y = (ParameterVector(name, feature_dimension) for name in "xy")
        self._angles = ParameterVector("angle", self.num_qubits)

        pairs = list(combinations(range(self.num_qubits), 2)) if entangler_map is None else entangler_map
        self._state = feature_map(self._x, self._angles, pairs)
        # The state of x, then that of y undone: only zeros come out as often as the states overlap.
        overlap = self._state.compose(feature_map(self._y, self._angles, pairs).inverse())
        overlap.measure_all()
        self._overlap = transpile(overlap, backend, initial_layout=initial_layout, seed_transpiler=0)

    def matrix(self, data, angles):
        """Return the kernel between all samples: symmetric, positive semi-definite, with a unit diagonal."""
        if data.shape[1] != len(self._x):
            raise ValueError(f"data has {data.shape[1]} features, and the feature map {len(self._x)}")
        if self._shots == "exact":
            bound = [self._state.assign_parameters({self._x: row, self._angles: angles}) for row in data]
            states = np.array([Statevector(circuit).data for circuit in bound])
            return np.abs(states @ states.conj().T) ** 2
        pairs = list(combinations(range(len(data)), 2))
        bound = [
            self._overlap.assign_parameters({self._x: data[i], self._y: data[j], self._angles: angles})
            for i, j in pairs
        ]
        options = {} if self._random is None else {"seed_simulator": int(self._random.integers(2**31))}
        counts = self._backend.run(bound, shots=self._shots, **options).result().get_counts()
        counts = counts if isinstance(counts, list) else [counts]
        matrix = np.eye(len(data))
        for (i, j), outcomes in zip(pairs, counts, strict=True):
            matrix[i, j] = matrix[j, i] = outcomes.get("0" * self.num_qubits, 0) / self._shots
        return without_negative_part(matrix)


def feature_map(features, angles, pairs):
    """Return the circuit that prepares a sample's state.

    A rotation about y by an angle of the kernel, CZ between pairs of qubits, then rotations about z and x by features.
    """
    circuit = QuantumCircuit(len(angles))
    for qubit, angle in enumerate(angles):
        circuit.ry(-angle, qubit)
    for pair in pairs:
        circuit.cz(*pair)
    for qubit in range(len(angles)):
        circuit.rz(-2 * features[2 * qubit + 1], qubit)
        circuit.rx(-2 * features[2 * qubit], qubit)
    return circuit


def without_negative_part(matrix):
    """Return a kernel near the matrix: sampling noise gives it small negative eigenvalues, which kernels never have."""
    values, vectors = np.linalg.eigh(matrix)
    positive = vectors * np.clip(values, 0, None) @ vectors.T
    scale = np.sqrt(np.diag(positive))
    kernel = positive / np.outer(scale, scale)
    np.fill_diagonal(kernel, 1.0)
    return (kernel + kernel.T) / 2
