"""Forms that operators could be made from."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.quantum_info import Pauli

_init = Pauli.__init__


def pauli_init(self: Pauli, data: Any = None, x: Any = None, *, z: Any = None, label: str | None = None) -> None:
    """Make a Pauli from today's forms, from a label by keyword, or from arrays of its Z and X parts."""
    if label is not None:
        data = label
    elif x is not None:
        z = data if z is None else z
        data = (np.atleast_1d(np.asarray(z, dtype=bool)), np.atleast_1d(np.asarray(x, dtype=bool)))
    _init(self, data)
