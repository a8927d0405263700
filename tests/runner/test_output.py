from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runner.harness import line_size, unnumbered
from runtime_runner import contract
from runtime_runner.journal import Budget, Journal
from runtime_runner.output import KEPT_INTERIMS, LOG_DELAY_SECONDS, LOG_PIECE_BYTES, InterimKeeper, LogKeeper

MEGABYTE = 1024 * 1024


class MemoryJournal(Journal):
    """A journal that keeps its events."""

    def __init__(self) -> None:
        super().__init__(os.open(os.devnull, os.O_WRONLY), clock=lambda: 1.0)
        self.events: list[Any] = []

    def emit(self, event: contract.JournalEvent, budget: Budget | None = None) -> bool:
        done = super().emit(event, budget)
        if done:
            self.events.append(event)
        return done

    def texts(self) -> list[str]:
        return [event.text for event in self.events]


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


class TestTheLog:
    def test_a_line_is_written_at_once_and_those_that_follow_share_an_event(self, journal: MemoryJournal) -> None:
        log = LogKeeper(journal, MEGABYTE)
        log.feed("stdout", b"one\n", 10.0)
        log.feed("stdout", b"two\n", 10.01)
        log.feed("stdout", b"three\n", 10.02)
        assert journal.texts() == ["one\n"]
        assert log.flush_at == pytest.approx(10.01 + LOG_DELAY_SECONDS)
        log.flush(10.11)
        assert journal.texts() == ["one\n", "two\nthree\n"]
        assert log.flush_at is None

    def test_an_unfinished_line_waits_a_moment_for_its_end(self, journal: MemoryJournal) -> None:
        log = LogKeeper(journal, MEGABYTE)
        log.feed("stdout", b"one\ntw", 10.0)
        assert journal.texts() == ["one\n"]
        log.feed("stdout", b"o\n", 10.05)
        log.flush(10.1)
        assert journal.texts() == ["one\n", "two\n"]

    def test_an_unfinished_line_is_written_when_its_end_does_not_come(self, journal: MemoryJournal) -> None:
        log = LogKeeper(journal, MEGABYTE)
        log.feed("stdout", b"50 %", 10.0)
        assert journal.texts() == []
        log.flush(10.1)
        assert journal.texts() == ["50 %"]

    def test_a_line_without_end_is_cut_and_no_character_with_it(self, journal: MemoryJournal) -> None:
        log = LogKeeper(journal, MEGABYTE)
        text = "x" + "ü" * LOG_PIECE_BYTES
        log.feed("stdout", text.encode(), 10.0)
        log.close()
        assert "".join(journal.texts()) == text
        assert len(journal.texts()) == 3

    def test_a_character_read_in_two_halves_is_whole(self, journal: MemoryJournal) -> None:
        log = LogKeeper(journal, MEGABYTE)
        log.feed("stdout", b"a\xc3", 10.0)
        log.flush(10.1)
        log.feed("stdout", b"\xbc\n", 10.2)
        log.close()
        assert "".join(journal.texts()) == "aü\n"

    def test_the_streams_are_kept_apart(self, journal: MemoryJournal) -> None:
        log = LogKeeper(journal, MEGABYTE)
        log.feed("stdout", b"o", 10.0)
        log.feed("stderr", b"e", 10.0)
        log.feed("stdout", b"o", 10.0)
        log.close()
        assert [(event.stream, event.text) for event in journal.events] == [("stdout", "oo"), ("stderr", "e")]

    @settings(max_examples=50, deadline=None)
    @given(
        limit=st.integers(0, 5000),
        pieces=st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=2000)), max_size=20),
    )
    def test_whatever_is_written_the_limit_holds_and_no_byte_is_unaccounted_for(
        self, limit: int, pieces: list[tuple[str, bytes]]
    ) -> None:
        journal = MemoryJournal()
        log = LogKeeper(journal, limit)
        for number, (stream, data) in enumerate(pieces):
            log.feed(stream, data.replace(b"\xff", b"\n"), number / 20)
        log.close()
        assert sum(line_size(event) for event in journal.events) <= limit + 20 * len(journal.events)  # longer numbers
        assert log.written_bytes == sum(len(data) for _, data in pieces)
        assert 0 <= log.dropped_bytes <= log.written_bytes

    @settings(max_examples=100, deadline=None)
    @given(
        limit=st.integers(2000, 20_000),
        pieces=st.lists(
            st.tuples(st.sampled_from(["stdout", "stderr"]), st.integers(1, 2000), st.booleans()), max_size=30
        ),
    )
    def test_what_is_not_in_the_log_is_counted_as_left_out(
        self, limit: int, pieces: list[tuple[str, int, bool]]
    ) -> None:
        journal = MemoryJournal()
        log = LogKeeper(journal, limit)
        for number, (stream, length, pause) in enumerate(pieces):
            log.feed(stream, b"x" * (length - 1) + b"\n", float(number))
            if pause and log.flush_at is not None:
                log.flush(log.flush_at)
        log.close()
        kept = sum(len(text) for text in journal.texts() if not text.lstrip("\n").startswith("[runtime]"))
        assert kept + log.dropped_bytes == log.written_bytes

    def test_ascii_that_is_too_long_loses_its_middle_and_nothing_else(self, journal: MemoryJournal) -> None:
        log = LogKeeper(journal, 10_000)
        lines = [f"line {number}\n" for number in range(10_000)]
        for line in lines:
            log.feed("stdout", line.encode(), 10.0)
        log.close()
        (place,) = (index for index, event in enumerate(journal.events) if event.stream == "stderr")
        start, end = "".join(journal.texts()[:place]), "".join(journal.texts()[place + 1 :])
        written = "".join(lines)
        assert written.startswith(start)
        assert written.endswith("\n" + end)
        assert min(len(start), len(end)) > 2000
        left_out = len(written) - len(start) - len(end)
        assert journal.texts()[place].endswith(f"[runtime] {left_out} bytes of the log were left out here\n")
        assert log.dropped_bytes == left_out
        assert sum(line_size(event) for event in journal.events) <= 10_000


class TestInterimResults:
    @staticmethod
    def publish(keeper: InterimKeeper, *values: str) -> None:
        for value in values:
            keeper.feed(unnumbered(contract.Interim, value=value))

    def test_those_that_fit_are_written_at_once(self, journal: MemoryJournal) -> None:
        keeper = InterimKeeper(journal, MEGABYTE)
        self.publish(keeper, "1", "2")
        assert [event.value for event in journal.events] == ["1", "2"]
        keeper.close()
        assert (keeper.published, keeper.dropped) == (2, 0)

    def test_of_too_many_the_newest_are_written_at_the_end(self, journal: MemoryJournal) -> None:
        keeper = InterimKeeper(journal, 100_000)
        self.publish(keeper, *map(str, range(10_000)))
        early = len(journal.events)
        keeper.close()
        values = [int(event.value) for event in journal.events]
        assert values == [*range(early), *range(10_000 - KEPT_INTERIMS, 10_000)]
        assert keeper.dropped == 10_000 - len(values)
        assert sum(line_size(event) for event in journal.events) <= 100_000

    def test_of_large_ones_as_many_are_kept_as_there_is_room_for(self, journal: MemoryJournal) -> None:
        keeper = InterimKeeper(journal, 100_000)
        self.publish(keeper, *(str(number) * 20_000 for number in range(10)))
        keeper.close()
        assert [event.value[0] for event in journal.events] == ["0", "1", "8", "9"]

    def test_one_that_leaves_no_room_for_the_newest_is_kept_until_the_end(self, journal: MemoryJournal) -> None:
        keeper = InterimKeeper(journal, 100_000)
        self.publish(keeper, "x" * 90_000)
        assert journal.events == []
        keeper.close()
        assert len(journal.events) == 1

    def test_one_that_is_larger_than_all_may_be_together_is_dropped(self, journal: MemoryJournal) -> None:
        keeper = InterimKeeper(journal, 100_000)
        self.publish(keeper, "x" * 100_001, "small")
        keeper.close()
        assert [event.value for event in journal.events] == ["small"]
        assert (keeper.published, keeper.dropped) == (2, 1)
