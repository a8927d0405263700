"""Jobs in processes that end, fork, start others, or have an event loop of their own."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.fake_api import FakeApi

    from .conftest import SubmitSync

TESTS = Path(__file__).parents[2]
JOBS = """
import threading
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.service.aio_job import AsyncRuntimeJob
from quantum_runtime.service.job import RuntimeJob
from quantum_runtime.service.portal import Portal
from support.fake_api import FakeApi

api = FakeApi()

def submit(name):
    body = api.put(JOBS, {"metadata": {"name": name}, "spec": {"programRef": {"name": "coin"}}})
    return RuntimeJob(AsyncRuntimeJob(api, body), Portal())
"""


def said(script: str) -> str:
    """Run a script that has `JOBS` at its beginning in a process of its own, and return all it says."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", JOBS + textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize(
    "callback",
    [
        "None",
        "threading.Event().wait()",
        "submit(f'{job_id}-next').result()",
        "list(submit(f'{job_id}-next').stream())",
        "[submit(f'{job_id}-{n}').status() for n in range(10**9)]",
    ],
    ids=["waits to be called", "is stuck", "waits for a job", "streams a job", "asks again and again"],
)
def test_a_process_ends_without_a_word_whatever_its_callbacks_do(callback: str) -> None:
    script = f"""
    called = threading.Semaphore(0)

    def callback(job_id, value):
        called.release()
        {callback}

    for number in range(10):
        submit(f"job-{{number}}").stream_results(callback)
        api.publish(f"job-{{number}}", "1")
    for _ in range(10):
        called.acquire()
    """
    assert said(script) == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_process_uses_its_parents_job_and_does_not_wait_for_its_parents_callback() -> None:
    script = """
    import os, sys, warnings
    warnings.filterwarnings("ignore", "This process .* is multi-threaded")
    job, heard = submit("toss"), []
    job.stream_results(lambda _, value: heard.append(value))
    api.wait_until(lambda: api.open_watches == 1)
    child = os.fork()
    if not child:
        api._watchers.clear()  # they are the parent's
    else:
        _, status = os.waitpid(child, 0)
        assert status == 0
    api.publish("toss", "1", "2")
    api.finish("toss", '"heads"')
    assert job.result(timeout=30) == "heads"
    if not child:
        assert heard == []
        job.stream_results(lambda _, value: heard.append(value))
        job.wait_for_final_state(30)
    assert heard == [1, 2]
    sys.exit()
    """
    assert said(script) == ""


def test_a_job_is_not_sent_to_another_process_but_its_name_can_be(submit_sync: SubmitSync) -> None:
    job = submit_sync()
    with pytest.raises(TypeError, match=r"send its name, 'toss': service\.job\(\) finds it there"):
        pickle.dumps(job)
    assert pickle.loads(pickle.dumps(job.job_id)) == "toss"


async def test_a_notebook_whose_cells_run_on_an_event_loop_uses_jobs_as_any_program(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    heard: list[Any] = []
    job = submit_sync()
    job.stream_results(lambda _, value: heard.append(value))
    api.publish("toss", "1")
    api.finish("toss", "2")
    assert job.result() == 2
    assert (heard, list(job.stream(final=True))) == ([1], [1, 2])
