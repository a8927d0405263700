"""Estimated expectation values are those of the states, within their own standard errors."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import real_amplitudes
from qiskit.quantum_info import SparsePauliOp, Statevector


def test_a_bell_pair_has_the_correlations_of_one(program):
    inputs, outcome = program.example("bell_pair")
    shots = inputs["run_options"]["shots"]
    *correlations, single = outcome.result["values"]
    assert correlations == pytest.approx([1, 1, -1], abs=1e-12)
    assert abs(single) < 6 / shots**0.5
    assert [entry["shots"] for entry in outcome.result["metadata"]] == [shots] * 4
    assert outcome.result["metadata"][3]["variance"] == pytest.approx(1, abs=0.01)
    assert outcome.result["metadata"][3]["standard_error"] == pytest.approx(shots**-0.5, rel=0.01)


def test_exact_values_are_those_of_theory_and_have_no_error(program):
    inputs, outcome = program.example("parameters_exact")
    angles = np.array(inputs["parameter_values"])[:, 0]
    # cos(t/2)|00> + sin(t/2)|11>: <XX> = sin t, <YY> = -sin t, <ZZ> = 1
    assert outcome.result["values"] == pytest.approx(np.sin(angles) * (1 - 0.5) - 1, abs=1e-12)
    assert all(entry["standard_error"] == 0 and entry["shots"] == "exact" for entry in outcome.result["metadata"])


def test_objects_give_the_values_of_the_state_vector_within_six_standard_errors(program):
    ansatz = real_amplitudes(3, reps=1)
    observables = [SparsePauliOp.from_list([("XYZ", 0.3), ("ZZI", -1.2), ("IIX", 0.5)]), SparsePauliOp("YIY")]
    points = np.random.default_rng(5).uniform(-3, 3, (2, ansatz.num_parameters))
    outcome = program.run(
        circuits=ansatz,
        observables=observables,
        parameter_values=points,
        run_options={"shots": 20000, "seed_simulator": 6},
    )
    for value, about, observable, point in zip(
        outcome.result["values"], outcome.result["metadata"], observables, points, strict=True
    ):
        expected = Statevector(ansatz.assign_parameters(point)).expectation_value(observable).real
        assert abs(value - expected) < 6 * about["standard_error"] + 1e-9


def test_on_a_device_observables_follow_their_qubits_to_where_they_are_placed(program):
    circuit = QuantumCircuit(3)
    circuit.x(0)
    outcome = program.on("fake-manila").run(
        circuits=circuit,
        observables=["IIZ", "IZI", "ZII"],
        run_options={"seed_simulator": 1},
        transpilation_options={"initial_layout": [4, 0, 2], "seed_transpiler": 1},
    )
    assert np.sign(outcome.result["values"]).tolist() == [-1, 1, 1]
    assert np.all(np.abs(outcome.result["values"]) > 0.8)


def test_circuits_and_observables_that_do_not_pair_up_are_refused(program):
    outcome = program.run(circuits=[QuantumCircuit(1)] * 2, observables=["Z"] * 3)
    assert outcome.reason == "ProgramFailed"
    assert "do not go with 3" in outcome.message
