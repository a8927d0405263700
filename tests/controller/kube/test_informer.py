from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import structlog
from runtime_operator.kube import errors
from runtime_operator.kube.client import PODS
from runtime_operator.kube.informer import Informer
from support import builders
from support.clock import settle, virtual_time
from support.fake_kube import FakeKube

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime_operator.kube.client import Object, WatchType

UNAVAILABLE = errors.Unavailable("down", status=503)


class Seen:
    """A callback that notes what it was told, as short as can be."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []
        self.objects: list[Object] = []

    def __call__(self, kind: WatchType, obj: Object) -> None:
        self.changes.append((kind, obj["metadata"]["name"]))
        self.objects.append(obj)

    def take(self) -> list[tuple[str, str]]:
        taken, self.changes = self.changes, []
        return taken


@asynccontextmanager
async def informer(kube: FakeKube, seen: Seen, selector: str = "") -> AsyncIterator[Informer]:
    informer = Informer(kube, PODS, seen, label_selector=selector)
    task = asyncio.create_task(informer.run())
    await settle()
    try:
        yield informer
        assert not task.done(), "the informer ended by itself"
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@virtual_time
async def test_what_was_there_is_told_before_what_changes() -> None:
    kube, seen = FakeKube(), Seen()
    kube.put(PODS, builders.pod("a"))
    async with informer(kube, seen) as pods:
        assert pods.synced.is_set()
        kube.put(PODS, builders.pod("b"))
        kube.run_pod("default", "a")
        kube.remove(PODS, "default", "a")
        await settle()
    assert seen.changes == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


@virtual_time
async def test_only_selected_objects_are_told() -> None:
    kube, seen = FakeKube(), Seen()
    kube.put(PODS, builders.pod("a", labels={"colour": "red"}))
    kube.put(PODS, builders.pod("b"))
    async with informer(kube, seen, "colour=red"):
        kube.put(PODS, builders.pod("c"))
        await settle()
    assert seen.changes == [("ADDED", "a")]


@virtual_time
async def test_a_watch_that_ends_goes_on_where_it_was_without_a_new_list() -> None:
    kube, seen = FakeKube(), Seen()
    kube.put(PODS, builders.pod("a"))
    async with informer(kube, seen):
        kube.before("list", PODS, lambda *_: pytest.fail("listed again"))
        await asyncio.sleep(290)
        kube.end_watches()
        kube.put(PODS, builders.pod("b"))
        await settle()
        assert kube.watchers == 1
    assert seen.changes == [("ADDED", "a"), ("ADDED", "b")]


@virtual_time
async def test_what_was_deleted_unseen_is_told_after_the_server_forgot_where_we_were() -> None:
    kube, seen = FakeKube(), Seen()
    kept = kube.put(PODS, builders.pod("kept"))
    lost = kube.put(PODS, builders.pod("lost"))
    replaced = kube.put(PODS, builders.pod("replaced"))
    async with informer(kube, seen):
        seen.take()
        kube.fail_next("watch", PODS, UNAVAILABLE, times=3)
        kube.end_watches()
        await settle()
        kube.remove(PODS, "default", "lost")
        kube.remove(PODS, "default", "replaced")
        kube.put(PODS, builders.pod("replaced"))
        kube.forget_history()
        await asyncio.sleep(60)
        told = sorted(seen.changes)
    assert told == [
        ("ADDED", "replaced"),
        ("DELETED", "lost"),
        ("DELETED", "replaced"),
        ("MODIFIED", "kept"),
    ]
    deleted = {obj["metadata"]["name"]: obj["metadata"] for obj in seen.objects if len(obj["metadata"]) == 3}
    assert deleted["lost"]["uid"] == lost["metadata"]["uid"]
    assert deleted["replaced"]["uid"] == replaced["metadata"]["uid"]
    assert kept["metadata"]["uid"] not in {metadata["uid"] for metadata in deleted.values()}


@virtual_time
async def test_an_unseen_replacement_is_a_deletion_and_then_a_creation() -> None:
    kube, seen = FakeKube(), Seen()
    kube.put(PODS, builders.pod("a"))
    async with informer(kube, seen):
        kube.fail_next("watch", PODS, errors.Gone("old", status=410))
        kube.end_watches()
        kube.remove(PODS, "default", "a")
        kube.put(PODS, builders.pod("a"))
        await asyncio.sleep(10)
    assert [change for n, change in enumerate(seen.changes) if n == 0 or change != seen.changes[n - 1]] == [
        ("ADDED", "a"),
        ("DELETED", "a"),
        ("ADDED", "a"),
    ]


@virtual_time
async def test_an_outage_of_a_minute_is_survived_without_hammering_and_caught_up_within_30_seconds() -> None:
    kube, seen = FakeKube(), Seen()
    calls: list[float] = []
    loop = asyncio.get_running_loop()

    def down(*_: object) -> None:
        calls.append(loop.time())
        raise UNAVAILABLE

    async with informer(kube, seen):
        await asyncio.sleep(100)
        kube.before("watch", PODS, down)
        kube.end_watches()
        await asyncio.sleep(60)
        kube.before("watch", PODS, None)
        kube.put(PODS, builders.pod("a"))
        await asyncio.sleep(30)
        assert seen.changes == [("ADDED", "a")]
    assert 5 <= len(calls) <= 25


@virtual_time
async def test_it_starts_before_the_api_server_does() -> None:
    kube, seen = FakeKube(), Seen()
    kube.put(PODS, builders.pod("a"))
    kube.fail_next("list", PODS, UNAVAILABLE, times=5)
    async with informer(kube, seen) as pods:
        assert not pods.synced.is_set()
        async with asyncio.timeout(30):
            await pods.synced.wait()
    assert seen.changes == [("ADDED", "a")]


@virtual_time
async def test_a_watch_that_is_closed_as_soon_as_it_is_opened_is_not_opened_in_a_hot_loop() -> None:
    kube, seen = FakeKube(), Seen()
    opened = 0

    async def close_it(*_: object) -> None:
        nonlocal opened
        opened += 1
        asyncio.get_running_loop().call_later(0.001, kube.end_watches)

    kube.before("watch", PODS, close_it)
    async with informer(kube, seen):
        await asyncio.sleep(60)
        kube.before("watch", PODS, None)
        await asyncio.sleep(30)
        kube.put(PODS, builders.pod("a"))
        await settle()
        assert seen.changes == [("ADDED", "a")]
    assert opened < 25


@virtual_time
async def test_a_callback_that_raises_is_logged_and_hears_the_next_change() -> None:
    kube, seen = FakeKube(), Seen()

    def fragile(kind: WatchType, obj: Object) -> None:
        if "bad" in obj["metadata"]["name"]:
            raise ValueError("malformed")
        seen(kind, obj)

    kube.put(PODS, builders.pod("bad"))
    with structlog.testing.capture_logs() as logs:
        async with informer(kube, fragile) as pods:  # type: ignore[arg-type]
            assert pods.synced.is_set()
            kube.put(PODS, builders.pod("good"))
            await settle()
    assert seen.changes == [("ADDED", "good")]
    assert [(entry["event"], entry["object"]) for entry in logs] == [("change not handled", "default/bad")]


@virtual_time
async def test_bookmarks_are_contact_and_move_the_version_on() -> None:
    kube, seen = FakeKube(), Seen()
    async with informer(kube, seen) as pods:
        assert pods.last_contact == 0
        await asyncio.sleep(60)
        kube.forget_history()
        kube.send_bookmarks()
        await settle()
        assert pods.last_contact == 60
        kube.before("list", PODS, lambda *_: pytest.fail("listed again"))
        kube.end_watches()
        await settle()
        assert kube.watchers == 1
    assert seen.changes == []
