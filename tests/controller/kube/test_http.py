from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import structlog
from runtime_operator.kube import errors, http
from runtime_operator.kube.client import BACKENDS, CONFIG_MAPS, JOBS, PODS, Kube
from runtime_operator.kube.http import HttpKube
from support.api_server import fails, hangs_up, never_answers, says, streams

if TYPE_CHECKING:
    from runtime_operator.kube.client import Object, Resource
    from support.api_server import ApiServer, Handler

    from .conftest import Sleeps

POD: Object = {"metadata": {"name": "a", "uid": "u"}}
"""As short as can be."""


def test_http_kube_is_a_kube(kube: HttpKube) -> None:
    checked: Kube = kube
    assert checked is kube


@pytest.mark.parametrize(
    ("resource", "namespace", "name", "subresource", "path"),
    [
        (PODS, "team", "a", "", "/api/v1/namespaces/team/pods/a"),
        (PODS, None, "", "", "/api/v1/pods"),
        (JOBS, "team", "a", "status", "/apis/quantumruntime.dev/v1alpha1/namespaces/team/runtimejobs/a/status"),
        (BACKENDS, None, "aer", "", "/apis/quantumruntime.dev/v1alpha1/runtimebackends/aer"),
        (BACKENDS, "ignored", "aer", "", "/apis/quantumruntime.dev/v1alpha1/runtimebackends/aer"),
    ],
)
def test_every_object_has_its_path(
    resource: Resource, namespace: str | None, name: str, subresource: str, path: str
) -> None:
    assert resource.path(namespace, name, subresource) == path


@pytest.mark.parametrize("name", ["", ".", "..", "../secrets", "a/b", "a%2Fb", "a?b", "a#b", "a b"])
async def test_a_name_that_no_object_can_have_is_never_sent(api: ApiServer, kube: HttpKube, name: str) -> None:
    for request in (
        kube.get(PODS, "team", name),
        kube.patch(PODS, "team", name, {}),
        kube.delete(PODS, "team", name, uid="u"),
        kube.pod_log("team", name, "runner"),
        kube.attach("team", name, "runner"),
    ):
        with pytest.raises(errors.Invalid):
            await request
    assert api.received == []


async def test_creating_what_exists_returns_what_exists(api: ApiServer, kube: HttpKube) -> None:
    there = {"metadata": {"name": "a", "uid": "other"}}
    api.answer(fails(409, "AlreadyExists"), says(there))
    assert await kube.create(PODS, "team", POD) == there
    assert [(r.method, r.path) for r in api.received] == [
        ("POST", "/api/v1/namespaces/team/pods"),
        ("GET", "/api/v1/namespaces/team/pods/a"),
    ]


async def test_creating_what_existed_a_moment_ago_says_so(api: ApiServer, kube: HttpKube) -> None:
    api.answer(fails(409, "AlreadyExists"), fails(404, "NotFound"))
    with pytest.raises(errors.AlreadyExists):
        await kube.create(PODS, "team", POD)


async def test_a_patch_is_a_merge_patch_of_the_subresource(api: ApiServer, kube: HttpKube) -> None:
    api.answer(says(POD))
    await kube.patch(JOBS, "team", "a", {"status": {"phase": "Running"}}, subresource="status")
    (request,) = api.received
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.path.endswith("/runtimejobs/a/status")
    assert request.body == {"status": {"phase": "Running"}}


async def test_a_patch_of_another_uid_is_a_conflict(api: ApiServer, kube: HttpKube) -> None:
    api.answer(fails(422, "Invalid", "immutable", details={"causes": [{"field": "metadata.uid"}]}))
    with pytest.raises(errors.Conflict):
        await kube.patch(PODS, "team", "a", {"metadata": {"uid": "u"}})
    with pytest.raises(errors.Invalid):
        await kube.patch(PODS, "team", "a", {"metadata": {}})


async def test_a_deletion_says_whom_it_means_how_fast_and_what_of_the_children(api: ApiServer, kube: HttpKube) -> None:
    api.answer(says({"status": "Success"}))
    await kube.delete(PODS, "team", "a", uid="u", grace_seconds=0, propagation="Background")
    (request,) = api.received
    assert request.method == "DELETE"
    assert request.body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u"},
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
    }


@pytest.mark.parametrize("answer", [fails(404, "NotFound"), fails(409, "Conflict", "Precondition failed: UID")])
async def test_deleting_what_is_gone_or_another_one_is_done_already(
    api: ApiServer, kube: HttpKube, answer: Handler
) -> None:
    api.answer(answer)
    await kube.delete(PODS, "team", "a", uid="u")


async def test_a_list_is_read_in_pages(api: ApiServer, kube: HttpKube) -> None:
    api.answer(
        says({"metadata": {"resourceVersion": "7", "continue": "more"}, "items": [{"n": 1}, {"n": 2}]}),
        says({"metadata": {"resourceVersion": "7"}, "items": [{"n": 3}]}),
    )
    assert await kube.list(PODS, label_selector="a=b") == ([{"n": 1}, {"n": 2}, {"n": 3}], "7")
    assert [r.query for r in api.received] == [
        {"limit": "500", "labelSelector": "a=b"},
        {"limit": "500", "labelSelector": "a=b", "continue": "more"},
    ]


@pytest.mark.parametrize("answer", [hangs_up, fails(500, "InternalError"), fails(503), fails(429, "TooManyRequests")])
async def test_a_read_is_repeated_three_times_ever_later(
    api: ApiServer, kube: HttpKube, sleeps: Sleeps, answer: Handler
) -> None:
    twice = 2 if answer is hangs_up else 1  # aiohttp itself repeats a read once, if a kept connection is closed
    api.answer(*[answer] * 3 * twice, says(POD))
    assert await kube.get(PODS, "team", "a") == POD
    assert 0.1 <= sleeps[0] <= 0.15 < 0.4 <= sleeps[1] <= 0.6 < 1.6 <= sleeps[2] <= 2.4


async def test_a_read_that_fails_four_times_fails(api: ApiServer, kube: HttpKube) -> None:
    api.answer(fails(503))
    with pytest.raises(errors.Unavailable):
        await kube.get(PODS, "team", "a")
    assert len(api.received) == 4


@pytest.mark.parametrize("answer", [hangs_up, fails(500, "InternalError"), fails(504, "Timeout")])
async def test_a_write_that_may_have_happened_is_not_repeated(api: ApiServer, kube: HttpKube, answer: Handler) -> None:
    api.answer(answer)
    for write in (
        kube.create(PODS, "team", POD),
        kube.patch(PODS, "team", "a", {"spec": {}}),
        kube.delete(PODS, "team", "a", uid="u"),
    ):
        with pytest.raises(errors.Unavailable):
            await write
    sent = [r.method for r in api.received]
    assert (sent.count("POST"), sent.count("PATCH")) == (1, 1)
    assert sent.count("DELETE") <= 2, (
        "aiohttp itself repeats what HTTP calls idempotent, if a kept connection is closed"
    )


async def test_a_write_that_was_not_looked_at_is_repeated_when_the_server_says(
    api: ApiServer, kube: HttpKube, sleeps: Sleeps
) -> None:
    busy = fails(429, "TooManyRequests", headers={"Retry-After": "2"})
    api.answer(busy, busy, says(POD))
    assert await kube.create(PODS, "team", POD) == POD
    assert len(sleeps) == 2
    assert all(2 <= seconds <= 3 for seconds in sleeps)


async def test_a_write_refused_three_times_is_for_the_caller_to_repeat(api: ApiServer, kube: HttpKube) -> None:
    api.answer(fails(429, "TooManyRequests", headers={"Retry-After": "1"}))
    with pytest.raises(errors.TooManyRequests) as caught:
        await kube.create(PODS, "team", POD)
    assert caught.value.retry_after == 1
    assert len(api.received) == 3


async def test_nobody_waits_inside_for_longer_than_ten_seconds(api: ApiServer, kube: HttpKube, sleeps: Sleeps) -> None:
    api.answer(fails(429, "TooManyRequests", headers={"Retry-After": "60"}))
    with pytest.raises(errors.TooManyRequests):
        await kube.get(PODS, "team", "a")
    assert sleeps == []


async def test_an_answer_that_does_not_come_is_unavailable(
    api: ApiServer, kube: HttpKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.05)
    api.answer(never_answers)
    with pytest.raises(errors.Unavailable) as caught:
        await kube._request("POST", PODS, "team", body=POD, seconds=0.05)
    assert caught.value.reason == "Timeout"


async def test_no_connection_is_unavailable() -> None:
    async with aiohttp.ClientSession(base_url="http://127.0.0.1:1/") as session:
        with pytest.raises(errors.Unavailable) as caught:
            await HttpKube(session).create(PODS, "team", POD)
    assert caught.value.reason == "NoConnection"


async def test_an_answer_that_is_not_json_is_unavailable(api: ApiServer, kube: HttpKube) -> None:
    api.answer(streams(b"<html>welcome to the hotel's wireless network</html>"))
    with pytest.raises(errors.Unavailable):
        await kube.create(PODS, "team", POD)


async def test_a_redirect_is_not_followed(api: ApiServer, kube: HttpKube) -> None:
    api.answer(says({}, 302, {"Location": "/elsewhere"}))
    with pytest.raises(errors.KubeError):
        await kube.create(PODS, "team", POD)
    assert len(api.received) == 1


async def test_writes_are_counted_as_they_are_sent(api: ApiServer, kube: HttpKube) -> None:
    api.answer(fails(429, "TooManyRequests"), says(POD))
    await kube.patch(JOBS, "team", "a", {"status": {}}, subresource="status")
    await kube.get(PODS, "team", "a")
    await kube.create(CONFIG_MAPS, "team", POD)
    await kube.delete(PODS, "team", "a", uid="u")
    assert dict(kube.writes) == {"patch runtimejobs/status": 2, "create configmaps": 1, "delete pods": 1}


async def test_what_a_user_wrote_is_not_logged(api: ApiServer, kube: HttpKube) -> None:
    refused = fails(429, "TooManyRequests", "canary-1 is too much")
    api.answer(refused, refused, fails(422, "Invalid", "canary-2 is wrong"))
    with structlog.testing.capture_logs() as logs, pytest.raises(errors.Invalid) as caught:
        await kube.create(JOBS, "team", {"metadata": {"name": "canary-3"}, "spec": {"inputs": "canary-4"}})
    assert len(logs) == 2
    assert "canary" not in repr(logs)
    assert "canary" not in str(caught.value)


# Watches


def event(kind: str, version: str = "1", **more: Any) -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"resourceVersion": version}, **more}}).encode() + b"\n"


async def watched(kube: HttpKube) -> list[tuple[str, str]]:
    stream = kube.watch(PODS, label_selector="a=b", resource_version="5")
    return [(kind, obj["metadata"]["resourceVersion"]) async for kind, obj in stream]


async def test_a_watch_yields_events_and_bookmarks_however_they_were_cut(api: ApiServer, kube: HttpKube) -> None:
    text = event("ADDED", "6", spec="x" * 300_000) + event("BOOKMARK", "9") + event("DELETED", "10")
    api.answer(streams(text[:100], text[100:200_000], text[200_000:-5], text[-5:]))
    assert await watched(kube) == [("ADDED", "6"), ("BOOKMARK", "9"), ("DELETED", "10")]
    (request,) = api.received
    assert request.query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "290",
        "resourceVersion": "5",
        "labelSelector": "a=b",
    }


@pytest.mark.parametrize(
    "answer",
    [
        fails(410, "Expired"),
        streams(b'{"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}\n'),
    ],
    ids=["as status", "as event"],
)
async def test_a_version_that_is_too_old_is_gone(api: ApiServer, kube: HttpKube, answer: Handler) -> None:
    api.answer(answer)
    with pytest.raises(errors.Gone):
        await watched(kube)


async def test_a_watch_that_cannot_be_opened_is_unavailable(api: ApiServer, kube: HttpKube) -> None:
    for answer in (hangs_up, fails(503)):
        api.answer(answer)
        with pytest.raises(errors.Unavailable):
            await watched(kube)


async def test_a_watch_that_breaks_off_has_ended(api: ApiServer, kube: HttpKube) -> None:
    api.answer(streams(event("ADDED", "6") + b'{"type": "MODI', then=hangs_up))
    assert await watched(kube) == [("ADDED", "6")]


async def test_a_watch_that_falls_silent_has_ended(
    api: ApiServer, kube: HttpKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SILENCE_SECONDS", 0.05)
    api.answer(streams(event("ADDED", "6"), then=never_answers))
    async with asyncio.timeout(10):
        assert await watched(kube) == [("ADDED", "6")]


# Logs


async def test_a_log_is_asked_for_whole_up_to_its_limit(api: ApiServer, kube: HttpKube) -> None:
    api.answer(streams(b"one\n", b"two\n"))
    assert await kube.pod_log("team", "a", "runner") == b"one\ntwo\n"
    (request,) = api.received
    assert request.path == "/api/v1/namespaces/team/pods/a/log"
    assert request.query == {"container": "runner", "limitBytes": str(10 * 1024 * 1024)}


@pytest.mark.parametrize(
    "answer",
    [
        fails(404, "NotFound"),
        fails(400, "BadRequest", 'container "runner" in pod "a" is waiting to start: ContainerCreating'),
    ],
)
async def test_there_is_no_log_without_a_container_that_has_started(
    api: ApiServer, kube: HttpKube, answer: Handler
) -> None:
    api.answer(answer)
    assert await kube.pod_log("team", "a", "runner") is None


async def test_a_log_of_a_container_that_the_pod_does_not_have_is_a_mistake(api: ApiServer, kube: HttpKube) -> None:
    api.answer(fails(400, "BadRequest", "container nope is not valid for pod a"))
    with pytest.raises(errors.Invalid):
        await kube.pod_log("team", "a", "nope")
