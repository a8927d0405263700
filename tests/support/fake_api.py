"""`FakeApi`: the API server in memory, for the client's tests.

It behaves like the real one on the points the client relies on: ``tests/e2e/client/test_api_matches_fake.py`` puts the
same questions to both. The methods of `Api` are what the client calls. Everything else is for the test: to play the
operator and other users, and to make requests fail.

The test may do so from another thread than the one whose event loop carries out the client's requests, as tests of
the synchronous classes have to.
"""

from __future__ import annotations

import asyncio
import copy
import random
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import GROUP, VERSION, Change, Listing, Object, Resource, could_be_named

from support.builders import merge
from support.fake_operator import FakeOperator
from support.fake_rules import (
    WITHOUT_STATUS,
    described,
    is_known,
    refuse_change,
    refuse_invalid,
    selected,
    with_defaults,
)
from support.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

RBAC_VERBS = {"replace": "update"}
"""What RBAC calls a method of `Api`, where it is not the method's name."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A change of one object: what it was and is now, or None where there is none."""

    version: int
    resource: Resource
    old: Object | None
    new: Object | None


@dataclass(slots=True)
class _Watcher:
    """An open watch. Its news are events, versions of bookmarks, an exception that breaks it, or None for its end."""

    loop: asyncio.AbstractEventLoop
    news: deque[_Event | str | BaseException | None]
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, news: _Event | str | BaseException | None) -> None:
        self.news.append(news)
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.awake.set)


class FakeApi(FakeOperator):
    """See the module's docstring; what it does as the operator would is in `FakeOperator`."""

    def __init__(self, namespace: str = "default") -> None:
        super().__init__()
        self.namespace = namespace
        self.requests: list[tuple[str, str, str]] = []
        """Every request the client has sent: verb (the method's name), plural of the kind, name (or empty)."""
        self.closed = False
        self._objects: dict[Resource, dict[str, Object]] = {}
        self._version = self._forgotten = 1000
        self._history: list[_Event] = []
        self._watchers: list[_Watcher] = []
        self._faults = Faults()
        self._forbidden: set[tuple[str, Resource]] = set()
        self._reactions: dict[tuple[str, Resource], Callable[[Object], object]] = {}
        self._changed = threading.Condition(self.lock)

    # What the client calls

    async def get(self, resource: Resource, name: str) -> Object:
        fault = await self._enter("get", resource, name)
        with self._changed:
            return self._leave(fault, "get", resource, self._find(resource, name))

    async def list(
        self, resource: Resource, *, field_selector: str = "", label_selector: str = "", metadata_only: bool = False
    ) -> Listing:
        fault = await self._enter("list", resource, "")
        selected(resource, None, field_selector)
        with self._changed:
            found = [
                _metadata_only(obj) if metadata_only else obj
                for _, obj in sorted(self._of(resource).items())
                if selected(resource, obj, field_selector, label_selector)
            ]
            if fault is not None:
                raise fault.error
            return Listing(copy.deepcopy(found), str(self._version))

    async def create(self, resource: Resource, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        name = body["metadata"].get("name") or _generated(body["metadata"].get("generateName", ""))
        fault = await self._enter("create", resource, name)
        refuse_invalid(resource, name, body)
        with self._changed:
            if name in self._of(resource):
                raise errors.AlreadyExists(f"{described(resource, name)} already exists")
            given = {key: value for key, value in body.items() if key != "status" or resource in WITHOUT_STATUS}
            new = with_defaults(resource, self._completed(resource, name, given))
            if dry_run:
                return self._leave(fault, "", resource, new)
            return self._leave(fault, "create", resource, self._store(resource, name, new))

    async def replace(self, resource: Resource, name: str, body: Mapping[str, Any]) -> Object:
        fault = await self._enter("replace", resource, name)
        refuse_invalid(resource, name, body)
        with self._changed:
            old = self._find(resource, name)
            if not body["metadata"].get("resourceVersion"):
                message = f"{described(resource, name)} is invalid: metadata.resourceVersion must be specified"
                raise errors.Invalid(message, fields=("metadata.resourceVersion",))
            self._guard(resource, name, old, body)
            kept = {key: old["metadata"][key] for key in ("uid", "creationTimestamp", "generation")}
            new = with_defaults(resource, {**body, "metadata": {**body["metadata"], **kept}})
            return self._leave(fault, "replace", resource, self._change(resource, name, old, new))

    async def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Object:
        fault = await self._enter("patch", resource, name)
        with self._changed:
            old = self._find(resource, name)
            self._guard(resource, name, old, patch)
            new = with_defaults(resource, merge(old, dict(patch)))
            refuse_invalid(resource, name, new)
            return self._leave(fault, "patch", resource, self._change(resource, name, old, new))

    async def delete(self, resource: Resource, name: str, *, uid: str = "") -> None:
        fault = await self._enter("delete", resource, name)
        with self._changed:
            old = self._find(resource, name)
            self._guard(resource, name, old, {"metadata": {"uid": uid} if uid else {}})
            self.remove(resource, name)
            self._leave(fault, "delete", resource, old)

    async def watch(
        self, resource: Resource, *, resource_version: str, field_selector: str = ""
    ) -> AsyncGenerator[Change, None]:
        fault = await self._enter("watch", resource, "")
        selected(resource, None, field_selector)
        with self._changed:
            if fault is not None:
                raise fault.error
            since = int(resource_version)
            if since < self._forgotten:
                raise errors.Expired(f"too old resource version: {since} ({self._forgotten})")
            earlier = [event for event in self._history if event.version > since]
            watcher = _Watcher(asyncio.get_running_loop(), deque(earlier))
            self._watchers.append(watcher)
            self._changed.notify_all()
        try:
            while True:
                watcher.awake.clear()
                while watcher.news:
                    news = watcher.news.popleft()
                    if news is None:
                        return
                    if isinstance(news, BaseException):
                        raise news
                    if isinstance(news, str):
                        yield Change("BOOKMARK", {"metadata": {"resourceVersion": news}})
                    elif news.resource == resource and (change := _seen(news, field_selector)) is not None:
                        yield change
                await watcher.awake.wait()
        finally:
            with self._changed:
                self._watchers.remove(watcher)
                self._changed.notify_all()

    async def close(self) -> None:
        self.closed = True

    # Faults

    def fail(self, verb: str, resource: Resource, error: BaseException, times: int = 1, *, after: bool = False) -> None:
        """Answer the next requests with this error; with ``after``, carry them out first: the answer got lost.

        Verbs are the names of the methods of `Api`.
        """
        if times:
            self._faults.add(Fault(verb, resource, error, times, after))

    def heal(self) -> None:
        """Forget all errors that were still to come."""
        self._faults.clear()

    def forbid(self, verb: str, resource: Resource) -> None:
        """Refuse such requests from now on, as RBAC does."""
        self._forbidden.add((verb, resource))

    def break_watches(self, error: BaseException | None = None) -> None:
        """Break every open watch, as a lost connection does."""
        with self._changed:
            for watcher in list(self._watchers):
                watcher.tell(error or errors.Unavailable("the connection was lost"))

    def end_watches(self) -> None:
        """Close every open watch, as the server does every few minutes."""
        with self._changed:
            for watcher in list(self._watchers):
                watcher.tell(None)

    def send_bookmarks(self) -> None:
        """Send every open watch a bookmark, as the server does about every minute."""
        with self._changed:
            for watcher in list(self._watchers):
                watcher.tell(str(self._version))

    def expire(self) -> None:
        """Forget old versions: who watches from one of before is told that it has expired. Open watches go on."""
        with self._changed:
            self._version += 1
            self._forgotten = self._version
            self._history.clear()

    # The rest of the world

    @property
    def open_watches(self) -> int:
        """How many watches are open now."""
        return len(self._watchers)

    def react(self, verb: str, resource: Resource, reaction: Callable[[Object], object]) -> None:
        """Call this with (a copy of) the object after every such request that succeeded: to play an operator.

        A dry run creates nothing that there would be something to do with.
        """
        self._reactions[verb, resource] = reaction

    def wait_until(self, condition: Callable[[], bool], timeout: float = 30.0) -> None:
        """Block this thread, not the event loop's, until something that requests change has become true."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout), "this did not become true"

    def objects(self, resource: Resource) -> Sequence[Object]:
        """Return copies of everything there is of this kind, by name."""
        with self._changed:
            return copy.deepcopy([obj for _, obj in sorted(self._of(resource).items())])

    def object(self, resource: Resource, name: str) -> Object:
        """Return a copy of one object, without a request."""
        with self._changed:
            return copy.deepcopy(self._find(resource, name))

    def put(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        """Store this object as somebody else, status included, instead of what there may be of its name.

        Defaults, uid and timestamp are filled in where they are missing. One that was there keeps its uid, unless the
        body has another one: then it is a namesake, and the old one has been deleted.
        """
        with self._changed:
            name = body["metadata"]["name"]
            old = self._of(resource).get(name)
            if old is not None and body["metadata"].get("uid") not in (None, old["metadata"]["uid"]):
                self.remove(resource, name)
                old = None
            new = self._completed(resource, name, body, keep=(old or {}).get("metadata", {}))
            return copy.deepcopy(self._store(resource, name, with_defaults(resource, new)))

    def edit(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Object:
        """Patch an object as somebody else, status included."""
        with self._changed:
            return copy.deepcopy(self._store(resource, name, merge(self._find(resource, name), dict(patch))))

    def remove(self, resource: Resource, name: str) -> None:
        """Delete an object, and what it owns, as somebody else."""
        with self._changed:
            uid = self._find(resource, name)["metadata"]["uid"]
            self._store(resource, name, None)
            for other, objects in self._objects.items():
                for owned in [n for n, o in objects.items() if uid in _owners(o)]:
                    self.remove(other, owned)

    # Inside

    def _of(self, resource: Resource) -> dict[str, Object]:
        return self._objects.setdefault(resource, {})

    def _find(self, resource: Resource, name: str) -> Object:
        try:
            return self._of(resource)[name]
        except KeyError:
            raise errors.NotFound(f"{described(resource, name)} not found") from None

    def _completed(
        self, resource: Resource, name: str, body: Mapping[str, Any], keep: Mapping[str, Any] | None = None
    ) -> Object:
        """Return the object with everything in its metadata that the API server writes there."""
        given = {"uid": str(uuid.uuid4()), "creationTimestamp": self.tick(), "generation": 1} | dict(keep or {})
        metadata = given | dict(body["metadata"]) | {"name": name}
        if resource.namespaced:
            metadata["namespace"] = self.namespace
        kind = {"apiVersion": f"{GROUP}/{VERSION}", "kind": resource.kind}
        return copy.deepcopy({**kind, **body, "metadata": metadata})

    def _guard(self, resource: Resource, name: str, old: Object, body: Mapping[str, Any]) -> None:
        wanted = body.get("metadata", {})
        for guard in ("uid", "resourceVersion"):
            if wanted.get(guard) not in (None, old["metadata"][guard]):
                message = f"Operation cannot be fulfilled on {described(resource, name)}: the {guard} is another one"
                raise errors.Conflict(message)

    def _change(self, resource: Resource, name: str, old: Object, new: Object) -> Object:
        """Store what a client made of an object: of a kind with a status it cannot touch that."""
        if resource not in WITHOUT_STATUS:
            new = {key: value for key, value in new.items() if key != "status"}
            new |= {"status": old["status"]} if "status" in old else {}
        refuse_change(resource, old, new)
        if new == old:
            return old
        if new.get("spec") != old.get("spec"):
            new = merge(new, {"metadata": {"generation": old["metadata"]["generation"] + 1}})
        return self._store(resource, name, new)

    def _store(self, resource: Resource, name: str, new: Object | None) -> Object:
        """Make this the object's state (None: gone), under a new version, and tell the watchers."""
        objects = self._of(resource)
        old = objects.get(name)
        self._version += 1
        if new is not None:
            new = merge(copy.deepcopy(new), {"metadata": {"resourceVersion": str(self._version)}})
            objects[name] = new
        else:
            del objects[name]
        event = _Event(self._version, resource, old, new)
        self._history.append(event)
        for watcher in self._watchers:
            watcher.tell(event)
        self._changed.notify_all()
        return new or {}

    async def _enter(self, verb: str, resource: Resource, name: str) -> Fault | None:
        await asyncio.sleep(0)  # a request takes a while: others get a turn
        with self._changed:
            if verb not in ("list", "create", "watch") and not could_be_named(name):
                raise errors.Invalid(f"{name!r} cannot be the name of an object", fields=("metadata.name",))
            self.requests.append((verb, resource.plural, name))
            self._changed.notify_all()
            if not is_known(resource):
                raise errors.NotFound("the server could not find the requested resource", kind_is_missing=True)
            if {(verb, resource), (RBAC_VERBS.get(verb, verb), resource)} & self._forbidden:
                raise errors.Forbidden(self._forbidden_sentence(verb, resource, name))
            return self._faults.take(verb, resource)

    def _leave(self, fault: Fault | None, verb: str, resource: Resource, answer: Object) -> Object:
        answer = copy.deepcopy(answer)
        if (reaction := self._reactions.get((verb, resource))) is not None:
            reaction(copy.deepcopy(answer))
        if fault is not None:
            raise fault.error
        return answer

    def _forbidden_sentence(self, verb: str, resource: Resource, name: str) -> str:
        subject = described(resource, name) if name and verb != "create" else f"{resource.plural}.{GROUP}"
        where = f'in the namespace "{self.namespace}"' if resource.namespaced else "at the cluster scope"
        what = f'cannot {RBAC_VERBS.get(verb, verb)} resource "{resource.plural}" in API group "{GROUP}"'
        return f'{subject} is forbidden: User "somebody" {what} {where}'


def _owners(obj: Object) -> set[str]:
    return {owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()}


def _generated(prefix: str) -> str:
    return prefix + "".join(random.choices("bcdfghjklmnpqrstvwxz2456789", k=5))


def _metadata_only(obj: Object) -> Object:
    return {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": obj["metadata"]}


def _seen(event: _Event, field_selector: str) -> Change | None:
    """Return what a watch with this selector shows: an object that leaves the selection is DELETED for it."""
    was = selected(event.resource, event.old, field_selector)
    is_now = selected(event.resource, event.new, field_selector)
    if is_now and event.new is not None:
        return Change("MODIFIED" if was else "ADDED", copy.deepcopy(event.new))
    if was and event.old is not None:
        version = {"metadata": {"resourceVersion": str(event.version)}}
        return Change("DELETED", merge(copy.deepcopy(event.new or event.old), version))
    return None
