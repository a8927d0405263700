"""A conversation with a container's main process over the pod's attach websocket: bytes in, lines out.

What the lines mean is not known here.
"""

# ruff: noqa: D102 - the methods are described once, in `Attachment`

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import aiohttp
import structlog

from runtime_operator.kube import errors
from runtime_operator.kube.lines import LineCutter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = structlog.get_logger(__name__)

LINE_BYTES = 16 * 1024 * 1024
"""Longest line that is kept: far above what a runner writes, far below what hurts the operator."""

PROTOCOLS = ("v4.channel.k8s.io",)
"""The first byte of a message is the channel. v5 (Kubernetes 1.30) frames alike and can also close stdin alone, which
nobody here does; but where it is offered, the API server translates the stream to SPDY instead of passing it on, which
costs it six times the memory (723 KiB a stream against 113) and a ping every 5 s."""

STDIN, STDOUT, ERROR = b"\0", b"\1", b"\3"


class Attachment(Protocol):
    """One open attach stream. The process keeps running when it is closed.

    As Kubernetes 1.34 does it: after a normal end the server sends ``Success`` on the error channel and closes; after a
    failure, ``Failure`` with a status. A stream that closes without either was cut. Pings are answered within
    milliseconds, and streams with a ping every 30 s survived 5 idle minutes.
    """

    async def send(self, data: bytes) -> None:
        """Hand these bytes to the process's stdin. That it has read them, only its answer tells.

        Raises:
            Unavailable: the stream is broken or closed.
        """
        ...

    def lines(self) -> AsyncIterator[bytes]:
        r"""Yield stdout line by line, without the ``\n``, until the process has ended or `close` was called.

        Only whole lines: what was written before the attach, and a last line without its end, are not seen. It ends
        normally also for a process that had ended just before the attach, without a line.

        Raises:
            Unavailable: the stream broke, or the server reported an error on it. Read the log, attach again.
        """
        ...

    async def close(self) -> None:
        """End the conversation; `lines` then ends too. Closing twice is closing once."""
        ...


class WebSocketAttachment:
    """The real `Attachment`."""

    def __init__(self, stream: aiohttp.ClientWebSocketResponse, *, line_bytes: int = LINE_BYTES) -> None:
        self._stream = stream
        self._cutter = LineCutter(line_bytes)
        self._closing = False

    async def send(self, data: bytes) -> None:
        if self._stream.closed:
            raise errors.Unavailable("the attach stream is closed", reason="StreamClosed")
        try:
            await self._stream.send_bytes(STDIN + data)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise errors.Unavailable(f"{type(error).__name__}: {error}", reason="StreamBroken") from error

    async def lines(self) -> AsyncIterator[bytes]:
        said_so = False
        async for message in self._stream:
            if message.type is aiohttp.WSMsgType.ERROR:
                break
            data = message.data if isinstance(message.data, bytes) else message.data.encode()
            channel, data = data[:1], data[1:]
            if channel == STDOUT:
                dropped = self._cutter.dropped
                for line in self._cutter.feed(data):
                    yield line
                if self._cutter.dropped > dropped:
                    log.error("line dropped, too long", dropped=self._cutter.dropped)
            elif channel == ERROR and data:
                _raise_reported(data)
                said_so = True
        if not said_so and not self._closing:
            raise errors.Unavailable("the attach stream ended without a word", reason="StreamBroken")

    async def close(self) -> None:
        self._closing = True
        await self._stream.close()


def _raise_reported(data: bytes) -> None:
    """Raise what the error channel says; it says "Success" when the process has ended, whatever its exit code.

    Raises:
        Unavailable: of another kind than Success: the stream, not the process, has failed.
    """
    try:
        status = json.loads(data)
    except ValueError:
        status = {"message": data.decode(errors="replace")}
    if isinstance(status, dict) and status.get("status") == "Success":
        return
    reported = errors.from_status(status if isinstance(status, dict) else {"message": str(status)})
    raise errors.Unavailable(reported.message, status=reported.status, reason=reported.reason)
