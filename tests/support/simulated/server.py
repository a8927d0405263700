"""What an API server asks a kubelet for, over TLS: a container's log, and to be attached to a container.

A hand-written protocol instead of a web framework: thousands of these connections stay open in one process.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from asyncio import sslproto
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit

from support.simulated import spdy, websocket

if TYPE_CHECKING:
    from support.simulated.certificates import Pair

STDIN, STDOUT, ERROR = 0, 1, 3
SUCCESS = json.dumps({"metadata": {}, "status": "Success"}).encode()
TLS_BUFFER_BYTES = 16 * 1024
"""asyncio would take 256 KiB for each connection."""

HEAD_BYTES = 64 * 1024


class Channel(Protocol):
    """Somebody who is attached."""

    def say(self, data: bytes) -> None:
        """Give them what the process wrote to stdout."""

    def end(self) -> None:
        """Tell them that the process has ended."""


class Container(Protocol):
    """The process in a pod."""

    def attached(self, channel: Channel) -> None:
        """Somebody listens from now on."""

    def detached(self, channel: Channel) -> None:
        """They do not any more."""

    def hear(self, data: bytes) -> None:
        """Take what they wrote to stdin."""

    def log(self) -> bytes:
        """Return the container's log."""


Find = Callable[[str, str], Container | None]
"""The container of this namespace and pod, None if it does not run."""


async def serve(find: Find, log_of: Find, serving: Pair, authority: str, port: int) -> asyncio.Server:
    """Listen on loopback; ``find`` is for attaching, ``log_of`` for logs, which are there after the process's end."""
    sslproto.SSLProtocol.max_size = TLS_BUFFER_BYTES
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    context.load_cert_chain(serving.certificate, serving.key)
    context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(find, log_of), "127.0.0.1", port, ssl=context, backlog=4096)


class _Connection(asyncio.Protocol):
    def __init__(self, find: Find, log_of: Find) -> None:
        self._find, self._log_of = find, log_of
        self._head = bytearray()
        self._session: _SpdySession | _WebsocketSession | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport

    def data_received(self, data: bytes) -> None:
        if self._session is not None:
            self._session.feed(data)
            return
        self._head += data
        while (end := self._head.find(b"\r\n\r\n")) >= 0:
            head, rest = bytes(self._head[:end]), bytes(self._head[end + 4 :])
            self._head = bytearray(rest)
            self._answer(head)
            if self._session is not None:
                self._head.clear()
                if rest:
                    self._session.feed(rest)
                return
        if len(self._head) > HEAD_BYTES:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._session is not None:
            self._session.lost()

    def _answer(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        target = urlsplit(lines[0].split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        what, _, rest = target.path.lstrip("/").partition("/")
        where = rest.split("/")
        if what == "containerLogs" and len(where) == 3:
            self._log(where[0], where[1], parse_qs(target.query))
        elif what == "attach" and len(where) == 3:
            self._attach(where[0], where[1], headers)
        else:
            self._reply(404, b"404 page not found")

    def _log(self, namespace: str, pod: str, query: dict[str, list[str]]) -> None:
        container = self._log_of(namespace, pod)
        if container is None:
            self._reply(404, f'pod "{pod}_{namespace}" is not known'.encode())
            return
        self._reply(200, container.log()[: int(query.get("limitBytes", ["-1"])[0]) if "limitBytes" in query else None])

    def _attach(self, namespace: str, pod: str, headers: dict[str, str]) -> None:
        container = self._find(namespace, pod)
        if container is None:
            self._reply(500, f'container runner not found in pod "{pod}_{namespace}"'.encode())
            return
        upgrade = headers.get("upgrade", "").lower()
        if upgrade == "spdy/3.1":
            self._switch("SPDY/3.1", "X-Stream-Protocol-Version: v4.channel.k8s.io")
            self._session = _SpdySession(self._transport, container)
        elif upgrade == "websocket":
            key = websocket.accept_key(headers["sec-websocket-key"])
            accepted = f"Sec-WebSocket-Accept: {key}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io"
            self._switch("websocket", accepted)
            self._session = _WebsocketSession(self._transport, container)
        else:
            self._reply(400, b"you must specify an upgrade")

    def _switch(self, protocol: str, more: str) -> None:
        head = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n{more}\r\n\r\n"
        self._transport.write(head.encode())

    def _reply(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\nContent-Type: text/plain\r\n"
        self._transport.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


class _SpdySession:
    """A stream each for stdin, stdout and errors. The API server opens them one after the other."""

    def __init__(self, transport: asyncio.Transport, container: Container) -> None:
        self._transport, self._container = transport, container
        self._spdy = spdy.Connection(transport.write, self)
        self._streams: dict[str, int] = {}
        self._attached = False

    def feed(self, data: bytes) -> None:
        self._spdy.feed(data)

    def opened(self, stream: int, headers: dict[str, str]) -> None:
        self._streams[headers["streamtype"]] = stream
        if {"error", "stdin", "stdout"} <= self._streams.keys():
            self._spdy.settle()
            self._attached = True
            self._container.attached(self)

    def received(self, stream: int, data: bytes) -> None:
        if data and stream == self._streams.get("stdin"):
            self._container.hear(data)

    def say(self, data: bytes) -> None:
        self._spdy.send(self._streams["stdout"], data)

    def end(self) -> None:
        self._spdy.send(self._streams["error"], SUCCESS, last=True)
        self._spdy.send(self._streams["stdout"], b"", last=True)
        self._transport.close()

    def lost(self) -> None:
        if self._attached:
            self._container.detached(self)


class _WebsocketSession:
    """One message for everything, whose first byte is the channel."""

    def __init__(self, transport: asyncio.Transport, container: Container) -> None:
        self._transport, self._container = transport, container
        self._websocket = websocket.Connection(transport.write, self._received, transport.close)
        container.attached(self)

    def feed(self, data: bytes) -> None:
        self._websocket.feed(data)

    def say(self, data: bytes) -> None:
        self._websocket.send(bytes([STDOUT]) + data)

    def end(self) -> None:
        self._websocket.send(bytes([ERROR]) + SUCCESS)
        self._websocket.close()
        self._transport.close()

    def lost(self) -> None:
        self._container.detached(self)

    def _received(self, message: bytes) -> None:
        if len(message) > 1 and message[0] == STDIN:
            self._container.hear(message[1:])
