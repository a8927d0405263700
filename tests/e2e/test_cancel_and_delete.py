"""Stopping jobs and taking things away, at every moment of a job's life."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.support.cluster import condition

if TYPE_CHECKING:
    from e2e.support.cluster import Job, Object, Space

FOR_EVER = """
import time

def main(backend, user_messenger):
    print("begun")
    user_messenger.publish("begun")
    time.sleep(3600)
"""

FOUR_SECONDS = """
import time

def main(backend, user_messenger):
    for i in range(4):
        user_messenger.publish(i)
        time.sleep(1)
    return "done"
"""

GONE_SECONDS = 10


@pytest.fixture(scope="module")
def program(space: Space) -> str:
    """One that never ends by itself."""
    return space.program(FOR_EVER, name="for-ever")


@pytest.fixture(scope="module")
def jobs(space: Space, program: str) -> dict[str, Job]:
    """All of them, started together."""
    return {
        "waiting": space.run(FOR_EVER, profile="no-node"),
        "suspended": space.job(program, suspend=True),
        "running": space.job(program, ttl={"podSeconds": 0}),
        "ended": space.run("def main(b, m):\n    return 1"),
        "deleted": space.job(program),
        "its program deleted": space.job(space.program(FOUR_SECONDS, name="soon-gone")),
    }


def cancelled(status: Object) -> None:
    assert (status["phase"], status["failure"]["reason"]) == ("Cancelled", "Cancelled")
    assert (condition(status, "Succeeded")["status"], condition(status, "Succeeded")["reason"]) == (
        "False",
        "Cancelled",
    )
    assert not condition(status, "Stalled"), "somebody wanted it so: nothing is wrong"


def test_a_job_that_waits_for_a_node_is_cancelled_and_its_pod_goes(jobs: dict[str, Job]) -> None:
    job = jobs["waiting"]
    message = job.waiting("Unschedulable")
    assert "no node" in message
    assert len(job.live_pods()) == 1
    job.patch(cancel=True)
    status = job.ended()
    cancelled(status)
    assert "before the program was started" in status["failure"]["message"]
    assert "startTime" not in status
    job.without_pods(seconds=GONE_SECONDS)


def test_a_suspended_job_is_cancelled_and_never_had_a_pod(jobs: dict[str, Job]) -> None:
    job = jobs["suspended"]
    job.waiting("Suspended")
    job.patch(cancel=True)
    cancelled(job.ended())
    assert job.pods_ever() == []


def test_a_running_job_is_cancelled_and_keeps_what_it_said(jobs: dict[str, Job]) -> None:
    job = jobs["running"]
    job.wait(lambda s: s.get("interimResults", {}).get("published") == 1, "begun")
    said = job.space.kubectl("patch", "rtj", job.name, "--type=merge", "--patch", '{"spec":{"cancel":true}}')
    assert said.endswith("patched\n")
    status = job.ended()
    cancelled(status)
    assert (status["logs"]["tail"], status["interimResults"]["latest"][0]["value"]) == ("begun\n", '"begun"')
    assert status["executionSeconds"] > 0
    job.without_pods(seconds=GONE_SECONDS)


def test_cancelling_a_job_that_has_ended_changes_nothing_but_the_generation_that_was_seen(jobs: dict[str, Job]) -> None:
    job = jobs["ended"]
    before = job.ended()
    job.patch(cancel=True)
    marker = job.space.run("def main(b, m):\n    return 2")
    marker.ended()  # by then, the operator has seen the change long ago
    after = job.read()
    assert after["status"] == before | {"observedGeneration": after["metadata"]["generation"]}


def test_deleting_a_running_job_ends_its_pod_within_ten_seconds(jobs: dict[str, Job]) -> None:
    job = jobs["deleted"]
    job.running()
    job.space.delete("runtimejobs", job.name)
    job.without_pods(seconds=GONE_SECONDS)
    assert job.space.cluster.get(job.path) is None
    assert len(job.pods_ever()) == 1


def test_deleting_the_program_of_a_running_job_does_not_touch_the_job(jobs: dict[str, Job]) -> None:
    job = jobs["its program deleted"]
    job.running()
    job.space.delete("runtimeprograms", "soon-gone")
    status = job.ended()
    assert (status["phase"], status["result"]) == ("Completed", '"done"')
    assert [i["value"] for i in status["interimResults"]["latest"]] == ["0", "1", "2", "3"]
    late = job.space.job("soon-gone").ended()
    assert late["failure"]["reason"] == "ProgramNotFound"
