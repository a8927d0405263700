"""The energies sample-vqe finds are those of exact diagonalisation, as far as shots allow."""

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector


def lowest(hamiltonian):
    return np.linalg.eigvalsh(hamiltonian.to_matrix())[0]


def test_spsa_finds_the_singlet_of_two_spins(program):
    inputs, outcome = program.example("heisenberg_pair")
    hamiltonian = SparsePauliOp.from_list([(pauli, coefficient) for coefficient, pauli in inputs["hamiltonian"]])
    result, steps = outcome.result, inputs["optimizer_config"]["maxiter"]
    sigma = 3 / inputs["shots"] ** 0.5  # three terms, each of variance 1 at most
    assert lowest(hamiltonian) - 6 * sigma <= result["fun"] < lowest(hamiltonian) + 0.5
    state = Statevector(efficient_su2(2, reps=1).assign_parameters(result["x"]))
    assert abs(result["fun"] - state.expectation_value(hamiltonian).real) < 6 * sigma
    assert (result["nit"], result["nfev"]) == (steps, 2 * steps + 21)
    assert len(outcome.interim_results) == steps
    assert outcome.interim_results[-1] == result["x"]


def test_an_optimizer_of_scipy_finds_the_ground_state_of_two_ising_spins(program):
    inputs, outcome = program.example("scipy_optimizer")
    hamiltonian = SparsePauliOp.from_list([(pauli, coefficient) for coefficient, pauli in inputs["hamiltonian"]])
    sigma = 2 / 8192**0.5
    assert lowest(hamiltonian) - 6 * sigma <= outcome.result["fun"] < lowest(hamiltonian) + 0.1
    assert outcome.result["success"] is True
    assert np.isfinite(outcome.interim_results).all()


def test_an_ansatz_of_ones_own_and_an_operator_are_taken_as_objects(program):
    ansatz, hamiltonian = efficient_su2(2, su2_gates=["ry"], reps=0), SparsePauliOp(["ZI", "IX"], [1.0, 1.0])
    outcome = program.run(
        hamiltonian=hamiltonian,
        ansatz=ansatz,
        x0=np.array([-0.5, 2.0]),
        optimizer="Powell",
        optimizer_config={"maxiter": 3},
        shots=4000,
        seed=5,
    )
    assert abs(outcome.result["fun"] - lowest(hamiltonian)) < 0.2


def test_an_ansatz_nobody_knows_is_refused_with_those_there_are(program):
    outcome = program.run(hamiltonian=[[1, "Z"]], ansatz="Mystery")
    assert outcome.reason == "ProgramFailed"
    assert "there is no ansatz 'Mystery'; there are EfficientSU2" in outcome.message
