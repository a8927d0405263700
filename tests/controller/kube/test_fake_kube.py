from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime_operator.kube import errors
from runtime_operator.kube.client import CONFIG_MAPS, JOBS, PODS
from support import builders
from support.clock import settle, virtual_time
from support.conformance import QUESTIONS, config_map
from support.fake_kube import FakeKube

if TYPE_CHECKING:
    from runtime_operator.kube.client import Kube, Object
    from support.conformance import Question


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.__name__.replace("_", " "))
@virtual_time
async def test_the_fake_answers_as_the_real_api_server_does(question: Question) -> None:
    kube: Kube = FakeKube()
    await question(kube, "default")


@virtual_time
async def test_what_a_caller_does_to_an_answer_does_not_reach_the_store() -> None:
    kube = FakeKube()
    body = config_map("one", {"a": "1"})
    created = await kube.create(CONFIG_MAPS, "default", body)
    body["data"]["a"] = created["data"]["a"] = "2"
    assert (await kube.get(CONFIG_MAPS, "default", "one") or {})["data"] == {"a": "1"}


@virtual_time
async def test_a_status_given_at_creation_is_ignored() -> None:
    kube = FakeKube()
    made = await kube.create(JOBS, "default", builders.job(status={"phase": "Completed"}))
    assert "status" not in made


@virtual_time
async def test_a_request_fails_as_often_as_asked_and_changes_nothing() -> None:
    kube = FakeKube()
    kube.fail_next("create", PODS, errors.Unavailable("no"), times=2)
    for _ in range(2):
        with pytest.raises(errors.Unavailable):
            await kube.create(PODS, "default", builders.pod())
    assert kube.objects(PODS) == []
    await kube.create(PODS, "default", builders.pod())
    assert len(kube.objects(PODS)) == 1


@virtual_time
async def test_an_answer_can_get_lost_after_the_write_has_happened() -> None:
    kube = FakeKube()
    kube.fail_next("create", PODS, errors.Unavailable("lost"), after=True)
    with pytest.raises(errors.Unavailable):
        await kube.create(PODS, "default", builders.pod())
    assert len(kube.objects(PODS)) == 1


@virtual_time
async def test_a_hook_can_change_the_world_between_a_read_and_a_write() -> None:
    kube = FakeKube()
    job = kube.put(JOBS, builders.job())

    def cancelled(name: str, body: Object | None) -> None:
        kube.edit(JOBS, "default", name, {"spec": {"cancel": True}})

    kube.before("patch", JOBS, cancelled)
    guard = {"resourceVersion": job["metadata"]["resourceVersion"]}
    with pytest.raises(errors.Conflict):
        await kube.patch(
            JOBS, "default", "a-job", {"metadata": guard, "status": {"phase": "Running"}}, subresource="status"
        )


@virtual_time
async def test_a_watch_from_a_forgotten_version_is_gone() -> None:
    kube = FakeKube()
    _, version = await kube.list(PODS)
    kube.put(PODS, builders.pod())
    kube.forget_history()
    with pytest.raises(errors.Gone):
        await anext(kube.watch(PODS, resource_version=version))


@virtual_time
async def test_a_running_pod_is_marked_first_and_gone_when_the_kubelet_says_so() -> None:
    kube = FakeKube()
    pod = kube.put(PODS, builders.pod())
    kube.run_pod("default", "a-pod")
    await kube.delete(PODS, "default", "a-pod", uid=pod["metadata"]["uid"])
    (marked,) = kube.objects(PODS)
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 2
    kube.remove(PODS, "default", "a-pod")
    assert kube.objects(PODS) == []


@virtual_time
async def test_children_of_a_deleted_job_are_collected() -> None:
    kube = FakeKube()
    job = kube.put(JOBS, builders.job())
    kube.put(PODS, builders.pod(owner=job))
    kube.put(PODS, builders.pod("unowned"))
    kube.collect_garbage()
    assert len(kube.objects(PODS)) == 2
    kube.remove(JOBS, "default", "a-job")
    kube.collect_garbage()
    assert [pod["metadata"]["name"] for pod in kube.objects(PODS)] == ["unowned"]


@virtual_time
async def test_a_runner_hears_requests_and_is_heard_on_every_stream_and_in_the_log() -> None:
    kube = FakeKube()
    kube.put(PODS, builders.pod())
    runner = kube.run_pod("default", "a-pod")
    first = await kube.attach("default", "a-pod", "runner")
    second = await kube.attach("default", "a-pod", "runner")
    runner.on_request = lambda request: runner.say(b"heard %d" % request["n"])
    await first.send(b'{"n": 1}\n{"n"')
    await first.send(b": 2}\n")
    assert runner.requests == [b'{"n": 1}', b'{"n": 2}']
    runner.end()
    for stream in (first, second):
        assert [line async for line in stream.lines()] == [b"heard 1", b"heard 2"]
    assert await kube.pod_log("default", "a-pod", "runner") == b"heard 1\nheard 2\n"


@virtual_time
async def test_a_dropped_stream_raises_and_a_new_one_goes_on() -> None:
    kube = FakeKube()
    kube.put(PODS, builders.pod())
    runner = kube.run_pod("default", "a-pod")
    stream = await kube.attach("default", "a-pod", "runner")
    runner.drop_streams()
    with pytest.raises(errors.Unavailable):
        await anext(stream.lines())
    again = await kube.attach("default", "a-pod", "runner")
    runner.say(b"still here")
    assert await anext(again.lines()) == b"still here"


@virtual_time
async def test_an_attach_to_a_runner_that_has_ended_is_refused() -> None:
    kube = FakeKube()
    kube.put(PODS, builders.pod())
    kube.run_pod("default", "a-pod")
    kube.end_pod("default", "a-pod", exit_code=1)
    with pytest.raises(errors.Unavailable, match="refused"):
        await kube.attach("default", "a-pod", "runner")


@virtual_time
async def test_closing_a_stream_ends_its_lines() -> None:
    kube = FakeKube()
    kube.put(PODS, builders.pod())
    kube.run_pod("default", "a-pod")
    stream = await kube.attach("default", "a-pod", "runner")

    async def read() -> list[bytes]:
        return [line async for line in stream.lines()]

    reading = asyncio.create_task(read())
    await settle()
    await stream.close()
    await stream.close()
    assert await reading == []
