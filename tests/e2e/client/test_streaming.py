"""Callbacks, lost connections and bad endings, as a Python user meets them on a real cluster."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from e2e.support.counting import COUNTING, Heard
from quantum_runtime import RuntimeService
from quantum_runtime.exceptions import (
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    RuntimeJobMaxTimeoutError,
    RuntimeJobNotFound,
    RuntimeJobTimeoutError,
)

if TYPE_CHECKING:
    from e2e.support.cluster import Cluster, Space
    from quantum_runtime import RuntimeJob

ENDINGS = """
import time

def main(backend, user_messenger, how):
    user_messenger.publish(how)
    if how == "raise":
        raise ValueError("no such molecule: Xy")
    time.sleep(1000)
"""


@pytest.fixture(scope="module")
def service(cluster: Cluster, space: Space) -> RuntimeService:
    return RuntimeService(namespace=space.name, kubeconfig=cluster.kubeconfig)


@pytest.fixture(scope="module")
def counting(space: Space) -> str:
    return space.program(COUNTING, name="counting")


@pytest.fixture(scope="module")
def endings(space: Space) -> str:
    return space.program(ENDINGS, name="endings")


def begun(service: RuntimeService, program: str, how: str, **settings: Any) -> RuntimeJob:
    """Return a job whose program has been entered and has said so."""
    published = threading.Event()
    job = service.run(program, inputs={"how": how}, callback=lambda *_: published.set(), **settings)
    assert published.wait(60)
    return job


def test_twenty_jobs_at_the_same_time_tell_their_callbacks_everything_once_and_in_order(
    service: RuntimeService, counting: str
) -> None:
    heard = [Heard() for _ in range(20)]
    jobs = [
        service.run(counting, inputs={"count": 30, "first": 1000 * number}, callback=callback)
        for number, callback in enumerate(heard)
    ]
    assert [job.result(timeout=280) for job in jobs] == [30] * 20
    assert [one.numbers for one in heard] == [list(range(1000 * n, 1000 * n + 30)) for n in range(20)]


def test_more_than_a_status_holds_reaches_the_callback_while_the_program_runs(
    service: RuntimeService, counting: str
) -> None:
    heard = Heard(at_number=100)
    job = service.run(counting, inputs={"count": 600, "pause": 0.02}, callback=heard)
    assert heard.reached.wait(60)
    assert not job.in_final_state(), "it is told before the end"
    late, again = Heard(), service.job(job.job_id())
    again.stream_results(late)
    assert job.result() == "x" * 100_000, "a result that is too large for the status arrives all the same"
    assert again.result() == job.result()
    assert heard.numbers == list(range(600))
    assert late.numbers == heard.numbers, "who comes late misses nothing"
    assert [interim["number"] for interim in service.job(job.job_id()).interim_results()] == heard.numbers


def test_a_job_can_be_cancelled_from_its_callback(service: RuntimeService, counting: str) -> None:
    numbers: list[int] = []

    def stop(job_id: str, interim: Any) -> None:
        numbers.append(interim["number"])
        if interim["number"] == 3:
            service.job(job_id).cancel()

    job = service.run(counting, inputs={"count": 10_000, "pause": 0.5}, callback=stop)
    with pytest.raises(RuntimeInvalidStateError, match=job.job_id()):
        job.result(timeout=100)
    assert job.cancelled()
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 4


def test_a_program_that_fails_raises_with_its_name_its_reason_and_its_traceback(
    service: RuntimeService, endings: str
) -> None:
    job = service.run(endings, inputs={"how": "raise"})
    with pytest.raises(RuntimeJobFailureError) as caught:
        job.result(timeout=100)
    for part in (job.job_id(), "ProgramFailed", "no such molecule: Xy", "Traceback", "main.py"):
        assert part in str(caught.value)
    assert job.errored()
    assert "no such molecule: Xy" in (job.error_message() or "")


def test_a_program_that_runs_too_long_raises_as_it_did(service: RuntimeService, endings: str) -> None:
    job = service.run(endings, inputs={"how": "sleep"}, max_execution_time=2)
    with pytest.raises(RuntimeJobMaxTimeoutError, match="2 s"):
        job.result(timeout=100)
    assert "ran longer than maximum execution time" in (job.error_message() or "")


def test_a_job_that_is_deleted_while_somebody_waits_is_not_waited_for(service: RuntimeService, endings: str) -> None:
    job = begun(service, endings, "sleep")
    threading.Thread(target=service.delete_job, args=(job.job_id(),)).start()
    with pytest.raises(RuntimeJobNotFound, match=job.job_id()):
        job.result(timeout=100)


def test_a_timeout_of_the_client_leaves_the_job_alone(service: RuntimeService, endings: str) -> None:
    job = begun(service, endings, "sleep")
    with pytest.raises(RuntimeJobTimeoutError, match=job.job_id()):
        job.result(timeout=0.5)
    assert job.running()
    job.cancel()
    job.wait_for_final_state(timeout=60)
    assert job.cancelled()
