from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime_operator.kube.lines import LineCutter


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b)), st.lists(st.integers(1, 7)))
def test_lines_come_out_as_they_went_in_however_the_stream_was_cut(lines: list[bytes], cuts: list[int]) -> None:
    stream, cutter = b"".join(line + b"\n" for line in lines), LineCutter(1000)
    out: list[bytes] = []
    for size in cuts:
        piece, stream = stream[:size], stream[size:]
        out += cutter.feed(piece)
    out += cutter.feed(stream)
    assert out == lines


def test_what_has_no_newline_yet_waits() -> None:
    cutter = LineCutter(1000)
    assert list(cutter.feed(b"one\ntw")) == [b"one"]
    assert list(cutter.feed(b"o\n")) == [b"two"]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_line_above_the_limit_is_dropped_and_counted_and_its_neighbours_are_kept(size: int) -> None:
    stream, cutter = b"first\n" + b"x" * 11 + b"\nlast\n" + b"y" * 10 + b"\n", LineCutter(10)
    out: list[bytes] = []
    for start in range(0, len(stream), size):
        out += cutter.feed(stream[start : start + size])
    assert out == [b"first", b"last", b"y" * 10]
    assert cutter.dropped == 1


def test_an_endless_line_is_not_held_in_memory() -> None:
    cutter = LineCutter(1000)
    for _ in range(1000):
        assert list(cutter.feed(b"x" * 1000)) == []
    assert sum(map(len, cutter._parts)) <= 1000
