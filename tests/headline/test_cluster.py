"""When the pool is taken for full."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bench.headline.cluster import POOL, Pool, pool
from runtime_operator.kube.client import POOLS
from support.clock import virtual_time
from support.fake_kube import FakeKube

FULL = {"readyReplicas": 4, "startingReplicas": 0, "hits": 7, "misses": 2}


def kube_with(status: dict[str, Any]) -> FakeKube:
    kube = FakeKube()
    kube.put(POOLS, {"metadata": {"name": POOL, "namespace": "here"}, "spec": {"replicas": 4}, "status": status})
    return kube


@virtual_time
async def test_a_pool_is_full_when_all_its_pods_are_ready_and_all_jobs_are_counted() -> None:
    await Pool(kube_with(FULL), "here", 4).full(after=9)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({}, id="nothing is said yet"),
        pytest.param({**FULL, "readyReplicas": 3}, id="a pod is missing"),
        pytest.param({**FULL, "startingReplicas": 1}, id="another pod is starting"),
        pytest.param({**FULL, "misses": 1}, id="the status is from before the last job"),
    ],
)
@virtual_time
async def test_until_it_is_full_it_is_waited_for_and_the_last_status_is_said(status: dict[str, Any]) -> None:
    with pytest.raises(TimeoutError, match=r"after 300 s the pool has not 4 ready pods, or has not counted 9 jobs: \{"):
        await Pool(kube_with(status), "here", 4).full(after=9)


@virtual_time
async def test_a_pool_that_becomes_full_is_noticed() -> None:
    kube = kube_with({"readyReplicas": 3})
    waiting = asyncio.create_task(Pool(kube, "here", 4).full(after=9))
    await asyncio.sleep(5)
    assert not waiting.done()
    await kube.patch(POOLS, "here", POOL, {"status": FULL}, subresource="status")
    await waiting


@virtual_time
async def test_a_pool_that_is_gone_is_not_waited_for() -> None:
    with pytest.raises(LookupError, match="the pool headline is gone"):
        await Pool(FakeKube(), "here", 4).full(after=0)


@virtual_time
async def test_the_pool_is_deleted_at_the_end() -> None:
    kube = FakeKube()
    async with pool(kube, "here", 4):
        (made,) = kube.objects(POOLS)
        assert made["spec"] == {"replicas": 4}
    assert not kube.objects(POOLS)
