"""Interim results on their way from the status to storage."""

from __future__ import annotations

import json

from runtime_operator.observe.snapshots import InterimResult, StoredInterims
from runtime_operator.runners.spill import Spill
from runtime_runner import contract
from support.clock import START


def interim(seq: int, value: str = "1") -> InterimResult:
    return InterimResult(seq=seq, time=START + 0.25, value=value)


def spill(*seqs: int) -> Spill:
    made = Spill()
    for seq in seqs:
        made.add(interim(seq))
    return made


def test_each_is_a_line_of_json() -> None:
    text, _ = spill(3).unstored()
    assert json.loads(text) == {"seq": 3, "time": "2026-01-01T00:00:00.250Z", "value": "1"}
    assert text.endswith("\n")


def test_what_waits_is_told_with_the_digest_of_the_whole() -> None:
    waiting = spill(3, 5)
    text, stored = waiting.unstored()
    assert (stored.size, stored.sha256) == contract.digest(text)
    assert stored.seq == 5
    assert waiting.size == len(text.encode())


def test_what_is_stored_is_forgotten_and_still_counts() -> None:
    waiting = spill(3, 5)
    first, stored = waiting.unstored()
    waiting.forget(stored.seq)
    assert waiting.size == 0
    waiting.add(interim(9, '"ü"'))
    second, both = waiting.unstored()
    assert (both.size, both.sha256, both.seq) == (*contract.digest(first + second), 9)


def test_the_rest_that_the_status_holds_can_be_stored_with_it() -> None:
    whole, _ = spill(3, 5).unstored()
    text, stored = spill(3).unstored(rest=[interim(5)])
    assert text == whole
    assert (stored.size, stored.sha256) == contract.digest(whole)


def test_an_operator_that_replays_the_journal_comes_to_the_same_digest() -> None:
    before = spill(3, 5, 8)
    before.forget(5)
    after = spill(3, 5, 8)
    after.forget(5)
    assert after.unstored() == before.unstored()


def test_with_nothing_to_store_there_is_no_text() -> None:
    text, stored = spill().unstored()
    assert (text, stored) == ("", StoredInterims(size=0, sha256=contract.digest("")[1], seq=0))
