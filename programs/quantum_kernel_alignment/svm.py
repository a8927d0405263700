"""A support vector machine with a given kernel matrix, by SciPy."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize


@dataclass
class Machine:
    """A trained machine: the objective of its dual problem, a multiplier per sample, and its bias."""

    objective: float
    multipliers: np.ndarray
    bias: float
    labels: np.ndarray

    def predict(self, kernel):
        """Return the label of each row of a kernel matrix between samples and the training data."""
        return np.where(kernel @ (self.multipliers * self.labels) + self.bias >= 0, 1.0, -1.0)


def train(kernel, labels, largest):
    """Maximise sum(m) - 1/2 m Q m, Q = labels x labels * kernel, for multipliers 0 <= m <= largest, m . labels = 0."""
    q = np.outer(labels, labels) * kernel
    solution = minimize(
        lambda m: m @ q @ m / 2 - m.sum(),
        np.zeros(len(labels)),
        jac=lambda m: q @ m - 1,
        method="SLSQP",
        bounds=[(0, largest)] * len(labels),
        constraints={"type": "eq", "fun": lambda m: m @ labels, "jac": lambda m: labels},
        options={"maxiter": 1000, "ftol": 1e-9},
    )
    if not solution.success:
        raise RuntimeError(f"the support vector machine was not solved: {solution.message}")
    m = np.clip(solution.x, 0, largest)
    margin = kernel @ (m * labels)
    free = (m > 1e-6 * largest) & (m < (1 - 1e-6) * largest)
    between = free if free.any() else m > 1e-6 * largest
    return Machine(float(-solution.fun), m, float(np.mean(labels[between] - margin[between])), labels)
