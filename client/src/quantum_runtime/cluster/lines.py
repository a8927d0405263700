"""Cuts what a watch sends, in pieces of any size, into lines of any length.

The stream readers there are refuse lines above a limit; that of an object with a large result would be above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield every whole line, without its newline; what is behind the last newline is a line that broke off."""
    begun: list[bytes] = []
    async for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            begun.append(end)
            yield b"".join(begun)
            begun.clear()
        if rest:
            begun.append(rest)
