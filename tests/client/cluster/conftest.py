"""A cluster for the client: a server with a certificate, and the kubeconfig that leads there."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aiohttp import web
from quantum_runtime.cluster.connection import connect
from support.api_server import ApiServer, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from quantum_runtime.cluster.http import HttpApi
    from support.api_server import Handler


def writes(text: str, status: int = 200) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status)

    return handler


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
