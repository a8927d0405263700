"""``backend`` as programs know it, whatever it was built from."""

from __future__ import annotations

import copy
import json
import pickle
import types
import warnings
from functools import cache
from typing import Any

import pytest
from runtime_runner import backends, simulator
from runtime_runner.failures import JobError

aer = pytest.mark.aer

SPECS: dict[str, dict[str, Any]] = {
    "aer": {"aer": {}},
    "aer-noisy": {"aer": {"noiseModelFrom": "FakeLimaV2"}},
    "generic": {"generic": {"numQubits": 5, "seed": 1}},
    "fake": {"fake": {"name": "FakeLimaV2"}},
    "custom": {"custom": {"factory": "qiskit_aer:AerSimulator"}},
    "custom-v2": {"custom": {"factory": "runner.factories:generic"}},
}


@cache
def built(name: str) -> Any:
    if "Fake" in json.dumps(SPECS[name]) or name == "fake":
        pytest.importorskip("qiskit_ibm_runtime", reason="fake devices come with qiskit-ibm-runtime")
    return backends.build(name, SPECS[name])


def bell(measured: bool = True) -> Any:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    if measured:
        circuit.measure_all()
    return circuit


def test_a_name_is_a_text_and_callable() -> None:
    name = simulator.Name("aer")
    assert (name, name(), f"{name}", json.dumps(name)) == ("aer", "aer", "aer", '"aer"')
    assert type(name()) is str
    assert pickle.loads(pickle.dumps(name))() == copy.deepcopy(name)() == "aer"


@aer
@pytest.mark.parametrize("name", SPECS)
def test_every_backend_answers_as_one_did(name: str) -> None:
    backend = built(name)
    assert backend.name == backend.name() == name
    configuration = backend.configuration()
    assert configuration.n_qubits == configuration.num_qubits == backend.num_qubits == backend.target.num_qubits
    assert set(configuration.basis_gates) & {"cx", "ecr", "cz"}
    assert configuration.max_shots >= 8192
    assert configuration.local
    assert isinstance(configuration.simulator, bool)
    status = backend.status()
    assert (status.operational, status.pending_jobs, status.status_msg) == (True, 0, "active")
    assert backend.options is not None
    assert backend.defaults() is None


@aer
@pytest.mark.parametrize("name", ["aer", "generic", "fake", "custom-v2"])
def test_the_configuration_is_under_the_backends_own_name(name: str) -> None:
    configuration = built(name).configuration()
    assert configuration.backend_name == name
    assert configuration.max_experiments is None
    assert not configuration.credits_required


@aer
@pytest.mark.parametrize(("name", "unit"), [("aer", None), ("generic", 0.2222), ("fake", 0.2222)])
def test_the_configuration_can_be_written_down_and_has_the_devices_unit_of_time(name: str, unit: float | None) -> None:
    configuration = built(name).configuration()
    seconds = None if unit is None else pytest.approx(unit * 1e-9, rel=1e-3)
    assert getattr(configuration, "dt", None) == getattr(configuration, "dtm", None) == seconds
    assert configuration.to_dict().get("dt") == (None if unit is None else pytest.approx(unit, rel=1e-3))


@aer
def test_a_fake_device_has_its_coupling_map_and_calibration_data() -> None:
    device = built("fake")
    assert device.num_qubits == 5
    assert [0, 1] in device.configuration().coupling_map
    assert 0 < device.properties().t1(0) < 1
    assert 0 < device.properties().gate_error("cx", [0, 1]) < 0.1
    assert 0 < device.properties().readout_error(0) < 0.1
    assert built("aer").properties() is None
    assert built("aer").configuration().coupling_map is None


@aer
def test_several_circuits_run_at_once_with_memory_and_seed() -> None:
    circuits = [bell(), bell()]
    results = [built("aer").run(circuits, shots=20.0, memory=True, seed_simulator=3).result() for _ in range(2)]
    assert len(results[0].results) == 2
    assert results[0].get_memory(1) == results[1].get_memory(1)
    assert len(results[0].get_memory(0)) == 20
    assert results[0].backend_name == "aer"


@aer
@pytest.mark.parametrize("name", ["aer", "generic", "fake"])
def test_parameters_are_bound_in_both_ways(name: str) -> None:
    from qiskit import QuantumCircuit, transpile
    from qiskit.circuit import Parameter

    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    circuit.measure_all()
    backend = built(name)
    circuit = transpile(circuit, backend)
    for binds in ([{angle: [0.0, 3.14159]}], [{angle: 0.0}, {angle: 3.14159}]):
        zero, one = backend.run(circuit, parameter_binds=binds, shots=200).result().get_counts()
        assert zero["0"] > 150
        assert one["1"] > 150


@aer
@pytest.mark.parametrize("name", ["aer", "generic", "fake"])
def test_circuits_need_not_be_transpiled(name: str) -> None:
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import QFTGate

    nested = QuantumCircuit(3)
    nested.append(QFTGate(3), [0, 1, 2])
    nested.append(QFTGate(3).inverse(), [0, 1, 2])
    nested.append(bell(measured=False).to_instruction(), [0, 2])
    nested.measure_all()
    counts = built(name).run(nested, shots=500).result().get_counts()
    assert counts["000"] + counts["101"] > 350


@aer
def test_circuits_that_aer_can_run_are_not_touched() -> None:
    from runtime_runner import run_arguments

    backend = built("aer")  # circuits can save states once Aer is there
    circuit = bell()
    circuit.save_statevector()
    assert run_arguments.decomposed([circuit], backend._instructions)[0] is circuit
    assert not bool(set(circuit.count_ops()) - backend._instructions)


@aer
def test_what_aer_saves_survives_the_decomposition_of_what_it_does_not_know() -> None:
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import QFTGate

    backend = built("aer")
    circuit = QuantumCircuit(2)
    circuit.append(QFTGate(2), [0, 1])
    circuit.save_statevector()
    assert backend.run(circuit).result().get_statevector().data.real == pytest.approx([0.5] * 4)


@aer
def test_options_of_devices_are_without_effect_and_told_at_the_programs_line() -> None:
    with pytest.warns(UserWarning, match="aer is a simulator; without effect: rep_delay, header") as told:
        built("aer").run(bell(), shots=1, rep_delay=1e-4, header={}, timeout=60)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built("aer").run(bell(), shots=1, memory=True, noise_model=None, method="statevector", fusion_enable=False)


@aer
@pytest.mark.parametrize("name", ["aer", "generic", "fake"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda backend: pickle.loads(pickle.dumps(backend))])
def test_a_copy_is_a_backend_of_the_same_name(copied: Any, name: str) -> None:
    other = copied(built(name))
    assert other.name() == name
    assert type(other) is type(built(name))
    assert sum(other.run(bell(), shots=9).result().get_counts().values()) == 9


@aer
@pytest.mark.parametrize("name", ["generic", "fake"])
def test_the_target_of_a_device_is_built_once(name: str) -> None:
    assert built(name).target is built(name).target


def test_what_a_factory_made_keeps_what_it_has() -> None:
    made = types.SimpleNamespace(num_qubits=3, name="its own", properties=lambda: "its own")
    backend = simulator.as_known(made, "mine")
    assert (backend.name(), backend.properties(), backend.configuration().n_qubits) == ("mine", "its own", 3)
    assert not backend.configuration().simulator


@pytest.mark.parametrize(("needed", "enough"), [(0, True), (5, True), (6, False)])
def test_a_backend_with_too_few_qubits_is_refused(needed: int, enough: bool) -> None:
    backend = types.SimpleNamespace(num_qubits=5)
    if enough:
        backends.check_size(backend, "mine", needed)
        return
    with pytest.raises(JobError, match="at least 6 qubits, and 'mine' has 5") as caught:
        backends.check_size(backend, "mine", needed)
    assert caught.value.reason == "BackendTooSmall"


def test_a_backend_that_does_not_say_its_size_is_not_refused() -> None:
    backends.check_size(types.SimpleNamespace(), "mine", 100)


def test_where_no_number_of_qubits_is_asked_for_the_target_is_not_made_for_it() -> None:
    backend = backends.build("mine", {"aer": {}})
    backends.check_size(backend, "mine", 0)
    assert backend._kept_target is None
