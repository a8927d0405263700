"""Backends by the spec of a RuntimeBackend."""

from __future__ import annotations

import sys
import types
from functools import cache
from typing import Any

import pytest
from runtime_runner import backends, simulator
from runtime_runner.contract import FailureReason
from runtime_runner.failures import JobError

aer = pytest.mark.aer

SPECS: dict[str, dict[str, Any]] = {
    "aer": {"aer": {}},
    "statevector": {"aer": {"method": "statevector", "device": "CPU", "precision": "single"}},
    "clifford": {"aer": {"method": "stabilizer"}},
    "generic": {"generic": {"numQubits": 5, "couplingMap": [[0, 1], [1, 2], [2, 3], [3, 4]], "seed": 7}},
    "custom": {"custom": {"factory": "qiskit_aer:AerSimulator"}},
}
FAKES: dict[str, dict[str, Any]] = {
    "fake-montreal": {"fake": {"name": "FakeMontrealV2"}},
    "aer-with-noise": {"aer": {"noiseModelFrom": "FakeMontrealV2"}},
}


def needs_devices(name: str) -> None:
    if name in FAKES:
        pytest.importorskip("qiskit_ibm_runtime", reason="fake devices come with qiskit-ibm-runtime")


@aer
@pytest.mark.parametrize("name", [*SPECS, *FAKES])
def test_every_backend_transpiles_runs_and_counts(name: str) -> None:
    needs_devices(name)
    from qiskit import QuantumCircuit, transpile

    backend = _built(name)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    counts = backend.run(transpile(circuit, backend), shots=500).result().get_counts()
    assert sum(counts.values()) == 500
    assert counts["00"] + counts["11"] > 400
    assert backend.name == name
    assert backend.configuration().simulator


@aer
@pytest.mark.parametrize(
    ("name", "level"), [*((name, level) for name in SPECS for level in (0, 1)), *((name, 1) for name in FAKES)]
)
def test_circuits_are_transpiled_as_with_the_simulator_of_aer_itself(name: str, level: int) -> None:
    """Above level 1, Qiskit 2.6 gives other circuits each time for one seed and one simulator: see below."""
    needs_devices(name)
    from qiskit import transpile

    ours, aers = _built(name), _as_aer_itself(name)
    options = {"seed_transpiler": 42, "optimization_level": level}
    circuits = _circuits(clifford=name == "clifford")
    assert transpile(circuits, ours, **options) == transpile(circuits, aers, **options)


@aer
@pytest.mark.parametrize("name", ["aer", "statevector", "generic"])
@pytest.mark.parametrize("level", [2, 3])
def test_circuits_that_are_transpiled_do_what_they_did(name: str, level: int) -> None:
    from qiskit import transpile
    from qiskit.quantum_info import Operator

    backend = _built(name)
    circuits = _circuits(clifford=False)
    for before, after in zip(circuits, transpile(circuits, backend, optimization_level=level), strict=True):
        wide = after.num_qubits - before.num_qubits
        assert Operator.from_circuit(after).equiv(
            Operator(before).expand(Operator.from_label("I" * wide)) if wide else before
        )


@aer
def test_the_target_is_built_once_and_again_when_options_change() -> None:
    backend = backends.build("aer", {"aer": {}})
    target = backend.target
    assert backend.target is target
    assert "ccx" in target.operation_names
    backend.set_options(method="stabilizer")
    assert "ccx" not in backend.target.operation_names
    assert backend.name == "aer"
    other = backend.target
    backend.set_max_qubits(3)
    assert backend.target is not other
    assert backend.target.num_qubits == 3


@aer
def test_noise_is_that_of_the_device() -> None:
    needs_devices("fake-montreal")
    from qiskit import QuantumCircuit, transpile

    circuit = QuantumCircuit(1)
    circuit.measure_all()
    for name in FAKES:
        backend = _built(name)
        counts = backend.run(transpile(circuit, backend), shots=20_000).result().get_counts()
        assert counts.get("1", 0) > 0, name
    assert _built("fake-montreal").num_qubits == 27


@aer
@pytest.mark.parametrize("spelling", ["seed_simulator", "seedSimulator"])
def test_options_of_the_simulator_may_be_spelt_both_ways(spelling: str) -> None:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.measure_all()
    results = [
        backends.build("aer", {"aer": {spelling: 11}}).run(circuit, shots=100).result().get_counts() for _ in range(2)
    ]
    assert results[0] == results[1]
    assert backends.build("aer", {"aer": {"options": {spelling: 11}}}).options.seed_simulator == 11


@aer
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"aer": {"method": "magic"}}, "Invalid simulation method magic. Available methods are"),
        ({"aer": {"nonsense": 1}}, "AerError: 'Invalid option nonsense'"),
        ({"generic": {"numQubits": 3, "nonsense": 1}}, "generic has no field 'nonsense'"),
        ({"generic": {}}, "num_qubits"),
        ({"generic": {"numQubits": 2, "couplingMap": [[0, 5]]}}, "cannot be built"),
    ],
    ids=str,
)
def test_a_spec_qiskit_does_not_take_is_told_with_its_reason(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(JobError) as caught:
        backends.build("mine", spec)
    assert caught.value.reason == FailureReason.INVALID_BACKEND
    assert caught.value.message.startswith("backend 'mine' cannot be built: ")
    assert message in caught.value.message


@pytest.mark.parametrize(
    "name", ["FakeNowhereV2", "os", "__import__", "FakeProviderForBackendV2", "fake_backend", None, 5, "Fake/../x"]
)
def test_a_device_that_does_not_exist_is_told(name: Any) -> None:
    needs_devices("fake-montreal")
    with pytest.raises(JobError, match="there is no fake device"):
        backends.build("mine", {"fake": {"name": name}})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "its spec needs exactly one of aer, fake, generic, custom, and has none"),
        ({"aer": {}, "fake": {}}, "and has aer, fake"),
        ({"qpu": {}}, "and has qpu"),
        ({"aer": None}, "and has aer"),
        ({"custom": {}}, "factory must read module:function, not None"),
        ({"custom": {"factory": "os.getcwd"}}, "factory must read module:function, not 'os.getcwd'"),
        ({"custom": {"factory": "nonexistent:x"}}, "this runner image has no nonexistent"),
        ({"custom": {"factory": "os:nonexistent"}}, "AttributeError"),
    ],
    ids=str,
)
def test_a_spec_that_makes_no_sense_is_told(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(JobError) as caught:
        backends.build("mine", spec)
    assert caught.value.reason == FailureReason.INVALID_BACKEND
    assert message in caught.value.message


def test_a_factory_may_return_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("a_factory")
    module.__dict__["make"] = lambda: "a text has no name that could be set"
    monkeypatch.setitem(sys.modules, "a_factory", module)
    assert backends.build("mine", {"custom": {"factory": "a_factory:make"}}).startswith("a text")


def test_fake_devices_are_imported_only_when_one_is_asked_for() -> None:
    assert "qiskit_ibm_runtime" not in vars(backends)


@cache
def _built(name: str) -> Any:
    return backends.build(name, (SPECS | FAKES)[name])


@cache
def _as_aer_itself(name: str) -> Any:
    """Build the same with Aer's class, which makes a new target whenever it is asked for one."""
    from qiskit_aer import AerSimulator

    class Simulator(AerSimulator):  # type: ignore[misc]
        name: str

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "simulator_class", lambda: Simulator)
        return backends.build(name, (SPECS | FAKES)[name])


def _circuits(*, clifford: bool) -> list[Any]:
    from qiskit.circuit.random import random_circuit, random_clifford_circuit

    if clifford:
        return [random_clifford_circuit(4, 10, seed=seed) for seed in range(2)]
    return [random_circuit(4, 4, seed=seed) for seed in range(2)]
