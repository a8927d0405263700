"""What hello-world measures is the GHZ state of five qubits."""

import pytest


@pytest.mark.parametrize("example", ["defaults", "three_iterations"])
def test_it_says_hello_after_so_many_iterations(program, example):
    inputs, outcome = program.example(example)
    assert outcome.result == "Hello, World!"
    assert [interim["iteration"] for interim in outcome.interim_results] == list(range(inputs.get("iterations", 1)))


def test_all_qubits_agree_and_either_value_is_equally_likely(program):
    inputs, outcome = program.example("three_iterations")
    shots = inputs["shots"]
    for interim in outcome.interim_results:
        counts = interim["counts"]
        assert counts.keys() == {"00000", "11111"}
        assert sum(counts.values()) == shots
        assert abs(counts["00000"] - shots / 2) < 6 * (shots / 4) ** 0.5


def test_iterations_with_one_seed_differ_from_one_another(program):
    _, outcome = program.example("three_iterations")
    assert len({interim["counts"]["00000"] for interim in outcome.interim_results}) > 1
