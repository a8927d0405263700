"""Corrects counts for readout errors, one qubit at a time.

Two circuits, all qubits in |0> and all in |1>, show how often each qubit is misread. The inverse of these 2x2 matrices
is applied to the outcomes that were seen, and to none beside them, as in Nation et al., PRX Quantum 2, 040326 (2021).
"""

import numpy as np
from qiskit import QuantumCircuit

MOST_OUTCOMES = 4096  # the matrix between outcomes is dense: 128 MiB at this size


def add_quasiprobabilities(result, circuits, backend, shots, seed=None):
    """Add the corrected distribution of every circuit, and by how much the correction widens errors, to its data.

    Args:
        result: ``Result.to_dict()`` of the circuits; changed in place.
        circuits: As they ran: their qubits are the backend's.
        backend: Where they ran, and where the two calibration circuits run.
        shots: Of each calibration circuit.
        seed: Of the simulator.
    """
    wires = [_measured_qubits(circuit) for circuit in circuits]
    if not all(wires):
        raise ValueError("there is no readout to correct in a circuit without measurements")
    qubits = sorted({qubit for wire in wires for qubit in wire.values()})
    errors = dict(zip(qubits, _error_matrices(backend, qubits, shots, seed), strict=True))
    for entry, wire in zip(result["results"], wires, strict=True):
        quasi = _corrected(entry["data"]["counts"], {clbit: errors[qubit] for clbit, qubit in wire.items()})
        overhead = np.prod([np.linalg.norm(np.linalg.inv(errors[q]), 1) ** 2 for q in wire.values()])
        entry["data"] |= {"quasiprobabilities": quasi, "mitigation_overhead": float(overhead)}


def _measured_qubits(circuit):
    """Return the qubit that each classical bit holds at the end."""
    return {
        circuit.find_bit(clbit).index: circuit.find_bit(qubit).index
        for instruction in circuit.data
        if instruction.operation.name == "measure"
        for qubit, clbit in zip(instruction.qubits, instruction.clbits, strict=True)
    }


def _error_matrices(backend, qubits, shots, seed):
    """Return a matrix per qubit: column = prepared in 0 or 1, row = read as 0 or 1."""
    zeros = QuantumCircuit(max(qubits) + 1, len(qubits))
    ones = zeros.copy()
    ones.x(qubits)
    for circuit in (zeros, ones):
        circuit.measure(qubits, range(len(qubits)))
    options = {} if seed is None else {"seed_simulator": seed}
    read_one = []
    for counts in backend.run([zeros, ones], shots=shots, **options).result().get_counts():
        bits = np.array([[outcome[-1 - clbit] == "1" for clbit in range(len(qubits))] for outcome in counts])
        read_one.append(np.array(list(counts.values())) @ bits / shots)
    return [np.array([[1 - low, 1 - high], [low, high]]) for low, high in zip(*read_one, strict=True)]


def _corrected(counts, errors):
    """Return the distribution which the errors turn into the counts, on the outcomes that were seen."""
    if len(counts) > MOST_OUTCOMES:
        raise ValueError(f"readout can be corrected for {MOST_OUTCOMES} outcomes at most, here are {len(counts)}")
    outcomes = np.array([int(outcome, 16) for outcome in counts])
    matrix = np.ones((len(outcomes), len(outcomes)))
    for clbit, error in errors.items():
        bit = outcomes >> clbit & 1
        matrix *= error[bit[:, None], bit[None, :]]
    matrix /= matrix.sum(axis=0)
    seen = np.array(list(counts.values())) / sum(counts.values())
    return dict(zip(counts, np.linalg.solve(matrix, seen).tolist(), strict=True))
