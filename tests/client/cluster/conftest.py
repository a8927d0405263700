"""A small server that answers like an API server, from a script."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from quantum_runtime.cluster.connection import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from quantum_runtime.cluster.http import HttpApi

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


def writes(text: str, status: int = 200) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status)

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


async def waits(_: web.Request) -> web.StreamResponse:
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


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    server = ApiServer()
    async with serving(server) as server.url:
        yield server


@dataclass(frozen=True)
class Certificate:
    """One that certifies itself."""

    file: Path
    key: Path

    def serving(self, server: ApiServer) -> AbstractAsyncContextManager[str]:
        """Have the server listen with this certificate, too."""
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.file, self.key)
        return serving(server, tls)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("certificate")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    wanted = ["-subj", "/CN=cluster", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", *kind, *wanted, "-keyout", made.key, "-out", made.file], check=True, capture_output=True
    )
    return made


def kubeconfig(
    file: Path,
    server: str = "https://cluster.invalid",
    *,
    user: dict[str, Any] | None = None,
    namespace: str = "",
    context: str = "here",
    cluster: dict[str, Any] | None = None,
) -> Path:
    """Write a kubeconfig with one context."""
    means = {"cluster": context, "user": context} | ({"namespace": namespace} if namespace else {})
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": means}],
        "clusters": [{"name": context, "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": context, "user": user if user is not None else {"token": "secret"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.fixture
async def api(server: ApiServer, tmp_path: Path) -> AsyncIterator[HttpApi]:
    api = await connect("team", kubeconfig=kubeconfig(tmp_path / "config", server.url))
    yield api
    await api.close()
