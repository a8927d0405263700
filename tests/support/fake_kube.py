"""`FakeKube`: the API server in memory, and the runners behind its pods.

It behaves like the real one on the points we rely on: ``tests/e2e/test_fake_matches_real.py`` puts the same questions
to both. The methods of `Kube` are what the operator calls. Everything else is for the test: to play the user, the
kubelet or the garbage collector, to make requests fail, and to stop them in the middle.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runtime_operator.kube import errors
from runtime_operator.kube.client import (
    BACKENDS,
    CLUSTER_PROGRAMS,
    JOBS,
    LOG_BYTES,
    PODS,
    POOLS,
    PROGRAMS,
    Object,
    Objects,
    Propagation,
    Resource,
    WatchType,
)

from support.builders import ended_status, merge, running_status
from support.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    Hook = Callable[..., Awaitable[None] | None]

WITH_STATUS = frozenset({PODS, JOBS, PROGRAMS, CLUSTER_PROGRAMS, BACKENDS, POOLS})
CREATED = "2026-01-01T00:00:00Z"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Change:
    version: int
    resource: Resource
    old: Object | None
    new: Object | None


@dataclass(slots=True)
class _Watcher:
    """Its queue holds changes, the versions of bookmarks, and None for the end."""

    queue: asyncio.Queue[_Change | str | None] = field(default_factory=asyncio.Queue)


class FakeKube:
    """See the module's docstring."""

    def __init__(self) -> None:
        self.writes: Counter[str] = Counter()
        self.watchers = 0
        """Watches that are open now."""
        self._objects: dict[Resource, dict[Key, Object]] = {}
        self._version = 1000
        self._forgotten = 0
        self._history: list[_Change] = []
        self._watching: list[_Watcher] = []
        self._faults = Faults()
        self._hooks: dict[tuple[str, Resource], Hook] = {}
        self._runners: dict[str, FakeRunner] = {}

    # What the operator calls

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        async with _Call(self, "create", resource, body["metadata"]["name"], body):
            self.writes[f"create {resource}"] += 1
            key = (namespace or "", body["metadata"]["name"])
            there = self._of(resource).get(key)
            if there is None:
                there = self._created(resource, key, body)
            return copy.deepcopy(there)

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        async with _Call(self, "get", resource, name):
            return copy.deepcopy(self._of(resource).get((namespace or "", name)))

    async def patch(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, subresource: str = ""
    ) -> Object | None:
        async with _Call(self, "patch", resource, name, body):
            self.writes[f"patch {resource}/{subresource}" if subresource else f"patch {resource}"] += 1
            return self._patched(resource, (namespace or "", name), body, subresource)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str,
        resource_version: str | None = None,
        grace_seconds: int | None = None,
        propagation: Propagation | None = None,
    ) -> None:
        async with _Call(self, "delete", resource, name):
            self.writes[f"delete {resource}"] += 1
            key = (namespace or "", name)
            there = self._of(resource).get(key)
            if resource_version is not None and there and there["metadata"]["resourceVersion"] != resource_version:
                raise errors.Conflict("the resourceVersion is another one", status=409, reason="Conflict")
            if there is None or there["metadata"]["uid"] != uid:
                return
            grace = _grace(resource, there, grace_seconds)
            if not grace and not there["metadata"].get("finalizers"):
                self._store(resource, key, None)
            elif "deletionTimestamp" not in there["metadata"] or grace_seconds is not None:
                mark = {"deletionTimestamp": CREATED, "deletionGracePeriodSeconds": grace}
                self._store(resource, key, merge(there, {"metadata": mark}))

    async def list(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> tuple[list[Object], str]:
        async with _Call(self, "list", resource, ""):
            found = [obj for obj in self._of(resource).values() if _selected(obj, namespace, label_selector)]
            return copy.deepcopy(sorted(found, key=_key)), str(self._version)

    async def pages(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> AsyncIterator[tuple[Objects, str]]:
        items, version = await self.list(resource, namespace, label_selector=label_selector)
        for start in range(0, max(1, len(items)), 2):
            yield items[start : start + 2], version

    async def watch(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = "", resource_version: str
    ) -> AsyncIterator[tuple[WatchType, Object]]:
        async with _Call(self, "watch", resource, ""):
            if int(resource_version) < self._forgotten:
                raise errors.Gone(f"too old resource version: {resource_version}", status=410, reason="Expired")
            watcher = _Watcher()
            for change in self._history:
                if change.version > int(resource_version):
                    watcher.queue.put_nowait(change)
            self._watching.append(watcher)
        self.watchers += 1
        try:
            while True:
                news = await watcher.queue.get()
                if news is None:
                    return
                if isinstance(news, str):
                    yield "BOOKMARK", {"metadata": {"resourceVersion": news}}
                elif news.resource == resource:
                    for event in _events(news, namespace, label_selector):
                        yield event
        finally:
            self.watchers -= 1
            if watcher in self._watching:
                self._watching.remove(watcher)

    async def pod_log(self, namespace: str, name: str, container: str, *, limit_bytes: int = LOG_BYTES) -> bytes | None:
        async with _Call(self, "log", PODS, name):
            pod = self._of(PODS).get((namespace, name))
            if pod is None:
                return None
            _check_container(pod, container)
            if "nodeName" not in pod["spec"]:
                return b""  # as the real one answers
            runner = self._runners.get(pod["metadata"]["uid"])
            return b"".join(runner.journal)[:limit_bytes] if runner is not None and runner.started else None

    async def attach(self, namespace: str, name: str, container: str) -> FakeAttachment:
        async with _Call(self, "attach", PODS, name):
            pod = self._of(PODS).get((namespace, name))
            if pod is None:
                raise errors.NotFound(f'pods "{name}" not found', status=404, reason="NotFound")
            _check_container(pod, container)
            if "nodeName" not in pod["spec"]:
                raise errors.Invalid(f"pod {name} does not have a host assigned", status=400, reason="BadRequest")
            runner = self._runners.get(pod["metadata"]["uid"])
            if runner is None or not runner.running:
                raise errors.Unavailable("the attach stream was refused", status=500, reason="InternalServerError")
            attachment = FakeAttachment(runner)
            runner.attachments.append(attachment)
            return attachment

    # Faults

    def fail_next(
        self, verb: str, resource: Resource, error: BaseException, *, times: int = 1, after: bool = False
    ) -> None:
        """Answer the next requests with this error; with ``after``, carry them out first: the answer got lost.

        Verbs are the names of the methods of `Kube`, and ``log``.
        """
        self._faults.add(Fault(verb, resource, error, times, after))

    def before(self, verb: str, resource: Resource, callback: Hook | None) -> None:
        """Call this, with the name and the body (or None), before every such request; it may await and raise."""
        if callback is None:
            self._hooks.pop((verb, resource), None)
        else:
            self._hooks[verb, resource] = callback

    # The rest of the world

    def objects(self, resource: Resource) -> Sequence[Object]:
        """Return copies of everything there is of this kind, by namespace and name."""
        return copy.deepcopy(sorted(self._of(resource).values(), key=_key))

    def put(self, resource: Resource, body: Object) -> Object:
        """Store this object as it is, status included; uid and version are given where they are missing."""
        key = _key(body)
        new = copy.deepcopy(body)
        new["metadata"].setdefault("uid", str(uuid.uuid4()))
        return copy.deepcopy(self._store(resource, key, new))

    def edit(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, subresource: str = ""
    ) -> Object:
        """Patch an object as somebody else: not counted, no faults."""
        edited = self._patched(resource, (namespace or "", name), body, subresource)
        assert edited is not None, f"no {resource} {namespace}/{name}"
        return edited

    def remove(self, resource: Resource, namespace: str | None, name: str) -> None:
        """Take an object away as somebody else, at once."""
        pod = self._of(resource)[namespace or "", name]
        if (runner := self._runners.get(pod["metadata"]["uid"])) is not None:
            runner.end()
        self._store(resource, (namespace or "", name), None)

    def collect_garbage(self) -> None:
        """Remove what is owned by objects that are no longer there."""
        while True:
            uids = {obj["metadata"]["uid"] for objects in self._objects.values() for obj in objects.values()}
            orphans = [
                (resource, key)
                for resource, objects in self._objects.items()
                for key, obj in objects.items()
                if (owners := obj["metadata"].get("ownerReferences")) and not {o["uid"] for o in owners} & uids
            ]
            if not orphans:
                return
            for resource, (namespace, name) in orphans:
                self.remove(resource, namespace, name)

    def run_pod(self, namespace: str, name: str, *, ready: bool = True) -> FakeRunner:
        """Play scheduler and kubelet: the pod runs now. Returns its runner, which has said nothing yet."""
        self.edit(PODS, namespace, name, {"spec": {"nodeName": "node-1"}})
        pod = self.edit(PODS, namespace, name, {"status": running_status(ready=ready)}, subresource="status")
        runner = self._runners.setdefault(pod["metadata"]["uid"], FakeRunner())
        runner.started = runner.running = True
        return runner

    def end_pod(self, namespace: str, name: str, *, exit_code: int = 0, reason: str = "", message: str = "") -> None:
        """Play the kubelet: the runner's container has ended. Its log stays."""
        pod = self._of(PODS)[namespace, name]
        if (runner := self._runners.get(pod["metadata"]["uid"])) is not None:
            runner.end()
        status = ended_status(exit_code=exit_code, reason=reason, message=message)
        self.edit(PODS, namespace, name, {"status": status}, subresource="status")

    def runner(self, namespace: str, name: str) -> FakeRunner:
        """Return the runner of a pod that `run_pod` has started."""
        return self._runners[self._of(PODS)[namespace, name]["metadata"]["uid"]]

    def end_watches(self) -> None:
        """Close every open watch, as the server does now and then."""
        for watcher in self._watching:
            watcher.queue.put_nowait(None)

    def send_bookmarks(self) -> None:
        """Send every open watch a bookmark, as the server does about every minute."""
        for watcher in self._watching:
            watcher.queue.put_nowait(str(self._version))

    def forget_history(self) -> None:
        """Have etcd compacted: watches from versions older than now are answered with Gone."""
        self._version += 1
        self._forgotten = self._version
        self._history.clear()

    # Inside

    def _of(self, resource: Resource) -> dict[Key, Object]:
        return self._objects.setdefault(resource, {})

    def _created(self, resource: Resource, key: Key, body: Object) -> Object:
        new = copy.deepcopy(body)
        if resource in WITH_STATUS:
            new.pop("status", None)
        if resource == PODS:
            new["status"] = {"phase": "Pending"}
        if "spec" in new:
            new["metadata"]["generation"] = 1
        new["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": CREATED}
        if key[0]:
            new["metadata"]["namespace"] = key[0]
        return self._store(resource, key, new)

    def _patched(self, resource: Resource, key: Key, body: Object, subresource: str) -> Object | None:
        there = self._of(resource).get(key)
        if there is None:
            return None
        guard = body.get("metadata", {})
        for name in ("resourceVersion", "uid"):
            if name in guard and guard[name] != there["metadata"][name]:
                raise errors.Conflict(f"the {name} is another one", status=409, reason="Conflict")
        if subresource == "status":
            new = {**there, "status": merge(there.get("status"), body.get("status", {}))}
        elif resource in WITH_STATUS:
            new = merge(there, {name: value for name, value in body.items() if name != "status"})
        else:
            new = merge(there, body)
        if new == there:
            return copy.deepcopy(there)
        if new.get("spec") != there.get("spec") and "generation" in there["metadata"]:
            new = merge(new, {"metadata": {"generation": there["metadata"]["generation"] + 1}})
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers") and resource != PODS:
            self._store(resource, key, None)
            return copy.deepcopy(new)
        return copy.deepcopy(self._store(resource, key, new))

    def _store(self, resource: Resource, key: Key, new: Object | None) -> Object:
        """Make this the object's state (None: gone), under a new version, and tell the watchers."""
        objects = self._of(resource)
        old = objects.get(key)
        self._version += 1
        if new is None:
            assert old is not None
            del objects[key]
            old = merge(old, {"metadata": {"resourceVersion": str(self._version)}})
        else:
            new = merge(copy.deepcopy(new), {"metadata": {"resourceVersion": str(self._version)}})
            objects[key] = new
        change = _Change(self._version, resource, old, new)
        self._history.append(change)
        for watcher in self._watching:
            watcher.queue.put_nowait(change)
        return objects[key] if new is not None else {}

    async def _enter(self, verb: str, resource: Resource, name: str, body: Object | None) -> Fault | None:
        await asyncio.sleep(0)  # a request takes a while: others get a turn
        hook = self._hooks.get((verb, resource))
        if hook is not None:
            waiting = hook(name, body)
            if inspect.isawaitable(waiting):
                await waiting
        return self._faults.take(verb, resource)


class FakeRunner:
    """The process behind a pod's attach stream, played by the test."""

    def __init__(self) -> None:
        self.journal: list[bytes] = []
        """Every line it wrote, as the container log keeps them."""
        self.requests: list[bytes] = []
        """Every line it was sent, without the newline."""
        self.on_request: Callable[[dict[str, Any]], None] | None = None
        """Called with every request, as JSON: the script."""
        self.attachments: list[FakeAttachment] = []
        self.started = False
        self.running = False
        self._unread = b""

    def say(self, *lines: bytes) -> None:
        r"""Write these lines, as `runtime_runner.contract.encode` makes them (with or without ``\n``)."""
        for line in lines:
            whole = line if line.endswith(b"\n") else line + b"\n"
            self.journal.append(whole)
            for attachment in self.attachments:
                attachment.receive(whole[:-1])

    def drop_streams(self) -> None:
        """Break every attach stream; the runner goes on."""
        for attachment in self.attachments:
            attachment.receive(errors.Unavailable("the attach stream ended without a word", reason="StreamBroken"))
        self.attachments.clear()

    def end(self) -> None:
        """End the process: streams end, later ones find nobody, the journal stays."""
        self.running = False
        for attachment in self.attachments:
            attachment.receive(None)
        self.attachments.clear()

    def read(self, data: bytes) -> None:
        """Take what came on stdin."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in filter(bytes.strip, lines):  # a runner ignores empty lines
            self.requests.append(line)
            if self.on_request is not None:
                self.on_request(json.loads(line))


class FakeAttachment:
    """One stream to a `FakeRunner`."""

    def __init__(self, runner: FakeRunner) -> None:
        self.closed = False
        self._runner = runner
        self._received: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

    def receive(self, line: bytes | Exception | None) -> None:
        """Have `lines` yield this line, raise this error, or (None) end."""
        self._received.put_nowait(line)

    async def send(self, data: bytes) -> None:
        await asyncio.sleep(0)
        if self.closed:
            raise errors.Unavailable("the attach stream is closed", reason="StreamClosed")
        if self in self._runner.attachments:
            self._runner.read(data)  # else it is lost, and nobody says so: as on a real stream that is about to break

    async def lines(self) -> AsyncIterator[bytes]:
        while (line := await self._received.get()) is not None:
            if isinstance(line, Exception):
                raise line
            yield line

    async def close(self) -> None:
        await asyncio.sleep(0)
        if self.closed:
            return
        self.closed = True
        if self in self._runner.attachments:
            self._runner.attachments.remove(self)
        self.receive(None)


class _Call:
    """Around every request: the turn given to others, hooks, and faults before or after."""

    def __init__(self, kube: FakeKube, verb: str, resource: Resource, name: str, body: Object | None = None) -> None:
        self._enter = kube._enter(verb, resource, name, body)
        self._fault: Fault | None = None

    async def __aenter__(self) -> None:
        self._fault = await self._enter

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._fault is not None and kind is None:
            raise self._fault.error


def _key(obj: Object) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _grace(resource: Resource, obj: Object, wish: int | None) -> int:
    """Return the grace period: only a pod that may be running has one."""
    if resource != PODS or "nodeName" not in obj["spec"] or obj["status"].get("phase") in ("Succeeded", "Failed"):
        return 0
    return wish if wish is not None else int(obj["spec"].get("terminationGracePeriodSeconds", 30))


def _check_container(pod: Object, container: str) -> None:
    if container not in [c["name"] for c in pod["spec"]["containers"]]:
        message = f"container {container} is not valid for pod {pod['metadata']['name']}"
        raise errors.Invalid(message, status=400, reason="BadRequest")


def _selected(obj: Object | None, namespace: str | None, selector: str) -> bool:
    if obj is None or (namespace and obj["metadata"].get("namespace") != namespace):
        return False
    labels: dict[str, str] = obj["metadata"].get("labels") or {}
    return all(_meets(labels, requirement.strip()) for requirement in selector.split(",") if requirement.strip())


def _meets(labels: dict[str, str], requirement: str) -> bool:
    if "!=" in requirement:
        name, value = requirement.split("!=", 1)
        return labels.get(name) != value
    if "=" in requirement:
        name, value = requirement.replace("==", "=").split("=", 1)
        return labels.get(name) == value
    return requirement.removeprefix("!") not in labels if requirement.startswith("!") else requirement in labels


def _events(change: _Change, namespace: str | None, selector: str) -> list[tuple[WatchType, Object]]:
    """Return what a watcher with this selector sees: an object that leaves the selection is DELETED for it."""
    was, is_now = _selected(change.old, namespace, selector), _selected(change.new, namespace, selector)
    if is_now and change.new is not None:
        return [("MODIFIED" if was else "ADDED", copy.deepcopy(change.new))]
    if was and change.old is not None:
        version = {"metadata": {"resourceVersion": str(change.version)}}
        return [("DELETED", merge(copy.deepcopy(change.new or change.old), version))]
    return []
