from __future__ import annotations

import pytest
from bench.headline.model import Model, cost_for, work_for

MODEL = Model(evaluations=100, circuits=5, work=20.0, prepare=10.0)


def test_one_job_pays_its_overhead_and_its_preparation_once() -> None:
    assert MODEL.loop(1000.0) == 1000 + 10 + 100 * 20


def test_one_job_per_evaluation_pays_them_every_time() -> None:
    assert MODEL.per_evaluation(1000.0) == 100 * (1000 + 10 + 20)


def test_one_job_per_circuit_pays_the_overhead_once_per_circuit() -> None:
    assert MODEL.per_circuit(1000.0) == 100 * (5 * 1000 + 10 + 20)


@pytest.mark.parametrize("ratio", [1.5, 20.0, 99.0])
def test_at_the_work_for_a_ratio_the_model_has_that_ratio(ratio: float) -> None:
    work = work_for(ratio, evaluations=100, once=1010.0, each=1010.0)
    assert work is not None
    model = Model(evaluations=100, circuits=5, work=work, prepare=10.0)
    assert model.per_evaluation(1000.0) / model.loop(1000.0) == pytest.approx(ratio)


def test_at_the_work_for_a_ratio_to_one_job_per_circuit_the_model_has_it_too() -> None:
    work = work_for(120.0, evaluations=100, once=1010.0, each=5010.0)
    assert work is not None
    model = Model(evaluations=100, circuits=5, work=work, prepare=10.0)
    assert model.per_circuit(1000.0) / model.loop(1000.0) == pytest.approx(120)


def test_no_work_is_small_enough_for_a_ratio_above_the_number_of_evaluations() -> None:
    assert work_for(101.0, evaluations=100, once=1010.0, each=1010.0) is None


@pytest.mark.parametrize("jobs", [1, 5])
def test_with_the_cost_for_a_ratio_so_many_jobs_have_it(jobs: int) -> None:
    cost = cost_for(50.0, evaluations=100, work=20.0, jobs=jobs)
    assert cost is not None
    assert 100 * (jobs * cost + 20) / (cost + 100 * 20) == pytest.approx(50)


def test_no_cost_is_high_enough_for_a_ratio_above_the_number_of_jobs() -> None:
    assert cost_for(101.0, evaluations=100, work=20.0) is None
    assert cost_for(101.0, evaluations=100, work=20.0, jobs=5) is not None
