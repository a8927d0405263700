"""Jobs of programs with schemas, from creation to end, with operators that are killed in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.api.names import JobKey
from runtime_operator.kube.client import CLUSTER_PROGRAMS, CONFIG_MAPS, EVENTS, PROGRAMS
from runtime_operator.schema.checkers import CheckerError
from runtime_runner.schema.verdicts import Verdict
from support import builders
from support.clock import virtual_time
from support.world import World, running_world

if TYPE_CHECKING:
    from support.scripted_runner import ScriptedRunner

pytestmark = pytest.mark.usefixtures("virtual_clock")

STRICT: dict[str, Any] = {
    "parameters": {"properties": {"iterations": {"type": "integer", "minimum": 1}}, "required": ["iterations"]}
}
CHECKED: dict[str, Any] = {"returnValues": {"type": "string"}, "interimResults": {"type": "integer"}}


async def with_schemas(world: World, **spec: Any) -> None:
    world.kube.edit(PROGRAMS, "default", "a-program", {"spec": spec})
    await asyncio.sleep(1)


def condition(body: Any, kind: str) -> dict[str, Any]:
    return next((c for c in body["status"]["conditions"] if c["type"] == kind), {})


def events(world: World) -> list[str]:
    return [event["reason"] for event in world.kube.objects(EVENTS)]


async def a_wrong_result(runner: ScriptedRunner) -> None:
    runner.interim("1")
    runner.result('["a secret"]')


@virtual_time
async def test_inputs_as_the_schema_says_cost_nothing_but_the_check() -> None:
    async with running_world() as world:
        await with_schemas(world, **STRICT)
        world.kube.requests.clear()
        world.apply(inputs={"iterations": 3})
        await world.until_phase("Completed", "Failed")
        assert world.status()["result"] == '"All done!"'
        assert [r.what for r in world.checking.asked if r.text] == ["spec.inputs"]
        assert world.kube.requests == [
            "create serviceaccounts",
            "create networkpolicies",
            "create pods",
            "patch pods",
            "patch runtimejobs/status",
            "patch runtimejobs/status",
        ]


@virtual_time
async def test_inputs_that_violate_the_schema_fail_the_job_in_one_write_and_without_a_pod() -> None:
    async with running_world() as world:
        await with_schemas(world, **STRICT)
        world.kube.requests.clear()
        world.apply(inputs={"iterations": "three"})
        status = await world.until_phase("Completed", "Failed")
        assert status["failure"] == {
            "reason": "InvalidInput",
            "message": "spec.inputs.iterations: expected integer (type), given 'three'",
        }
        assert world.kube.requests == ["patch runtimejobs/status"]
        (event,) = world.kube.objects(EVENTS)
        assert "three" not in str(event), "who reads events need not be allowed to read jobs"


@virtual_time
async def test_a_job_that_is_looked_at_again_and_again_is_checked_once() -> None:
    async with running_world() as world:
        await with_schemas(world, **STRICT)
        world.checking.seconds = 1.0
        world.apply(inputs={"iterations": 3})
        while world.status()["phase"] == "Queued":
            assert world.operator is not None
            world.operator.queue.add(JobKey("default", "a-job"))
            await asyncio.sleep(0.05)
        assert len([r for r in world.checking.asked if r.text]) == 1


@virtual_time
async def test_a_program_without_schemas_asks_nobody() -> None:
    async with running_world() as world:
        world.apply()
        await world.until_phase("Completed")
        assert not world.checking.asked


@virtual_time
async def test_slow_checks_keep_no_other_job_waiting() -> None:
    """There are four workers in this world, and ten jobs whose check takes long."""
    async with running_world() as world:
        world.kube.put(PROGRAMS, builders.program("strict", **STRICT))
        await asyncio.sleep(1)
        world.checking.seconds = 1000.0
        for n in range(10):
            world.apply(f"slow-{n}", programRef={"name": "strict"}, startDeadlineSeconds=5000)
        await asyncio.sleep(1)
        world.apply()
        await world.until_phase("Completed", seconds=30)
        await asyncio.sleep(5)
        assert world.reason("slow-9") == "CheckingInputs"


@virtual_time
async def test_a_schema_that_is_too_expensive_refuses_the_job() -> None:
    async with running_world() as world:
        world.checking.answers["spec.inputs"] = Verdict(problem="it takes too long", too_expensive=True)
        await with_schemas(world, **STRICT)
        world.apply(inputs={"iterations": 3})
        status = await world.until_phase("Completed", "Failed")
        assert status["failure"]["reason"] == "SchemaTooExpensive"
        assert not world.runners


@virtual_time
async def test_a_schema_that_cannot_be_applied_is_the_programs_trouble_and_no_jobs() -> None:
    async with running_world() as world:
        await with_schemas(world, parameters={"properties": {"iterations": {"type": "int"}}})
        (program,) = world.kube.objects(PROGRAMS)
        valid = condition(program, "SchemasValid")
        assert (valid["status"], valid["reason"]) == ("False", "SchemaNotApplicable")
        assert "spec.parameters: the schema is not valid: properties.iterations.type is 'int'" in valid["message"]
        assert condition(program, "Ready")["status"] == "True"
        world.apply(inputs={"iterations": 3})
        await world.until_phase("Completed")


@virtual_time
async def test_a_cluster_programs_schemas_are_judged_too_in_its_one_status_write() -> None:
    async with running_world() as world:
        await asyncio.sleep(1)
        world.kube.requests.clear()
        world.kube.put(CLUSTER_PROGRAMS, builders.program(namespace=None, kind="ClusterRuntimeProgram", **STRICT))
        await asyncio.sleep(1)
        (program,) = world.kube.objects(CLUSTER_PROGRAMS)
        assert condition(program, "SchemasValid")["status"] == "True"
        assert world.kube.requests == ["patch clusterruntimeprograms/status"]
        world.apply(programRef={"kind": "ClusterRuntimeProgram", "name": "a-program"}, inputs={"iterations": 0})
        assert (await world.until_phase("Failed"))["failure"]["reason"] == "InvalidInput"


@virtual_time
async def test_a_child_that_cannot_be_had_is_tried_again() -> None:
    async with running_world() as world:
        await with_schemas(world, **STRICT)
        world.checking.trouble = [CheckerError("no memory")] * 3
        world.apply(inputs={"iterations": 3})
        await asyncio.sleep(6)
        assert world.reason() == "CheckingInputs"
        await world.until_phase("Completed")
        assert world.executions == 1


@virtual_time
async def test_no_job_hangs_because_no_child_can_be_had() -> None:
    async with running_world() as world:
        await with_schemas(world, **STRICT, **CHECKED)
        world.checking.trouble = [CheckerError("no memory")] * 5 + [RuntimeError("a bug")] * 5
        world.apply(inputs={"iterations": 3})
        await world.until_phase("Completed")
        valid = condition(world.kube.the_job(), "ResultsValid")
        assert (valid["status"], valid["reason"]) == ("Unknown", "SchemaCheckFailed")


@virtual_time
async def test_a_cancelled_job_does_not_wait_for_its_check() -> None:
    async with running_world() as world:
        await with_schemas(world, **STRICT)
        world.checking.seconds = 1000.0
        world.apply(inputs={"iterations": 3})
        await asyncio.sleep(1)
        world.set(cancel=True)
        await world.until_phase("Cancelled", seconds=2)
        await asyncio.sleep(1)
        assert world.operator is not None
        assert not world.operator.checks._tasks


# Results


@virtual_time
async def test_results_as_the_schemas_say_are_told_so_in_the_last_status() -> None:
    async with running_world() as world:
        await with_schemas(world, **CHECKED)
        world.apply()
        await world.until_phase("Completed")
        valid = condition(world.kube.the_job(), "ResultsValid")
        assert (valid["status"], valid["reason"]) == ("True", "Accepted")
        assert "the result and 3 interim results" in valid["message"]
        assert world.kube.requests.count("patch runtimejobs/status") == 2
        assert not events(world)


@pytest.mark.parametrize(("mode", "phase"), [("Warn", "Completed"), ("Enforce", "Failed"), ("Ignore", "Completed")])
@virtual_time
async def test_a_result_that_violates_its_schema_is_kept_whatever_follows(mode: str, phase: str) -> None:
    async with running_world(program=a_wrong_result) as world:
        await with_schemas(world, **CHECKED, validateResults=mode)
        world.apply()
        status = await world.until_phase("Completed", "Failed")
        assert (status["phase"], status["result"]) == (phase, '["a secret"]')
        assert [i["value"] for i in status["interimResults"]["latest"]] == ["1"]
        valid = condition(world.kube.the_job(), "ResultsValid")
        if mode == "Ignore":
            assert not valid
            assert not events(world)
            return
        assert (valid["status"], valid["reason"]) == ("False", "ResultViolatesSchema")
        assert valid["message"] == "result: expected string (type), given ['a secret']"
        (event,) = world.kube.objects(EVENTS)
        assert event["reason"] == ("ResultViolatesSchema" if mode == "Warn" else "InvalidResult")
        assert "secret" not in str(event)


@virtual_time
async def test_a_large_result_is_checked_and_kept_beside_the_status() -> None:
    async def large(runner: ScriptedRunner) -> None:
        runner.result('"' + "x" * 100_000 + '"')

    async with running_world(program=large) as world:
        await with_schemas(world, returnValues={"maxLength": 10}, validateResults="Enforce")
        world.apply()
        status = await world.until_phase("Failed", "Completed")
        assert status["failure"]["reason"] == "InvalidResult"
        assert "at most 10 characters" in status["failure"]["message"]
        assert "result" not in status
        assert status["resultRef"]["size"] == 100_002


@pytest.mark.parametrize("moment", ["before", "after"])
@virtual_time
async def test_an_operator_killed_between_result_and_verdict_does_not_lose_either(moment: str) -> None:
    async with running_world(program=a_wrong_result) as world:
        await with_schemas(world, **CHECKED)
        world.checking.seconds = 5.0
        world.apply()
        await world.until(lambda: any(r.what == "result" for r in world.checking.asked))
        if moment == "after":
            world.checking.seconds = 0.0
        await world.restart()
        await world.until_phase("Completed", "Failed")
        assert condition(world.kube.the_job(), "ResultsValid")["reason"] == "ResultViolatesSchema"
        assert world.executions == 1
        assert [r.what for r in world.checking.asked].count("result") == 2


@virtual_time
async def test_an_operator_killed_while_inputs_are_checked_checks_them_again() -> None:
    async with running_world() as world:
        await with_schemas(world, **STRICT)
        world.checking.seconds = 5.0
        world.apply(inputs={"iterations": 3})
        await asyncio.sleep(1)
        await world.restart()
        await world.until_phase("Completed")
        assert world.executions == 1


@pytest.mark.parametrize("gone", [False, True], ids=["changed", "deleted"])
@virtual_time
async def test_results_are_checked_with_the_schemas_the_program_had_at_the_hand_over(gone: bool) -> None:
    async with running_world() as world:
        await with_schemas(world, **CHECKED)
        world.apply()
        await world.until(lambda: world.executions == 1)
        if gone:
            world.kube.remove(PROGRAMS, "default", "a-program")
        else:
            world.kube.edit(PROGRAMS, "default", "a-program", {"spec": {"returnValues": {"type": "integer"}}})
        await world.until_phase("Completed")
        assert condition(world.kube.the_job(), "ResultsValid")["status"] == "True"


@virtual_time
async def test_schemas_lost_with_an_operator_are_said_to_be_lost() -> None:
    async with running_world() as world:
        await with_schemas(world, **CHECKED)
        world.apply()
        await world.until(lambda: world.executions == 1)
        world.kill()
        world.kube.edit(PROGRAMS, "default", "a-program", {"spec": {"returnValues": {"type": "integer"}}})
        await world.start()
        status = await world.until_phase("Completed")
        assert status["result"] == '"All done!"'
        valid = condition(world.kube.the_job(), "ResultsValid")
        assert (valid["status"], valid["reason"]) == ("Unknown", "ProgramChanged")


# What else a program may ask for


@virtual_time
async def test_a_package_fits_in_a_config_map_by_its_paths() -> None:
    async with running_world() as world:
        items = [{"key": "main.py", "path": "main.py"}, {"key": "init", "path": "lib/__init__.py"}]
        metadata = {"name": "source", "namespace": "default"}
        await with_schemas(world, source={"inline": None, "configMapRef": {"name": "source", "items": items}})
        world.kube.put(CONFIG_MAPS, {"kind": "ConfigMap", "metadata": metadata, "data": {"main.py": "1"}})
        world.apply()
        await asyncio.sleep(3)
        assert world.reason() == "SourceNotFound"
        assert "no key 'init'" in condition(world.kube.the_job(), "Reconciling")["message"]
        world.kube.edit(CONFIG_MAPS, "default", "source", {"data": {"init": "2", "other": "3"}})
        await world.until_phase("Completed")
        (request,) = [r for r in world.runner.requests if r["kind"] == "job"]
        assert request["files"] == {"main.py": "1", "lib/__init__.py": "2"}


@virtual_time
async def test_a_retired_devices_name_gives_its_fake_twin_and_stays_the_name() -> None:
    async with running_world() as world:
        await with_schemas(world, compatibility="Qiskit0", backendRequirements={"minNumQubits": 27})
        world.apply(backend="ibmq_montreal")
        status = await world.until_phase("Completed")
        (request,) = [r for r in world.runner.requests if r["kind"] == "job"]
        assert request["backend"] == {"fake": {"name": "FakeMontrealV2"}}
        assert (request["backend_name"], request["min_num_qubits"]) == ("ibmq_montreal", 27)
        assert request["compatibility"] == status["program"]["compatibility"] == "Qiskit0"
        assert status["backend"] == {"name": "ibmq_montreal"}


@virtual_time
async def test_a_backend_that_is_too_small_is_refused_without_a_pod() -> None:
    async with running_world() as world:
        await with_schemas(world, backendRequirements={"minNumQubits": 28})
        world.apply(backend="ibmq_montreal")
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == "BackendTooSmall"
        assert not world.runners
