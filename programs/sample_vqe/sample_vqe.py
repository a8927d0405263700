"""The variational quantum eigensolver from scratch: an ansatz, measured energies and an optimiser."""

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import library
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import OptimizeResult, minimize

ANSATZ_NAMES = {
    "EfficientSU2": library.efficient_su2,
    "RealAmplitudes": library.real_amplitudes,
    "ExcitationPreserving": library.excitation_preserving,
    "PauliTwoDesign": library.pauli_two_design,
    "TwoLocal": library.n_local,
    "NLocal": library.n_local,
}


def main(
    backend,
    user_messenger,
    hamiltonian,
    ansatz="EfficientSU2",
    ansatz_config=None,
    x0=None,
    optimizer="SPSA",
    optimizer_config=None,
    shots=8192,
    use_measurement_mitigation=False,
    seed=None,
):
    """Search the lowest energy of a Hamiltonian among the states that an ansatz can prepare.

    Args:
        backend: Where the circuits run.
        user_messenger: Takes the parameters after each iteration of the optimiser.
        hamiltonian: A ``SparsePauliOp``, or pairs of coefficient and Pauli string; qubit 0 is on the right.
        ansatz: Name of a circuit of Qiskit's library, or the ``QuantumCircuit`` itself.
        ansatz_config: Keywords for the named circuit, such as ``reps``.
        x0: First parameters; random angles by default.
        optimizer: "SPSA", or the name of a method of `scipy.optimize.minimize`.
        optimizer_config: Its options; {"maxiter": 100} by default.
        shots: How many times to measure each circuit.
        use_measurement_mitigation: Must be false: circuit-runner corrects readout errors.
        seed: Makes everything repeatable on a simulator.

    Returns:
        What a SciPy optimiser returns: ``x``, ``fun`` (the energy there), ``nfev``, ``nit``, ``success``, ``message``.
    """
    if use_measurement_mitigation:
        raise ValueError("this program corrects no readout errors: circuit-runner does")
    random = np.random.default_rng(seed)
    hamiltonian = read_hamiltonian(hamiltonian)
    if isinstance(ansatz, str):
        if ansatz not in ANSATZ_NAMES:
            raise ValueError(f"there is no ansatz {ansatz!r}; there are {', '.join(ANSATZ_NAMES)}")
        ansatz = ANSATZ_NAMES[ansatz](hamiltonian.num_qubits, **(ansatz_config or {}))
    x0 = random.uniform(0, 2 * np.pi, ansatz.num_parameters) if x0 is None else np.asarray(x0, dtype=float)
    if x0.shape != (ansatz.num_parameters,):
        raise ValueError(f"x0 has shape {x0.shape}, and the ansatz has {ansatz.num_parameters} parameters")

    # Terms that agree on a basis for every qubit are measured together. The circuits are transpiled once, with their
    # parameters still free.
    groups = hamiltonian.group_commuting(qubit_wise=True)
    circuits = [ansatz.compose(basis_change(group)).measure_all(inplace=False) for group in groups]
    circuits = transpile(circuits, backend, optimization_level=3, seed_transpiler=seed)

    def energy(x):
        bound = [circuit.assign_parameters(x) for circuit in circuits]
        options = {} if seed is None else {"seed_simulator": int(random.integers(2**31))}
        counts = backend.run(bound, shots=shots, **options).result().get_counts()
        counts = counts if isinstance(counts, list) else [counts]
        return sum(mean(group, outcomes) for group, outcomes in zip(groups, counts, strict=True))

    def publish(x):
        user_messenger.publish(np.asarray(x).tolist())

    config = {"maxiter": 100} if optimizer_config is None else optimizer_config
    if optimizer == "SPSA":
        result = spsa(energy, x0, random, callback=publish, **config)
    else:
        result = minimize(energy, x0, method=optimizer, options=config, callback=lambda x, *_: publish(x))
    return {
        "x": result.x.tolist(),
        "fun": float(result.fun),
        "nfev": int(result.nfev),
        "nit": int(result.get("nit", result.nfev)),
        "success": bool(result.success),
        "message": str(result.message),
    }


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


def mean(group, counts):
    """Return the mean of the terms over outcomes measured in their basis: a term is +1 or -1, by parity."""
    bits = np.array([[bit == "1" for bit in reversed(outcome)] for outcome in counts])
    weights = np.array(list(counts.values())) / sum(counts.values())
    involved = group.paulis.x | group.paulis.z
    signs = 1 - 2 * ((bits.astype(int) @ involved.T.astype(int)) % 2)
    return float((weights @ signs @ group.coeffs).real)


def spsa(function, x, random, maxiter=100, a=None, c=0.2, alpha=0.602, gamma=0.101, callback=None):
    """Minimise a noisy function by simultaneous perturbation (Spall, IEEE TAES 34, 817, 1998).

    Every step takes two values of the function, however many parameters there are. ``a`` sets the size of the steps;
    by default the first ones turn each angle by about 0.2.
    """
    stability = 0.1 * maxiter

    def slope(width):
        direction = random.choice([-1, 1], len(x))
        return (function(x + width * direction) - function(x - width * direction)) / (2 * width) * direction

    samples = 0
    if a is None:
        samples = 10
        steepness = np.mean([np.abs(slope(c)).mean() for _ in range(samples)])
        a = 0.2 * (stability + 1) ** alpha / max(steepness, 1e-6)
    for k in range(maxiter):
        x = x - a / (stability + k + 1) ** alpha * slope(c / (k + 1) ** gamma)
        if callback is not None:
            callback(x)
    message = f"{maxiter} steps done"
    nfev = 2 * samples + 2 * maxiter + 1
    return OptimizeResult(x=x, fun=function(x), nfev=nfev, nit=maxiter, success=True, message=message)


def read_hamiltonian(value):
    """Return the operator of pairs of coefficient and Pauli string, in either order."""
    if isinstance(value, SparsePauliOp):
        return value
    pairs = value.items() if isinstance(value, dict) else value
    return SparsePauliOp.from_list([(a, b) if isinstance(a, str) else (b, a) for a, b in pairs])
