"""The quantum approximate optimisation algorithm: the lowest value of a diagonal operator, or a maximum cut."""

import time

import numpy as np
from qiskit.circuit.library import qaoa_ansatz
from qiskit.primitives import BackendSamplerV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from scipy.optimize import minimize


def main(
    backend,
    user_messenger,
    edges=None,
    operator=None,
    reps=1,
    optimizer=None,
    initial_point=None,
    shots=1024,
    alpha=1.0,
    aux_operators=None,
    optimization_level=1,
    seed=None,
    store_intermediate=True,
    **switched_off,
):
    """Minimise.

    Args:
        backend: Where the circuits run.
        user_messenger: Takes, after each evaluation, its number, the parameters, the value and its standard error.
        edges: A graph as [node, node] or [node, node, weight] (default 1), with nodes numbered from 0. Its maximum cut
            is looked for: the two sets of nodes with the most weight between them.
        operator: Instead of a graph, a sum of Z and I terms: a ``SparsePauliOp``, or coefficients by Pauli string
            (qubit 0 on the right) as an object or as pairs. Its lowest value is looked for.
        reps: Number of layers.
        optimizer: ``name`` (COBYLA by default, or another method of `scipy.optimize.minimize`) and its options.
        initial_point: First parameters, the mixer's angles before the cost's; by default a linear ramp, or random
            angles if it is "random".
        shots: How many times to measure each circuit.
        alpha: Which part of the outcomes, from the best on, counts: 1 for all (conditional value at risk; Barkoutsos et
            al., Quantum 4, 256, 2020).
        aux_operators: Further sums of Z and I terms, evaluated at the end.
        optimization_level: Of the transpiler, 0 to 3.
        seed: Makes everything repeatable on a simulator.
        store_intermediate: Return every evaluation as ``optimizer_history``.
        switched_off: What earlier programs had must be false: ``measurement_error_mitigation`` (see circuit-runner),
            ``use_swap_strategies``, ``use_initial_mapping``, ``use_pulse_efficient``.

    Returns:
        ``optimal_value`` (also as ``eigenvalue``), ``optimal_point``, ``eigenstate`` (square root of the probability
        of each outcome), ``best`` (the best outcome: ``bitstring`` with node 0 on the right, ``value``, and for a
        graph ``cut``), ``cost_function_evals``, ``optimizer_time`` (seconds), ``aux_operator_eigenvalues`` (pairs of
        value and standard error), if wanted ``optimizer_history``, and for a graph ``expected_cut``.
    """
    for name, wanted in switched_off.items():
        if wanted:
            raise ValueError(f"{name} is not available here: leave it out, or set it to false")
    if (edges is None) == (operator is None):
        raise ValueError("either edges or operator must be given")
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha must be above 0 and at most 1, not {alpha}")
    cost = read_operator(operator) if edges is None else cut_operator(edges)
    others = [read_operator(other) for other in aux_operators or []]
    if any(each.paulis.x.any() for each in [cost, *others]):
        raise ValueError("operators must consist of Z and I: others have no value in an outcome")
    offset = 0.0 if edges is None else sum(weight for *_, weight in read_edges(edges)) / 2
    random = np.random.default_rng(seed)

    ansatz = qaoa_ansatz(cost, reps=reps)
    ansatz.measure_all()
    passes = generate_preset_pass_manager(optimization_level, backend=backend, seed_transpiler=seed)
    circuit = passes.run(ansatz)
    history = {"nfevs": [], "params": [], "energy": [], "std": []}

    def sample(point):
        simulator_seed = None if seed is None else int(random.integers(2**31))
        sampler = BackendSamplerV2(backend=backend, options={"seed_simulator": simulator_seed})
        return sampler.run([(circuit, point)], shots=shots).result()[0].join_data().get_counts()

    def objective(point):
        value, error = mean_of_best(sample(point), cost, alpha)
        step = (len(history["nfevs"]) + 1, np.asarray(point).tolist(), value, error)
        for record, entry in zip(history.values(), step, strict=True):
            record.append(entry)
        user_messenger.publish(list(step))
        return value

    options = dict(optimizer or {})
    begun = time.monotonic()
    found = minimize(
        objective, first_point(initial_point, reps, random), method=options.pop("name", "COBYLA"), options=options
    )
    seconds = time.monotonic() - begun
    counts = sample(found.x)
    value, _ = mean_of_best(counts, cost, alpha)
    values = dict(zip(counts, outcome_values(counts, cost).tolist(), strict=True))
    best = min(values, key=values.get)
    result = {
        "optimal_value": value,
        "eigenvalue": value,
        "optimal_point": found.x.tolist(),
        "eigenstate": {outcome: float(np.sqrt(count / shots)) for outcome, count in counts.items()},
        "best": {"bitstring": best, "value": values[best]},
        "cost_function_evals": len(history["nfevs"]),
        "optimizer_time": seconds,
        "aux_operator_eigenvalues": [list(mean_of_best(counts, other, 1.0)) for other in others],
    }
    if store_intermediate:
        result["optimizer_history"] = history
    if edges is not None:
        result["best"]["cut"] = offset - values[best]
        result["expected_cut"] = offset - mean_of_best(counts, cost, 1.0)[0]
    return result


def read_edges(edges):
    """Return the edges as (node, node, weight)."""
    return [(int(edge[0]), int(edge[1]), float(edge[2]) if len(edge) > 2 else 1.0) for edge in edges]


def cut_operator(edges):
    """Return the operator whose lowest value, taken from half the total weight, is the maximum cut."""
    edges = read_edges(edges)
    nodes = max(max(a, b) for a, b, _ in edges) + 1
    return SparsePauliOp.from_sparse_list([("ZZ", [a, b], weight / 2) for a, b, weight in edges], nodes)


def outcome_values(outcomes, cost):
    """Return the operator's value in each outcome."""
    bits = np.array([[bit == "1" for bit in reversed(outcome)] for outcome in outcomes], dtype=int)
    return ((1 - 2 * (bits @ cost.paulis.z.T.astype(int) % 2)) @ cost.coeffs).real


def mean_of_best(counts, cost, alpha):
    """Return the mean value of the best part of the outcomes, and its standard error."""
    values = np.repeat(outcome_values(counts, cost), list(counts.values()))
    best = np.sort(values)[: max(1, round(alpha * len(values)))]
    return float(best.mean()), float(best.std() / np.sqrt(len(best)))


def first_point(point, reps, random):
    """Return the first angles: of the mixer in each layer, then of the cost in each layer.

    The ramp imitates a slow change from the mixer to the cost. Its angles are negative for the mixer, because the
    circuit begins in the mixer's highest state and the cost's lowest is wanted.
    """
    if point is None:
        ramp = (np.arange(reps) + 0.5) / reps
        return np.concatenate([0.75 * (ramp - 1), 0.75 * ramp])
    if isinstance(point, str) and point == "random":
        return random.uniform(-np.pi / 2, np.pi / 2, 2 * reps)
    point = np.asarray(point, dtype=float)
    if point.shape != (2 * reps,):
        raise ValueError(f"initial_point has shape {point.shape}, and {reps} layers have {2 * reps} parameters")
    return point


def read_operator(value):
    """Return the operator of Pauli strings and coefficients, as an object or as pairs in either order."""
    if isinstance(value, SparsePauliOp):
        return value
    if isinstance(value, str):
        return SparsePauliOp(value)
    pairs = value.items() if isinstance(value, dict) else value
    return SparsePauliOp.from_list([(a, b) if isinstance(a, str) else (b, a) for a, b in pairs])
