"""More interim results than a status holds: they arrive while the program runs, each once and in order."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from runtime_operator.kube.client import JOBS, OUTPUTS, PODS
from runtime_runner import contract
from support.clock import virtual_time
from support.world import running_world

if TYPE_CHECKING:
    from support.scripted_runner import Program, ScriptedRunner
    from support.world import World

pytestmark = pytest.mark.usefixtures("virtual_clock")


def publishing(count: int, *, every: float, then: str = "null") -> Program:
    async def program(runner: ScriptedRunner) -> None:
        for n in range(count):
            runner.interim(str(n))
            runner.log(f"iteration {n}\n")
            await asyncio.sleep(every)
        runner.result(then)

    return program


def stored(world: World) -> str:
    """Return the text that the status names, checked against its digest."""
    ref = world.status().get("interimResults", {}).get("ref")
    if ref is None:
        return ""
    chunks = {chunk["metadata"]["name"]: chunk["spec"]["text"] for chunk in world.kube.objects(OUTPUTS)}
    text = "".join(chunks[name] for name in ref["names"])
    assert contract.digest(text) == (ref["size"], ref["sha256"])
    return text


def values(world: World) -> list[int]:
    return [int(json.loads(line)["value"]) for line in stored(world).splitlines()]


class Reader:
    """Sees every status, and takes what follows on what it has."""

    def __init__(self, world: World) -> None:
        self.has: list[int] = []
        self._world = world

    def look(self) -> None:
        status = self._world.status().get("interimResults", {})
        kept = status.get("published", 0) - status.get("dropped", 0)
        latest = [int(interim["value"]) for interim in status.get("latest", [])]
        self.has += values(self._world)[len(self.has) :]
        begin = kept - len(latest)
        if begin <= len(self.has):
            self.has += latest[len(self.has) - begin :]


@virtual_time
async def test_a_reader_gets_a_fast_programs_results_while_it_runs() -> None:
    async with running_world(program=publishing(3000, every=0.01)) as world:
        world.apply()
        reader = Reader(world)
        await world.until(lambda: world.status()["phase"] == "Running")
        for second in range(1, 30):
            await asyncio.sleep(1.0)
            reader.look()
            assert len(reader.has) >= (second - 5) * 100
            assert reader.has == list(range(len(reader.has)))
        await world.until_phase("Completed")
        reader.look()
        assert reader.has == list(range(3000))
        assert values(world) == reader.has, "at the end all are in one place"


@virtual_time
async def test_a_burst_is_stored_a_moment_later_though_the_program_says_nothing_more() -> None:
    async def program(runner: ScriptedRunner) -> None:
        for n in range(100):
            runner.interim(str(n))
        await asyncio.sleep(1000)

    async with running_world(program=program) as world:
        world.apply()
        await world.until(lambda: len(values(world)) == 80, seconds=10)
        assert len(world.status()["interimResults"]["latest"]) == 20


@pytest.mark.parametrize("every", [0.3, 1.0, 2.7])
@virtual_time
async def test_an_operator_that_is_killed_again_and_again_stores_each_once(every: float) -> None:
    async with running_world(program=publishing(500, every=0.05)) as world:
        world.apply()
        for _ in range(int(20 / every)):
            await asyncio.sleep(every)
            await world.restart()
        await world.until_phase("Completed", "Failed")
        assert values(world) == list(range(500))


@virtual_time
async def test_an_operator_killed_between_a_chunk_and_the_status_stores_it_again_as_part_of_a_longer_one() -> None:
    async with running_world(program=publishing(200, every=0.05)) as world:
        world.kill_at("after", "create runtimejoboutputs", nth=2)
        world.apply()
        await world.until(lambda: world.operator is None)
        await asyncio.sleep(2)
        await world.start()
        await world.until_phase("Completed", "Failed")
        assert values(world) == list(range(200))
        named = set(world.status()["interimResults"]["ref"]["names"])
        assert {chunk["metadata"]["name"] for chunk in world.kube.objects(OUTPUTS)} > named


@virtual_time
async def test_what_a_lost_pod_had_published_is_kept() -> None:
    async def program(runner: ScriptedRunner) -> None:
        for n in range(50):
            runner.interim(str(n))
        await asyncio.sleep(10)
        for n in range(50, 100):
            runner.interim(str(n))
        await asyncio.sleep(5)
        world.kube.remove(PODS, "default", runner.pod)
        await asyncio.sleep(1000)

    async with running_world(program=program) as world:
        world.apply()
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == "RunnerLost"
        latest = [int(interim["value"]) for interim in status["interimResults"]["latest"]]
        assert values(world) + latest == list(range(100))


@virtual_time
async def test_a_few_results_make_no_object() -> None:
    async with running_world(program=publishing(20, every=0.01)) as world:
        world.apply()
        await world.until_phase("Completed")
        assert stored(world) == ""
        assert [chunk for chunk in world.kube.objects(OUTPUTS) if chunk["spec"]["content"] == "InterimResults"] == []


@virtual_time
async def test_tags_may_change_after_the_end_and_the_status_keeps_up() -> None:
    async with running_world() as world:
        world.apply()
        await world.until_phase("Completed")
        world.set(tags=["kept"])
        await asyncio.sleep(5)
        (job,) = world.kube.objects(JOBS)
        assert job["status"]["observedGeneration"] == job["metadata"]["generation"]
