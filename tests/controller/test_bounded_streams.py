"""More programs run than streams may be open: the quiet ones rest, and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from support.clock import virtual_time
from support.snapshots import CONFIG
from support.world import World, running_world

if TYPE_CHECKING:
    from support.scripted_runner import ScriptedRunner

pytestmark = pytest.mark.usefixtures("virtual_clock")

BOUNDED = CONFIG.model_copy(update={"streams": 3})
JOBS = [f"job-{n}" for n in range(8)]


async def quiet_for_an_hour(runner: ScriptedRunner) -> None:
    runner.interim("1")
    await asyncio.sleep(3600)
    runner.interim("2")
    runner.result('"late"')


async def all_started(world: World) -> None:
    for name in JOBS:
        world.apply(name)
    await world.until(lambda: world.executions == len(JOBS))


def most_streams(world: World) -> int:
    return sum(len(runner.process.attachments) for runner in world.runners)


@virtual_time
async def test_every_job_starts_and_no_more_streams_are_open_than_allowed() -> None:
    async with running_world(BOUNDED, program=quiet_for_an_hour) as world:
        await all_started(world)
        assert {world.status(name)["phase"] for name in JOBS} == {"Running"}
        await asyncio.sleep(30)
        assert world.operator is not None
        assert world.operator.conversations.open_streams() <= BOUNDED.streams


@virtual_time
async def test_what_a_resting_runner_says_arrives_when_its_pod_has_ended_at_the_latest() -> None:
    async with running_world(BOUNDED, program=quiet_for_an_hour) as world:
        await all_started(world)
        for name in JOBS:
            status = await world.until_phase("Completed", "Failed", name=name, seconds=4000)
            assert (status["phase"], status["result"]) == ("Completed", '"late"')
            assert [i["value"] for i in status["interimResults"]["latest"]] == ["1", "2"]
        assert world.executions == len(JOBS)


@virtual_time
async def test_a_job_whose_runner_rests_is_cancelled_at_once() -> None:
    async with running_world(BOUNDED, program=quiet_for_an_hour) as world:
        await all_started(world)
        await asyncio.sleep(30)
        for name in JOBS:
            world.set(name, cancel=True)
        for name in JOBS:
            status = await world.until_phase("Cancelled", "Failed", "Completed", name=name, seconds=60)
            assert status["phase"] == "Cancelled"


@virtual_time
async def test_a_new_operator_asks_every_runner_once_and_calls_none_unreachable() -> None:
    async with running_world(BOUNDED, program=quiet_for_an_hour) as world:
        await all_started(world)
        await world.restart()
        await asyncio.sleep(120)
        assert {world.reason(name) for name in JOBS} == {"Running"}
        for name in JOBS:
            await world.until_phase("Completed", name=name, seconds=4000)
        assert world.executions == len(JOBS)


@virtual_time
async def test_jobs_whose_runners_rest_cost_next_to_nothing() -> None:
    async with running_world(BOUNDED, program=quiet_for_an_hour) as world:
        await all_started(world)
        await asyncio.sleep(60)
        passes = world.passes
        await asyncio.sleep(600)
        assert world.passes - passes < 600
