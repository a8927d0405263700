"""SPSA, and everything SciPy has."""

import numpy as np
from scipy import optimize


def minimize(function, start, random, name="SPSA", **options):
    """Return the minimum, as a `scipy.optimize.OptimizeResult`.

    Args:
        function: From a point to a number, which may be noisy.
        start: Where to begin.
        random: A NumPy generator; SPSA's directions come from it.
        name: SPSA, or a method of `scipy.optimize.minimize`.
        options: Its options, such as ``maxiter``. Those of SPSA are described below.
    """
    if name.upper() == "SPSA":
        return spsa(function, start, random, **options)
    return optimize.minimize(function, start, method=name, options=options)


def spsa(function, start, random, maxiter=100, learning_rate=None, perturbation=0.2, resamplings=1, last_avg=1):
    """Minimise by simultaneous perturbation (Spall, IEEE Transactions on AES 34, 817, 1998).

    A step costs two values of the function, whatever the number of parameters.

    Args:
        function: From a point to a number, which may be noisy.
        start: Where to begin.
        random: A NumPy generator.
        maxiter: Number of steps.
        learning_rate: Size of the first step per unit of slope; by default it turns each angle by about 0.2.
        perturbation: How far from the point, at first, the function is evaluated.
        resamplings: How many slopes to average for a step.
        last_avg: The result is the mean of so many last points.
    """
    point, stability, points = start, 0.1 * maxiter, []

    def slope(width):
        direction = random.choice([-1, 1], len(point))
        return (function(point + width * direction) - function(point - width * direction)) / (2 * width) * direction

    if learning_rate is None:
        steepness = np.mean([np.abs(slope(perturbation)).mean() for _ in range(10)])
        learning_rate = 0.2 / max(steepness, 1e-6)
    for step in range(maxiter):
        rate = learning_rate * ((stability + 1) / (stability + step + 1)) ** 0.602
        width = perturbation / (step + 1) ** 0.101
        point = point - rate * np.mean([slope(width) for _ in range(resamplings)], axis=0)
        points.append(point)
    best = np.mean(points[-last_avg:], axis=0) if points else point
    return optimize.OptimizeResult(x=best, nit=maxiter, success=True, message=f"{maxiter} steps done")
