"""A small server on loopback that answers like an API server, from a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.test_utils import TestServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class ApiServer:
    """Notes what it was asked. The last answer of its script repeats itself."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.url = ""
        self._script: list[Handler] = []

    def answer(self, *handlers: Handler) -> None:
        self._script = list(handlers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self.received.append(Received(request.method, request.path, dict(request.query), dict(request.headers), body))
        handler = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        return await handler(request)


def says(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return handler


def fails(
    status: int, reason: str = "", message: str = "", headers: dict[str, str] | None = None, **more: Any
) -> Handler:
    body = {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": message, **more}
    return says(body, status, headers)


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def never_answers(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


def streams(*pieces: bytes, then: Handler | None = None) -> Handler:
    """Write these pieces one after the other; then end properly, or do what ``then`` does."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if then is not None:
            await then(request)
        return response

    return handler


@asynccontextmanager
async def serving(server: ApiServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Yield the server's URL, as long as it listens there."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.handle)
    test_server = TestServer(app)
    await test_server.start_server(shutdown_timeout=0, ssl=tls)
    yield str(test_server.make_url(""))
    await test_server.close()
