"""`Kube` over HTTP: requests, time-outs, and the few retries that are harmless.

A read is repeated when the API server was unavailable or too busy. A write is repeated here only if the server said
that it had not even looked at it (429); after anything else it may have happened, and the caller has to look first.
(aiohttp itself repeats a GET or DELETE once, on a kept connection that turns out to be closed: harmless, as our
deletions name a uid.)
Nothing that a user wrote is logged: names, verbs and reasons only.
"""

# ruff: noqa: D102 - the methods are described once, in `client.Kube`

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

import aiohttp
import structlog

from runtime_operator.kube import errors
from runtime_operator.kube.attach import PROTOCOLS, Attachment, WebSocketAttachment
from runtime_operator.kube.client import LOG_BYTES, PODS, Object, Objects, Propagation, Resource, WatchType
from runtime_operator.kube.lines import LineCutter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

log = structlog.get_logger(__name__)

REQUEST_SECONDS = 30.0
"""For one answer, from the first byte sent to the last received. The API server itself gives up after 60 s."""
LOG_SECONDS = 60.0
"""For a container log: up to 10 MiB by way of a kubelet."""
PAGE = 500
"""Objects in one answer to a list, as client-go asks for."""
WATCH_SECONDS = 290
"""How long the server keeps a watch open: less than the five minutes for which etcd keeps old versions."""
SILENCE_SECONDS = 75.0
"""A watch that says nothing for so long is dead: the server sends a bookmark about every minute."""
READ_RETRIES = 3
WRITE_RETRIES = 2
PATIENCE_SECONDS = 10.0
"""Longest wait before a retry inside; told to wait longer, the caller is told so, and does something else meanwhile."""
HEARTBEAT_SECONDS = 30.0
"""Between pings on an attach stream: load balancers close silent connections after a minute at the earliest."""
EVENT_BYTES = 64 * 1024 * 1024
"""Longest line of a watch: far above the largest object, but not everything."""

MERGE_PATCH = "application/merge-patch+json"
CHANGES = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


class HttpKube:
    """The API server behind this session, which brings base URL, TLS and credentials (see `connection`)."""

    def __init__(
        self, session: aiohttp.ClientSession, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.writes: Counter[str] = Counter()
        self._session = session
        self._sleep = sleep

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        try:
            return await self._object("POST", resource, namespace, body=body)
        except errors.AlreadyExists:
            there = await self.get(resource, namespace, body["metadata"]["name"])
            if there is None:
                raise
            return there

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        try:
            return await self._object("GET", resource, namespace, _segment(name))
        except errors.NotFound:
            return None

    async def patch(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, subresource: str = ""
    ) -> Object | None:
        try:
            return await self._object("PATCH", resource, namespace, _segment(name), subresource, body=body)
        except errors.NotFound:
            return None
        except errors.Invalid as error:
            # A guard by version that fails is a 409; for one by uid the server complains that uids cannot be changed.
            if "metadata.uid" in error.fields and "uid" in body.get("metadata", {}):
                raise errors.Conflict(error.message, status=error.status, reason="Conflict") from error
            raise

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
        preconditions = {"uid": uid} | ({"resourceVersion": resource_version} if resource_version else {})
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if propagation is not None:
            options["propagationPolicy"] = propagation
        try:
            await self._object("DELETE", resource, namespace, _segment(name), body=options)
        except errors.NotFound:
            return
        except errors.Conflict:
            if resource_version is not None:
                raise

    async def list(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> tuple[list[Object], str]:
        items: list[Object] = []
        version = ""
        async for page, version in self.pages(resource, namespace, label_selector=label_selector):  # noqa: B007
            items += page
        return items, version

    async def pages(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""
    ) -> AsyncIterator[tuple[Objects, str]]:
        params = {"limit": str(PAGE)} | ({"labelSelector": label_selector} if label_selector else {})
        while True:
            page = await self._object("GET", resource, namespace, params=params)
            metadata = page["metadata"]
            yield page.get("items") or [], metadata.get("resourceVersion", "")
            if not metadata.get("continue"):
                return
            params["continue"] = metadata["continue"]

    async def watch(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = "", resource_version: str
    ) -> AsyncIterator[tuple[WatchType, Object]]:
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
            "resourceVersion": resource_version,
        }
        if label_selector:
            params["labelSelector"] = label_selector
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_SECONDS, sock_read=SILENCE_SECONDS)
        opened = False
        try:
            async with self._session.get(
                resource.path(namespace).lstrip("/"), params=params, timeout=timeout
            ) as response:
                if response.status != 200:
                    raise errors.from_response(response.status, await response.read(), response.headers)
                opened = True
                lines = LineCutter(EVENT_BYTES)
                async for piece in response.content.iter_any():
                    for line in lines.feed(piece):
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            raise errors.from_status(event["object"])
                        yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError) as error:
            # An open stream that breaks or falls silent has merely ended; one that cannot be opened is a failure.
            log.debug("watch broke off", resource=str(resource), error=type(error).__name__)
            if not opened:
                raise _unavailable(error) from error

    async def pod_log(self, namespace: str, name: str, container: str, *, limit_bytes: int = LOG_BYTES) -> bytes | None:
        params = {"container": container, "limitBytes": str(limit_bytes)}
        try:
            return await self._request(
                "GET", PODS, namespace, _segment(name), "log", params=params, seconds=LOG_SECONDS
            )
        except errors.NotFound:
            return None
        except errors.Invalid as error:
            if any(text in error.message for text in _NOT_STARTED):
                return None
            raise

    async def attach(self, namespace: str, name: str, container: str) -> Attachment:
        path = PODS.path(namespace, _segment(name), "attach")
        params = {"container": container, "stdin": "true", "stdout": "true"}
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                stream = await self._session.ws_connect(
                    path.lstrip("/"), params=params, protocols=PROTOCOLS, heartbeat=HEARTBEAT_SECONDS, max_msg_size=0
                )
        except aiohttp.WSServerHandshakeError as error:  # aiohttp has not read the body, so the status has to do
            raise errors.from_response(error.status, b"the attach stream was refused", error.headers) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from error
        return WebSocketAttachment(stream)

    async def _object(
        self,
        method: str,
        resource: Resource,
        namespace: str | None,
        name: str = "",
        subresource: str = "",
        *,
        params: dict[str, str] | None = None,
        body: Object | None = None,
    ) -> Object:
        answer = await self._request(method, resource, namespace, name, subresource, params=params, body=body)
        try:
            parsed: Object = json.loads(answer)
        except ValueError as error:
            raise errors.Unavailable(f"the answer is not JSON: {error}", reason="InvalidAnswer") from error
        return parsed

    async def _request(
        self,
        method: str,
        resource: Resource,
        namespace: str | None,
        name: str = "",
        subresource: str = "",
        *,
        params: dict[str, str] | None = None,
        body: Object | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> bytes:
        """Return the body of a 2xx answer; see the module's docstring for what is repeated."""
        reading = method == "GET"
        retries = READ_RETRIES if reading else WRITE_RETRIES
        passing = (errors.TooManyRequests, errors.Unavailable) if reading else errors.TooManyRequests
        attempt = 0
        while True:
            if not reading:
                what = f"{resource}/{subresource}" if subresource else str(resource)
                self.writes[f"{CHANGES[method]} {what}"] += 1
            try:
                return await self._once(method, resource.path(namespace, name, subresource), params, body, seconds)
            except passing as error:
                wait = _pause(error, attempt)
                attempt += 1
                if attempt > retries or wait > PATIENCE_SECONDS:
                    raise
                log.info(
                    "request repeated", verb=method, resource=str(resource), status=error.status, reason=error.reason
                )
                await self._sleep(wait)

    async def _once(
        self, method: str, path: str, params: dict[str, str] | None, body: Object | None, seconds: float
    ) -> bytes:
        headers = {"Content-Type": MERGE_PATCH if method == "PATCH" else "application/json"} if body else None
        data = json.dumps(body, separators=(",", ":")).encode() if body else None
        try:
            async with self._session.request(
                method,
                path.lstrip("/"),  # relative: a base URL may have a path of its own
                params=params,
                data=data,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                answer = await response.read()
                if response.status >= 300:
                    raise errors.from_response(response.status, answer, response.headers)
                return answer
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from error


_NOT_STARTED = ("is waiting to start", "is not available", "does not have a host assigned")


def _segment(name: str) -> str:
    """Return the name as one part of a path. An empty one would turn an object into its collection.

    Raises:
        Invalid: no object can have this name.
    """
    if not name or name in (".", "..") or quote(name, safe=":") != name:
        raise errors.Invalid(f"{name!r} cannot be the name of an object", reason="Invalid")
    return name


def _pause(error: errors.KubeError, attempt: int) -> float:
    """Return how long to wait: what the server asked for, or 0.1 s, 0.4 s, 1.6 s, and always a little by chance."""
    wish = error.retry_after if isinstance(error, errors.TooManyRequests) else None
    base: float = wish if wish is not None else 0.1 * 4**attempt
    return base + random.uniform(0, max(base / 2, 0.05))


def _unavailable(error: BaseException) -> errors.Unavailable:
    reason = "Timeout" if isinstance(error, TimeoutError) else "NoConnection"
    return errors.Unavailable(f"{type(error).__name__}: {error}", reason=reason)
