"""VQE reaches the energy of exact diagonalisation without sampling, and knows its error with it."""

import json
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import real_amplitudes
from qiskit.quantum_info import SparsePauliOp, Statevector

CHEMICAL_ACCURACY = 1.6e-3  # hartree, 1 kcal/mol
LIH = json.loads(Path(__file__).with_name("lih_hamiltonian.json").read_text())["distances"]


def matrix(distance):
    return SparsePauliOp.from_list(list(LIH[distance]["paulis"].items())).to_matrix()


@pytest.mark.parametrize("distance", LIH)
def test_the_hamiltonian_of_lih_has_the_energies_its_file_says(distance):
    about, energies = LIH[distance], np.linalg.eigvalsh(matrix(distance))
    assert energies[0] == pytest.approx(about["exact_electronic_energy"], abs=1e-9)
    assert energies[0] + about["energy_shift"] == pytest.approx(about["exact_total_energy"], abs=1e-9)
    assert matrix(distance).diagonal().real.min() + about["energy_shift"] == pytest.approx(about["hf_energy"], abs=1e-9)


def test_lih_comes_out_with_chemical_accuracy_from_exact_energies(program):
    _, outcome = program.example("lih_exact")
    result, about = outcome.result, LIH["1.6"]
    exact = np.linalg.eigvalsh(matrix("1.6"))[0]
    assert exact - 1e-9 <= result["optimal_value"] < exact + CHEMICAL_ACCURACY
    assert result["total_energy"] == pytest.approx(about["exact_total_energy"], abs=CHEMICAL_ACCURACY)
    assert result["total_energy"] < about["hf_energy"] - 0.01  # what no product state can reach
    assert result["standard_error"] == 0


def test_sampled_energies_are_those_of_the_state_within_six_standard_errors(program):
    inputs, outcome = program.example("lih_sampled")
    result, history = outcome.result, outcome.result["optimizer_history"]
    hamiltonian = matrix(str(inputs["distance"]))

    def exact(point):
        state = Statevector(real_amplitudes(4, reps=2).assign_parameters(point)).data
        return np.vdot(state, hamiltonian @ state).real

    assert abs(result["optimal_value"] - exact(result["optimal_point"])) < 6 * result["standard_error"]
    for point, energy, error in zip(history["params"], history["energy"], history["std"], strict=True):
        assert abs(energy - exact(point)) < 6 * error
    assert exact(result["optimal_point"]) < np.linalg.eigvalsh(hamiltonian)[0] + 0.4
    assert result["optimal_value"] < history["energy"][0]


def test_every_evaluation_is_published_as_its_number_parameters_energy_and_error(program):
    _, outcome = program.example("lih_sampled")
    history = outcome.result["optimizer_history"]
    assert [interim[0] for interim in outcome.interim_results] == list(
        range(1, outcome.result["cost_function_evals"] + 1)
    )
    assert [interim[1:] for interim in outcome.interim_results] == [
        list(step) for step in zip(history["params"], history["energy"], history["std"], strict=True)
    ]


def test_an_ansatz_in_openqasm_finds_the_ground_state_of_two_ising_spins(program):
    inputs, outcome = program.example("ising_pair")
    operator, result = SparsePauliOp.from_list(list(inputs["operator"].items())), outcome.result
    exact = np.linalg.eigvalsh(operator.to_matrix())[0]
    assert exact - 6 * result["standard_error"] <= result["optimal_value"] < exact + 0.1
    assert "total_energy" not in result
    a, b = result["optimal_point"]
    circuit = QuantumCircuit(2)
    circuit.ry(a, 0)
    circuit.ry(b, 1)
    circuit.cx(0, 1)
    for aux, (value, error) in zip(["XX", ["ZI", "IZ"]], result["aux_operator_eigenvalues"], strict=True):
        expected = Statevector(circuit).expectation_value(SparsePauliOp(aux)).real
        assert abs(value - expected) <= 6 * error


def test_objects_are_taken_and_every_letter_is_measured_in_its_basis(program):
    theta = ParameterVector("t", 2)
    ansatz = QuantumCircuit(1)
    ansatz.ry(theta[0], 0)
    ansatz.rz(theta[1], 0)
    operator = SparsePauliOp(["X", "Y", "Z"], [1.0, 2.0, 2.0])
    outcome = program.run(
        operator=operator,
        ansatz=ansatz,
        initial_parameters=np.array([1.5, -1.0]),
        optimizer={"name": "COBYLA", "maxiter": 60},
        shots=4000,
        seed=1,
    )
    history = outcome.result["optimizer_history"]
    for point, energy, error in zip(history["params"], history["energy"], history["std"], strict=True):
        expected = Statevector(ansatz.assign_parameters(point)).expectation_value(operator).real
        assert abs(energy - expected) < 6 * error
    assert outcome.result["optimal_value"] < -2.5  # the lowest is -3


def test_a_first_point_of_the_wrong_length_is_refused(program):
    outcome = program.run(initial_point=[0.1, 0.2])
    assert outcome.reason == "ProgramFailed"
    assert "initial_point has shape (2,), and the ansatz has 12 parameters" in outcome.message


def test_the_history_is_left_out_when_it_is_not_wanted_and_options_of_earlier_programs_are_taken_if_false(program):
    inputs = {"operator": "Z", "ansatz": real_amplitudes(1, reps=0), "initial_point": [0.3], "shots": "exact"}
    old = {"store_intermediate": False, "readout_error_mitigation": False, "aux_operators": None}
    outcome = program.run(**inputs, **old, optimizer={"name": "COBYLA"})
    assert outcome.result["optimal_value"] == pytest.approx(-1, abs=1e-3)
    assert "optimizer_history" not in outcome.result
    refused = program.run(**inputs, measurement_error_mitigation=True)
    assert refused.reason == "InvalidInput"
    assert "measurement_error_mitigation" in refused.message
