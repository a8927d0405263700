"""The server's side of SPDY/3.1, as far as an API server uses it to attach: streams opened by the client, data, pings.

There is no flow control, because the API server's library has none either.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
VERSION = 0x8003

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer "  # codespell:ignore te
    "transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = (
    b"".join(struct.pack(">I", len(word)) + word.replace("_", " ").encode() for word in _WORDS.split()) + _REST.encode()
)
"""What both sides compress header blocks with; the protocol fixes every byte of it."""


class ProtocolError(ValueError):
    """The other side does not speak SPDY/3.1 as we do."""


class Listener(Protocol):
    """Hears what the client does."""

    def opened(self, stream: int, headers: dict[str, str]) -> None:
        """The client has opened a stream; it has been accepted."""

    def received(self, stream: int, data: bytes) -> None:
        """The client has written to a stream."""


class Connection:
    """Bytes in by `feed`, bytes out by the ``write`` it was given."""

    def __init__(self, write: Callable[[bytes], None], listener: Listener) -> None:
        self._write, self._listener = write, listener
        self._buffer = bytearray()
        self._decompressor: zlib._Decompress | None = None
        self._compressor: zlib._Compress | None = None

    def feed(self, data: bytes) -> None:
        """Take what came.

        Raises:
            ProtocolError: it is no SPDY/3.1.
        """
        self._buffer += data
        while len(self._buffer) >= 8:
            first, second = struct.unpack_from(">II", self._buffer)
            end = 8 + (second & 0xFFFFFF)
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[8:end])
            del self._buffer[:end]
            if first & 0x80000000:
                self._control(first, payload)
            else:
                self._listener.received(first, payload)

    def send(self, stream: int, data: bytes, *, last: bool = False) -> None:
        """Write to a stream; ``last`` closes our half of it."""
        self._write(struct.pack(">II", stream, (FIN if last else 0) << 24 | len(data)) + data)

    def settle(self) -> None:
        """Say that no further streams are expected: what their headers were packed with is let go."""
        self._compressor = self._decompressor = None

    def _control(self, first: int, payload: bytes) -> None:
        if first >> 16 != VERSION:
            raise ProtocolError(f"not a frame of SPDY/3: {first:#x}")
        kind = first & 0xFFFF
        if kind == SYN_STREAM:
            self._accept(struct.unpack_from(">I", payload)[0], payload[10:])
        elif kind == PING:
            self._frame(PING, payload)

    def _accept(self, stream: int, block: bytes) -> None:
        if self._decompressor is None:
            self._decompressor = zlib.decompressobj(zdict=DICTIONARY)
        headers = _headers(self._decompressor.decompress(block))
        if self._compressor is None:
            self._compressor = zlib.compressobj(level=1, wbits=9, memLevel=1, zdict=DICTIONARY)
        none = self._compressor.compress(struct.pack(">I", 0)) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        self._frame(SYN_REPLY, struct.pack(">I", stream) + none)
        self._listener.opened(stream, headers)

    def _frame(self, kind: int, payload: bytes) -> None:
        self._write(struct.pack(">HHI", VERSION, kind, len(payload)) + payload)


def _headers(block: bytes) -> dict[str, str]:
    """Return the names and values of a header block that has been unpacked."""
    texts: list[str] = []
    (count,) = struct.unpack_from(">I", block)
    place = 4
    for _ in range(2 * count):
        (length,) = struct.unpack_from(">I", block, place)
        texts.append(block[place + 4 : place + 4 + length].decode())
        place += 4 + length
    return dict(zip(texts[::2], texts[1::2], strict=True))
