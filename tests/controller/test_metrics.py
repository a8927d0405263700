"""What Prometheus reads, after a little life."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest
from runtime_operator.kube.client import POOLS
from support import builders
from support.clock import virtual_time
from support.world import World, running_world

pytestmark = pytest.mark.usefixtures("virtual_clock")

POOL = '{namespace="default",pool="a-pool"'


def metrics(world: World) -> dict[str, float]:
    assert world.operator is not None
    lines = generate_latest(world.operator.metrics.registry).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


async def one_hit_and_one_miss(world: World) -> None:
    world.kube.put(POOLS, builders.pool(replicas=1))
    await world.until(lambda: metrics(world).get(f'quantum_runtime_pool_pods{POOL},state="ready"}}') == 1)
    for name in ("one", "two"):
        world.apply(name)
    for name in ("one", "two"):
        await world.until_phase("Completed", name=name)


@virtual_time
async def test_pools_tell_their_pods_hits_misses_ages_and_waste() -> None:
    async with running_world() as world:
        await one_hit_and_one_miss(world)
        told = metrics(world)
        assert told[f'quantum_runtime_pool_jobs_total{POOL},result="hit"}}'] == 1
        assert told[f'quantum_runtime_pool_jobs_total{POOL},result="miss"}}'] == 1
        assert told[f"quantum_runtime_pool_pod_age_seconds_count{POOL}}}"] == 1
        assert told['quantum_runtime_job_claim_seconds_count{path="warm"}'] == 1
        assert told['quantum_runtime_job_claim_seconds_count{path="cold"}'] == 1
        assert told['quantum_runtime_jobs_ended_total{phase="Completed"}'] == 2
        assert told['quantum_runtime_api_writes_total{resource="pods",verb="create"}'] >= 2
        assert told["quantum_runtime_open_streams"] >= 0
        world.kube.edit(POOLS, "default", "a-pool", {"spec": {"replicas": 0}})
        wasted = f'quantum_runtime_pool_pods_wasted_total{POOL},why="surplus"}}'
        await world.until(lambda: metrics(world).get(wasted) == 1)


@virtual_time
async def test_a_deleted_pool_is_not_told_of_any_more() -> None:
    async with running_world() as world:
        await one_hit_and_one_miss(world)
        world.kube.edit(POOLS, "default", "a-pool", {"spec": {"replicas": 0}})
        await world.until(lambda: any("wasted" in name for name in metrics(world)))
        world.kube.remove(POOLS, "default", "a-pool")
        world.kube.collect_garbage()
        await world.until(lambda: not any('pool="a-pool"' in name for name in metrics(world)))
