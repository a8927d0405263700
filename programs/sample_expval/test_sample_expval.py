"""Expectation values from counts are those of the state vector, within their standard errors."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector


def test_a_ghz_state_has_its_values_within_six_standard_errors(program):
    _, outcome = program.example("ghz")
    # ZZI is 1, ZZZ is 0, both upper qubits are 1 half of the time, and 000 and 111 are worth 1 and 2
    for (value, error), expected in zip(outcome.result, [1, 0, 0.5, 1.5], strict=True):
        assert abs(value - expected) <= 6 * error
    assert outcome.result[0] == [1, 0]
    assert outcome.result[1][1] == pytest.approx(8192**-0.5, rel=0.01)


def test_one_circuit_and_one_operator_give_a_list_of_one_value(program):
    inputs, outcome = program.example("one_value")
    (value,) = outcome.result
    assert abs(value - 0.5) < 6 * (0.75 / inputs["shots"]) ** 0.5  # cos(pi/3)


def test_operators_go_with_circuits_one_by_one(program):
    random, circuits = np.random.default_rng(2), []
    for _ in range(3):
        circuit = QuantumCircuit(2)
        circuit.ry(random.uniform(0, np.pi), 0)
        circuit.crx(random.uniform(0, np.pi), 0, 1)
        circuits.append(circuit)
    operators = ["ZZ", "IZ", "ZI"]
    outcome = program.run(
        circuits=circuits, expectation_operators=operators, return_stddev=True, run_config={"seed_simulator": 4}
    )
    for circuit, operator, (value, error) in zip(circuits, operators, outcome.result, strict=True):
        expected = Statevector(circuit).expectation_value(SparsePauliOp(operator)).real
        assert abs(value - expected) <= 6 * error


def test_an_operator_that_is_not_diagonal_is_refused(program):
    outcome = program.run(circuits=QuantumCircuit(2), expectation_operators="XZ")
    assert outcome.reason == "ProgramFailed"
    assert "'XZ' is not an operator of 2 letters out of I, Z, 0, 1" in outcome.message


def test_mitigation_which_it_has_not_is_refused_before_it_runs(program):
    outcome = program.run(circuits=QuantumCircuit(1), expectation_operators="Z", use_measurement_mitigation=True)
    assert outcome.reason == "InvalidInput"
    assert "use_measurement_mitigation" in outcome.message
