from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from runtime_runner.lines import LineBuffer


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(1, 7)))
def test_lines_come_out_as_they_went_in_however_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    data = b"".join(line + b"\n" for line in lines)
    buffer, read = LineBuffer(100), []
    for size in [*cuts, len(data)]:
        piece, data = data[:size], data[size:]
        read += list(buffer.feed(piece))
    assert read == [(line, True) for line in lines]


def test_of_a_line_that_is_too_long_only_the_beginning_is_kept() -> None:
    buffer = LineBuffer(100)
    for _ in range(1000):
        assert list(buffer.feed(b"x" * 1000)) == []
        assert len(buffer._data) <= 100
    assert list(buffer.feed(b"yyy\nnext\n")) == [(b"x" * LineBuffer.START_BYTES, False), (b"next", True)]


def test_a_line_exactly_at_the_limit_is_whole() -> None:
    assert list(LineBuffer(5).feed(b"12345\n123456\n")) == [(b"12345", True), (b"123456", False)]


def test_the_last_line_needs_no_end() -> None:
    buffer = LineBuffer(5)
    assert list(buffer.feed(b"1\n2")) == [(b"1", True)]
    assert list(buffer.rest()) == [(b"2", True)]
    assert list(buffer.rest()) == []
