"""The counts of circuit-runner are those of the circuits, and readout errors can be taken out of them."""

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.result import Result


def test_a_bell_pair_agrees_with_itself(program):
    inputs, outcome = program.example("bell")
    counts = Result.from_dict(outcome.result).get_counts()
    shots = inputs["shots"]
    assert counts.keys() == {"00", "11"}
    assert abs(counts["00"] - shots / 2) < 6 * (shots / 4) ** 0.5


def test_every_circuit_has_its_counts_and_its_memory(program):
    inputs, outcome = program.example("two_circuits")
    result, shots = Result.from_dict(outcome.result), inputs["shots"]
    assert result.get_counts(0) == {"10": shots}
    ones = result.get_counts(1)["1"]
    assert abs(ones - shots / 4) < 6 * (shots * 3 / 16) ** 0.5  # sin^2(pi/6) = 1/4
    memory = result.get_memory(1)
    assert len(memory) == shots
    assert memory.count("1") == ones


def test_a_circuit_is_taken_as_an_object_and_as_it_is_when_transpilation_is_skipped(program):
    circuit = QuantumCircuit(3)
    circuit.x(1)
    circuit.measure_all()
    outcome = program.run(circuits=circuit, shots=50, skip_transpilation=True)
    assert Result.from_dict(outcome.result).get_counts() == {"010": 50}


def test_the_layout_that_is_asked_for_is_the_one_that_is_used(program):
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.measure_all()
    outcome = program.on("fake-manila").run(circuits=circuit, shots=2000, initial_layout=[3, 2], seed_simulator=1)
    result = Result.from_dict(outcome.result)
    assert result.results[0].header["n_qubits"] == 5
    assert max(result.get_counts(), key=result.get_counts().get) == "01"


def test_a_level_of_null_is_that_of_a_level_left_out_since_kubectl_apply_drops_it(program):
    circuit = QuantumCircuit(4)
    for qubit in (1, 2, 3):  # on this device, levels 1 and 2 make different circuits of it
        circuit.h(0)
        circuit.cx(0, qubit)
        circuit.t(qubit)
        circuit.cx(0, qubit)
        circuit.h(qubit)
    circuit.cx([0, 3, 1], [3, 1, 0])
    circuit.measure_all()
    inputs = {"circuits": circuit, "shots": 1000, "seed_transpiler": 1, "seed_simulator": 1}
    left_out, null, two = (
        Result.from_dict(program.on("fake-manila").run(**inputs, **level).result).get_counts()
        for level in ({}, {"optimization_level": None}, {"optimization_level": 2})
    )
    assert null == left_out != two


def test_readout_errors_are_taken_out_of_a_state_that_has_no_others(program):
    circuit = QuantumCircuit(3)
    circuit.x([0, 2])
    circuit.measure_all()
    shots = 20000
    outcome = program.on("fake-manila").run(
        circuits=circuit, shots=shots, measurement_error_mitigation=True, seed_simulator=3, seed_transpiler=3
    )
    data = outcome.result["results"][0]["data"]
    measured = data["counts"]["0x5"] / shots
    corrected = data["quasiprobabilities"]["0x5"]
    assert sum(data["quasiprobabilities"].values()) == pytest.approx(1)
    assert measured < 0.97  # the device misreads some per cent of each qubit
    assert abs(corrected - 1) < 6 * (data["mitigation_overhead"] * measured * (1 - measured) / shots) ** 0.5 + 0.005
    assert data["mitigation_overhead"] > 1


def test_a_circuit_that_is_none_is_refused_by_name(program):
    outcome = program.run(circuits=[3])
    assert outcome.reason == "ProgramFailed"
    assert "QuantumCircuit or a text in OpenQASM, not int" in outcome.message


def test_transpilation_does_not_change_what_is_measured(program):
    circuit = QuantumCircuit(4)
    circuit.h(0)
    circuit.cx(0, 3)
    circuit.measure_all()
    ready = transpile(circuit, basis_gates=["rz", "sx", "cx"], optimization_level=3, seed_transpiler=1)
    outcome = program.run(circuits=[circuit, ready], shots=3000, optimization_level=0, seed_simulator=2)
    for index in (0, 1):
        counts = Result.from_dict(outcome.result).get_counts(index)
        assert counts.keys() == {"0000", "1001"}
        assert abs(counts["0000"] - 1500) < 6 * 750**0.5
