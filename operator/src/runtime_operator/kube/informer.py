"""Tells a callback about every change of one resource, for ever, whatever happens to the connection.

It keeps no objects, only their names and uids: enough to notice at a new list what was deleted unseen. What the objects
mean is the callback's business.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import structlog

from runtime_operator.kube import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_operator.kube.client import Kube, Object, Resource, WatchType

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 15.0
"""Between attempts: after an outage of the API server we have caught up within half a minute."""
STEADY_SECONDS = 1.0
"""A watch that lasted so long was a good one. The API server closes one that was opened right after its CRD was
created, or lets it stay empty: so a short one is opened again, but not in a hot loop."""


class Informer:
    """List, then watch, then watch again; list again when the server has forgotten where we were.

    ``on_change`` gets ADDED for what is new, MODIFIED for what was known, DELETED for what is gone. A deletion that we
    did not see has only ``metadata.namespace``, ``name`` and ``uid``. It may hear the same thing twice, it must not
    block, and if it raises that is logged and forgotten.
    """

    def __init__(
        self,
        kube: Kube,
        resource: Resource,
        on_change: Callable[[WatchType, Object], None],
        *,
        namespace: str | None = None,
        label_selector: str = "",
    ) -> None:
        self.synced = asyncio.Event()
        """Set when the first list has been handed over."""
        self.last_contact: float | None = None
        """When the server last said something, bookmarks included (the loop's time): for the liveness probe."""
        self._kube = kube
        self._resource = resource
        self._on_change = on_change
        self._namespace = namespace
        self._label_selector = label_selector
        self._uids: dict[tuple[str, str], str] = {}
        self._version: str | None = None

    async def run(self) -> None:
        """Never return; cancel it to stop."""
        loop = asyncio.get_running_loop()
        short = 0
        while True:
            began = loop.time()
            try:
                if self._version is None:
                    self._version = await self._list()
                await self._watch(self._version)
            except errors.Gone:
                self._version = None
                log.info("listing again", resource=str(self._resource))
            except errors.KubeError as error:
                log.warning("watch failed", resource=str(self._resource), status=error.status, reason=error.reason)
            short = short + 1 if loop.time() - began < STEADY_SECONDS else 0
            if short:
                longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(short - 1, 16))
                await asyncio.sleep(random.uniform(longest / 2, longest))

    async def _list(self) -> str:
        missing, version = set(self._uids), ""
        pages = self._kube.pages(self._resource, self._namespace, label_selector=self._label_selector)
        async for items, version in pages:  # noqa: B007 - the version of the last one is the list's
            self._heard()
            for item in items:
                missing.discard(_key(item))
                self._tell("MODIFIED", item)
        for key in missing:
            self._tell_deleted(key)
        self.synced.set()
        return version

    async def _watch(self, version: str) -> None:
        stream = self._kube.watch(
            self._resource, self._namespace, label_selector=self._label_selector, resource_version=version
        )
        async for kind, obj in stream:
            self._heard()
            if kind != "BOOKMARK":
                self._tell(kind, obj)
            self._version = obj["metadata"]["resourceVersion"]

    def _heard(self) -> None:
        self.last_contact = asyncio.get_running_loop().time()

    def _tell(self, kind: WatchType, obj: Object) -> None:
        """Pass it on, corrected by what we know: an object of another uid stands for a deletion and a creation."""
        key, uid = _key(obj), obj["metadata"]["uid"]
        known = self._uids.get(key)
        if known not in (None, uid):
            self._tell_deleted(key)
            known = None
        if kind == "DELETED":
            self._uids.pop(key, None)
        else:
            self._uids[key] = uid
            kind = "ADDED" if known is None else "MODIFIED"
        self._call(kind, obj)

    def _tell_deleted(self, key: tuple[str, str]) -> None:
        namespace, name = key
        metadata = {"name": name, "uid": self._uids.pop(key)} | ({"namespace": namespace} if namespace else {})
        self._call("DELETED", {"metadata": metadata})

    def _call(self, kind: WatchType, obj: Object) -> None:
        try:
            self._on_change(kind, obj)
        except Exception:
            log.exception("change not handled", resource=str(self._resource), object="/".join(_key(obj)))


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
