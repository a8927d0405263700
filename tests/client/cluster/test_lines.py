from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster.lines import lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def _sent(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], []),
        ([b"one\n"], [b"one"]),
        ([b"one\ntwo\n"], [b"one", b"two"]),
        ([b"o", b"n", b"e\nt", b"wo", b"\n"], [b"one", b"two"]),
        ([b"\n", b"\n"], [b"", b""]),
        ([b"one\ntw"], [b"one"]),
        ([b"x" * 70_000] * 30 + [b"\n"], [b"x" * 2_100_000]),
    ],
    ids=[
        "nothing",
        "a line",
        "two in a piece",
        "pieces that end anywhere",
        "empty lines",
        "one that broke off",
        "a long one",
    ],
)
async def test_pieces_of_any_size_become_lines_of_any_length(pieces: list[bytes], expected: list[bytes]) -> None:
    assert [line async for line in lines(_sent(*pieces))] == expected
