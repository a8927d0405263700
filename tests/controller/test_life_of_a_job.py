"""One job from its creation to its end, in virtual time: the real object graph over the fake cluster."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.api.conditions import format_time, parse_time
from runtime_operator.api.names import RUNNER_ROLE, JobKey, child_name
from runtime_operator.kube import errors
from runtime_operator.kube.client import (
    BACKENDS,
    CONFIG_MAPS,
    JOBS,
    NETWORK_POLICIES,
    OUTPUTS,
    PODS,
    PROGRAMS,
    SERVICE_ACCOUNTS,
)
from runtime_runner.contract import FailureReason
from support import builders
from support.clock import virtual_time
from support.scripted_runner import ScriptedRunner, now, three_interims
from support.snapshots import config
from support.world import World, running_world

if TYPE_CHECKING:
    from runtime_operator.kube.client import Resource


pytestmark = pytest.mark.usefixtures("virtual_clock")


async def for_ever(runner: ScriptedRunner) -> None:
    runner.interim("1")
    await asyncio.sleep(1_000_000)


def assert_all_done(world: World) -> None:
    """One pod, one run, and everything the program said, once."""
    status = world.status()
    assert status["phase"] == "Completed", status
    assert status["result"] == '"All done!"'
    assert [i["value"] for i in status["interimResults"]["latest"]] == ["0", "1", "2"]
    assert status["interimResults"]["published"] == 3
    assert status["logs"]["tail"] == "iteration 0\niteration 1\niteration 2\n"
    assert len(world.runners) == 1
    assert world.executions == 1


# The good way


@virtual_time
async def test_a_cold_job_takes_five_writes_from_its_creation_to_its_pods_end() -> None:
    async with running_world() as world:
        await asyncio.sleep(1)
        world.kube.requests.clear()
        world.apply(ttl={"podSeconds": 60, "jobSeconds": 300})
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)
        await world.until(lambda: not world.kube.pods())
        assert world.kube.requests == [
            "create serviceaccounts",  # once per namespace
            "create networkpolicies",
            "create pods",
            "patch pods",
            "patch runtimejobs/status",
            "patch runtimejobs/status",
            "delete pods",
        ]
        await world.until(lambda: not world.kube.objects(JOBS), seconds=300)
        assert world.kube.requests[7:] == ["delete runtimejobs"]


@virtual_time
async def test_looking_at_a_job_all_the_time_writes_nothing_more() -> None:
    """Carrying out a plan and deciding again gives nothing to do, at every moment of a job's life."""
    async with running_world() as world:
        await asyncio.sleep(1)
        world.kube.requests.clear()
        world.apply(ttl={"podSeconds": 1})
        while world.status()["phase"] != "Completed" or world.kube.pods():
            assert world.operator is not None
            world.operator.queue.add(JobKey("default", "a-job"))
            await asyncio.sleep(0.005)
        assert_all_done(world)
        assert len(world.kube.requests) == 7
        assert [r["kind"] for r in world.runner.requests].count("job") == 1


@virtual_time
async def test_the_namespace_is_prepared_once() -> None:
    async with running_world() as world:
        world.apply("one")
        await world.until_phase("Completed", name="one")
        world.kube.requests.clear()
        world.apply("two")
        await world.until_phase("Completed", name="two")
        assert world.kube.requests[:1] == ["create pods"]


@virtual_time
async def test_a_running_jobs_status_is_written_at_most_once_a_second() -> None:
    async def chatty(runner: ScriptedRunner) -> None:
        for n in range(1000):
            runner.interim(str(n))
            await asyncio.sleep(0.01)
        runner.result("null")

    async with running_world(program=chatty) as world:
        world.apply()
        status = await world.until_phase("Completed")
        assert status["interimResults"]["published"] == 1000
        assert len(status["interimResults"]["latest"]) == 20
        assert "ref" in status["interimResults"]
        assert world.kube.requests.count("patch runtimejobs/status") <= 13


@virtual_time
async def test_nothing_is_written_and_hardly_anything_looked_at_while_a_program_says_nothing() -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await world.until_phase("Running")
        await asyncio.sleep(10)
        writes, passes = len(world.kube.requests), world.passes
        await asyncio.sleep(100)
        assert len(world.kube.requests) == writes
        assert world.passes - passes <= 2


@virtual_time
async def test_many_jobs_at_once_all_complete() -> None:
    async with running_world() as world:
        for n in range(20):
            world.apply(f"job-{n}")
        for n in range(20):
            await world.until_phase("Completed", "Failed", name=f"job-{n}")
        assert world.executions == 20
        writes = Counter(world.kube.requests)
        assert writes["create pods"] == writes["patch pods"] == 20
        assert writes["patch runtimejobs/status"] == 40


# The operator is killed


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("write", "nth"),
    [
        ("create serviceaccounts", 1),
        ("create networkpolicies", 1),
        ("create pods", 1),
        ("patch pods", 1),
        ("patch runtimejobs/status", 1),
        ("patch runtimejobs/status", 2),
        ("delete pods", 1),
    ],
)
@virtual_time
async def test_an_operator_killed_around_a_write_is_replaced_and_the_program_runs_once(
    write: str, nth: int, moment: str
) -> None:
    async with running_world() as world:
        world.kill_at(moment, write, nth=nth)
        world.apply(ttl={"podSeconds": 5})
        await world.until(lambda: world.operator is None)
        await asyncio.sleep(3)
        await world.start()
        await world.until(lambda: world.status()["phase"] == "Completed" and not world.kube.pods())
        assert_all_done(world)


@pytest.mark.parametrize("pause", [0.0, 0.2, 5.0], ids="back after {} s".format)
@virtual_time
async def test_an_operator_killed_between_hand_over_and_first_event(pause: float) -> None:
    async with running_world() as world:
        world.prepare_runner = lambda runner: setattr(runner, "on_job", world.kill)
        world.apply()
        await world.until(lambda: world.operator is None)
        await asyncio.sleep(pause)
        await world.start()
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@pytest.mark.parametrize("pause", [0.0, 0.2, 5.0], ids="back after {} s".format)
@virtual_time
async def test_an_operator_killed_in_mid_stream_misses_nothing_and_counts_nothing_twice(pause: float) -> None:
    async def program(runner: ScriptedRunner) -> None:
        for n in range(3):
            runner.log(f"iteration {n}\n")
            runner.interim(str(n))
            await asyncio.sleep(0.1)
            if n == 1:
                world.kill()
        runner.result('"All done!"')

    async with running_world(program=program) as world:
        world.apply()
        await world.until(lambda: world.operator is None)
        await asyncio.sleep(pause)
        await world.start()
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@virtual_time
async def test_an_operator_that_dies_every_second_gets_there() -> None:
    async with running_world() as world:
        world.apply()
        for _ in range(8):
            await asyncio.sleep(1.0)
            await world.restart()
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@virtual_time
async def test_a_job_that_ended_and_whose_pod_is_gone_is_left_alone_by_a_new_operator() -> None:
    async with running_world() as world:
        world.apply(ttl={"podSeconds": 0})
        await world.until_phase("Completed")
        await world.until(lambda: not world.kube.pods())
        before, requests = world.kube.the_job(), len(world.kube.requests)
        await world.restart()
        await asyncio.sleep(100)
        assert world.kube.the_job() == before
        assert len(world.kube.requests) == requests


@virtual_time
async def test_a_pod_that_was_deleted_while_no_operator_was_there_is_not_replaced_once_it_had_the_job() -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await world.until_phase("Running")
        await world.until(lambda: world.executions == 1)
        world.kill()
        world.kube.remove(PODS, "default", world.runner.pod)
        await world.start()
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == "RunnerLost"
        assert world.executions == 1


# The API server does not do what it is asked

WRITES: list[tuple[str, Resource, int]] = [
    ("create", SERVICE_ACCOUNTS, 1),
    ("create", NETWORK_POLICIES, 1),
    ("create", PODS, 1),
    ("patch", PODS, 1),
    ("patch", JOBS, 1),
]
FAULTS = [
    errors.Conflict("conflict", status=409, reason="Conflict"),
    errors.Forbidden("not allowed", status=403, reason="Forbidden"),
    errors.QuotaExceeded("exceeded quota: runners", status=403, reason="Forbidden"),
    errors.Invalid("invalid", status=422, reason="Invalid"),
    errors.Unavailable("no answer in time"),
    errors.Unavailable("internal error", status=500, reason="InternalError"),
    errors.TooManyRequests("later"),
]


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "done, but the answer got lost"])
@pytest.mark.parametrize("error", FAULTS, ids=lambda e: f"{type(e).__name__} {e.status}")
@pytest.mark.parametrize(("verb", "resource", "nth"), WRITES, ids=lambda p: str(p))
@virtual_time
async def test_a_write_that_fails_three_times_is_made_in_the_end(
    verb: str, resource: Resource, nth: int, error: errors.KubeError, lost: bool
) -> None:
    async with running_world() as world:
        world.kube.fail_next(verb, resource, error, times=3, after=lost)
        world.apply()
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)
        assert world.passes < 60


@pytest.mark.parametrize("error", FAULTS, ids=lambda e: f"{type(e).__name__} {e.status}")
@virtual_time
async def test_a_last_status_write_that_fails_is_made_in_the_end(error: errors.KubeError) -> None:
    async with running_world() as world:
        world.apply()
        await world.until_phase("Running")
        world.kube.fail_next("patch", JOBS, error, times=3)
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@virtual_time
async def test_an_api_server_that_is_away_for_a_minute_costs_nothing_but_the_minute() -> None:
    async with running_world() as world:
        world.apply()
        await world.until_phase("Running")
        for verb, resource in (("patch", JOBS), ("log", PODS), ("attach", PODS), ("get", JOBS)):
            away = asyncio.get_running_loop().time() + 60

            def refuse(name: str, body: Any, away: float = away) -> None:
                if asyncio.get_running_loop().time() < away:
                    raise errors.Unavailable("connection refused")

            world.kube.before(verb, resource, refuse)
        world.runner.process.drop_streams()
        await world.until_phase("Completed", "Failed", seconds=150)
        assert_all_done(world)
        assert world.passes < 200


@virtual_time
async def test_a_conflict_storm_ends_in_one_terminal_status() -> None:
    async def label(world: World) -> None:
        for n in range(2000):
            world.kube.edit(JOBS, "default", "a-job", {"metadata": {"labels": {"n": str(n)}}})
            await asyncio.sleep(0.02)

    async with running_world() as world:
        world.apply()
        storm = asyncio.create_task(label(world))
        world.kube.fail_next("patch", JOBS, errors.Conflict("conflict", status=409), times=2)
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)
        await asyncio.sleep(20)
        storm.cancel()
        assert world.kube.requests.count("patch runtimejobs/status") == 4


@virtual_time
async def test_a_pod_that_the_api_server_refuses_is_tried_again_ever_more_slowly_and_the_status_says_why() -> None:
    async with running_world() as world:
        world.kube.fail_next("create", PODS, errors.QuotaExceeded("exceeded quota: runners", status=403), times=10**6)
        world.apply(startDeadlineSeconds=3600)
        await asyncio.sleep(600)
        assert world.reason() == "QuotaExceeded"
        assert world.kube.requests.count("create pods") < 20
        assert world.kube.requests.count("patch runtimejobs/status") == 1
        status = await world.until_phase("Failed", seconds=4000)
        assert status["failure"]["reason"] == "StartDeadlineExceeded"
        assert "exceeded quota: runners" in status["failure"]["message"]


# What the job refers to


@pytest.mark.parametrize(
    ("resource", "body"), [(PROGRAMS, builders.program()), (BACKENDS, builders.backend())], ids=["program", "backend"]
)
@virtual_time
async def test_what_is_applied_a_moment_after_the_job_is_waited_for(resource: Resource, body: Any) -> None:
    async with running_world(config().model_copy(update={"builtin_backends": False})) as world:
        world.kube.remove(resource, body["metadata"].get("namespace"), body["metadata"]["name"])
        await asyncio.sleep(1)
        world.apply()
        await asyncio.sleep(3)
        assert world.status()["phase"] == "Queued"
        assert world.reason() in ("ProgramNotFound", "BackendNotFound")
        world.kube.put(resource, body)
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@virtual_time
async def test_a_program_that_does_not_come_fails_the_job_without_a_pod() -> None:
    async with running_world() as world:
        world.apply(programRef={"name": "no-such-program"})
        status = await world.until_phase("Failed", seconds=15)
        assert status["failure"]["reason"] == "ProgramNotFound"
        assert "no-such-program" in status["failure"]["message"]
        assert "create pods" not in world.kube.requests


def config_map(**data: str) -> dict[str, Any]:
    metadata = {"name": "source", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


FROM_CONFIG_MAP = {"metadata": {}, "spec": {"source": {"inline": None, "configMapRef": {"name": "source"}}}}


@virtual_time
async def test_a_program_from_a_config_map_is_read_once_and_handed_over() -> None:
    async with running_world() as world:
        world.kube.put(CONFIG_MAPS, config_map(**{"main.py": "def main(): ..."}))
        world.kube.edit(PROGRAMS, "default", "a-program", FROM_CONFIG_MAP)
        await asyncio.sleep(1)
        world.apply()
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)
        (request,) = [r for r in world.runner.requests if r["kind"] == "job"]
        assert request["files"] == {"main.py": "def main(): ..."}


@pytest.mark.parametrize("first", [None, config_map(**{"other.py": ""})], ids=["missing", "without the entrypoint"])
@virtual_time
async def test_a_config_map_that_comes_after_the_job_is_found(first: dict[str, Any] | None) -> None:
    async with running_world() as world:
        world.kube.edit(PROGRAMS, "default", "a-program", FROM_CONFIG_MAP)
        if first:
            world.kube.put(CONFIG_MAPS, first)
        await asyncio.sleep(1)
        world.apply()
        await asyncio.sleep(3)
        assert world.reason() == ("EntrypointNotFound" if first else "SourceNotFound")
        world.kube.put(CONFIG_MAPS, config_map(**{"main.py": "def main(): ..."}))
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@virtual_time
async def test_a_program_that_is_deleted_or_changed_while_its_job_runs_does_not_touch_the_job() -> None:
    async with running_world() as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        digest = world.status()["program"]["digest"]
        world.kube.edit(PROGRAMS, "default", "a-program", {"spec": {"maxExecutionTimeSeconds": 1}})
        await asyncio.sleep(0.1)
        world.kube.remove(PROGRAMS, "default", "a-program")
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)
        assert world.status()["program"]["digest"] == digest


# Suspend, cancel, delete


@virtual_time
async def test_a_suspended_job_has_no_pod_and_counts_its_start_deadline_from_when_it_is_resumed() -> None:
    async with running_world() as world:
        world.apply(suspend=True, startDeadlineSeconds=30)
        await asyncio.sleep(1000)
        assert world.reason() == "Suspended"
        assert not world.kube.pods()
        world.set(suspend=False)
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@virtual_time
async def test_a_job_suspended_while_its_pod_starts_loses_the_pod_and_gets_another_one_when_resumed() -> None:
    async with running_world() as world:
        world.apply()
        await world.until(lambda: bool(world.kube.pods()))
        world.set(suspend=True)
        await world.until(lambda: not world.kube.pods())
        await asyncio.sleep(10)
        assert world.reason() == "Suspended"
        world.set(suspend=False)
        await world.until_phase("Completed", "Failed")
        assert world.status()["phase"] == "Completed"
        assert world.executions == 1


@virtual_time
async def test_suspending_a_running_job_changes_nothing() -> None:
    async with running_world() as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        world.set(suspend=True)
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@pytest.mark.parametrize("after", [0.0, 0.3, 0.7, 1.2, 3.0], ids="{} s after its creation".format)
@virtual_time
async def test_a_job_cancelled_at_any_time_is_cancelled_once(after: float) -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await asyncio.sleep(after)
        world.set(cancel=True)
        status = await world.until_phase("Cancelled", "Failed", "Completed", seconds=10)
        assert status["phase"] == "Cancelled"
        assert status["failure"]["reason"] == "Cancelled"
        assert world.executions <= 1
        assert status.get("interimResults", {}).get("published", 0) == world.executions
        await asyncio.sleep(100)
        assert not world.kube.pods()


@virtual_time
async def test_cancelling_a_job_that_has_ended_changes_nothing_but_the_generation_that_was_seen() -> None:
    async with running_world() as world:
        world.apply()
        before = await world.until_phase("Completed")
        world.set(cancel=True)
        await asyncio.sleep(100)
        assert world.status() == before | {"observedGeneration": before["observedGeneration"] + 1}


@virtual_time
async def test_a_cancel_sent_while_no_operator_was_there_keeps_what_was_published() -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        world.kill()
        world.set(cancel=True)
        await asyncio.sleep(5)
        await world.start()
        status = await world.until_phase("Cancelled", "Failed")
        assert status["interimResults"]["published"] == 1
        assert world.runner.cancelled.is_set()


@virtual_time
async def test_a_runner_that_does_not_answer_a_cancel_loses_its_pod() -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        world.runner.silent = True
        world.set(cancel=True)
        status = await world.until_phase("Cancelled", "Failed", seconds=10)
        assert status["phase"] == "Cancelled"


@virtual_time
async def test_a_job_deleted_while_it_runs_takes_its_pod_along() -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        world.kube.remove(JOBS, "default", "a-job")
        await world.until(lambda: not world.kube.pods(), seconds=10)


@virtual_time
async def test_a_job_of_the_same_name_starts_anew() -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        world.kube.remove(JOBS, "default", "a-job")
        world.program = three_interims
        world.apply()
        world.kube.collect_garbage()
        await world.until_phase("Completed", "Failed")
        assert world.status()["result"] == '"All done!"'
        assert len(world.runners) == 2


# Pods that do not come up


@virtual_time
async def test_a_job_that_cannot_be_scheduled_says_so_and_fails_at_its_start_deadline() -> None:
    async with running_world() as world:
        world.kubelet_works = False
        world.apply(startDeadlineSeconds=100)
        await world.until(lambda: bool(world.kube.pods()))
        no_room = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
        pod = world.kube.pods()[0]["metadata"]["name"]
        world.kube.edit(PODS, "default", pod, {"status": {"conditions": [no_room]}}, subresource="status")
        await asyncio.sleep(1)
        assert world.reason() == "Unschedulable"
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == "StartDeadlineExceeded"
        assert "0/3 nodes" in status["failure"]["message"]
        await world.until(lambda: not world.kube.pods())


@virtual_time
async def test_an_image_that_cannot_be_pulled_is_said_soon_and_fails_the_job_in_the_end() -> None:
    async with running_world() as world:
        world.kubelet_works = False
        world.apply()
        await world.until(lambda: bool(world.kube.pods()))
        await asyncio.sleep(0.5)
        pod = world.kube.pods()[0]["metadata"]["name"]
        waiting = {"name": "runner", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
        world.kube.edit(PODS, "default", pod, {"spec": {"nodeName": "node-1"}})
        world.kube.edit(PODS, "default", pod, {"status": {"containerStatuses": [waiting]}}, subresource="status")
        await asyncio.sleep(30)
        assert world.reason() == "ImagePullFailed"
        status = await world.until_phase("Failed", seconds=301)
        assert status["failure"]["reason"] == "ImagePullFailed"
        assert "no such image" in status["failure"]["message"]


@virtual_time
async def test_a_pod_that_dies_before_it_has_the_job_is_replaced_and_only_so_often() -> None:
    async with running_world() as world:
        world.prepare_runner = lambda runner: runner.kill(reason="Error", exit_code=2)
        world.apply()
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == "RunnerStartFailed"
        assert len(world.runners) == 3
        assert world.executions == 0


@virtual_time
async def test_a_pod_deleted_before_it_has_the_job_is_replaced() -> None:
    async with running_world() as world:
        world.kill_at("before", "patch pods")
        world.apply()
        await world.until(lambda: world.operator is None)
        world.kube.remove(PODS, "default", world.runner.pod)
        await world.start()
        await world.until_phase("Completed", "Failed")
        assert world.status()["phase"] == "Completed"
        assert world.executions == 1


@virtual_time
async def test_a_pod_that_vanishes_under_the_claim_is_replaced_without_a_hot_loop() -> None:
    async with running_world() as world:
        gone: list[str] = []

        def vanish(name: str, body: Any) -> None:
            if not gone:
                gone.append(name)
                world.kube.remove(PODS, "default", name)

        world.kube.before("patch", PODS, vanish)
        world.apply()
        await world.until_phase("Completed", "Failed")
        assert world.status()["phase"] == "Completed"
        assert world.executions == 1
        assert world.passes < 60


@virtual_time
async def test_a_pod_of_that_name_that_belongs_to_somebody_else_gets_no_input() -> None:
    async with running_world() as world:
        world.kill_at("before", "create pods")
        job = world.apply()
        await world.until(lambda: world.operator is None)
        world.kube.put(PODS, builders.pod(child_name(job["metadata"]["uid"], RUNNER_ROLE, 0)))
        await world.start()
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == "NameConflict"
        assert all(request["kind"] != "job" for runner in world.runners for request in runner.requests)


# Runners and pods that end or misbehave while they have the job


@pytest.mark.parametrize(
    ("reason", "exit_code", "expected"),
    [("OOMKilled", 137, "OOMKilled"), ("Error", 137, "RunnerLost"), ("Completed", 0, "RunnerLost")],
)
@virtual_time
async def test_a_runner_that_dies_without_a_word_ends_the_job_and_what_it_said_is_kept(
    reason: str, exit_code: int, expected: str
) -> None:
    async def program(runner: ScriptedRunner) -> None:
        runner.interim("1")
        await asyncio.sleep(1)
        runner.kill(reason=reason, exit_code=exit_code)

    async with running_world(program=program) as world:
        world.apply()
        status = await world.until_phase("Failed")
        assert status["failure"]["reason"] == expected
        assert status["interimResults"]["published"] == 1
        assert len(world.runners) == 1


@virtual_time
async def test_a_pod_deleted_by_somebody_while_it_runs_ends_the_job_and_says_so() -> None:
    async with running_world(program=for_ever) as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        pod = world.kube.pods()[0]
        await world.kube.delete(PODS, "default", pod["metadata"]["name"], uid=pod["metadata"]["uid"])
        status = await world.until_phase("Failed", "Cancelled")
        assert status["failure"]["reason"] == "RunnerLost"
        assert "was deleted" in status["failure"]["message"]
        assert status["interimResults"]["published"] == 1
        assert world.executions == 1


@virtual_time
async def test_a_failing_program_keeps_its_reason_and_traceback() -> None:
    async def program(runner: ScriptedRunner) -> None:
        runner.fail(FailureReason.PROGRAM_FAILED, "ValueError: no", "  File main.py, line 3")

    async with running_world(program=program) as world:
        world.apply()
        status = await world.until_phase("Failed")
        assert status["failure"] == {
            "reason": "ProgramFailed",
            "message": "ValueError: no",
            "traceback": "  File main.py, line 3",
        }


@virtual_time
async def test_a_stream_that_drops_again_and_again_loses_nothing() -> None:
    async def program(runner: ScriptedRunner) -> None:
        for n in range(3):
            runner.log(f"iteration {n}\n")
            runner.process.drop_streams()
            runner.interim(str(n))
            await asyncio.sleep(0.5)
        runner.process.drop_streams()
        runner.result('"All done!"')

    async with running_world(program=program) as world:
        world.apply()
        await world.until_phase("Completed", "Failed")
        assert_all_done(world)


@virtual_time
async def test_a_runner_that_goes_silent_is_reported_as_unreachable_and_found_again() -> None:
    async def program(runner: ScriptedRunner) -> None:
        runner.silent = True
        runner.process.drop_streams()
        await asyncio.sleep(60)
        runner.silent = False
        runner.process.drop_streams()
        await asyncio.sleep(5)
        runner.result("1")

    async with running_world(program=program) as world:
        world.apply()
        await world.until(lambda: world.reason() == "RunnerUnreachable", seconds=20)
        writes = len(world.kube.requests)
        await asyncio.sleep(30)
        assert len(world.kube.requests) == writes
        await world.until(lambda: world.reason() == "Running")
        assert (await world.until_phase("Completed", "Failed"))["phase"] == "Completed"


@virtual_time
async def test_a_runner_that_answers_late_is_not_given_up_for_another_one() -> None:
    """The hand-over may have arrived: giving the job to another pod could start the program twice."""

    async def slow(runner: ScriptedRunner) -> None:
        await asyncio.sleep(1)
        runner.result("1")

    async with running_world(program=slow) as world:

        def go_silent(runner: ScriptedRunner) -> None:
            def on_job() -> None:
                runner.muted = True
                asyncio.get_running_loop().call_later(30, runner.unmute)

            runner.on_job = on_job

        world.prepare_runner = go_silent
        world.apply()
        await world.until_phase("Completed", "Failed")
        assert world.status()["phase"] == "Completed"
        assert len(world.runners) == 1
        assert world.executions == 1


@virtual_time
async def test_a_runner_that_refuses_the_job_fails_it_instead_of_being_asked_for_ever() -> None:
    async with running_world() as world:
        world.prepare_runner = lambda runner: setattr(runner, "refuse_jobs", True)
        world.apply()
        status = await world.until_phase("Failed", seconds=20)
        assert status["failure"]["reason"] == "RunnerError"
        assert "refuses" in status["failure"]["message"]
        assert [r["kind"] for r in world.runner.requests].count("job") <= 3


@virtual_time
async def test_a_result_that_does_not_fit_the_status_is_stored_in_chunks_before_the_status_names_them() -> None:
    async def program(runner: ScriptedRunner) -> None:
        runner.result(text)

    text = '"' + "ünï" * 300_000 + '"'
    async with running_world(program=program) as world:
        world.apply()
        status = await world.until_phase("Completed", "Failed")
        chunks = {o["metadata"]["name"]: o["spec"]["text"] for o in world.kube.objects(OUTPUTS)}
        assert "".join(chunks[name] for name in status["resultRef"]["names"]) == text
        assert "result" not in status
        assert world.kube.requests.index("create runtimejoboutputs") < len(world.kube.requests) - 1


@virtual_time
async def test_an_operator_killed_while_it_stores_chunks_stores_the_same_ones_again() -> None:
    async def program(runner: ScriptedRunner) -> None:
        runner.result('"' + "x" * 1_200_000 + '"')

    async with running_world(program=program) as world:
        world.kill_at("after", "create runtimejoboutputs", nth=2)
        world.apply()
        await world.until(lambda: world.operator is None)
        await asyncio.sleep(5)
        await world.start()
        status = await world.until_phase("Completed", "Failed")
        assert sorted(status["resultRef"]["names"]) == [o["metadata"]["name"] for o in world.kube.objects(OUTPUTS)]


# Time


@pytest.mark.parametrize("skew", [-600.0, 600.0], ids="{} s".format)
@virtual_time
async def test_a_nodes_wrong_clock_shortens_neither_the_run_nor_what_is_kept_afterwards(skew: float) -> None:
    async with running_world() as world:
        world.kube.node_clock_skew = skew
        job = world.apply(ttl={"podSeconds": 60, "jobSeconds": 120})
        await world.until_phase("Completed", "Failed")
        ended = now()
        assert_all_done(world)
        await world.until(lambda: not world.kube.pods())
        assert 59 <= now() - ended <= 62
        await world.until(lambda: not world.kube.objects(JOBS))
        assert 119 <= now() - ended <= 122
        assert parse_time(job["metadata"]["creationTimestamp"]) < ended


@virtual_time
async def test_a_silent_node_loses_its_job_after_a_while_and_the_program_is_not_started_again() -> None:
    async with running_world(config(lost_node_seconds=60), program=for_ever) as world:
        world.apply()
        await world.until(lambda: world.executions == 1)
        ready = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
        ready["lastTransitionTime"] = format_time(now())
        world.kube.edit(PODS, "default", world.runner.pod, {"status": {"conditions": [ready]}}, subresource="status")
        status = await world.until_phase("Failed", seconds=62)
        assert status["failure"]["reason"] == "NodeLost"
        assert world.executions == 1


@virtual_time
async def test_a_network_policy_that_somebody_opened_is_restored_before_the_next_pod() -> None:
    async with running_world() as world:
        world.apply("one")
        await world.until_phase("Completed", name="one")
        (policy,) = world.kube.objects(NETWORK_POLICIES)
        opened = {"spec": {"policyTypes": ["Ingress"]}}
        world.kube.edit(NETWORK_POLICIES, "default", policy["metadata"]["name"], opened)
        await asyncio.sleep(1)
        world.kube.requests.clear()
        world.apply("two")
        await world.until_phase("Completed", name="two")
        first_writes = world.kube.requests[: world.kube.requests.index("create pods")]
        assert first_writes == ["create serviceaccounts", "create networkpolicies", "patch networkpolicies"]
        assert world.kube.objects(NETWORK_POLICIES)[0]["spec"]["policyTypes"] == ["Ingress", "Egress"]


@virtual_time
async def test_a_network_policy_that_somebody_deletes_is_restored_while_a_program_runs() -> None:
    async with running_world(program=for_ever) as world:
        world.apply("one")
        await world.until_phase("Running", name="one")
        (policy,) = world.kube.objects(NETWORK_POLICIES)
        world.kube.remove(NETWORK_POLICIES, "default", policy["metadata"]["name"])
        await world.until(lambda: bool(world.kube.objects(NETWORK_POLICIES)))
