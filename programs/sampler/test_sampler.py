"""Sampled distributions are those of the states, by shots and exactly."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.result import QuasiDistribution


def test_a_bell_pair_is_sampled_with_its_two_outcomes(program):
    inputs, outcome = program.example("bell")
    (distribution,) = outcome.result["quasi_dists"]
    shots = inputs["run_options"]["shots"]
    assert distribution.keys() == {"00", "11"}
    assert sum(distribution.values()) == pytest.approx(1)
    assert abs(distribution["00"] - 0.5) < 6 * (0.25 / shots) ** 0.5
    assert outcome.result["metadata"] == [{"shots": shots}]
    assert QuasiDistribution(distribution).keys() == {0, 3}


def test_exact_probabilities_are_those_of_the_state_vector(program):
    inputs, outcome = program.example("rotations")
    for (theta,), distribution in zip(inputs["parameter_values"], outcome.result["quasi_dists"], strict=True):
        expected = {"0": np.cos(theta / 2) ** 2, "1": np.sin(theta / 2) ** 2}
        assert {key: distribution.get(key, 0) for key in expected} == pytest.approx(expected, abs=1e-12)


def test_parameters_may_come_in_any_order_and_numpy_arrays_are_taken(program):
    first, second = Parameter("first"), Parameter("second")
    circuit = QuantumCircuit(2, 2)
    circuit.ry(first, 0)
    circuit.ry(second, 1)
    circuit.measure([0, 1], [1, 0])  # crossed: classical bit 1 holds qubit 0
    both = {"circuits": [circuit], "parameter_values": np.array([[np.pi, 0.0]])}
    straight = program.run(**both, parameters=[["first", "second"]], run_options={"shots": "exact"}).result
    swapped = program.run(**both, parameters=[[second, first]], run_options={"shots": 500, "seed_simulator": 1}).result
    assert straight["quasi_dists"] == [pytest.approx({"10": 1.0})]
    assert swapped["quasi_dists"] == [pytest.approx({"01": 1.0})]


def test_a_noisy_device_shows_its_noise_and_has_no_exact_probabilities(program):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    device = program.on("fake-manila")
    (distribution,) = device.run(circuits=circuit, run_options={"seed_simulator": 4}).result["quasi_dists"]
    assert 0.005 < distribution["01"] + distribution["10"] < 0.3
    refused = device.run(circuits=circuit, run_options={"shots": "exact"})
    assert refused.reason == "ProgramFailed"
    assert "this backend has noise" in refused.message


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"circuits": QuantumCircuit(1)}, "measures nothing"),
        ({"circuits": QuantumCircuit(1, 1), "parameter_values": [[1.0]]}, "has 0 parameters, and 1 values are given"),
    ],
    ids=["a circuit without measurements is refused", "too many values are refused"],
)
def test_what_cannot_be_sampled(program, inputs, message):
    outcome = program.run(**inputs)
    assert outcome.reason == "ProgramFailed"
    assert message in outcome.message
