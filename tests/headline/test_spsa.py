from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bench.headline.lih_energy import spsa

if TYPE_CHECKING:
    from numpy.typing import NDArray

START = np.array([1.0, -2.0, 0.5])


def bowl(_: int, point: NDArray[np.float64]) -> float:
    return float(point @ point) / 10


def visited(evaluations: int, seed: int) -> tuple[list[int], list[NDArray[np.float64]], NDArray[np.float64]]:
    numbers, points = [], []

    def function(number: int, point: NDArray[np.float64]) -> float:
        numbers.append(number)
        points.append(point)
        return bowl(number, point)

    return numbers, points, spsa.minimise(function, START, evaluations=evaluations, seed=seed)


def test_so_many_evaluations_are_made_as_were_asked_for_and_they_are_numbered() -> None:
    numbers, _, _ = visited(11, seed=0)
    assert numbers == list(range(11))


def test_the_last_evaluation_is_of_the_point_that_is_returned() -> None:
    _, points, last = visited(11, seed=0)
    assert np.array_equal(points[-1], last)


def test_one_evaluation_is_of_the_start() -> None:
    _, points, last = visited(1, seed=0)
    assert np.array_equal(points, [START])
    assert np.array_equal(last, START)


def test_each_step_looks_equally_far_on_both_sides_of_its_point() -> None:
    _, points, _ = visited(3, seed=0)
    assert (points[0] + points[1]) / 2 == pytest.approx(START)
    assert np.abs(points[0] - START) == pytest.approx([spsa.WIDTH] * 3)


def test_the_same_seed_visits_the_same_points() -> None:
    _, points, _ = visited(41, seed=5)
    _, again, _ = visited(41, seed=5)
    _, others, _ = visited(41, seed=6)
    assert np.array_equal(points, again)
    assert not np.array_equal(points, others)


def test_a_shorter_run_begins_with_the_points_of_a_longer_one() -> None:
    _, short, _ = visited(11, seed=2)
    _, long, _ = visited(41, seed=2)
    assert np.array_equal(short[:-1], long[:10])


def test_the_bottom_of_a_bowl_is_found() -> None:
    assert np.abs(spsa.minimise(bowl, START, evaluations=201, seed=1)).max() < 0.01


@pytest.mark.parametrize("evaluations", [-1, 0, 2, 500])
def test_a_number_of_evaluations_that_has_no_last_one_of_its_own_is_refused(evaluations: int) -> None:
    with pytest.raises(ValueError, match=f"evaluations is {evaluations}, and has to be odd"):
        spsa.minimise(bowl, START, evaluations=evaluations, seed=0)
