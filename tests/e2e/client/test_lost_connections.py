"""Callbacks of several jobs on a real cluster, over a connection that is cut, refused, or silent without being closed.

Whatever happens to it, every interim result arrives once and in order, results are right, and no job runs twice.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import RuntimeService
from quantum_runtime.cluster.connection import connect
from quantum_runtime.service.portal import Portal
from support.unreliable_proxy import UnreliableProxy, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.support.cluster import Cluster, Space
    from quantum_runtime import RuntimeJob

COUNTING = """
import time

def main(backend, user_messenger, count, pause=0.0, first=0):
    for number in range(first, first + count):
        user_messenger.publish(number)
        time.sleep(pause)
    return {"last": first + count - 1, "text": "x" * 100_000}
"""
JOBS = 5
COUNT = 150
PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 200
SILENCE_SECONDS = 4.0
"""Above the second after which a running job that publishes shows something new."""


class Heard:
    """What a callback was told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.enough = threading.Event()
        """Set when the job is in the middle of its work."""

    def __call__(self, job_id: str, number: int) -> None:
        self.numbers.append(number)
        if len(self.numbers) == COUNT // 4:
            self.enough.set()


class Counting:
    """Several jobs with callbacks, begun over the bad connection."""

    def __init__(self, service: RuntimeService, space: Space, program: str, tag: str) -> None:
        self._space = space
        self._tag = tag
        self.heard = [Heard() for _ in range(JOBS)]
        self._jobs: list[RuntimeJob] = [
            service.run(program, inputs=_inputs(number), callback=callback, tags=[tag])
            for number, callback in enumerate(self.heard)
        ]

    def are_underway(self) -> None:
        """Return when every job is in the middle of its work."""
        for heard in self.heard:
            assert heard.enough.wait(PATIENCE_SECONDS)

    def are_complete(self) -> None:
        """Fail unless everything has arrived, and these are all jobs that there are in the cluster."""
        results = [job.result(timeout=PATIENCE_SECONDS) for job in self._jobs]
        assert [result["last"] for result in results] == [1000 * n + COUNT - 1 for n in range(JOBS)]
        assert {len(result["text"]) for result in results} == {100_000}
        assert [heard.numbers for heard in self.heard] == [list(range(1000 * n, 1000 * n + COUNT)) for n in range(JOBS)]
        assert tagged(self._space, self._tag) == sorted(job.job_id() for job in self._jobs)


@pytest.fixture(scope="module")
def counting(space: Space) -> str:
    return space.program(COUNTING, name="counting")


@pytest.fixture
def connection(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[UnreliableProxy, Any]]:
    with proxied(cluster.kubeconfig, tmp_path_factory.mktemp("proxied")) as connection:
        yield connection


@pytest.fixture
def proxy(connection: tuple[UnreliableProxy, Any]) -> UnreliableProxy:
    return connection[0]


@pytest.fixture
def service(connection: tuple[UnreliableProxy, Any], space: Space) -> Iterator[RuntimeService]:
    portal = Portal()
    api = portal.call(connect(space.name, kubeconfig=connection[1], silence_seconds=SILENCE_SECONDS))
    with RuntimeService(api=api) as service:
        yield service
    portal.call(api.close())


def tagged(space: Space, tag: str) -> list[str]:
    """Return the names of the jobs there are with this tag."""
    jobs = space.list("runtimejobs")
    return sorted(job["metadata"]["name"] for job in jobs if tag in job["spec"].get("tags", ()))


def _inputs(number: int) -> dict[str, Any]:
    return {"count": COUNT, "pause": PAUSE_SECONDS, "first": 1000 * number}


def test_connections_that_are_cut_all_the_time_lose_nothing(
    service: RuntimeService, proxy: UnreliableProxy, space: Space, counting: str
) -> None:
    with proxy.cutting(every=0.4):
        jobs = Counting(service, space, counting, "cut")
        jobs.are_underway()
        jobs.are_complete()
    assert proxy.connections > JOBS


def test_a_server_that_is_out_of_reach_for_a_while_loses_nothing(
    service: RuntimeService, proxy: UnreliableProxy, space: Space, counting: str
) -> None:
    jobs = Counting(service, space, counting, "refused")
    jobs.are_underway()
    proxy.refuse(seconds=6.0)
    jobs.are_complete()


def test_connections_that_fall_silent_without_being_closed_lose_nothing(
    service: RuntimeService, proxy: UnreliableProxy, space: Space, counting: str
) -> None:
    jobs = Counting(service, space, counting, "silent")
    jobs.are_underway()
    before = proxy.connections
    proxy.fall_silent()
    jobs.are_complete()
    assert proxy.connections > before


def test_jobs_that_are_submitted_over_cut_connections_run_once(
    service: RuntimeService, proxy: UnreliableProxy, space: Space, counting: str
) -> None:
    with proxy.cutting(every=0.3):  # time for a request on a busy machine, and not for all of them
        names = [service.run(counting, inputs={"count": 1}, tags=["once"]).job_id() for _ in range(20)]
    assert tagged(space, "once") == sorted(names)
