"""Programs that would run for ever, and what stops them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.support.cluster import condition

if TYPE_CHECKING:
    from e2e.support.cluster import Job, Object, Space

LIMIT = 3

BEGIN = """
import os, signal, sys, time

def begin(user_messenger):
    print("begun", flush=True)
    user_messenger.publish("begun")
"""

SLEEPS = (
    BEGIN
    + """
def main(backend, user_messenger):
    begin(user_messenger)
    time.sleep(3600)
"""
)

IGNORES_SIGTERM = (
    BEGIN
    + """
def main(backend, user_messenger):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    begin(user_messenger)
    while True:
        time.sleep(3600)
"""
)

FORKS_CHILDREN = (
    BEGIN
    + """
def main(backend, user_messenger):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    time.sleep(3600)
            os._exit(0)
    begin(user_messenger)
    while True:
        time.sleep(3600)
"""
)

BLOCKS_IN_C = (
    BEGIN
    + """
import ctypes

def main(backend, user_messenger):
    begin(user_messenger)
    while True:
        ctypes.PyDLL(None).sleep(3600)
"""
)

PROGRAMS = {
    "sleeps": SLEEPS,
    "ignores SIGTERM": IGNORES_SIGTERM,
    "forks children that leave its session": FORKS_CHILDREN,
    "blocks in C code with the interpreter's lock held": BLOCKS_IN_C,
}


@pytest.fixture(scope="module")
def jobs(space: Space) -> dict[str, Job]:
    """All of them, started together; the one that only the pod's deadline ends takes longest."""
    slow = space.run(SLEEPS, profile="no-timer", maxExecutionTimeSeconds=LIMIT)
    running = {
        title: space.run(source, maxExecutionTimeSeconds=LIMIT, ttl={"podSeconds": 600})
        for title, source in PROGRAMS.items()
    }
    return running | {"no timer": slow}


def kept(status: Object) -> tuple[str, list[str]]:
    return status["logs"]["tail"], [i["value"] for i in status["interimResults"]["latest"]]


@pytest.mark.parametrize("title", PROGRAMS)
def test_a_program_that_runs_for_ever_is_stopped_in_time(jobs: dict[str, Job], title: str) -> None:
    status = jobs[title].ended()
    assert (status["phase"], status["failure"]["reason"]) == ("Failed", "MaxExecutionTimeExceeded")
    assert LIMIT <= status["executionSeconds"] <= LIMIT + 2, "counted from its first line, by its own node's clock"
    assert f"maximum execution time of {LIMIT} s" in status["failure"]["message"]
    assert condition(status, "Succeeded")["reason"] == "MaxExecutionTimeExceeded"
    assert kept(status) == ("begun\n", ['"begun"']), "what it had said is kept"


@pytest.mark.parametrize("title", PROGRAMS)
def test_nothing_is_left_running(jobs: dict[str, Job], title: str) -> None:
    """Its container ends at once, which no process in it survives."""
    job = jobs[title]
    job.ended()

    def ended(_: str, pod: Object) -> bool:
        return bool(pod["status"].get("containerStatuses", [{}])[0].get("state", {}).get("terminated"))

    selector = f"quantumruntime.dev/job-name={job.name}"
    pod = job.space.cluster.wait(job.space.path("pods"), ended, "its end", seconds=30, labelSelector=selector)
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1


def test_a_runner_that_does_not_look_at_the_clock_is_ended_by_its_pods_deadline(jobs: dict[str, Job]) -> None:
    job = jobs["no timer"]
    status = job.ended()
    assert (status["phase"], status["failure"]["reason"]) == ("Failed", "MaxExecutionTimeExceeded")
    assert "the pod's deadline" in status["failure"]["message"], "and not by the runner"
    assert kept(status) == ("begun\n", ['"begun"'])
    [pod] = job.pods_ever()
    assert pod["status"]["reason"] == "DeadlineExceeded"
