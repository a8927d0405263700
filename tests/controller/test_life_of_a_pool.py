"""Pools and the jobs that take pods from them, in virtual time: the real object graph over the fake cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.api import names
from runtime_operator.kube import errors
from runtime_operator.kube.client import JOBS, PODS, POOLS
from support import builders
from support.clock import virtual_time
from support.world import World, running_world

if TYPE_CHECKING:
    from runtime_operator.kube.client import Object
    from support.scripted_runner import ScriptedRunner

pytestmark = pytest.mark.usefixtures("virtual_clock")


async def for_ever(runner: ScriptedRunner) -> None:
    runner.interim("1")
    await asyncio.sleep(1_000_000)


def waiting_pods(world: World) -> list[Object]:
    """Return the pods that no job owns."""
    return [pod for pod in world.kube.pods() if pod["metadata"]["ownerReferences"][0]["kind"] == "RunnerPool"]


def pool_status(world: World) -> dict[str, Any]:
    status: dict[str, Any] = world.kube.peek(POOLS, "a-pool").get("status", {})
    return status


async def full_pool(world: World, replicas: int = 2, **spec: Any) -> None:
    world.kube.put(POOLS, builders.pool(replicas=replicas, **spec))
    await world.until(lambda: pool_status(world).get("readyReplicas") == replicas)


@virtual_time
async def test_a_pool_fills_and_says_so() -> None:
    async with running_world() as world:
        await full_pool(world)
        status = pool_status(world)
        assert len(world.kube.pods()) == 2
        assert (status["replicas"], status["startingReplicas"], status["claimedReplicas"]) == (2, 0, 0)
        assert status["hitRate"] == "-"
        assert [c["status"] for c in status["conditions"] if c["type"] == "Ready"] == ["True"]
        assert set(status["pods"]) == {pod["metadata"]["uid"] for pod in world.kube.pods()}


@virtual_time
async def test_a_warm_job_takes_five_writes_with_the_pod_that_replaces_its_own() -> None:
    async with running_world() as world:
        await full_pool(world)
        await asyncio.sleep(30)
        world.kube.requests.clear()
        world.apply()
        status = await world.until_phase("Completed", "Failed")
        assert (status["phase"], status["result"], status["runner"]["path"]) == ("Completed", '"All done!"', "warm")
        await world.until(lambda: len(world.kube.pods()) == 2 and len(waiting_pods(world)) == 2)
        writes = [write for write in world.kube.requests if not write.startswith("patch runnerpools")]
        assert sorted(writes) == [
            "create pods",  # the one that replaces it
            "delete pods",
            "patch pods",
            "patch runtimejobs/status",
            "patch runtimejobs/status",
        ]


@virtual_time
async def test_a_warm_job_is_handed_over_on_the_stream_that_was_opened_ahead() -> None:
    async with running_world(program=for_ever) as world:
        await full_pool(world, 1)
        [attachment] = world.runner.process.attachments
        world.apply()
        await world.until(lambda: world.executions == 1)
        assert world.runners[0].process.attachments == [attachment]
        assert [request["kind"] for request in world.runners[0].requests] == ["resume", "job", "enter", "resume"]


@virtual_time
async def test_a_pod_that_was_claimed_is_the_jobs_and_serves_no_other() -> None:
    async with running_world(program=for_ever) as world:
        await full_pool(world, 1)
        [pod] = world.kube.pods()
        world.apply()
        await world.until(lambda: world.status().get("interimResults", {}).get("published") == 1)
        world.apply("another-job")
        await world.until(lambda: world.status("another-job")["phase"] == "Running")
        runner, other = world.status()["runner"], world.status("another-job")["runner"]
        assert runner["uid"] == pod["metadata"]["uid"]
        assert other["uid"] != runner["uid"]
        claimed = world.kube.peek(PODS, runner["pod"])
        assert claimed["metadata"]["ownerReferences"][0]["uid"] == world.kube.the_job()["metadata"]["uid"]
        assert claimed["metadata"]["labels"][names.POOL_LABEL] == "a-pool"
        assert claimed["spec"]["activeDeadlineSeconds"] < pod["spec"]["activeDeadlineSeconds"]


@virtual_time
async def test_jobs_that_come_at_once_get_a_pod_each_and_the_rest_start_cold_at_once() -> None:
    async with running_world() as world:
        await full_pool(world, 2)
        jobs = [f"job-{n}" for n in range(5)]
        for name in jobs:
            world.apply(name)
        for name in jobs:
            await world.until_phase("Completed", name=name)
        paths = [world.status(name)["runner"]["path"] for name in jobs]
        assert sorted(paths) == ["cold", "cold", "cold", "warm", "warm"]
        pods = [world.status(name)["runner"]["uid"] for name in jobs]
        assert len(set(pods)) == 5
        assert world.executions == 5
        await world.until(lambda: pool_status(world)["hitRate"] == "40%")
        assert (pool_status(world)["hits"], pool_status(world)["misses"]) == (2, 3)


@virtual_time
async def test_a_new_operator_takes_over_the_pods_that_wait_and_no_others() -> None:
    async with running_world() as world:
        await full_pool(world, 2)
        mine = {pod["metadata"]["uid"] for pod in world.kube.pods()}
        owner = {"kind": "RunnerPool", "name": "a-pool", "uid": world.kube.peek(POOLS, "a-pool")["metadata"]["uid"]}
        forged = builders.merge(
            world.kube.pods()[0],
            {"metadata": {"name": "forged", "uid": "forged", "ownerReferences": [{**owner, "controller": True}]}},
        )
        world.kill()
        world.kube.put(PODS, forged)
        await world.start()
        await world.until(lambda: "deletionTimestamp" in world.kube.peek(PODS, "forged")["metadata"])
        world.apply()
        status = await world.until_phase("Completed")
        assert status["runner"]["path"] == "warm"
        assert status["runner"]["uid"] in mine


@virtual_time
async def test_a_claim_that_others_writes_get_in_the_way_of_is_tried_again() -> None:
    async with running_world() as world:
        await full_pool(world, 1)
        [pod] = world.kube.pods()
        world.kube.fail_next("patch", PODS, errors.Conflict("other version", status=409, reason="Conflict"), times=2)
        world.apply()
        status = await world.until_phase("Completed")
        assert status["runner"]["uid"] == pod["metadata"]["uid"]


@virtual_time
async def test_a_pod_that_dies_between_ready_and_claim_costs_the_job_nothing_but_time() -> None:
    async with running_world() as world:
        await full_pool(world, 1)
        [pod] = world.kube.pods()

        async def gone(*_: Any) -> None:
            world.kube.before("patch", PODS, None)
            world.kube.remove(PODS, "default", pod["metadata"]["name"])

        world.kube.before("patch", PODS, gone)
        world.apply()
        status = await world.until_phase("Completed", "Failed")
        assert status["phase"] == "Completed"
        assert status["runner"]["uid"] != pod["metadata"]["uid"]
        assert world.executions == 1


@virtual_time
async def test_pods_are_replaced_when_the_profile_changes() -> None:
    async with running_world() as world:
        await full_pool(world, 2)
        old = {pod["metadata"]["uid"] for pod in world.kube.pods()}
        world.kill()
        changed = world.config.model_dump(by_alias=True)
        changed["profiles"]["default"]["image"] = "registry.example/runner:2"
        world.config = type(world.config).model_validate(changed)
        await world.start()
        await world.until(lambda: len(waiting_pods(world)) == 2 and not old & uids(world))
        images = {pod["spec"]["containers"][0]["image"] for pod in world.kube.pods()}
        assert images == {"registry.example/runner:2"}


@virtual_time
async def test_a_pool_that_is_scaled_down_gives_back_what_it_does_not_want() -> None:
    async with running_world() as world:
        await full_pool(world, 3)
        world.kube.edit(POOLS, "default", "a-pool", {"spec": {"replicas": 1}})
        await world.until(lambda: len(world.kube.pods()) == 1)
        await world.until(lambda: pool_status(world)["readyReplicas"] == 1)


@virtual_time
async def test_a_pool_nobody_asks_sleeps_and_the_next_job_wakes_it() -> None:
    async with running_world() as world:
        await full_pool(world, 1, scaleToZeroAfterSeconds=60)
        await world.until(lambda: not world.kube.pods())
        assert pool_status(world)["conditions"][0]["reason"] == "ScaledToZero"
        world.apply()
        status = await world.until_phase("Completed")
        assert status["runner"]["path"] == "cold"
        await world.until(lambda: len(waiting_pods(world)) == 1)


@virtual_time
async def test_a_deleted_pod_is_replaced() -> None:
    async with running_world() as world:
        await full_pool(world, 1)
        [pod] = world.kube.pods()
        world.kube.remove(PODS, "default", pod["metadata"]["name"])
        await world.until(lambda: len(waiting_pods(world)) == 1 and pod["metadata"]["uid"] not in uids(world))


@virtual_time
async def test_a_full_quota_is_said_and_left_alone_and_jobs_go_first() -> None:
    async with running_world() as world:
        full = errors.QuotaExceeded("exceeded quota: pods", status=403, reason="Forbidden")
        world.kube.fail_next("create", PODS, full, times=3)
        world.kube.put(POOLS, builders.pool(replicas=2))
        await world.until(lambda: (pool_status(world).get("conditions") or [{}])[0].get("reason") == "QuotaExceeded")
        asked = world.kube.requests.count("create pods")
        await asyncio.sleep(0.5)
        assert world.kube.requests.count("create pods") == asked, "it is not asked again at once"
        await world.until(lambda: pool_status(world).get("readyReplicas") == 2, seconds=300)


@virtual_time
async def test_a_job_that_waits_for_its_namespaces_quota_starts_when_a_pod_is_gone() -> None:
    async with running_world() as world:

        async def room_for_one(*_: Any) -> None:
            if world.kube.pods():
                raise errors.QuotaExceeded("exceeded quota: pods", status=403, reason="Forbidden")

        world.kube.before("create", PODS, room_for_one)
        world.apply("first", ttl={"podSeconds": 50})
        await world.until_phase("Completed", name="first")
        first = world.status("first")["runner"]["uid"]
        world.apply("second")
        await world.until(lambda: world.reason("second") == "QuotaExceeded")
        await world.until(lambda: first not in uids(world))
        await world.until_phase("Completed", name="second", seconds=5)


@virtual_time
async def test_a_pool_at_rest_costs_nothing() -> None:
    async with running_world() as world:
        await full_pool(world, 3)
        await asyncio.sleep(20)
        world.kube.requests.clear()
        passes = world.passes
        await asyncio.sleep(3600)
        assert world.kube.requests == []
        assert world.passes - passes < 20


@virtual_time
async def test_a_pool_that_stays_full_is_not_written_because_its_operator_is_another() -> None:
    async with running_world() as world:
        await full_pool(world, 3)
        await asyncio.sleep(20)
        world.kube.requests.clear()
        await world.restart()
        await asyncio.sleep(20)
        assert world.kube.requests == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", ["patch pods", "patch runtimejobs/status"])
@pytest.mark.parametrize("nth", [1, 2])
@virtual_time
async def test_a_warm_job_survives_its_operator(moment: str, write: str, nth: int) -> None:
    async with running_world() as world:
        await full_pool(world, 2)
        world.kill_at(moment, write, nth=nth)
        world.apply()
        await asyncio.sleep(5)
        world.kube.on_step = lambda *_: False
        if world.operator is None:
            await world.start()
        status = await world.until_phase("Completed", "Failed")
        assert status["phase"] == "Completed", status
        assert world.executions == 1
        assert [i["value"] for i in status["interimResults"]["latest"]] == ["0", "1", "2"]
        await world.until(lambda: len(waiting_pods(world)) == 2)


@virtual_time
async def test_a_job_whose_pod_vanished_with_its_operator_is_not_started_again() -> None:
    """Promise and claim are written before the program is entered: a successor that finds no pod does not guess."""
    async with running_world(program=for_ever) as world:
        await full_pool(world, 2)
        world.apply()
        await world.until(lambda: world.executions == 1)
        pod = world.status()["runner"]["pod"]
        world.kill()
        world.kube.remove(PODS, "default", pod)
        await world.start()
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == "RunnerLost"
        assert world.executions == 1


@virtual_time
async def test_a_job_that_is_deleted_takes_its_warm_pod_with_it() -> None:
    async with running_world(program=for_ever) as world:
        await full_pool(world, 1)
        world.apply()
        await world.until(lambda: world.executions == 1)
        pod = world.status()["runner"]["pod"]
        world.kube.remove(JOBS, "default", "a-job")
        await world.until(lambda: pod not in {p["metadata"]["name"] for p in world.kube.pods()})


def uids(world: World) -> set[str]:
    return {pod["metadata"]["uid"] for pod in world.kube.pods()}
