from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import exceptions, ibm_runtime
from quantum_runtime.cluster.api import BACKENDS, JOBS
from quantum_runtime.exceptions import IBMBackendValueError, IBMInputValueError, RuntimeInvalidStateError
from quantum_runtime.ibm_runtime import QiskitRuntimeService, RuntimeOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.fake_api import FakeApi


@pytest.fixture
def service(cluster: FakeApi) -> QiskitRuntimeService:
    return QiskitRuntimeService(channel="ibm_quantum", instance="h/g/p", api=cluster)


@pytest.mark.parametrize(
    ("positional", "keywords"),
    [
        (("sample-program", {"iterations": 3}, {"backend": "ibmq_montreal"}), {}),
        (("sample-program", {"iterations": 3}, RuntimeOptions("ibmq_montreal")), {}),
        (
            (),
            {
                "options": {"backend_name": "ibmq_montreal"},
                "inputs": {"iterations": 3},
                "program_id": "sample-program",
                "start_session": None,
                "instance": "h/g/p",
            },
        ),
    ],
)
def test_inputs_come_before_options(
    service: QiskitRuntimeService,
    spec_of: Callable[[str], dict[str, Any]],
    positional: tuple[Any, ...],
    keywords: dict[str, Any],
) -> None:
    job = service.run(*positional, **keywords)
    assert spec_of(job.job_id) == {"inputs": {"iterations": 3}, "backend": "ibmq_montreal"}


def test_the_order_of_arguments_is_that_of_qiskit_ibm_runtime() -> None:
    names = list(inspect.signature(QiskitRuntimeService.run).parameters)
    assert names[1:8] == [
        *("program_id", "inputs", "options", "callback", "result_decoder", "session_id", "start_session")
    ]


def test_a_callback_gets_the_result_too_as_the_last_one(
    service: QiskitRuntimeService, run_job: Callable[[str], None]
) -> None:
    got: list[Any] = []
    job = service.run("sample-program", callback=lambda _, value: got.append(value))
    run_job(job.job_id)
    assert job.result() == "All done!"
    assert got == [{"iteration": 0}, {"iteration": 1}, {"iteration": 2}, "All done!"]


def test_the_result_of_a_cancelled_job_is_an_error(service: QiskitRuntimeService, cluster: FakeApi) -> None:
    job = service.run("sample-program")
    cluster.cancel_job(job.job_id)
    with pytest.raises(RuntimeInvalidStateError):
        job.result()


@pytest.mark.parametrize("keywords", [{"session_id": "s"}, {"start_session": True}])
def test_sessions_are_refused_with_what_to_do(service: QiskitRuntimeService, keywords: dict[str, Any]) -> None:
    with pytest.raises(IBMInputValueError, match="there are no sessions here"):
        service.run("sample-program", {}, {}, **keywords)


def test_accounts_are_accepted_and_a_token_is_said_once_not_to_be_used(
    cluster: FakeApi, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ibm_runtime, "_told", False)
    with caplog.at_level(logging.INFO):
        QiskitRuntimeService.save_account(channel="ibm_quantum", token="secret", overwrite=True)
        service = QiskitRuntimeService("ibm_quantum", "secret", verify=False, proxies={}, api=cluster)
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text
    assert QiskitRuntimeService.saved_accounts() == {}
    assert QiskitRuntimeService.delete_account(name="mine") is False
    assert service.active_account() == {"namespace": "lab"}


def test_every_name_is_there_and_the_exceptions_are_those_that_are_raised() -> None:
    for name in ibm_runtime.__all__:
        thing = getattr(ibm_runtime, name)
        assert getattr(exceptions, name, thing) is thing


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("Sampler", "runs the program 'sampler'"),
        ("EstimatorV2", "runs the program 'estimator'"),
        ("Session", "each gets a runner of its own"),
        ("Batch", "they run side by side"),
        ("Options", "RuntimeOptions"),
    ],
)
def test_what_is_not_here_says_what_to_use(name: str, instead: str) -> None:
    with pytest.raises(ImportError, match=instead):
        exec(f"from quantum_runtime.ibm_runtime import {name}")


def test_other_names_are_no_attributes() -> None:
    assert not hasattr(ibm_runtime, "nonsense")


def test_an_instance_is_no_condition_for_a_backend(service: QiskitRuntimeService, cluster: FakeApi) -> None:
    cluster.put(BACKENDS, {"metadata": {"name": "lab-device"}, "spec": {"generic": {"numQubits": 7}}})
    devices: dict[str, Any] = {"simulator": False, "operational": True, "instance": "h/g/p"}
    assert service.backend("ibmq_montreal", instance="h/g/p").num_qubits == 27
    assert [one.name for one in service.backends(min_num_qubits=5, **devices)] == ["lab-device"]
    assert service.backends(None, 5, "h/g/p", lambda backend: backend.name == "lab-device")[0].num_qubits == 7
    assert service.least_busy(min_num_qubits=5, **devices).name == "lab-device"
    assert service.least_busy(instance="h/g/p").simulator
    assert service.get_backend(**devices).name == "lab-device"
    assert service.get_backend("ibm_lagos").num_qubits == 7
    assert service.backend().name == service.backends()[0].name
    with pytest.raises(IBMBackendValueError, match="expected one, there is none"):
        service.get_backend(n_qubits=1000)


def test_a_service_takes_the_place_of_a_provider(service: QiskitRuntimeService) -> None:
    assert service.runtime is service
    assert service.instances() == []


def test_a_job_is_cancelled_once_cancel_has_returned(service: QiskitRuntimeService, cluster: FakeApi) -> None:
    job = service.run("sample-program")
    cluster.react("patch", JOBS, lambda body: cluster.cancel_job(body["metadata"]["name"]))
    job.cancel()
    assert job.view.cancelled
