"""Quantum kernel alignment: fits a quantum kernel to labelled data (Glick et al., Nature Physics 20, 479, 2024)."""

import json

import numpy as np
import svm
from kernel import QuantumKernel

# SPSA in iteration k = 1, 2, ...: perturbation 0.2 / k^0.101, step 2 / k^0.602 times the slope of the objective per
# sample and C. No angle changes by more than 0.3 at a time: far from the minimum the slopes say little.
PERTURBATION, STEP, LONGEST_STEP = 0.2, 2.0, 0.3


def main(
    backend,
    user_messenger,
    feature_map,
    data,
    labels,
    initial_kernel_parameters=None,
    maxiters=10,
    C=1.0,  # noqa: N803 - its name in every text about support vector machines
    shots=8192,
    initial_layout=None,
    seed=None,
):
    """Choose the kernel's parameters for which a support vector machine separates the data best.

    The objective is that of the machine's dual problem: maximal over its multipliers, minimal over the kernel's
    parameters. SPSA does the second, with two kernel matrices per step.

    Args:
        backend: Where the circuits run.
        user_messenger: Takes the objective (``cost``) and the ``kernel_parameters`` after each step.
        feature_map: ``feature_dimension`` (even: two features per qubit) and ``entangler_map`` (pairs of qubits, all
            by default), as an object or as its JSON text.
        data: One row of features per sample.
        labels: +1 or -1 for each sample.
        initial_kernel_parameters: One angle per qubit; random between -1 and 1 by default.
        maxiters: Number of SPSA steps.
        C: Largest multiplier: how much a sample on the wrong side costs.
        shots: How many times to measure each circuit; "exact" for kernels without noise.
        initial_layout: The physical qubit of each qubit.
        seed: Makes everything repeatable on a simulator.

    Returns:
        ``aligned_kernel_parameters``; ``aligned_kernel_matrix`` between all samples; ``cost``, the objective there;
        the machine's ``multipliers`` and ``bias``: sample x gets the label sign(sum(multiplier * label * K(x, sample))
        + bias); and its ``accuracy`` on the data.
    """
    feature_map = json.loads(feature_map) if isinstance(feature_map, str) else feature_map
    data, labels = np.asarray(data, dtype=float), np.asarray(labels, dtype=float).ravel()
    if data.ndim != 2 or len(data) != len(labels):
        raise ValueError(f"data of shape {data.shape} does not go with {len(labels)} labels: one row for each")
    if set(labels) != {-1.0, 1.0}:
        raise ValueError("labels must be +1 and -1, and both must be there")
    random = np.random.default_rng(seed)
    kernel = QuantumKernel(
        backend, **feature_map, shots=shots, initial_layout=initial_layout, random=None if seed is None else random
    )
    parameters = random.uniform(-1, 1, kernel.num_qubits)
    if initial_kernel_parameters is not None:
        parameters = np.broadcast_to(np.asarray(initial_kernel_parameters, dtype=float), parameters.shape)

    def objective(at):
        return svm.train(kernel.matrix(data, at), labels, C).objective

    visited = []
    for k in range(1, maxiters + 1):
        direction = random.choice([-1, 1], len(parameters))
        width = PERTURBATION / k**0.101
        costs = [objective(parameters + sign * width * direction) for sign in (1, -1)]
        slope = (costs[0] - costs[1]) / (2 * width * C * len(labels)) * direction
        parameters = parameters - np.clip(STEP / k**0.602 * slope, -LONGEST_STEP, LONGEST_STEP)
        visited.append(parameters)
        user_messenger.publish({"cost": float(np.mean(costs)), "kernel_parameters": parameters.tolist()})

    if visited:  # the mean of the last tenth of the steps: less noise than the last one
        parameters = np.mean(visited[-max(1, maxiters // 10) :], axis=0)
    matrix = kernel.matrix(data, parameters)
    machine = svm.train(matrix, labels, C)
    return {
        "aligned_kernel_parameters": parameters.tolist(),
        "aligned_kernel_matrix": matrix.tolist(),
        "cost": machine.objective,
        "multipliers": machine.multipliers.tolist(),
        "bias": machine.bias,
        "accuracy": float(np.mean(machine.predict(matrix) == labels)),
    }
