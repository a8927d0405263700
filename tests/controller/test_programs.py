"""A program's status, whatever way its source is given, and what happens when it changes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from runtime_operator.decide.program import program_status
from runtime_operator.kube import errors
from runtime_operator.kube.client import CLUSTER_PROGRAMS, CONFIG_MAPS, PROGRAMS
from runtime_operator.observe.snapshots import Source, parse_program
from support import builders, crd
from support.clock import START, virtual_time
from support.snapshots import CONFIG, config
from support.world import World, running_world

pytestmark = pytest.mark.usefixtures("virtual_clock")

NO_SOURCE = Source(files=None, problem="no 's'")


@pytest.mark.parametrize(
    ("program", "source", "reason", "says"),
    [
        (builders.program(), None, "Accepted", "jobs can run"),
        (builders.program(source={"files": {"main.py": "", "b.py": ""}}), None, "Accepted", "jobs can run"),
        (builders.program(profile="gpu"), None, "ProfileNotFound", "'gpu'"),
        (builders.program(source={"files": {"a.py": ""}}), None, "EntrypointNotFound", "a.py"),
        (builders.program(source={"files": {}}), None, "EntrypointNotFound", "no file at all"),
        (builders.program(source={"inline": "x" * 800_000}), None, "SourceTooLarge", "800000"),
        (builders.program(returnValues={"description": "x" * 70_000}), None, "SchemaTooLarge", "70019 bytes"),
        (builders.program(maxExecutionTimeSeconds="soon"), None, "InvalidSpec", "maxExecutionTimeSeconds"),
        (
            builders.program(source={"configMapRef": {"name": "s"}}),
            Source(files=None, problem="no 's'"),
            "SourceNotFound",
            "no 's'",
        ),
        (builders.program(source={"configMapRef": {"name": "s"}}), Source(files={"main.py": ""}), "Accepted", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_programs_status_says_whether_jobs_can_run_it(
    program: dict[str, Any], source: Source | None, reason: str, says: str
) -> None:
    parsed = parse_program(program)
    status = program_status(parsed, source or parsed.source, None, START, CONFIG)
    assert status is not None
    assert not crd.problems("runtimeprograms", status, part="status")
    (ready,) = status["conditions"]
    assert (ready["type"], ready["reason"]) == ("Ready", reason)
    assert ready["status"] == ("True" if reason == "Accepted" else "False")
    assert says in ready["message"]


def test_a_program_whose_source_has_not_been_read_yet_is_not_judged() -> None:
    parsed = parse_program(builders.program(source={"configMapRef": {"name": "s"}}))
    assert program_status(parsed, None, None, START, CONFIG) is None


def ready(world: World, name: str = "a-program") -> str:
    (program,) = [p for p in world.kube.objects(PROGRAMS) if p["metadata"]["name"] == name]
    conditions = program.get("status", {}).get("conditions", [])
    return "".join(c["reason"] for c in conditions)


@virtual_time
async def test_a_program_gets_one_status_and_no_more_writes() -> None:
    async with running_world() as world:
        await asyncio.sleep(300)
        assert ready(world) == "Accepted"
        assert world.kube.requests == ["patch runtimeprograms/status"]


@virtual_time
async def test_a_program_that_changes_is_judged_again() -> None:
    async with running_world(config()) as world:
        await asyncio.sleep(1)
        world.kube.edit(PROGRAMS, "default", "a-program", {"spec": {"profile": "gpu"}})
        await asyncio.sleep(1)
        assert ready(world) == "ProfileNotFound"


@virtual_time
async def test_a_cluster_program_is_judged_too() -> None:
    async with running_world() as world:
        world.kube.put(CLUSTER_PROGRAMS, builders.program(namespace=None, kind="ClusterRuntimeProgram"))
        await asyncio.sleep(1)
        (program,) = world.kube.objects(CLUSTER_PROGRAMS)
        assert program["status"]["conditions"][0]["reason"] == "Accepted"


@virtual_time
async def test_a_config_map_that_comes_later_is_found_within_a_minute() -> None:
    async with running_world() as world:
        spec = {"source": {"inline": None, "configMapRef": {"name": "source"}}}
        world.kube.edit(PROGRAMS, "default", "a-program", {"spec": spec})
        await asyncio.sleep(1)
        assert ready(world) == "SourceNotFound"
        metadata = {"name": "source", "namespace": "default"}
        world.kube.put(CONFIG_MAPS, {"kind": "ConfigMap", "metadata": metadata, "data": {"main.py": "..."}})
        await asyncio.sleep(61)
        assert ready(world) == "Accepted"


@virtual_time
async def test_a_status_that_cannot_be_written_is_written_later() -> None:
    async with running_world() as world:
        world.kube.fail_next("patch", PROGRAMS, errors.Unavailable("no"), times=3)
        world.kube.edit(PROGRAMS, "default", "a-program", {"spec": {"profile": "gpu"}})
        await asyncio.sleep(10)
        assert ready(world) == "ProfileNotFound"


@virtual_time
async def test_a_program_deleted_while_it_is_judged_is_forgotten() -> None:
    async with running_world() as world:
        await asyncio.sleep(1)
        world.kube.before("patch", PROGRAMS, lambda name, body: world.kube.remove(PROGRAMS, "default", name))
        world.kube.edit(PROGRAMS, "default", "a-program", {"spec": {"profile": "gpu"}})
        await asyncio.sleep(1)
        passes = world.passes
        await asyncio.sleep(300)
        assert world.passes - passes <= 1
