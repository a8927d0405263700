"""The aligned kernel is a kernel, it separates the data, and its parameter is the one that theory has for them."""

import json

import numpy as np
import pytest


@pytest.fixture(params=["one_qubit", "two_qubits_exact"])
def example(request, program):
    return program.example(request.param)


def test_the_kernel_matrix_is_symmetric_and_positive_with_a_unit_diagonal(example):
    inputs, outcome = example
    kernel = np.array(outcome.result["aligned_kernel_matrix"])
    assert kernel.shape == (len(inputs["data"]),) * 2
    assert np.allclose(kernel, kernel.T)
    assert np.allclose(kernel.diagonal(), 1)
    assert np.linalg.eigvalsh(kernel)[0] > -1e-9


def test_the_machine_separates_the_data_which_are_separable(example):
    inputs, outcome = example
    result, labels = outcome.result, np.array(inputs["labels"])
    decision = np.array(result["aligned_kernel_matrix"]) @ (np.array(result["multipliers"]) * labels) + result["bias"]
    assert np.array_equal(np.sign(decision), labels)
    assert result["accuracy"] == 1


def test_the_machine_is_the_solution_of_its_dual_problem(example):
    inputs, outcome = example
    result, labels = outcome.result, np.array(inputs["labels"])
    m, kernel, largest = np.array(result["multipliers"]), np.array(result["aligned_kernel_matrix"]), inputs.get("C", 1)
    assert np.all(m >= 0)
    assert np.all(m <= largest)
    assert abs(m @ labels) < 1e-6
    assert result["cost"] == pytest.approx(m.sum() - (m * labels) @ kernel @ (m * labels) / 2, abs=1e-6)
    # Karush, Kuhn, Tucker: margins of 1 for free multipliers, at least 1 without, at most 1 at the limit
    margins = labels * (kernel @ (m * labels) + result["bias"])
    edge = 1e-3 * largest
    assert np.all(margins[m < edge] > 1 - 0.01)
    assert np.all(margins[m > largest - edge] < 1 + 0.01)
    assert np.allclose(margins[(m > edge) & (m < largest - edge)], 1, atol=0.01)


def test_alignment_lowers_the_objective_step_by_step(example):
    inputs, outcome = example
    assert len(outcome.interim_results) == inputs["maxiters"]
    assert outcome.result["cost"] < 0.5 * outcome.interim_results[0]["cost"]


def test_the_angle_goes_to_a_quarter_turn_where_the_kernel_sees_the_feature_that_matters(program):
    # The labels depend on the second feature, a rotation about z. It moves a state most that is on the equator.
    _, outcome = program.example("one_qubit")
    (angle,) = outcome.result["aligned_kernel_parameters"]
    assert abs(angle - np.pi / 2) < 0.4


def overlap(x, y, angle):
    """Return |<y|x>|^2 of one qubit by matrices."""

    def state(sample):
        z = np.diag([np.exp(1j * sample[1]), np.exp(-1j * sample[1])])
        c, s = np.cos(sample[0]), 1j * np.sin(sample[0])
        return np.array([[c, s], [s, c]]) @ z @ np.array([np.cos(angle / 2), -np.sin(angle / 2)])

    return abs(np.vdot(state(y), state(x))) ** 2


@pytest.mark.parametrize("shots", ["exact", 4000])
def test_its_elements_are_the_overlaps_of_the_states(program, shots):
    data, angle = np.random.default_rng(8).uniform(-1, 1, (4, 2)), 0.9
    outcome = program.run(
        feature_map=json.dumps({"feature_dimension": 2, "entangler_map": []}),
        data=data,
        labels=np.array([1, -1, 1, -1]),
        initial_kernel_parameters=[angle],
        maxiters=0,
        shots=shots,
        seed=1,
    )
    expected = np.array([[overlap(x, y, angle) for y in data] for x in data])
    # making a sampled matrix positive moves it by no more than its noise
    tolerance = 1e-9 if shots == "exact" else 2 * 6 * 0.5 / shots**0.5
    assert np.max(np.abs(np.array(outcome.result["aligned_kernel_matrix"]) - expected)) < tolerance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [1, -1]}, "does not go with 2 labels"),
        ({"labels": [1, 1, 1]}, "labels must be +1 and -1, and both must be there"),
        ({"feature_map": {"feature_dimension": 4}}, "data has 2 features, and the feature map 4"),
    ],
    ids=["too few labels", "labels of one kind", "data of another dimension"],
)
def test_refused_are(program, change, message):
    inputs = {"feature_map": {"feature_dimension": 2}, "data": [[0, 1], [1, 0], [1, 1]], "labels": [1, -1, 1]}
    outcome = program.run(**(inputs | change))
    assert outcome.reason == "ProgramFailed"
    assert message in outcome.message
