from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster.api import BACKENDS, JOBS
from quantum_runtime.exceptions import IBMBackendValueError, IBMInputValueError, RuntimeInvalidStateError
from quantum_runtime.ibmq import AccountProvider, IBMQFactory, IBMRuntimeService, least_busy

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.fake_api import FakeApi

EXPECTED = {"inputs": {"iterations": 3}, "backend": "ibmq_montreal"}


@pytest.fixture
def ibmq() -> IBMQFactory:
    return IBMQFactory()


@pytest.fixture
def provider(ibmq: IBMQFactory, cluster: FakeApi) -> AccountProvider:
    return ibmq.load_account(api=cluster)


def test_the_notebook_of_the_provider_runs(
    ibmq: IBMQFactory, cluster: FakeApi, run_job: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    ibmq.load_account(api=cluster)
    provider = ibmq.get_provider(project="qiskit-runtime")
    provider.runtime.pprint_programs()
    assert "sample-program:\n  Name: sample-program\n" in capsys.readouterr().out
    assert "Max execution time: 300" in str(provider.runtime.program("sample-program"))
    got = []

    def interim_result_callback(job_id: str, interim_result: Any) -> None:
        got.append((job_id, interim_result))

    backend = provider.get_backend("ibmq_montreal")
    program_inputs = {"iterations": 3}
    options = {"backend_name": backend.name()}
    job = provider.runtime.run(
        program_id="sample-program", options=options, inputs=program_inputs, callback=interim_result_callback
    )
    run_job(job.job_id())
    assert job.result() == "All done!"
    assert got == [(job.job_id(), {"iteration": number}) for number in range(3)]
    retrieved_job = provider.runtime.job(job.job_id())
    said = f"{retrieved_job.program_id} on {retrieved_job.backend()} with {retrieved_job.inputs}"
    assert said == "sample-program on ibmq_montreal with {'iterations': 3}"
    assert [rjob.job_id() for rjob in provider.runtime.jobs(limit=1)] == [job.job_id()]
    provider.runtime.delete_job(job.job_id())
    assert provider.runtime.jobs() == []
    provider.runtime.logout()


@pytest.mark.parametrize(
    ("positional", "keywords"),
    [
        (("sample-program", {"backend_name": "ibmq_montreal"}, {"iterations": 3}), {}),
        (("sample-program", {"backend_name": "ibmq_montreal"}), {"inputs": {"iterations": 3}}),
        (
            (),
            {
                "program_id": "sample-program",
                "inputs": {"iterations": 3},
                "options": {"backend_name": "ibmq_montreal"},
                "image": "",
            },
        ),
    ],
)
def test_options_come_before_inputs(
    provider: AccountProvider,
    spec_of: Callable[[str], dict[str, Any]],
    positional: tuple[Any, ...],
    keywords: dict[str, Any],
) -> None:
    assert spec_of(provider.runtime.run(*positional, **keywords).job_id()) == EXPECTED


def test_the_order_of_arguments_is_the_providers() -> None:
    names = list(inspect.signature(IBMRuntimeService.run).parameters)
    assert names[1:7] == ["program_id", "options", "inputs", "callback", "result_decoder", "image"]


def test_the_result_of_a_cancelled_job_is_none(provider: AccountProvider, cluster: FakeApi) -> None:
    job = provider.runtime.run("sample-program", {}, {})
    cluster.cancel_job(job.job_id())
    assert job.result() is None
    assert provider.runtime.job(job.job_id()).result() is None
    assert provider.runtime.jobs()[0].result() is None
    with pytest.raises(RuntimeInvalidStateError):
        job.cancel()


def test_accounts_are_accepted_and_a_token_is_said_once_not_to_be_used(
    ibmq: IBMQFactory, cluster: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    assert ibmq.active_account() is None
    assert ibmq.providers() == []
    with caplog.at_level(logging.INFO):
        ibmq.save_account("secret", "https://example.com", hub="h", group="g", project="p", overwrite=True)
        provider = ibmq.enable_account("secret", "https://example.com", "h", "g", "p", api=cluster)
    assert len(caplog.records) == 1
    assert "tokens are not needed, not kept and not sent" in caplog.text
    assert "secret" not in caplog.text
    assert ibmq.stored_account() == {}
    ibmq.delete_account()
    assert ibmq.active_account() == {"namespace": "lab"}
    assert ibmq.providers(hub="h") == [provider]
    assert ibmq.get_provider("h", "g", "p") is provider
    ibmq.disable_account()
    assert ibmq.active_account() is None
    assert cluster.closed


def test_services_are_found_by_name(provider: AccountProvider) -> None:
    assert provider.has_service("runtime")
    assert not provider.has_service("random")
    assert provider.service("runtime") is provider.runtime is provider.services()["runtime"]
    with pytest.raises(IBMInputValueError, match="there is no service 'random'"):
        provider.service("random")
    assert repr(provider) == "<AccountProvider namespace='lab'>"


def test_backends_are_functions_results_and_attributes(provider: AccountProvider, cluster: FakeApi) -> None:
    cluster.put(BACKENDS, {"metadata": {"name": "lab-device"}, "spec": {"generic": {"numQubits": 3}}})
    assert [one.name() for one in provider.backends(simulator=False, operational=True)] == ["lab-device"]
    assert [one.name() for one in provider.backends("ibmq_lima")] == ["ibmq_lima"]
    assert provider.backend.ibmq_montreal.configuration().n_qubits == 27
    assert provider.backend.lab_device.name() == "lab-device"
    assert "lab_device" in dir(provider.backend)
    assert not hasattr(provider.backend, "no_such_device")
    assert provider.get_backend(simulator=False).name() == "lab-device"
    with pytest.raises(IBMBackendValueError, match="expected one, there are 9"):
        provider.get_backend(simulator=True)
    with pytest.raises(IBMBackendValueError, match="there is none"):
        provider.get_backend(n_qubits=1000)


def test_what_backends_may_be_given_is_no_condition(provider: AccountProvider, cluster: FakeApi) -> None:
    def large_devices(backend: Any) -> bool:
        is_device = not backend.configuration().simulator
        return is_device and backend.configuration().n_qubits >= 5 and backend.status().operational

    cluster.put(BACKENDS, {"metadata": {"name": "lab-device"}, "spec": {"generic": {"numQubits": 7}}})
    assert [one.name() for one in provider.backends(filters=large_devices, input_allowed="runtime")] == ["lab-device"]


def test_the_least_busy_of_some_backends(provider: AccountProvider) -> None:
    provider.runtime.run("sample-program", {"backend_name": "ibmq_lima"}, {})
    found = [provider.get_backend(name) for name in ("ibmq_lima", "ibmq_quito")]
    assert least_busy(found).name() == "ibmq_quito"


def test_a_job_is_cancelled_once_cancel_has_returned(provider: AccountProvider, cluster: FakeApi) -> None:
    job = provider.runtime.run("sample-program", {}, {})
    cluster.react("patch", JOBS, lambda body: cluster.cancel_job(body["metadata"]["name"]))
    job.cancel()
    assert job.view.cancelled
