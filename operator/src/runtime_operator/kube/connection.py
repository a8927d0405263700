"""Where the API server is and how to prove who we are: what every HTTP session to it shares."""

from __future__ import annotations

import time
from asyncio import sslproto
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from pathlib import Path

TLS_BUFFER_BYTES = 32 * 1024
"""What asyncio reads at once from one TLS connection. It keeps a buffer of this size for each, 256 KiB by default: with
a thousand attach streams, which hardly say anything, a quarter of a gigabyte."""

TOKEN_SECONDS = 60.0
"""How old a token read from its file may be. The kubelet renews a projected token when a fifth of its life is left."""


class Connection:
    """One pool of connections with the TLS settings and credentials for it.

    kopf closes the session it was given when the API server answers 401 once, and at its end. So everyone gets a
    session of their own from `session`; what is expensive, the open connections, is shared and stays.
    """

    def __init__(
        self,
        server: str,
        *,
        tls: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
        token_file: Path | None = None,
        proxy: str | None = None,
    ) -> None:
        self.server = server.rstrip("/")
        sslproto.SSLProtocol.max_size = TLS_BUFFER_BYTES
        self._connector = aiohttp.TCPConnector(ssl=tls or True, limit=0)  # watches and streams hold theirs for ever
        self._headers = {"User-Agent": "quantum-runtime-operator", **(headers or {})}
        self._middlewares = (_Token(token_file),) if token_file else ()
        self._proxy = proxy

    def session(self) -> aiohttp.ClientSession:
        """Return a new session; closing it leaves the connection pool open."""
        return aiohttp.ClientSession(
            base_url=f"{self.server}/",
            connector=self._connector,
            connector_owner=False,
            headers=self._headers,
            middlewares=self._middlewares,
            proxy=self._proxy,
        )

    async def close(self) -> None:
        """Close every connection, also those in use."""
        await self._connector.close()


class _Token:
    """Puts the newest token from a file on every request: it is replaced while we run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._token = ""
        self._read_at: float | None = None

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > TOKEN_SECONDS:
            self._token, self._read_at = self._path.read_text().strip(), now  # 1 KiB of tmpfs: does not block
        request.headers["Authorization"] = f"Bearer {self._token}"
        return await handler(request)
