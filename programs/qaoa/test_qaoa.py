"""QAOA finds the maximum cuts of small graphs, and cuts on average much more than chance does."""

import itertools

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp


def cut(edges, bitstring):
    side = bitstring[::-1]
    return sum(weight for a, b, weight in edges if side[a] != side[b])


def weighted(edges):
    return [(*edge, 1.0) if len(edge) == 2 else tuple(edge) for edge in edges]


@pytest.mark.parametrize(("example", "ratio"), [("square", 0.85), ("weighted_prism", 0.8)])
def test_the_best_outcome_is_a_maximum_cut_and_the_mean_comes_near_it(program, example, ratio):
    inputs, outcome = program.example(example)
    edges, result = weighted(inputs["edges"]), outcome.result
    nodes = 1 + max(max(edge[:2]) for edge in inputs["edges"])
    maximum = max(cut(edges, "".join(bits)) for bits in itertools.product("01", repeat=nodes))

    assert cut(edges, result["best"]["bitstring"]) == pytest.approx(maximum)
    assert result["best"]["cut"] == pytest.approx(maximum)
    assert result["expected_cut"] / maximum > ratio  # half of the weight, at random: 0.5 and 0.65 of the maximum
    mean = sum(amplitude**2 * cut(edges, bits) for bits, amplitude in result["eigenstate"].items())
    assert mean == pytest.approx(result["expected_cut"])
    assert sum(amplitude**2 for amplitude in result["eigenstate"].values()) == pytest.approx(1)


def test_every_evaluation_is_published(program):
    _, outcome = program.example("square")
    history = outcome.result["optimizer_history"]
    assert [interim[0] for interim in outcome.interim_results] == history["nfevs"]
    assert [interim[2] for interim in outcome.interim_results] == history["energy"]
    assert history["nfevs"][-1] == outcome.result["cost_function_evals"]


def test_the_lowest_value_of_an_operator_is_found(program):
    inputs, outcome = program.example("operator")
    operator = SparsePauliOp.from_list([tuple(term) for term in inputs["operator"]])
    lowest = operator.to_matrix().diagonal().real.min()
    assert outcome.result["best"]["value"] == pytest.approx(lowest)
    assert outcome.result["optimal_value"] >= lowest
    assert outcome.result["optimal_value"] < 0.5 * lowest  # 0 at random


def test_an_operator_is_taken_as_an_object_and_a_device_is_no_obstacle(program):
    outcome = program.on("fake-manila").run(
        operator=SparsePauliOp(["ZZI", "IZZ"]),
        aux_operators=[SparsePauliOp("IIZ"), {"III": 2}],
        optimizer={"maxiter": 15},
        shots=500,
        seed=3,
        use_swap_strategies=False,
        store_intermediate=False,
    )
    assert outcome.result["best"]["bitstring"] in ("010", "101")
    single, constant = outcome.result["aux_operator_eigenvalues"]
    amplitudes = outcome.result["eigenstate"]
    assert single[0] == pytest.approx(sum(a**2 * (1 - 2 * int(bits[-1])) for bits, a in amplitudes.items()))
    assert single[1] == pytest.approx((1 - single[0] ** 2) ** 0.5 / 500**0.5)
    assert constant == [2, 0]
    assert "optimizer_history" not in outcome.result


def test_the_mean_of_the_best_outcomes_is_at_most_that_of_all(program):
    inputs = {"edges": [[0, 1], [1, 2], [2, 0]], "initial_point": [-0.3, 0.4], "optimizer": {"maxiter": 1}, "seed": 9}
    some, every = (program.run(**inputs, alpha=alpha).result["optimizer_history"]["energy"][0] for alpha in (0.3, 1.0))
    assert some < every
    assert np.isclose(some, -0.5)  # two of three edges cut: the best there is


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "either edges or operator must be given"),
        ({"operator": {"XZ": 1}}, "must consist of Z and I"),
        ({"edges": [[0, 1]], "initial_point": [1.0]}, "1 layers have 2 parameters"),
    ],
    ids=["nothing to minimise", "an operator that is not diagonal", "a first point of the wrong length"],
)
def test_refused_is(program, inputs, message):
    outcome = program.run(**inputs)
    assert outcome.reason == "ProgramFailed"
    assert message in outcome.message
