"""The warm path against its floor: ratios and counts only, because times differ from machine to machine.

What `make bench` measures with many jobs, here with as few as show that it has not become a different thing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from bench import cluster as bench_cluster
from bench import loops
from bench.figures import quotient
from bench.floor.arm import floor
from bench.warm.product import Pooled, Resting, fill
from e2e.support.operators import LocalOperator, stopped_in_the_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.loops import Run
    from e2e.support.cluster import Cluster, Space

POOL = 4
ROUNDS = 3
FIRST = 1
"""Not compared: the first job prepares the namespace, and brings files into memory."""
JOBS = FIRST + POOL * ROUNDS

MEDIAN_TO_MAIN = 3.0
"""The target is 1.5 on a quiet machine (`make bench`)."""
WRITES = 5
POOL_STATUS_WRITES = 2
"""Per job, with jobs as far apart as here. There are fewer per job the more jobs there are."""


@dataclass(frozen=True)
class Compared:
    """Warm jobs and floor jobs, in turn and under the same conditions: used pods stay, none are started meanwhile."""

    lowest: list[Run]
    warm: list[Run]


@dataclass(frozen=True)
class Counted:
    """Warm jobs whose pods are replaced as in any pool."""

    warm: list[Run]
    writes: Counter[str]


@pytest.fixture(scope="module", autouse=True)
def alone(cluster: Cluster) -> Iterator[None]:
    """The operators of these tests are the only ones."""
    with pytest.MonkeyPatch.context() as patch, stopped_in_the_cluster(cluster):
        patch.setenv("KUBECONFIG", str(cluster.kubeconfig))
        yield


@pytest.fixture(scope="module")
def compared(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    place = cluster.namespace("compared")
    operator = LocalOperator(cluster, tmp_path_factory.mktemp("operator"), place.name)
    operator.start()
    try:
        yield asyncio.run(_compare(place.name))
    finally:
        operator.end()
        place.remove()


async def _compare(namespace: str) -> Compared:
    found = Compared([], [])
    async with bench_cluster.connected() as kube, bench_cluster.namespace(kube, "floor") as floor_place:
        profile = await bench_cluster.profile(kube)
        async with floor(kube, floor_place, profile) as lowest, Resting(kube, namespace) as warm:
            await loops.closed([warm, lowest], FIRST, label="first")
            for number in range(ROUNDS):
                of_floor, of_warm = await loops.closed([lowest, warm], POOL, label=f"round-{number}")
                found.lowest.extend(of_floor)
                found.warm.extend(of_warm)
    return found


@pytest.fixture(scope="module")
def counted(cluster: Cluster, space: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    operator = LocalOperator(cluster, tmp_path_factory.mktemp("operator"), space.name)
    operator.start()
    try:
        warm = asyncio.run(_run(space.name))
        yield Counted(warm, Counter(operator.stop()["writes"]))
    finally:
        operator.end()


async def _run(namespace: str) -> list[Run]:
    async with bench_cluster.connected() as kube, Pooled(kube, namespace) as warm:
        [runs] = await loops.closed([warm], FIRST, label="first")
        for number in range(ROUNDS):
            [more] = await loops.closed([warm], POOL, label=f"round-{number}")
            runs += more
        await fill(kube, namespace, POOL)
    return runs


def test_a_warm_job_reaches_its_program_about_as_soon_as_any_design_could(compared: Compared) -> None:
    warm = [run.entered for run in compared.warm]
    lowest = [run.entered for run in compared.lowest]
    assert quotient(warm, lowest) <= MEDIAN_TO_MAIN, f"warm {warm}, floor {lowest}"


def test_every_job_gets_a_ready_pod_while_there_are_some(counted: Counted) -> None:
    assert [run.path for run in counted.warm] == ["warm"] * JOBS


@pytest.mark.usefixtures("counted")
def test_every_pod_of_the_pool_is_used_once(space: Space) -> None:
    jobs_of: dict[str, set[str]] = {}
    for _, pod in space.pods.history():
        job = pod["metadata"]["labels"].get("quantumruntime.dev/job-uid")
        jobs_of.setdefault(pod["metadata"]["uid"], set()).update([job] if job else [])
    assert sorted(len(jobs) for jobs in jobs_of.values() if jobs) == [1] * JOBS
    assert len(set.union(*jobs_of.values())) == JOBS


def test_a_warm_job_costs_at_most_five_writes(counted: Counted) -> None:
    writes = counted.writes.copy()
    assert writes.pop("patch runnerpools/status") <= POOL_STATUS_WRITES * JOBS
    for once in ("create networkpolicies", "create serviceaccounts", "patch runtimeprograms/status"):
        assert writes.pop(once) == 1
    assert writes["create pods"] >= JOBS + POOL, "every pod that was taken has been replaced"
    writes["create pods"] -= POOL
    assert writes.total() <= WRITES * JOBS, writes
