from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from runner.harness import line_size, unnumbered
from runtime_runner import contract
from runtime_runner.journal import ANSWER_BYTES, Budget, Journal, escaped_size

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = unnumbered(contract.Log, stream="stdout", text="x" * 1000)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for descriptor in (read, write):
        try:
            os.close(descriptor)
        except OSError:
            continue


def written(read: int, journal: Journal) -> list[contract.AnyEvent]:
    os.set_blocking(read, False)
    data = b""
    while True:
        journal.write_some()
        try:
            data += os.read(read, 65536)
        except BlockingIOError:
            return [contract.parse_event(line) for line in data.splitlines()]


def test_events_are_numbered_and_stamped_and_answers_repeat_the_newest_number(pipe: tuple[int, int]) -> None:
    journal = Journal(pipe[1], clock=lambda: 12.5)
    journal.answer(unnumbered(contract.Refused, message="no"))
    journal.emit(LOG)
    journal.answer(unnumbered(contract.Refused, message="no"))
    journal.emit(LOG)
    assert [(event.seq, event.time) for event in written(pipe[0], journal)] == [
        (0, 12.5),
        (1, 12.5),
        (1, 12.5),
        (2, 12.5),
    ]


def test_a_reader_who_does_not_read_delays_nothing_and_misses_nothing(pipe: tuple[int, int]) -> None:
    journal = Journal(pipe[1])
    for _ in range(2000):
        assert journal.emit(LOG)
    assert journal.waiting
    assert [event.seq for event in written(pipe[0], journal)] == list(range(1, 2001))
    assert not journal.waiting


def test_an_event_beyond_its_budget_is_not_written_and_takes_no_number(pipe: tuple[int, int]) -> None:
    journal = Journal(pipe[1], clock=lambda: 1.0)
    budget = Budget(line_size(LOG) + 2)
    assert journal.emit(LOG, budget)
    assert not journal.emit(LOG, budget)
    assert journal.emit(LOG)
    assert [event.seq for event in written(pipe[0], journal)] == [1, 2]


def test_the_journal_as_a_whole_ends_at_its_limit(pipe: tuple[int, int]) -> None:
    journal = Journal(pipe[1])
    big = unnumbered(contract.Log, stream="stdout", text="x" * 100_000)
    while journal.emit(big):
        pass
    size = sum(line_size(event) for event in written(pipe[0], journal))
    assert contract.JOURNAL_BYTES - 101_000 < size <= contract.JOURNAL_BYTES


def test_answers_have_a_share_of_their_own(pipe: tuple[int, int]) -> None:
    journal = Journal(pipe[1])
    refused = unnumbered(contract.Refused, message="x" * 1000)
    for _ in range(2000):
        journal.answer(refused)
    assert journal.emit(LOG)
    events = written(pipe[0], journal)
    assert sum(line_size(event) for event in events[:-1]) <= ANSWER_BYTES
    assert events[-1].seq == 1


def test_a_reader_who_is_gone_is_noticed(pipe: tuple[int, int]) -> None:
    journal = Journal(pipe[1])
    os.close(pipe[0])
    journal.emit(LOG)
    assert journal.broken
    assert not journal.waiting
    journal.flush(0.0)


def test_flush_gives_up_on_a_reader_who_does_not_read(pipe: tuple[int, int]) -> None:
    journal = Journal(pipe[1])
    for _ in range(200):
        journal.emit(LOG)
    journal.flush(0.0)
    assert journal.waiting


def test_the_descriptor_is_left_as_it_was(pipe: tuple[int, int]) -> None:
    Journal(pipe[1]).emit(LOG)
    assert os.get_blocking(pipe[1])


@pytest.mark.parametrize(("text", "size"), [("abc", 3), ('"', 2), ("\n", 2), ("\0", 6), ("ü", 6), ("\U0001f600", 12)])
def test_the_size_of_text_inside_an_event(text: str, size: int) -> None:
    assert escaped_size(text) == size
