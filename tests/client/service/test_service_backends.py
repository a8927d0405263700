from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster.api import BACKENDS, JOBS
from quantum_runtime.exceptions import IBMBackendError, IBMBackendValueError, IBMNotAuthorizedError
from quantum_runtime.service.backend import RuntimeBackend
from quantum_runtime.service.service import RuntimeService
from runtime_runner import backend_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.service.aio_service import AsyncRuntimeService
    from support.fake_api import FakeApi

    Put = Callable[..., dict[str, Any]]


@pytest.fixture
def runtime(cluster: FakeApi) -> RuntimeService:
    return RuntimeService(api=cluster)


@pytest.fixture
def put_jobs(cluster: FakeApi) -> Callable[[str, int], None]:
    def put(backend: str, number: int) -> None:
        for index in range(number):
            spec = {"programRef": {"name": "vqe"}, "backend": backend}
            cluster.put(JOBS, {"metadata": {"name": f"{backend}-{index}"}, "spec": spec})

    return put


def made(name: str, spec: dict[str, Any] | None = None) -> RuntimeBackend:
    spec = spec or backend_names.resolve(name)
    assert spec is not None
    return RuntimeBackend(name, spec, lambda _: 0)


def test_a_name_is_a_text_and_can_be_called() -> None:
    backend = made("ibmq_montreal")
    assert backend.name == backend.name() == "ibmq_montreal"
    assert backend.version == 2
    assert backend.num_qubits == 27


@pytest.mark.parametrize(
    ("name", "qubits", "simulator", "description"),
    [
        ("aer", 30, True, "Aer (automatic)"),
        ("ibmq_qasm_simulator", 30, True, "Aer (automatic)"),
        ("aer-stabilizer", 10_000, True, "Aer (stabilizer)"),
        ("aer-density-matrix", 15, True, "Aer (density_matrix)"),
        ("fake-lima", 5, False, "Aer as the device FakeLimaV2, 5 qubits, with its noise"),
        ("generic-7", 7, False, "Aer as a made-up device, 7 qubits, with noise"),
    ],
)
def test_backends_describe_themselves(name: str, qubits: int, simulator: bool, description: str) -> None:
    backend = made(name)
    assert (backend.num_qubits, backend.simulator, backend.description) == (qubits, simulator, description)
    configuration = backend.configuration()
    assert (configuration.n_qubits, configuration.num_qubits, configuration.simulator) == (qubits, qubits, simulator)
    assert configuration.backend_name == name


def test_noise_is_part_of_the_description() -> None:
    noisy = made("noisy", {"aer": {"method": "statevector", "noiseModelFrom": "FakeLimaV2"}})
    assert noisy.description == "Aer (statevector), with the noise of FakeLimaV2"


def test_the_clusters_backends_and_aers_methods_are_listed(runtime: RuntimeService, put_backend: Put) -> None:
    put_backend("lab-device", generic={"numQubits": 3})
    put_backend("aer", aer={"method": "stabilizer"})
    found = runtime.backends()
    names = [str(backend.name) for backend in found]
    assert names == sorted(names)
    assert {"lab-device", "aer", "aer-statevector"} < set(names)
    assert not any(name.startswith("fake") for name in names)
    assert names.count("aer") == 1
    assert next(one for one in found if one.name == "aer").num_qubits == 10_000


def test_well_known_names_are_found_and_a_backend_of_the_cluster_goes_first(
    runtime: RuntimeService, put_backend: Put
) -> None:
    assert runtime.backend("fake-montreal").num_qubits == 27
    put_backend("fake-montreal", generic={"numQubits": 3})
    assert runtime.backend("fake-montreal").num_qubits == 3
    assert [one.num_qubits for one in runtime.backends("ibmq_montreal")] == [27]


def test_a_backend_that_is_not_there_is_told_with_similar_names(runtime: RuntimeService) -> None:
    with pytest.raises(IBMBackendValueError, match=r"there is no RuntimeBackend 'fake-limma'; did you mean fake-lima"):
        runtime.backend("fake-limma")
    assert runtime.backends("fake-limma") == []


def test_backends_are_chosen_by_what_they_are(runtime: RuntimeService, put_backend: Put) -> None:
    put_backend("small", generic={"numQubits": 3})
    put_backend("large", generic={"numQubits": 30})
    put_backend("own", custom={"factory": "lab:make"})
    assert [one.name for one in runtime.backends(simulator=False)] == ["large", "own", "small"]
    assert [one.name for one in runtime.backends(simulator=False, min_num_qubits=5)] == ["large", "own"]
    old_style = runtime.backends(
        filters=lambda x: not x.configuration().simulator and x.name() != "own" and x.configuration().n_qubits >= 5
    )
    assert [one.name for one in old_style] == ["large"]
    assert all(one.simulator for one in runtime.backends(simulator=True))


def test_a_status_counts_the_unfinished_jobs_that_name_the_backend(
    runtime: RuntimeService, cluster: FakeApi, put_jobs: Callable[[str, int], None]
) -> None:
    put_jobs("aer", 3)
    put_jobs("fake-lima", 1)
    cluster.finish("aer-0", "1")
    status = runtime.backend("aer").status()
    assert (status.pending_jobs, status.operational, status.backend_name) == (2, True, "aer")


def test_the_least_busy_backend_has_the_fewest_jobs_and_then_the_fewest_qubits(
    runtime: RuntimeService, put_backend: Put, put_jobs: Callable[[str, int], None]
) -> None:
    put_backend("b5", generic={"numQubits": 5})
    put_backend("a9", generic={"numQubits": 9})
    put_backend("c5", generic={"numQubits": 5})
    assert runtime.least_busy(simulator=False).name == "b5"
    put_jobs("b5", 2)
    put_jobs("c5", 1)
    assert runtime.least_busy(simulator=False).name == "a9"
    assert runtime.least_busy(min_num_qubits=2, filters=lambda one: one.name != "a9", simulator=False).name == "c5"
    with pytest.raises(IBMBackendValueError, match="No backend matches the criteria"):
        runtime.least_busy(min_num_qubits=100_000, simulator=False)


async def test_asynchronous_services_have_the_same_backends(
    service: AsyncRuntimeService, put_backend: Put, put_jobs: Callable[[str, int], None]
) -> None:
    put_backend("b5", generic={"numQubits": 5})
    put_jobs("b5", 2)
    (backend,) = await service.backends(simulator=False)
    assert (await backend.status()).pending_jobs == 2
    assert (await service.least_busy(min_num_qubits=5, simulator=False)).name == "b5"
    assert (await service.backend("generic-4")).num_qubits == 4


def test_who_may_not_list_backends_is_told_the_missing_right(runtime: RuntimeService, cluster: FakeApi) -> None:
    cluster.forbid("list", BACKENDS)
    with pytest.raises(IBMNotAuthorizedError, match="may not list runtimebackends"):
        runtime.backends()


def test_a_backend_can_be_named_in_a_job(runtime: RuntimeService, put_program: Put, cluster: FakeApi) -> None:
    put_program("vqe")
    job = runtime.run("vqe", backend=runtime.backend("ibmq_montreal"))
    assert cluster.object(JOBS, job.job_id)["spec"]["backend"] == "ibmq_montreal"
    assert job.backend == "ibmq_montreal"
    assert job.backend().num_qubits == 27


def test_a_backend_made_in_the_runner_has_no_target_here() -> None:
    with pytest.raises(IBMBackendError, match="made by lab:make inside the runner image: transpile in the program"):
        _ = made("own", {"custom": {"factory": "lab:make"}}).target


def test_what_a_backend_has_not_is_no_attribute_of_it() -> None:
    backend = made("own", {"custom": {"factory": "lab:make"}})
    assert not hasattr(backend, "run_experiment")
    assert backend.num_qubits is None


def test_backends_are_equal_if_name_and_spec_are() -> None:
    assert made("aer") == made("aer")
    assert made("aer") != made("aer_simulator")
    assert len({made("aer"), made("aer")}) == 1
    assert repr(made("aer")) == "<RuntimeBackend 'aer': Aer (automatic)>"


@pytest.mark.aer
def test_circuits_are_transpiled_for_a_backend_of_the_cluster() -> None:
    from qiskit import QuantumCircuit, transpile
    from qiskit.transpiler import generate_preset_pass_manager

    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    circuit.measure_all()
    backend = made("ibmq_lima")
    names = {"cx", "rz", "sx", "x", "measure", "barrier"}
    assert set(transpile(circuit, backend).count_ops()) <= names
    assert set(generate_preset_pass_manager(1, backend=backend).run(circuit).count_ops()) <= names
    assert backend.target.num_qubits == backend.num_qubits
    assert transpile(circuit, made("aer")).num_qubits == 3
