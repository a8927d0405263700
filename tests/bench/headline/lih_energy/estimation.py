"""Energies of lithium hydride on four qubits, measured in the states of an ansatz.

The Hamiltonian's 100 Pauli terms fall into groups that agree on a basis for every qubit; a group is one circuit. Every
circuit of every evaluation has a random seed of its own, so that a part of the energy is the same number whoever
measures it, and in whatever company.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

DATA = Path(__file__).with_name("lih_hamiltonian.json")
DISTANCE = "1.6"
QUBITS = 4
REPETITIONS = 2
PARAMETERS = 2 * QUBITS * (REPETITIONS + 1)


class Estimation:
    """Measures energies on a backend. Circuits are built and transpiled once, with their parameters free."""

    def __init__(self, backend: Any, *, shots: int, seed: int, only: int | None = None) -> None:
        """Prepare the circuits.

        Args:
            backend: Where they run.
            shots: Of each circuit.
            seed: Of everything that is random.
            only: Number of the one group to measure; None for all.
        """
        self._backend, self._shots, self._seed = backend, shots, seed
        self._groups = [group for group in enumerate(groups()) if only in (None, group[0])]
        state = ansatz()
        circuits = [state.compose(basis_change(group)).measure_all(inplace=False) for _, group in self._groups]
        self._circuits = transpile(circuits, backend, optimization_level=1, seed_transpiler=0)

    def parts(self, number: int, point: Sequence[float] | NDArray[np.float64]) -> list[float]:
        """Return what each group contributes to the energy of this evaluation, in hartree."""
        parts = []
        for (place, group), circuit in zip(self._groups, self._circuits, strict=True):
            random = int(np.random.SeedSequence((self._seed, number, place)).generate_state(1)[0] >> 1)
            run = self._backend.run(circuit.assign_parameters(point), shots=self._shots, seed_simulator=random)
            parts.append(mean(group, run.result().get_counts()))
        return parts


def hamiltonian() -> Any:
    """Return the electronic Hamiltonian, a `SparsePauliOp` in hartree."""
    paulis = json.loads(DATA.read_text())["distances"][DISTANCE]["paulis"]
    return SparsePauliOp.from_list(list(paulis.items()))


def ansatz() -> Any:
    """Return the circuit that prepares the states."""
    return efficient_su2(QUBITS, reps=REPETITIONS)


def groups() -> list[Any]:
    """Return the Hamiltonian's terms by the circuit that measures them, always in the same order."""
    found: list[Any] = hamiltonian().group_commuting(qubit_wise=True)
    return found


def start(seed: int) -> NDArray[np.float64]:
    """Return the parameters an optimisation begins with: random angles."""
    return np.random.default_rng((seed, 0)).uniform(-np.pi, np.pi, PARAMETERS)


def basis_change(group: Any) -> Any:
    """Return the circuit after which measuring each qubit measures its letter (X, Y or Z) in all terms of a group."""
    circuit = QuantumCircuit(QUBITS)
    for qubit in range(QUBITS):
        x, z = group.paulis.x[:, qubit], group.paulis.z[:, qubit]
        if (x & z).any():
            circuit.sdg(qubit)
        if x.any():
            circuit.h(qubit)
    return circuit


def mean(group: Any, counts: Mapping[str, int]) -> float:
    """Return the mean of a group over the outcomes measured in its basis, in hartree."""
    bits = np.array([[bit == "1" for bit in reversed(outcome)] for outcome in counts], dtype=int)
    involved = (group.paulis.x | group.paulis.z).astype(int)
    values = ((1 - 2 * (bits @ involved.T % 2)) @ group.coeffs).real
    weights = np.array(list(counts.values())) / sum(counts.values())
    return float(weights @ values)
