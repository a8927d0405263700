"""A pool whose operator ends: the next one takes over its pods, and no job is lost or run twice on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from e2e.support import pools
from e2e.support.operators import LocalOperator, stopped_in_the_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.support.cluster import Cluster, Job, Object, Space
    from e2e.support.pools import Pool

OTHER_IMAGE = "quantum-runtime/runner-science:dev"

PROGRAM = """
def main(backend, user_messenger):
    print("ran")
    return 1
"""


@dataclass(frozen=True)
class Place:
    """A namespace with a full pool, and the only operator there is meanwhile."""

    space: Space
    operator: LocalOperator
    pool: Pool
    program: str


@pytest.fixture(scope="module")
def alone(cluster: Cluster, space: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    operator = LocalOperator(cluster, tmp_path_factory.mktemp("operator"), space.name)
    with stopped_in_the_cluster(cluster):
        try:
            yield Place(space, operator, pools.create(space, "warm", replicas=2), space.program(PROGRAM))
        finally:
            operator.end()


@pytest.fixture
def place(alone: Place) -> Place:
    """Nobody works there, and no pod waits."""
    alone.operator.end()
    alone.space.patch("runnerpools", "warm", {"spec": {"replicas": 0}})
    return alone


def fill(place: Place, replicas: int) -> set[str]:
    """Have the operator that runs make so many pods; return their uids."""
    place.pool.without_pods()
    place.space.patch("runnerpools", "warm", {"spec": {"replicas": replicas}})
    return place.pool.full()


def completed_once(job: Job) -> Object:
    """Return which runner ran the program: no other pod was ever the job's."""
    status = job.ended()
    assert (status["phase"], status["logs"]["tail"]) == ("Completed", "ran\n"), status
    runner: Object = status["runner"]
    assert [pod["metadata"]["uid"] for pod in job.pods_ever()] == [runner["uid"]]
    return runner


def test_an_operator_that_was_killed_is_followed_by_one_that_takes_over_the_pods(place: Place) -> None:
    place.operator.start()
    before = fill(place, 2)
    place.operator.end()
    place.operator.start()
    first = completed_once(place.space.job(place.program))  # cold, if it is faster than the streams to the pods
    second = completed_once(place.space.job(place.program))
    assert (second["path"], second["uid"] in before) == ("warm", True)
    assert first["path"] == "cold" or first["uid"] in before


MOMENTS = ("claimed, not promised", "promised, not claimed", "claimed and promised, before it may be entered")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_warm_job_whose_operator_was_killed_is_run_once(place: Place, moment: str) -> None:
    place.operator.start(killed=moment)
    [waiting] = fill(place, 1)
    job = place.space.job(place.program, ttl={"podSeconds": 600})
    place.operator.wait_killed()
    place.operator.start()
    runner = completed_once(job)
    if moment.startswith("claimed"):
        assert (runner["uid"], runner["path"]) == (waiting, "warm"), "it is the job's: nobody else can get it"
    assert job.phases() in (["Queued", "Running", "Completed"], ["Queued", "Running", "Queued", "Running", "Completed"])


def test_pods_of_a_profile_that_was_changed_are_replaced(place: Place) -> None:
    place.operator.start()
    before = fill(place, 2)
    assert place.operator.stop()["event"] == "operator stopped"
    place.operator.change_profile("default", image=OTHER_IMAGE)
    place.operator.start()
    place.pool.wait(lambda s: s["readyReplicas"] == 2 and not before & set(s["pods"]), "others wait")
    pods = place.pool.waiting_pods()
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {OTHER_IMAGE}
    assert completed_once(place.space.job(place.program))["uid"] in {pod["metadata"]["uid"] for pod in pods}
