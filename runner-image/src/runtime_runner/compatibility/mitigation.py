"""Readout mitigation with the full calibration matrix, as programs did it before mthree."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.exceptions import QiskitError
from scipy.optimize import minimize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qiskit.result import Result

MOST_QUBITS = 10
"""The matrix has 4**n entries, and 2**n circuits are run for it."""


def complete_meas_cal(
    qubit_list: Sequence[int] | None = None, qr: Any = None, cr: Any = None, circlabel: str = ""
) -> tuple[list[QuantumCircuit], list[str]]:
    """Return the circuits that prepare every state of these qubits and measure it, and the states' labels.

    Args:
        qubit_list: Indices of the qubits; all of ``qr`` by default.
        qr: A register or a number of qubits; as many as the highest index needs by default.
        cr: A register or a number of bits for the results; one bit per qubit by default.
        circlabel: Put before the label in the circuits' names.

    Raises:
        QiskitError: neither qubits nor a register, or more than 10 qubits.
    """
    if qubit_list is None and qr is None:
        raise QiskitError("complete_meas_cal needs qubit_list or qr")
    register = QuantumRegister(qr) if isinstance(qr, int) else qr
    if register is None:
        register = QuantumRegister(max(qubit_list or [0]) + 1)
    qubits = list(range(len(register))) if qubit_list is None else list(qubit_list)
    if len(qubits) > MOST_QUBITS:
        raise QiskitError(f"a full calibration of {len(qubits)} qubits takes 2**{len(qubits)} circuits; use mthree")
    bits = ClassicalRegister(len(qubits) if cr is None else cr) if cr is None or isinstance(cr, int) else cr
    labels = [format(number, f"0{len(qubits)}b") for number in range(2 ** len(qubits))]
    circuits = []
    for label in labels:
        circuit = QuantumCircuit(register, bits, name=f"{circlabel}cal_{label}")
        for place, qubit in enumerate(qubits):
            if label[-1 - place] == "1":
                circuit.x(register[qubit])
        circuit.barrier()
        for place, qubit in enumerate(qubits):
            circuit.measure(register[qubit], bits[place])
        circuits.append(circuit)
    return circuits, labels


class CompleteMeasFitter:
    """The calibration matrix, from the results of the circuits of `complete_meas_cal`.

    Args:
        results: A ``Result``, or a list of them, that has those circuits.
        state_labels: What `complete_meas_cal` returned.
        qubit_list: Ignored; there for programs that give it.
        circlabel: What `complete_meas_cal` was given.
    """

    def __init__(self, results: Any, state_labels: Sequence[str], qubit_list: Any = None, circlabel: str = "") -> None:
        self.state_labels = list(state_labels)
        results = results if isinstance(results, list) else [results]
        self._matrix = np.zeros((len(self.state_labels),) * 2)
        for column, label in enumerate(self.state_labels):
            counts = _counts(results, f"{circlabel}cal_{label}")
            for state, count in counts.items():
                self._matrix[self.state_labels.index(state.replace(" ", "")), column] += count
        self._matrix /= self._matrix.sum(axis=0)

    @property
    def cal_matrix(self) -> np.ndarray:
        """Probability of reading the row's state where the column's was prepared; columns add up to 1."""
        return self._matrix

    @property
    def filter(self) -> MeasurementFilter:
        """What corrects results with it."""
        return MeasurementFilter(self._matrix, self.state_labels)

    def readout_fidelity(self, label_list: Any = None) -> float:
        """Return the mean probability of reading what was prepared."""
        return float(np.mean(np.diagonal(self._matrix)))


class BaseReadoutMitigator:
    """Stands for mitigators of readout errors, in annotations; there are none."""


class MeasurementFilter:
    """Corrects counts by a calibration matrix."""

    def __init__(self, cal_matrix: np.ndarray, state_labels: Sequence[str]) -> None:
        self.cal_matrix = cal_matrix
        self.state_labels = list(state_labels)

    def apply(self, raw_data: Any, method: str = "least_squares") -> Any:
        """Return a ``Result``, or counts, corrected: as ``Result`` or as counts, which are no whole numbers then.

        Args:
            raw_data: A ``Result`` or counts by state, of as many bits as were calibrated.
            method: ``least_squares`` (the nearest counts that are possible) or ``pseudo_inverse`` (may be negative).
        """
        if method not in ("least_squares", "pseudo_inverse"):
            raise QiskitError(f"there is no method {method!r}; there are least_squares and pseudo_inverse")
        if not hasattr(raw_data, "results"):
            return self._corrected(raw_data, method)
        corrected = copy.deepcopy(raw_data)
        for index, one in enumerate(corrected.results):
            counts = self._corrected(raw_data.get_counts(index), method)
            one.data.counts = {hex(int(state, 2)): count for state, count in counts.items()}
        return corrected

    def _corrected(self, counts: Mapping[str, float], method: str) -> dict[str, float]:
        measured = np.zeros(len(self.state_labels))
        for state, count in counts.items():
            measured[self.state_labels.index(state.replace(" ", ""))] = count
        total = measured.sum()
        solution = np.linalg.pinv(self.cal_matrix) @ measured
        if method == "least_squares":
            start = np.clip(solution, 0, None)
            fit = minimize(
                lambda x: float(np.sum((measured - self.cal_matrix @ x) ** 2)) / total**2,
                start / max(start.sum(), 1e-12) * total,
                method="SLSQP",
                bounds=[(0, total)] * len(start),
                constraints={"type": "eq", "fun": lambda x: total - x.sum()},
                tol=1e-6,
            )
            solution = fit.x
        return {label: float(count) for label, count in zip(self.state_labels, solution, strict=True) if count != 0}


def _counts(results: list[Result], name: str) -> Mapping[str, int]:
    for result in results:
        try:
            counts: Mapping[str, int] = result.get_counts(name)
        except QiskitError:
            continue
        return counts
    raise QiskitError(f"no result has the circuit {name!r}")
