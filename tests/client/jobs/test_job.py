from __future__ import annotations

import copy
import signal
import subprocess
import sys
import threading
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from qiskit.providers import JobStatus
from quantum_runtime import exceptions
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.service.job import RuntimeJob
    from support.fake_api import FakeApi

    from .conftest import SubmitSync


class Backend:
    """What a service makes of a backend's name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.num_qubits = 27


class Text:
    """A decoder that leaves everything as it is."""

    @staticmethod
    def decode(data: str) -> str:
        return data


def meanwhile(api: FakeApi, action: Callable[[], object]) -> threading.Thread:
    """Do this when the client has begun to wait."""

    def act() -> None:
        api.wait_until(lambda: api.open_watches)  # type: ignore[arg-type, return-value]
        action()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


# What a job is


def test_attributes_that_were_methods_in_some_release_work_both_ways(submit_sync: SubmitSync) -> None:
    job = submit_sync(backend="fake-montreal")
    assert job.job_id == job.job_id() == f"{job.job_id}" == "toss"
    assert isinstance(job.job_id, str)
    assert type(job.job_id()) is str
    assert job.backend == job.backend() == "fake-montreal"


def test_the_backend_prints_as_its_name_and_is_looked_up_when_it_is_used(submit_sync: SubmitSync) -> None:
    asked = []

    def backend_of(name: str) -> Backend:
        asked.append(name)
        return Backend(name)

    job = submit_sync(backend="fake-montreal", backend_of=backend_of)
    assert f"{job.backend}" == repr(job.backend) == "fake-montreal"
    assert job.backend == "fake-montreal"
    assert job.backend != "aer"
    assert {job.backend: 1}["fake-montreal"] == 1
    assert job.backend.name == job.backend.name() == "fake-montreal"
    assert copy.copy(job.backend) == job.backend
    assert asked == []
    assert job.backend.num_qubits == 27
    assert isinstance(job.backend(), Backend)
    assert asked == ["fake-montreal"] * 2


def test_a_backend_that_nobody_chose_has_no_name_until_the_job_has_one(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync(backend_of=Backend)
    assert job.backend == job.backend() == ""
    api.start_job("toss")
    job.refresh()
    assert job.backend == "aer"
    assert isinstance(job.backend(), Backend)


def test_what_a_job_was_created_with_is_known_without_a_request(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync(inputs={"z": {"__type__": "complex", "__value__": [1.0, 2.0]}, "n": 3}, tags=["a"])
    assert job.inputs == {"z": 1 + 2j, "n": 3}
    assert (job.program_id, job.tags, job.image, job.session_id) == ("coin", ["a"], "", None)
    assert job.creation_date is not None
    assert job.creation_date.utcoffset() is not None
    assert job.creation_date.astimezone(UTC) == job.view.created
    assert repr(job) == "<RuntimeJob('toss', program 'coin', Queued)>"
    assert api.requests == []


def test_a_notebook_shows_a_job_without_asking_for_it(api: FakeApi, submit_sync: SubmitSync) -> None:
    html = submit_sync()._repr_html_()
    assert "toss" in html
    assert "coin" in html
    assert api.requests == []


def test_importing_jobs_imports_neither_qiskit_nor_what_speaks_http() -> None:
    code = "import sys, quantum_runtime.service.job, quantum_runtime.service.aio_job; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"qiskit", "numpy", "aiohttp", "kubernetes"} & set(loaded)


# How it is doing


def test_the_status_is_the_clusters(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    assert (job.status(), job.running(), job.in_final_state()) == (JobStatus.QUEUED, False, False)
    api.start_job("toss")
    assert (job.status(), job.running(), job.done()) == (JobStatus.RUNNING, True, False)
    api.finish("toss")
    assert (job.status(), job.done(), job.in_final_state()) == (JobStatus.DONE, True, True)
    assert (job.errored(), job.cancelled(), job.error_message()) == (False, False, None)


def test_a_failed_job_is_in_error_and_says_why(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.fail_job("toss", "ProgramFailed", "no")
    assert job.errored()
    assert job.status() is JobStatus.ERROR
    assert job.error_message() == "Job toss has failed:\nProgramFailed: no"


def test_metrics_are_of_the_newest_state(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.start_job("toss")
    api.finish("toss")
    metrics = job.metrics()
    assert metrics["execution_seconds"] == 2.5
    assert metrics["timestamps"]["finished"] is not None


def test_states_are_a_plain_iterator(api: FakeApi, submit_sync: SubmitSync) -> None:
    phases = []
    for view in submit_sync().states():
        phases.append(view.phase)
        if view.phase == "Queued":
            api.start_job("toss")
        elif not view.final:
            api.finish("toss")
    assert phases == ["Queued", "Running", "Completed"]
    assert api.open_watches == 0


# Results


def test_a_result_is_waited_for(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    other = meanwhile(api, lambda: api.finish("toss", '"heads"'))
    assert job.result() == "heads"
    other.join()


def test_what_earlier_releases_took_for_polling_is_accepted(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.finish("toss", '"heads"')
    job.wait_for_final_state(timeout=None, wait=1)
    job.wait_for_final_state(60, 1)
    assert job.result(wait=5) == "heads"
    assert job.result(60, 5) == "heads"
    assert job.result(60, 0.5, Text) == '"heads"'
    assert job.result(timeout=60, wait=5, decoder=Text) == '"heads"'


def test_what_is_no_decoder_is_refused_before_anybody_waits(submit_sync: SubmitSync) -> None:
    with pytest.raises(TypeError, match="result_decoder"):
        submit_sync().result(decoder="json")


def test_the_same_result_is_returned_again_unless_another_decoder_is_asked_for(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    job = submit_sync()
    api.finish("toss", '["heads"]')
    assert job.result() is job.result()
    assert job.result(decoder=Text) == '["heads"]'


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("ProgramFailed", "RuntimeJobFailureError"), ("MaxExecutionTimeExceeded", "RuntimeJobMaxTimeoutError")],
)
def test_a_failed_job_raises(api: FakeApi, submit_sync: SubmitSync, reason: str, kind: str) -> None:
    job = submit_sync()
    other = meanwhile(api, lambda: api.fail_job("toss", reason, "no"))
    with pytest.raises(getattr(exceptions, kind), match="Unable to retrieve job result"):
        job.result()
    other.join()


def test_what_a_failed_job_returned_can_be_had(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.fail_job("toss", "InvalidResult", "no number", result='"heads"')
    assert job.unchecked_result() == "heads"


def test_a_job_deleted_while_it_is_waited_for_is_not_found(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    other = meanwhile(api, lambda: api.remove(JOBS, "toss"))
    with pytest.raises(exceptions.RuntimeJobNotFound):
        job.wait_for_final_state()
    other.join()


def test_a_timeout_leaves_the_job_running(submit_sync: SubmitSync) -> None:
    job = submit_sync()
    with pytest.raises(exceptions.RuntimeJobTimeoutError, match=r"not ended within 0\.01 s.*service\.job\('toss'\)"):
        job.result(timeout=0.01)
    with pytest.raises(exceptions.RuntimeJobTimeoutError, match=r"not ended within 0 s"):
        job.wait_for_final_state(timeout=0)


def test_no_time_is_enough_for_what_is_known(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.finish("toss", "1")
    job.refresh()
    assert job.result(timeout=0) == 1


def test_ctrl_c_leaves_the_job_running_and_says_how_to_find_it(
    api: FakeApi, submit_sync: SubmitSync, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit_sync()
    main = threading.main_thread().ident
    assert main is not None
    other = meanwhile(api, lambda: signal.pthread_kill(main, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        job.result()
    other.join()
    assert caplog.messages == ["job toss goes on; service.job('toss') finds it again, job.cancel() ends it"]
    assert api.object(JOBS, "toss")["spec"]["cancel"] is False
    assert api.open_watches == 0
    api.finish("toss", "1")
    assert job.result() == 1


def test_interim_results_and_logs_can_be_had_afterwards(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.publish("toss", "1", "2", "3", latest=1)
    api.log("toss", "hello\n")
    api.finish("toss")
    assert job.interim_results() == [1, 2, 3]
    assert job.logs() == "hello\n"


def test_interim_results_can_be_iterated_over_while_they_come(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.publish("toss", "0")
    heard = []
    for value in job.stream(final=True):
        heard.append(value)
        if value == "heads":
            break
        if value == 2:
            api.finish("toss", '"heads"')
        else:
            api.publish("toss", str(value + 1))
    assert heard == [0, 1, 2, "heads"]


# What can be done with it


def test_a_job_is_cancelled_once(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.react("patch", JOBS, lambda _: api.cancel_job("toss"))
    job.cancel()
    job.wait_for_final_state()
    assert job.status() is JobStatus.CANCELLED
    with pytest.raises(exceptions.RuntimeInvalidStateError, match="cannot cancel job toss: it has ended"):
        job.cancel()
    with pytest.raises(exceptions.RuntimeInvalidStateError, match="was cancelled"):
        job.result()


def test_tags_are_replaced(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync(tags=["old"])
    assert job.update_tags(["new"]) == ["new"]
    assert job.tags == ["new"]


def test_a_cluster_that_does_not_answer_is_an_error_of_ours(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.fail("get", JOBS, errors.Unavailable("away", retry_after=60.0))
    with pytest.raises(exceptions.IBMApiError, match="cannot read job 'toss': away"):
        job.status()


def test_progress_is_shown_while_the_result_is_waited_for(
    api: FakeApi, submit_sync: SubmitSync, capsys: pytest.CaptureFixture[str]
) -> None:
    job: RuntimeJob = submit_sync()
    heard = []
    job.stream_results(lambda _, value: heard.append(value))
    api.start_job("toss")
    api.publish("toss", "1")
    api.finish("toss", '"heads"')
    assert job.result(progress=True) == "heads"
    assert heard == [1]
    assert "completed" in capsys.readouterr().err
