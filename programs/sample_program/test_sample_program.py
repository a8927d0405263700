"""The counts that sample-program publishes are those of random circuits."""

import numpy as np
import pytest
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector


@pytest.mark.parametrize("example", ["nothing_to_do", "three_iterations", "repeatable"])
def test_it_publishes_the_counts_of_every_iteration_and_says_so(program, example):
    inputs, outcome = program.example(example)
    assert outcome.result == "All done!"
    assert [interim["iteration"] for interim in outcome.interim_results] == list(range(inputs["iterations"]))
    assert all(sum(interim["counts"].values()) == 1024 for interim in outcome.interim_results)


def test_a_seed_makes_known_circuits_whose_counts_are_those_of_their_states(program):
    inputs, outcome = program.example("repeatable")
    assert inputs["iterations"] > 0
    for interim in outcome.interim_results:
        circuit = random_circuit(5, 4, measure=True, seed=inputs["seed"] + interim["iteration"])
        expected = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities()
        counts = np.zeros(32)
        for outcome_text, count in interim["counts"].items():
            counts[int(outcome_text, 2)] = count
        sigma = np.sqrt(expected * (1 - expected) / 1024)
        assert np.all(np.abs(counts / 1024 - expected) <= 6 * sigma + 1e-9)
