"""SPSA: minimising a noisy function with two evaluations per step, whatever the number of parameters.

The rule is Spall's (IEEE Transactions on Aerospace and Electronic Systems 34, 817, 1998). There is no calibration: the
sizes of the steps are constants, found by trying with simulated noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RATE = 6.0
"""Of the first steps, before the division by `STABILITY`: radian squared per hartree."""
STABILITY = 50
"""For about so many steps their size stays as it is."""
WIDTH = 0.3
"""How far from the point the function is evaluated at first, in radian."""


def minimise(
    function: Callable[[int, NDArray[np.float64]], float], start: NDArray[np.float64], *, evaluations: int, seed: int
) -> NDArray[np.float64]:
    """Return the last point. The last evaluation is of it, the others are two for each step.

    Args:
        function: From the number of an evaluation, from 0, and a point to a value.
        start: Where to begin.
        evaluations: How often to call the function.
        seed: Of the directions.

    Raises:
        ValueError: the number of evaluations is even, or less than one.
    """
    if evaluations < 1 or evaluations % 2 == 0:
        raise ValueError(f"evaluations is {evaluations}, and has to be odd: two for each step, and one at the end")
    directions = np.random.default_rng((seed, 1))
    point = start
    for step in range(evaluations // 2):
        width = WIDTH / (step + 1) ** 0.101
        direction = directions.choice([-1.0, 1.0], len(point))
        ahead, behind = function(2 * step, point + width * direction), function(2 * step + 1, point - width * direction)
        rate = RATE / (step + 1 + STABILITY) ** 0.602
        point = point - rate * (ahead - behind) / (2 * width) * direction
    function(evaluations - 1, point)
    return point
