"""Bytes inside JSON: base64, mostly of zlib's output, with a bound on what one text may expand to."""

from __future__ import annotations

import base64
import contextlib
import contextvars
import zlib
from typing import TYPE_CHECKING

from runtime_runner.encoding.errors import DecodingError, EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPANDED_BYTES = 256 * 1024 * 1024
"""Most that the compressed values of one text may expand to, all together: a few kilobytes of zeros could otherwise
fill the memory. A state vector of 22 qubits takes 64 MiB."""

_left: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("_left", default=None)


@contextlib.contextmanager
def one_text() -> Iterator[None]:
    """Count all that is packed or unpacked in here as one text; a text inside (a circuit's metadata) counts to it."""
    if _left.get() is not None:
        yield
        return
    token = _left.set([EXPANDED_BYTES])
    try:
        yield
    finally:
        _left.reset(token)


def pack(raw: bytes, *, compress: bool = True) -> str:
    """Return the text for bytes.

    Raises:
        EncodingError: the text would expand to more than a reader accepts.
    """
    left = _left.get() or [EXPANDED_BYTES]
    if len(raw) > left[0]:
        raise EncodingError(
            f"needs {len(raw)} bytes, with which the binary data in one text exceeds {EXPANDED_BYTES} bytes"
        )
    left[0] -= len(raw)
    return base64.b64encode(zlib.compress(raw) if compress else raw).decode("ascii")


def unpack(content: object, *, compressed: bool = True) -> bytes:
    """Return the bytes for a text.

    Raises:
        DecodingError: it is no text that `pack` writes, or expands to more than is allowed.
    """
    if not isinstance(content, str):
        raise DecodingError(f"it holds a {type(content).__name__} where text in base64 belongs")
    left = _left.get() or [EXPANDED_BYTES]
    raw = base64.b64decode(content, validate=True)
    if compressed:
        inflate = zlib.decompressobj()
        raw = inflate.decompress(raw, left[0] + 1)
        if len(raw) <= left[0] and not inflate.eof:
            raise DecodingError("its compressed data is cut off")
    spend(len(raw))
    return raw


def spend(count: int) -> None:
    """Count bytes that are about to be made out of a text.

    Raises:
        DecodingError: with them the text expands to more than is allowed.
    """
    left = _left.get() or [EXPANDED_BYTES]
    if count > left[0]:
        raise DecodingError(f"the text expands to more than {EXPANDED_BYTES} bytes")
    left[0] -= count
