"""`Api` over HTTP, by way of the official client: URLs, time limits, pages, and what may be read from an answer.

The official client brings TLS, proxies and credentials. Its generated models are not used: objects are what was sent.
Each method sends one request and repeats nothing, with two exceptions that cannot do harm: one that was refused
because the credentials had expired is sent again with new ones, and aiohttp repeats a read, a replacement or a
deletion whose kept connection turned out to be closed.
"""

# ruff: noqa: D102 - the methods are described once, in `api.Api`

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp

from quantum_runtime.cluster import answers, errors
from quantum_runtime.cluster.api import GROUP, VERSION, Change, Listing, Object, Resource, could_be_named
from quantum_runtime.cluster.lines import lines
from quantum_runtime.cluster.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from kubernetes.aio.client.api_client import ApiClient

ANSWER_SECONDS = 60.0
"""For one request, from the connection to the last byte. The API server itself gives up after so long."""
CONNECT_SECONDS = 15.0
ANSWER_SILENCE_SECONDS = 30.0
"""How long a connection may say nothing in the middle of an answer."""
SILENCE_SECONDS = 75.0
"""A watch that says nothing for so long is dead: the server sends a bookmark about every minute."""
WATCH_SECONDS = 120
"""How long the server keeps a watch open, with a bookmark just before the end.

One may stay silent although there are changes, if the kind's definition is written meanwhile: not for longer then.
"""
PAGE = 500
"""Objects in one answer to a list, as kubectl asks for."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRICT = {"fieldValidation": "Strict"}
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Login(Protocol):
    """Where connections come from: an API server's address and a user's credentials."""

    generation: int
    """Goes up when the credentials have been renewed."""

    def client(self) -> ApiClient:
        """Return a new client, with the present credentials."""
        ...

    async def renew(self, generation: int) -> bool:
        """Get other credentials than those of this generation, and return whether there are any.

        Raises:
            Unauthorized: there should have been, but getting them failed.
        """
        ...


class HttpApi:
    """An API server, as one user in one namespace sees it.

    It may be used in one event loop after the other, but in one at a time: connections belong to a loop, and are
    closed with it at the latest.
    """

    def __init__(self, login: Login, namespace: str, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        """Send no request yet.

        Args:
            login: Where connections come from.
            namespace: Of all namespaced requests.
            silence_seconds: How long a connection may say nothing before it counts as lost. A connection whose other
                end has vanished cannot be told from a job that does nothing; below a minute, where there is no
                bookmark in time, quiet watches are opened anew for nothing.
        """
        self.namespace = namespace
        self._watching = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=silence_seconds)
        self._asking = aiohttp.ClientTimeout(
            total=ANSWER_SECONDS, connect=CONNECT_SECONDS, sock_read=min(ANSWER_SILENCE_SECONDS, silence_seconds)
        )
        self._login = login
        self._session: Session | None = None
        self._outdated: list[Session] = []
        """Those of credentials that were renewed: watches may still be open there."""
        self._closed = False

    async def get(self, resource: Resource, name: str) -> Object:
        return await self._object("GET", resource, name)

    async def list(
        self, resource: Resource, *, field_selector: str = "", label_selector: str = "", metadata_only: bool = False
    ) -> Listing:
        items: list[Object] = []
        query = {"limit": str(PAGE)} | _selectors(field_selector, label_selector)
        while True:
            accept = METADATA_ONLY if metadata_only else JSON
            page = await self._object("GET", resource, query=query, accept=accept)
            items += page.get("items") or []
            following = page["metadata"].get("continue")
            if not following:
                return Listing(items, page["metadata"]["resourceVersion"])
            query["continue"] = following

    async def create(self, resource: Resource, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        query = STRICT | ({"dryRun": "All"} if dry_run else {})
        return await self._object("POST", resource, query=query, body=body)

    async def replace(self, resource: Resource, name: str, body: Mapping[str, Any]) -> Object:
        return await self._object("PUT", resource, name, query=STRICT, body=body)

    async def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Object:
        try:
            return await self._object("PATCH", resource, name, query=STRICT, body=patch, content_type=MERGE_PATCH)
        except errors.Invalid as error:
            # A guard by version that fails is a conflict; of one by uid the server says that uids cannot be changed.
            if "metadata.uid" in error.fields and "uid" in patch.get("metadata", {}):
                raise errors.Conflict(str(error)) from error
            raise

    async def delete(self, resource: Resource, name: str, *, uid: str = "") -> None:
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        await self._object("DELETE", resource, name, body=options)

    async def watch(
        self, resource: Resource, *, resource_version: str, field_selector: str = ""
    ) -> AsyncGenerator[Change, None]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
            "resourceVersion": resource_version,
        } | _selectors(field_selector)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await self._answer("GET", resource, query=query, timeout=self._watching)
            async with response:
                async for line in lines(response.content.iter_any()):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise answers.from_status(event["object"])
                    yield Change(event["type"], event["object"])
        except _BROKEN as error:
            raise _broken(error) from error

    async def close(self) -> None:
        self._closed = True
        sessions = [*self._outdated, *([self._session] if self._session is not None else [])]
        self._session, self._outdated = None, []
        for session in sessions:
            await session.close()

    def _path(self, resource: Resource, name: str | None = None) -> str:
        """Return the path of an object, or of all there are.

        Raises:
            Invalid: no object could have this name, or no namespace the namespace's.
        """
        if name is not None and not could_be_named(name):
            raise errors.Invalid(f"{name!r} cannot be the name of an object", fields=("metadata.name",))
        if resource.namespaced and not could_be_named(self.namespace):
            raise errors.Invalid(f"{self.namespace!r} cannot be the name of a namespace")
        where = f"/namespaces/{self.namespace}" if resource.namespaced else ""
        which = f"/{name}" if name is not None else ""
        return f"/apis/{GROUP}/{VERSION}{where}/{resource.plural}{which}"

    def _open(self) -> Session:
        """Return the session of this event loop and these credentials."""
        if self._closed:
            raise errors.ApiError("the connection to the cluster has been closed")
        loop, generation = asyncio.get_running_loop(), self._login.generation
        if self._session is not None and self._session.loop is not loop:
            self._session = None  # it is closed with its loop
        if self._session is not None and self._session.generation != generation:
            self._outdated.append(self._session)
            self._session = None
        if self._session is None:
            self._session = Session(self._login.client(), generation)
        return self._session

    async def _object(
        self,
        method: str,
        resource: Resource,
        name: str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: str = JSON,
        content_type: str = JSON,
    ) -> Object:
        """Send a request and return the JSON object that is its answer."""
        try:
            response = await self._answer(
                method, resource, name, query=query, body=body, accept=accept, content_type=content_type
            )
            async with response:
                parsed: Object = json.loads(await response.read())
        except _BROKEN as error:
            raise _broken(error) from error
        return parsed

    async def _answer(
        self,
        method: str,
        resource: Resource,
        name: str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: str = JSON,
        content_type: str = JSON,
        timeout: aiohttp.ClientTimeout | None = None,  # noqa: ASYNC109 - aiohttp's own, with its parts
    ) -> aiohttp.ClientResponse:
        """Send a request and return an answer that is a success, its body not read."""
        path = self._path(resource, name)
        renewed = False
        while True:
            session = self._open()
            request = await session.client.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params={"Accept": accept, "Content-Type": content_type},
                body=None if body is None else dict(body),
                auth_settings=["BearerToken"],
            )
            answer = await session.client.call_api(*request, _request_timeout=timeout or self._asking)
            response: aiohttp.ClientResponse = answer.response
            if response.status < 300:
                return response
            async with response:
                error = answers.from_response(response.status, await response.read(), response.headers)
            if isinstance(error, errors.Unauthorized) and not renewed:
                renewed = await self._login.renew(session.generation)
                if renewed:
                    continue
            if isinstance(error, errors.NotFound) and error.kind_is_missing:
                message = f"the cluster does not know {resource.plural} of {GROUP}/{VERSION}: {error}"
                raise errors.NotFound(message, kind_is_missing=True)
            raise error


_BROKEN = (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError)
"""How a connection fails."""


def _broken(error: BaseException) -> errors.ApiError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return errors.ApiError(f"the API server's certificate is not to be trusted: {error.certificate_error}")
    if isinstance(error, aiohttp.ClientConnectorError):
        why = str(error.os_error) or type(error.os_error).__name__
        return errors.Unavailable(f"no connection to the API server at {error.host}:{error.port}: {why}")
    if isinstance(error, aiohttp.InvalidURL):
        return errors.ApiError(f"the API server's address is not a URL: {error}")
    if isinstance(error, json.JSONDecodeError):
        return errors.Unavailable(f"the API server's answer is not JSON: {error}")
    if isinstance(error, TimeoutError):
        return errors.Unavailable(f"the API server did not answer in time: {error}".removesuffix(": "))
    return errors.Unavailable(f"no connection to the API server: {error or type(error).__name__}")


def _selectors(fields: str = "", labels: str = "") -> dict[str, str]:
    return {key: text for key, text in (("fieldSelector", fields), ("labelSelector", labels)) if text}
