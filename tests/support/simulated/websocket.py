"""The server's side of a websocket, as far as it is needed behind an API server that passes one straight on."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str:
    """Return the answer to the client's ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()


class Connection:
    """Bytes in by `feed`, bytes out by the ``write`` it was given. Messages may be in several frames."""

    def __init__(
        self, write: Callable[[bytes], None], received: Callable[[bytes], None], closed: Callable[[], None]
    ) -> None:
        self._write, self._received, self._closed = write, received, closed
        self._buffer = bytearray()
        self._message = b""

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data
        while (frame := self._next()) is not None:
            final, opcode, payload = frame
            if opcode == CLOSE:
                self._frame(CLOSE, payload[:2])
                self._closed()
            elif opcode == PING:
                self._frame(PONG, payload)
            elif opcode != PONG:
                self._message += payload
                if final:
                    message, self._message = self._message, b""
                    self._received(message)

    def send(self, data: bytes) -> None:
        """Send one message."""
        self._frame(BINARY, data)

    def close(self) -> None:
        """Say that nothing follows."""
        self._frame(CLOSE, struct.pack(">H", 1000))

    def _next(self) -> tuple[bool, int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, place = buffer[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(buffer) < 2 + size:
                return None
            length, place = int.from_bytes(buffer[2 : 2 + size], "big"), 2 + size
        masked = bool(buffer[1] & 0x80)
        end = place + 4 * masked + length
        if len(buffer) < end:
            return None
        payload = bytes(buffer[end - length : end])
        if masked:
            payload = _unmasked(payload, bytes(buffer[place : place + 4]))
        final, opcode = bool(buffer[0] & 0x80), buffer[0] & 0x0F
        del buffer[:end]
        return final, opcode, payload

    def _frame(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, size)
        elif size < 65536:
            head = struct.pack(">BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 127, size)
        self._write(head + payload)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    pad = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
