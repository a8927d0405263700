"""What theory says about lithium hydride: by diagonalisation and from state vectors, without any shots. In hartree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qiskit.quantum_info import Statevector

from bench.headline.lih_energy import estimation

if TYPE_CHECKING:
    from collections.abc import Sequence


def ground_state() -> float:
    """Return the lowest energy."""
    return float(np.linalg.eigvalsh(estimation.hamiltonian().to_matrix())[0])


def best_basis_state() -> float:
    """Return the lowest energy of a state of the computational basis: Hartree-Fock's."""
    return float(estimation.hamiltonian().to_matrix().diagonal().real.min())


def at(point: Sequence[float]) -> float:
    """Return the energy of the ansatz with these parameters."""
    state = Statevector(estimation.ansatz().assign_parameters(point))
    return float(state.expectation_value(estimation.hamiltonian()).real)
