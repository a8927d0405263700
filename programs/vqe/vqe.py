"""The variational quantum eigensolver: the lowest energy of an operator; without one, of lithium hydride."""

import json
import time
from pathlib import Path

import numpy as np
import optimizers
from energies import ExactEnergies, SampledEnergies
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import library
from qiskit.quantum_info import SparsePauliOp

LIH = Path(__file__).with_name("lih_hamiltonian.json")


def main(
    backend,
    user_messenger,
    operator=None,
    distance=1.6,
    ansatz=None,
    optimizer=None,
    initial_point="random",
    initial_parameters=None,
    aux_operators=None,
    shots=1024,
    seed=None,
    store_intermediate=True,
    **switched_off,
):
    """Search the lowest energy.

    Args:
        backend: Where the circuits run.
        user_messenger: Takes, after each evaluation, its number, the parameters, the energy and its standard error.
        operator: A ``SparsePauliOp``, or coefficients by Pauli string (qubit 0 on the right) as an object or as pairs;
            by default the electronic Hamiltonian of LiH, in hartree.
        distance: Of the nuclei of LiH in angstrom: 1.6 or 2.5. Without effect if an operator is given.
        ansatz: A ``QuantumCircuit`` with parameters, or a text in OpenQASM 3 with ``input`` angles; by default
            rotations about y and two layers of CNOTs, enough for real states of few qubits.
        optimizer: ``name`` (SPSA by default, or a method of `scipy.optimize.minimize`: COBYLA, L-BFGS-B, ...) and
            its options, such as ``maxiter``.
        initial_point: First parameters, or "random" for random angles.
        initial_parameters: The same, by its older name.
        aux_operators: Further operators, evaluated at the end.
        shots: How many times to measure each circuit; "exact" for energies without noise and without sampling.
        seed: Makes everything repeatable on a simulator.
        store_intermediate: Return every evaluation as ``optimizer_history``.
        switched_off: What earlier programs had must be false: ``measurement_error_mitigation`` and
            ``readout_error_mitigation`` (see circuit-runner).

    Returns:
        ``optimal_value`` (also as ``eigenvalue``), ``optimal_point``, ``standard_error``, ``cost_function_evals``,
        ``optimizer_time`` (seconds), ``optimizer_message``, ``aux_operator_eigenvalues`` (pairs of value and standard
        error), if wanted ``optimizer_history``, and for LiH ``total_energy``, which counts nuclei and all electrons.
    """
    for name, wanted in switched_off.items():
        if wanted:
            raise ValueError(f"{name} is not available here: leave it out, or set it to false")
    random = np.random.default_rng(seed)
    shift = None
    if operator is None:
        operator, shift = lithium_hydride(distance)
    operator = read_operator(operator)
    ansatz = library.real_amplitudes(operator.num_qubits, reps=2) if ansatz is None else read_circuit(ansatz)
    start = read_point(initial_point if initial_parameters is None else initial_parameters, ansatz, random)

    if shots == "exact":
        if getattr(backend.options, "noise_model", None) is not None:
            raise ValueError("shots: exact asks for energies without noise, and this backend has noise")
        energies = ExactEnergies(ansatz)
    else:
        energies = SampledEnergies(ansatz, backend, shots, None if seed is None else random)
    history = {"nfevs": [], "params": [], "energy": [], "std": []}
    measure = energies.of(operator)

    def energy(point):
        value, error = measure(point)
        step = (len(history["nfevs"]) + 1, np.asarray(point).tolist(), value, error)
        for record, entry in zip(history.values(), step, strict=True):
            record.append(entry)
        user_messenger.publish(list(step))
        return value

    begun = time.monotonic()
    found = optimizers.minimize(energy, start, random, **(optimizer or {}))
    seconds = time.monotonic() - begun
    value, error = measure(found.x)
    result = {
        "optimal_value": value,
        "eigenvalue": value,
        "standard_error": error,
        "optimal_point": found.x.tolist(),
        "cost_function_evals": len(history["nfevs"]),
        "optimizer_time": seconds,
        "optimizer_message": str(found.message),
        "aux_operator_eigenvalues": [list(energies.of(read_operator(aux))(found.x)) for aux in aux_operators or []],
    }
    if store_intermediate:
        result["optimizer_history"] = history
    if shift is not None:
        result["total_energy"] = value + shift
    return result


def lithium_hydride(distance):
    """Return the electronic Hamiltonian of LiH and what to add for the total energy, in hartree."""
    distances = json.loads(LIH.read_text())["distances"]
    if str(distance) not in distances:
        raise ValueError(f"LiH is here at a distance of {' or '.join(distances)} angstrom, not {distance}")
    return distances[str(distance)]["paulis"], distances[str(distance)]["energy_shift"]


def read_operator(value):
    """Return the operator of Pauli strings and coefficients, as an object or as pairs in either order."""
    if isinstance(value, SparsePauliOp):
        return value
    if isinstance(value, str):
        return SparsePauliOp(value)
    pairs = value.items() if isinstance(value, dict) else value
    return SparsePauliOp.from_list([(a, b) if isinstance(a, str) else (b, a) for a, b in pairs])


def read_circuit(value):
    """Return the circuit that is given as such or in OpenQASM."""
    if isinstance(value, QuantumCircuit):
        return value
    if isinstance(value, str):
        return qasm3.loads(value) if "OPENQASM 3" in value else qasm2.loads(value)
    raise TypeError(f"an ansatz is a QuantumCircuit or a text in OpenQASM, not {type(value).__name__}")


def read_point(value, ansatz, random):
    """Return the first parameters."""
    if value is None or (isinstance(value, str) and value == "random"):
        return random.uniform(-np.pi, np.pi, ansatz.num_parameters)
    point = np.asarray(value, dtype=float)
    if point.shape != (ansatz.num_parameters,):
        raise ValueError(
            f"initial_point has shape {point.shape}, and the ansatz has {ansatz.num_parameters} parameters"
        )
    return point
