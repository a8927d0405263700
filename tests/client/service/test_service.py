"""The synchronous service: what is different from the asynchronous one, and that the rest is the same."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import RuntimeOptions, RuntimeService
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.exceptions import IBMApiError, IBMInputValueError, RuntimeProgramNotFound
from quantum_runtime.service.aio_service import AsyncRuntimeService

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.fake_api import FakeApi

    Put = Callable[..., dict[str, Any]]

SOURCE = "def main(backend, user_messenger, **kwargs):\n    return 1\n"


@pytest.fixture
def runtime(cluster: FakeApi) -> RuntimeService:
    return RuntimeService(api=cluster)


@pytest.fixture
def operator(cluster: FakeApi) -> None:
    """Runs every job: two interim results, and a result."""

    def run(job: dict[str, Any]) -> None:
        name = job["metadata"]["name"]
        cluster.start_job(name)
        cluster.publish(name, '{"iteration": 0}', '{"iteration": 1}')
        cluster.finish(name, '"All done!"')

    cluster.react("create", JOBS, run)


PRINTED = """\
==================================================
a:
  Name: a
  Description: First.
==================================================
b:
  Name: b
  Description: 
"""  # noqa: W291 - as it was printed


def test_programs_are_printed_in_brief_or_with_everything(
    runtime: RuntimeService, put_program: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    put_program("a", description="First.")
    put_program("b")
    runtime.pprint_programs()
    assert capsys.readouterr().out == PRINTED
    runtime.pprint_programs(refresh=True, detailed=True, limit=1)
    assert capsys.readouterr().out == f"{'=' * 50}\n{runtime.program('a')}\n"


@pytest.mark.usefixtures("operator")
def test_a_notebooks_story(
    runtime: RuntimeService, cluster: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "sample.py"
    path.write_text(SOURCE)
    program_id = runtime.upload_program(data=str(path), metadata={"name": "sample-program", "max_execution_time": 300})
    assert [program.program_id for program in runtime.programs()] == [program_id]
    job = runtime.run(program_id=program_id, options={"backend_name": "aer"}, inputs={"iterations": 2})
    assert job.result() == "All done!"
    assert job.interim_results() == [{"iteration": 0}, {"iteration": 1}]
    assert runtime.job(job.job_id()).inputs == {"iterations": 2}
    assert [one.job_id() for one in runtime.jobs(limit=1)] == [job.job_id()]
    runtime.update_program(program_id, description="New.")
    runtime.set_program_visibility(program_id, public=True)
    assert runtime.program(program_id).is_public
    runtime.delete_job(job.job_id())
    runtime.delete_program(program_id)
    with pytest.raises(RuntimeProgramNotFound):
        runtime.program(program_id)
    assert cluster.objects(JOBS) == []
    assert not caplog.records


def test_a_callback_gets_interim_results_and_not_the_result(
    runtime: RuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("vqe")
    got: list[tuple[str, Any]] = []
    job = runtime.run("vqe", callback=lambda *arguments: got.append(arguments))
    cluster.start_job(job.job_id)
    cluster.publish(job.job_id, "1", "2")
    cluster.finish(job.job_id, "3")
    assert job.result() == 3
    assert got == [(job.job_id, 1), (job.job_id, 2)]


def test_a_pair_of_decoders_is_for_interim_results_and_the_result(
    runtime: RuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    class Interim:
        @classmethod
        def decode(cls, data: str) -> str:
            return f"interim {data}"

    class Final:
        @classmethod
        def decode(cls, data: str) -> str:
            return f"final {data}"

    put_program("vqe")
    got: list[Any] = []
    job = runtime.run("vqe", callback=lambda _, value: got.append(value), result_decoder=(Interim, Final))
    cluster.publish(job.job_id, "1")
    cluster.finish(job.job_id, "3")
    assert job.result() == "final 3"
    assert got == ["interim 1"]


@pytest.mark.usefixtures("operator")
def test_a_job_that_ended_before_its_creation_was_answered_is_returned_all_the_same(
    runtime: RuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("vqe")
    cluster.fail("create", JOBS, errors.Unavailable("connection reset"), after=True)
    assert runtime.run("vqe", callback=print).result() == "All done!"
    assert len(cluster.objects(JOBS)) == 1


def test_what_cannot_be_called_back_is_told_before_there_is_a_job(
    runtime: RuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("vqe")
    with pytest.raises(TypeError, match="callback must be a function"):
        runtime.run("vqe", callback="print")  # type: ignore[arg-type]
    assert cluster.objects(JOBS) == []


def test_inputs_are_encoded_on_the_callers_thread(runtime: RuntimeService, put_program: Put) -> None:
    class Loud:
        def to_json(self) -> str:
            threads.append(threading.current_thread())
            return "{}"

    threads: list[threading.Thread] = []
    put_program("vqe")
    runtime.run("vqe", {"x": Loud()})
    assert set(threads) == {threading.current_thread()}


def test_warnings_point_to_the_users_line(runtime: RuntimeService, put_program: Put) -> None:
    put_program("vqe")
    with pytest.warns(UserWarning, match="nothing was updated") as of_update:
        runtime.update_program("vqe")
    with pytest.warns(UserWarning, match="is not used") as of_run:
        runtime.run("vqe", image="a:1")
    with pytest.warns(UserWarning, match="is called 'a-b'") as of_upload:
        runtime.upload_program(SOURCE, {"name": "A_B", "max_execution_time": 1})
    assert {of_update[0].filename, of_run[0].filename, of_upload[0].filename} == {__file__}


def test_a_check_creates_nothing(runtime: RuntimeService, cluster: FakeApi, put_program: Put) -> None:
    put_program("vqe")
    assert runtime.check("vqe", {}, RuntimeOptions(backend="aer"), max_execution_time=5).time_limit == 5
    with pytest.raises(IBMInputValueError):
        runtime.check("vqe", {}, max_execution_time=301)
    assert cluster.objects(JOBS) == []


def test_a_service_says_which_namespace_it_is_of(runtime: RuntimeService, cluster: FakeApi) -> None:
    assert runtime.namespace == "lab"
    assert repr(runtime) == "<RuntimeService namespace='lab'>"
    assert "lab" in runtime._repr_html_()
    with runtime as same:
        assert same is runtime
    assert cluster.closed


def test_values_show_themselves_in_notebooks(runtime: RuntimeService, put_program: Put) -> None:
    put_program("vqe", description="Energies.")
    assert "Energies." in runtime.program("vqe")._repr_html_()
    assert "FakeLimaV2" in runtime.backend("fake-lima")._repr_html_()


def test_no_cluster_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(IBMApiError, match="cannot connect to a cluster: there is no kubeconfig"):
        RuntimeService(kubeconfig=tmp_path / "none")


PUBLIC = {
    "__init__": "namespace=None, *, kubeconfig=None, context=None, api=None",
    "programs": "refresh=False, limit=20, skip=0",
    "program": "program_id, refresh=False",
    "pprint_programs": "refresh=False, detailed=False, limit=20, skip=0",
    "upload_program": "data, metadata=None, *, replace=False",
    "update_program": (
        "program_id, data=None, metadata=None, name=None, description=None, max_execution_time=None, spec=None"
    ),
    "delete_program": "program_id",
    "set_program_visibility": "program_id, public",
    "run": (
        "program_id, inputs=None, options=None, callback=None, result_decoder=None, *, job_tags=None, tags=None, "
        "log_level=None, max_execution_time=None, start_deadline=None, backend=None, backend_name=None, name=None, "
        "image='', instance=None, session_id=None, start_session=False"
    ),
    "check": "program_id, inputs=None, options=None, **keywords",
    "job": "job_id",
    "jobs": (
        "limit=10, skip=0, backend_name=None, pending=None, program_id=None, instance=None, job_tags=None, "
        "session_id=None, created_after=None, created_before=None, descending=True, status=None"
    ),
    "delete_job": "job_id",
    "backends": "name=None, min_num_qubits=None, simulator=None, filters=None",
    "backend": "name",
    "least_busy": "min_num_qubits=None, simulator=None, filters=None",
}


def shown(function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in list(signature.parameters.values())[1:]]
    return str(inspect.Signature(plain))[1:-1]


@pytest.mark.parametrize(("method", "expected"), PUBLIC.items())
def test_what_methods_take_does_not_change(method: str, expected: str) -> None:
    assert shown(getattr(RuntimeService, method)) == expected
    if method not in ("__init__", "pprint_programs", "run"):
        assert shown(getattr(AsyncRuntimeService, method)) == expected
