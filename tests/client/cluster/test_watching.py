from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS
from quantum_runtime.cluster.watching import follow
from support.clock import settle, virtual_time
from support.fake_api import FakeApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from quantum_runtime.cluster.api import Change, Object, Resource


class Follower:
    """Follows an object in the background, and keeps what it is shown: the label ``n``, or None at the end."""

    def __init__(self, api: FakeApi, *, start: Object | None = None) -> None:
        self.seen: list[str | None] = []
        self.task = asyncio.create_task(self._follow(api, start))

    async def _follow(self, api: FakeApi, start: Object | None) -> None:
        async with aclosing(follow(api, BACKENDS, "one", start=start)) as states:
            async for state in states:
                self.seen.append(None if state is None else state["metadata"]["labels"]["n"])


def put(api: FakeApi, number: int, *, name: str = "one") -> Object:
    return api.put(BACKENDS, {"metadata": {"name": name, "labels": {"n": str(number)}}, "spec": {"aer": {}}})


GONE = errors.Unavailable("no connection")


@virtual_time
async def test_the_present_state_comes_first_then_every_change_then_the_end() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    for number in range(1, 4):
        put(api, number)
    put(api, 7, name="another")
    api.remove(BACKENDS, "one")
    await follower.task
    assert follower.seen == ["0", "1", "2", "3", None]
    assert api.open_watches == 0


@virtual_time
async def test_after_a_state_that_is_known_only_what_is_new_comes() -> None:
    api = FakeApi()
    start = put(api, 0)
    put(api, 1)
    follower = Follower(api, start=start)
    await settle()
    put(api, 2)
    await settle()
    assert follower.seen == ["1", "2"]
    assert ("get", "runtimebackends", "one") not in api.requests
    follower.task.cancel()


@virtual_time
async def test_what_happens_while_the_connection_is_lost_is_shown_when_it_is_back() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    for number in range(1, 10):
        api.fail("watch", BACKENDS, GONE, times=number % 3)
        api.fail("get", BACKENDS, GONE, times=number % 4)
        api.break_watches()
        put(api, number)
        await asyncio.sleep(number * 7)
    assert follower.seen == [str(number) for number in range(10)]
    follower.task.cancel()


@virtual_time
async def test_a_watch_that_the_server_ends_is_opened_again_where_it_ended() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    for number in range(1, 5):
        await asyncio.sleep(100)
        api.end_watches()
        put(api, number)
    await asyncio.sleep(1)
    assert follower.seen == ["0", "1", "2", "3", "4"]
    assert [verb for verb, *_ in api.requests] == ["get"] + ["watch"] * 5
    follower.task.cancel()


@virtual_time
async def test_bookmarks_move_the_version_from_which_a_watch_goes_on() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    api.expire()
    api.send_bookmarks()
    await settle()
    api.end_watches()
    await asyncio.sleep(1)
    put(api, 1)
    await settle()
    assert follower.seen == ["0", "1"]
    assert [verb for verb, *_ in api.requests] == ["get", "watch", "watch"]
    follower.task.cancel()


@virtual_time
async def test_an_object_whose_version_has_expired_is_read_again_and_shown_only_if_it_changed() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    api.expire()
    api.break_watches()
    await asyncio.sleep(5)
    assert follower.seen == ["0"]
    for number in (1, 2):
        put(api, number)
    await settle()
    api.break_watches()
    put(api, 3)
    put(api, 4)
    api.expire()
    await asyncio.sleep(5)
    assert follower.seen == ["0", "1", "2", "4"], "3 is forgotten, and nobody can say what it was"
    follower.task.cancel()


@virtual_time
async def test_an_object_that_has_not_changed_for_long_is_followed_from_the_present() -> None:
    api = FakeApi()
    start = put(api, 0)
    api.expire()
    follower = Follower(api, start=start)
    await asyncio.sleep(5)
    put(api, 1)
    await settle()
    assert follower.seen == ["1"]
    assert [verb for verb, *_ in api.requests] == ["watch", "list", "watch"]
    follower.task.cancel()


@pytest.mark.parametrize("forgotten", [False, True])
@virtual_time
async def test_an_object_that_is_deleted_while_nobody_looks_has_been_deleted(forgotten: bool) -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    api.break_watches()
    put(api, 1)
    api.remove(BACKENDS, "one")
    if forgotten:
        api.expire()
    await follower.task
    assert follower.seen == ["0", None] if forgotten else ["0", "1", None]


@pytest.mark.parametrize("forgotten", [False, True])
@virtual_time
async def test_a_namesake_is_another_object(forgotten: bool) -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    if forgotten:
        api.break_watches()
    api.remove(BACKENDS, "one")
    put(api, 1)
    if forgotten:
        api.expire()
    await follower.task
    assert follower.seen == ["0", None]


@virtual_time
async def test_a_namesake_of_the_state_that_is_known_is_another_object() -> None:
    api = FakeApi()
    start = put(api, 0)
    api.remove(BACKENDS, "one")
    put(api, 1)
    api.expire()
    follower = Follower(api, start=start)
    await follower.task
    assert follower.seen == [None]


@pytest.mark.parametrize("verb", ["get", "watch"])
@pytest.mark.parametrize("error", [errors.Forbidden("no"), errors.Unauthorized("who?"), errors.Invalid("what?")])
@virtual_time
async def test_a_refusal_is_raised_at_once(verb: str, error: errors.ApiError) -> None:
    api = FakeApi()
    put(api, 0)
    api.fail(verb, BACKENDS, error)
    with pytest.raises(type(error)):
        await Follower(api).task
    assert asyncio.get_running_loop().time() == 0


@virtual_time
async def test_what_is_not_there_in_the_first_place_is_not_found() -> None:
    with pytest.raises(errors.NotFound):
        await Follower(FakeApi()).task


@virtual_time
async def test_a_server_that_is_away_for_hours_is_waited_for() -> None:
    api = FakeApi()
    put(api, 0)
    api.fail("get", BACKENDS, GONE, times=500)
    follower = Follower(api)
    await asyncio.sleep(3600)
    assert follower.seen == []
    assert not follower.task.done()
    await asyncio.sleep(3 * 3600)
    put(api, 1)
    await settle()
    assert follower.seen == ["0", "1"]
    follower.task.cancel()


@virtual_time
async def test_while_a_server_starts_its_refusals_do_not_count() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    api.fail("get", BACKENDS, GONE, times=3)
    api.fail("get", BACKENDS, errors.NotFound("no such kind", kind_is_missing=True))
    api.fail("get", BACKENDS, errors.Forbidden("rights are not known yet"), times=3)
    api.fail("get", BACKENDS, errors.Unauthorized("neither are users"))
    api.fail("watch", BACKENDS, errors.Forbidden("rights are not known yet"))
    api.break_watches()
    put(api, 1)
    await asyncio.sleep(60)
    assert follower.seen == ["0", "1"]
    follower.task.cancel()


@virtual_time
async def test_a_server_that_goes_on_refusing_is_believed() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    api.forbid("watch", BACKENDS)
    api.break_watches()
    with pytest.raises(errors.Forbidden, match='cannot watch resource "runtimebackends"'):
        await follower.task
    assert 25 < asyncio.get_running_loop().time() < 60


@virtual_time
async def test_a_server_is_left_alone_for_as_long_as_it_wants() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    await settle()
    api.break_watches(errors.Unavailable("too many requests", retry_after=20))
    await asyncio.sleep(19)
    assert [verb for verb, *_ in api.requests] == ["get", "watch"]
    await asyncio.sleep(2)
    assert [verb for verb, *_ in api.requests] == ["get", "watch", "get", "watch"]
    follower.task.cancel()


class Ending(FakeApi):
    """A server that ends every watch at once."""

    async def watch(
        self, resource: Resource, *, resource_version: str, field_selector: str = ""
    ) -> AsyncGenerator[Change, None]:
        self.requests.append(("watch", resource.plural, ""))
        nothing: tuple[Change, ...] = ()
        for change in nothing:
            yield change


@virtual_time
async def test_watches_that_end_at_once_are_not_opened_in_a_rush() -> None:
    api = Ending()
    put(api, 0)
    follower = Follower(api)
    await asyncio.sleep(60)
    assert 10 < len(api.requests) < 25
    follower.task.cancel()


@virtual_time
async def test_a_watch_that_breaks_after_every_change_costs_no_patience() -> None:
    api = FakeApi()
    put(api, 0)
    follower = Follower(api)
    for number in range(1, 100):
        await asyncio.sleep(0.2)
        put(api, number)
        await settle()
        api.break_watches()
    await asyncio.sleep(0.2)
    assert follower.seen == [str(number) for number in range(100)]
    follower.task.cancel()


def test_a_long_silence_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    @virtual_time
    async def away_for(seconds: float) -> None:
        caplog.clear()
        api = FakeApi()
        put(api, 0)
        follower = Follower(api)
        await settle()
        api.fail("get", BACKENDS, GONE, times=1_000)
        api.break_watches()
        await asyncio.sleep(seconds)
        api.heal()
        await asyncio.sleep(30)
        put(api, 1)
        await settle()
        assert follower.seen == ["0", "1"]
        follower.task.cancel()

    away_for(3)
    assert caplog.messages == []
    away_for(3600)
    warning, info = caplog.records
    assert (warning.levelname, info.levelname) == ("WARNING", "INFO")
    assert warning.getMessage() == (
        "the API server has not answered for 10 s (the connection was lost); "
        "RuntimeBackend one will be followed again when it does"
    )
    assert info.getMessage().startswith("the API server answers again after 36")


@virtual_time
async def test_whoever_stops_following_leaves_nothing_open() -> None:
    api = FakeApi()
    put(api, 0)
    states = follow(api, BACKENDS, "one")
    async with aclosing(states):
        await anext(states)
        waiting = asyncio.ensure_future(anext(states))
        await settle()
        assert api.open_watches == 1
        api.fail("get", BACKENDS, GONE, times=1_000)
        api.break_watches()
        await asyncio.sleep(1)
        waiting.cancel()
        await settle()
    assert api.open_watches == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
