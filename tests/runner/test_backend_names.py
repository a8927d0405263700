"""What a backend's name stands for when no RuntimeBackend has it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest
from runtime_runner import backend_names

MONTREAL = {"fake": {"name": "FakeMontrealV2"}}
YORKTOWN = {"fake": {"name": "FakeYorktownV2"}}


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("aer", {"aer": {}}),
        ("aer-statevector", {"aer": {"method": "statevector"}}),
        ("aer-matrix-product-state", {"aer": {"method": "matrix_product_state"}}),
        ("aer_simulator", {"aer": {}}),
        ("aer_simulator_statevector", {"aer": {"method": "statevector"}}),
        ("aer_simulator_density_matrix", {"aer": {"method": "density_matrix"}}),
        ("qasm_simulator", {"aer": {}}),
        ("statevector_simulator", {"aer": {"method": "statevector"}}),
        ("ibmq_qasm_simulator", {"aer": {}}),
        ("simulator_mps", {"aer": {"method": "matrix_product_state"}}),
        ("generic-1", {"generic": {"numQubits": 1, "seed": 42}}),
        ("generic-32", {"generic": {"numQubits": 32, "seed": 42}}),
        ("fake-montreal", MONTREAL),
        ("fake_montreal", MONTREAL),
        ("FakeMontrealV2", MONTREAL),
        ("FakeMontreal", MONTREAL),
        ("ibmq_montreal", MONTREAL),
        ("ibm_washington", {"fake": {"name": "FakeWashingtonV2"}}),
        ("ibm_torino", {"fake": {"name": "FakeTorino"}}),
        ("FakeTorino", {"fake": {"name": "FakeTorino"}}),
        ("ibmq_16_melbourne", {"fake": {"name": "FakeMelbourneV2"}}),
        ("ibmq_5_yorktown", YORKTOWN),
        ("ibmqx2", YORKTOWN),
    ],
)
def test_a_well_known_name_stands_for_a_spec(name: str, spec: dict[str, Any]) -> None:
    assert backend_names.resolve(name) == spec


@pytest.mark.parametrize(
    "name",
    [
        *("", "Aer", "aer-", "aer-magic", "aer-density_matrix", "generic", "generic-0", "generic-33", "generic-05"),
        *("generic-5 ", "fake-nowhere", "fake-montreal-v2", "Fake", "FakeTorinoV2", "FakeProviderForBackendV2"),
        *("montreal", "ibm-montreal", "ibmq_", "ibmq_20_tokyo", "my-backend", "fake-Montreal", "fake-montreal\n"),
    ],
)
def test_any_other_name_stands_for_nothing(name: str) -> None:
    assert backend_names.resolve(name) is None


def test_a_spec_may_be_changed_by_who_asked_for_it() -> None:
    spec = backend_names.resolve("aer-statevector")
    assert spec is not None
    spec["aer"]["precision"] = "single"
    assert backend_names.resolve("aer-statevector") == {"aer": {"method": "statevector"}}


@pytest.mark.parametrize(
    ("spec", "number"),
    [
        (MONTREAL, 27),
        ({"generic": {"numQubits": 7, "seed": 1}}, 7),
        ({"aer": {}}, None),
        ({"aer": {"noiseModelFrom": "FakeMontrealV2"}}, None),
        ({"custom": {"factory": "a:b"}}, None),
        ({"fake": {"name": "FakeNowhere"}}, None),
        ({"fake": {"name": None}}, None),
        ({"generic": {"numQubits": "7"}}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_number_of_qubits_is_known_without_qiskit_for_devices(spec: dict[str, Any], number: int | None) -> None:
    assert backend_names.num_qubits(spec) == number


def test_names_for_messages_are_names_or_families_of_names() -> None:
    for name in backend_names.known():
        name = name.replace("<n>", "5").replace("<device>", "lima")
        assert backend_names.resolve(name) is not None, name


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("fake-montral", "fake-montreal"), ("ibmq_montrael", "ibmq_montreal"), ("aer-statevectors", "aer-statevector")],
)
def test_a_misspelt_name_has_similar_ones(wrong: str, right: str) -> None:
    assert backend_names.similar(wrong)[0] == right
    assert all(backend_names.resolve(name) for name in backend_names.similar(wrong))


def test_a_name_like_no_other_has_no_similar_ones() -> None:
    assert backend_names.similar("the-lab-in-zurich") == []


def test_nothing_but_the_standard_library_is_imported() -> None:
    code = (
        "import sys; before = set(sys.modules); import runtime_runner.backend_names; print(*set(sys.modules) - before)"
    )
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    others = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    assert others == {"runtime_runner"}


@pytest.mark.aer
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_table_of_devices_is_that_of_the_installed_package() -> None:
    fake_provider = pytest.importorskip("qiskit_ibm_runtime.fake_provider")
    classes: dict[str, Any] = {
        name: cls
        for name, cls in inspect.getmembers(fake_provider, inspect.isclass)
        if name.startswith("Fake") and "Provider" not in name
    }
    installed = {device.name: (name, device.num_qubits) for name, device in ((n, cls()) for n, cls in classes.items())}
    ours = {f"fake_{device}": tuple(entry) for device, entry in backend_names._DEVICES.items()}
    assert ours == installed


@pytest.mark.aer
def test_the_methods_are_those_of_the_installed_aer() -> None:
    qiskit_aer = pytest.importorskip("qiskit_aer")
    methods = set(qiskit_aer.AerSimulator().available_methods())
    assert set(backend_names.AER_METHODS) == methods - {"tensor_network"}
