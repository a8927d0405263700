"""What a runner says, folded: every event once, small whatever it says, and never more than it proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime_operator.runners.fold import RunnerFold
from runtime_runner import contract
from runtime_runner.contract import RunnerState
from support.clock import START
from support.snapshots import config, exit_event, failed_event

if TYPE_CHECKING:
    import random


def fold(**limits: Any) -> RunnerFold:
    return RunnerFold("pod-uid", config(**limits).limits)


def log(seq: int, text: str) -> contract.Log:
    return contract.Log(seq=seq, time=START, stream="stdout", text=text)


def interim(seq: int, value: str) -> contract.Interim:
    return contract.Interim(seq=seq, time=START + seq, value=value)


def result(text: str, *, first: int = 1, piece: int = 10**6, **wrong: Any) -> list[contract.Result]:
    size, sha256 = contract.digest(text)
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    whole: dict[str, Any] = {"size": size, "sha256": sha256} | wrong
    return [
        contract.Result(seq=first + n, time=START, index=n, count=len(pieces), text=part, **whole)
        for n, part in enumerate(pieces)
    ]


def test_a_whole_run() -> None:
    runner = fold()
    assert runner.snapshot().state is None
    runner.take(contract.Ready(seq=1, time=START, protocol=1, versions={}, warmup_seconds=0.5))
    assert runner.snapshot().state is RunnerState.READY
    runner.take(contract.Started(seq=2, time=START + 2, job_uid="job-uid"))
    events: list[contract.JournalEvent] = [log(3, "one\n"), interim(4, "1"), *result('"ünï"', first=5)]
    for event in events:
        runner.take(event)
    runner.take(exit_event(seq=6))
    seen = runner.snapshot()
    assert (seen.state, seen.job_uid, seen.started) == (RunnerState.ENDED, "job-uid", START + 2)
    assert (seen.log_tail, seen.log_bytes) == ("one\n", 4)
    assert (seen.interim_published, seen.interims[0].value) == (1, "1")
    assert (seen.result, seen.failure, seen.exit is not None) == ('"ünï"', None, True)


def test_a_failure_is_kept() -> None:
    runner = fold()
    runner.take(failed_event("ProgramFailed", "ValueError: no"))
    failure = runner.snapshot().failure
    assert failure is not None
    assert failure.message == "ValueError: no"


def test_an_event_that_is_known_counts_once() -> None:
    runner = fold()
    for _ in range(3):
        runner.take(log(1, "one\n"))
        runner.take(interim(2, "1"))
    assert runner.snapshot().log_bytes == 4
    assert runner.snapshot().interim_published == 1
    assert runner.last_seq == 2


@given(st.lists(st.integers(1, 30), min_size=1), st.randoms(use_true_random=False))
def test_reading_a_journal_again_and_again_from_its_beginning_changes_nothing(
    stops: list[int], chance: random.Random
) -> None:
    journal = [log(n, f"{n}\n") if n % 2 else interim(n, str(n)) for n in range(1, 31)]
    once, often = fold(), fold()
    for event in journal:
        once.take(event)
    for stop in (*stops, 30):
        for event in journal[:stop]:
            often.take(event)
    assert often.snapshot() == once.snapshot()


@pytest.mark.parametrize("piece", [1, 7, 10**6])
def test_a_result_is_complete_with_its_last_piece_and_not_before(piece: int) -> None:
    runner, pieces = fold(), result('"' + "ünï" * 20 + '"', piece=piece)
    for event in pieces[:-1]:
        runner.take(event)
        assert runner.snapshot().result is None
    runner.take(pieces[-1])
    assert runner.snapshot().result == '"' + "ünï" * 20 + '"'
    assert not runner.snapshot().broken


@pytest.mark.parametrize(
    ("events", "says"),
    [
        (result("1", sha256="0" * 64), "bytes"),
        (result("1", size=2), "announced 2"),
        (result("[1, 2]", piece=3)[1:], "announced"),
        (result("All done!"), "not JSON"),
        (result("[" * 100_000), "not JSON"),
        (result("{'a': 1}"), "not JSON"),
    ],
    ids=["another digest", "another size", "a lost piece", "no JSON", "nested too deep", "Python instead of JSON"],
)
def test_a_result_that_is_not_what_it_should_be_is_not_taken(events: list[contract.Result], says: str) -> None:
    runner = fold()
    for event in events:
        runner.take(event)
    seen = runner.snapshot()
    assert seen.broken
    assert seen.result is None
    assert says in seen.trouble


@pytest.mark.parametrize("text", ["1", "NaN", "Infinity", str(2**70), "1.0", '"\\u0000"', '{"a": 1, "a": 2}', "null"])
def test_a_result_stays_byte_for_byte_what_the_program_wrote(text: str) -> None:
    runner = fold()
    runner.take(result(text)[0])
    assert runner.snapshot().result == text


def test_a_second_result_replaces_an_unfinished_one() -> None:
    runner = fold()
    runner.take(result("[1, 2]", piece=3)[0])
    for event in result("[3, 4]", piece=3, first=2):
        runner.take(event)
    assert runner.snapshot().result == "[3, 4]"


def test_the_newest_interim_results_are_kept_up_to_a_number() -> None:
    runner = fold(status_interims=3)
    for n in range(1, 11):
        runner.take(interim(n, str(n)))
    assert [i.value for i in runner.snapshot().interims] == ["8", "9", "10"]
    assert runner.snapshot().interim_published == 10


def test_the_newest_interim_results_are_kept_up_to_a_size_in_bytes() -> None:
    runner = fold(status_interim_bytes=10)
    for n in range(1, 5):
        runner.take(interim(n, "ü" * 2))
    assert len(runner.snapshot().interims) == 2
    runner.take(interim(5, "x" * 11))
    assert runner.snapshot().interims == ()
    runner.take(interim(6, "x" * 10))
    assert len(runner.snapshot().interims) == 1


def test_of_a_long_log_the_newest_whole_lines_are_kept() -> None:
    runner = fold(status_log_bytes=20)
    for n in range(1, 10):
        runner.take(log(n, f"line {n}\n"))
    assert runner.snapshot().log_tail == "line 8\nline 9\n"
    assert runner.snapshot().log_bytes == 63


def test_of_a_line_longer_than_the_tail_its_end_is_kept() -> None:
    runner = fold(status_log_bytes=5)
    runner.take(log(1, "0123456789"))
    assert runner.snapshot().log_tail == "56789"


def test_a_long_log_that_goes_on_in_small_pieces_does_not_lose_its_lines_one_by_one() -> None:
    runner = fold(status_log_bytes=100)
    runner.take(log(1, "a line of twenty....\n" * 10))
    before = runner.snapshot().log_tail
    for n in range(2, 10):
        runner.take(log(n, "."))
    assert runner.snapshot().log_tail == before + "." * 8


def test_a_tail_is_never_cut_inside_a_character() -> None:
    for size in range(1, 8):
        runner = fold(status_log_bytes=size)
        runner.take(log(1, "aü\U0001f600ü"))
        tail = runner.snapshot().log_tail
        assert "aü\U0001f600ü".endswith(tail)
        assert len(tail.encode()) <= size


def test_a_tail_of_nothing_is_nothing() -> None:
    runner = fold(status_log_bytes=0)
    runner.take(log(1, "one\n"))
    assert runner.snapshot().log_tail == ""


@given(st.lists(st.text(alphabet="aü\n", max_size=30)), st.integers(0, 40))
def test_a_tail_is_the_end_of_the_log_and_within_its_bound(texts: list[str], size: int) -> None:
    runner = fold(status_log_bytes=size)
    for n, text in enumerate(texts, start=1):
        runner.take(log(n, text))
    seen = runner.snapshot()
    assert "".join(texts).endswith(seen.log_tail)
    assert len(seen.log_tail.encode()) <= size
    assert seen.log_bytes == len("".join(texts).encode())


def test_an_answer_says_where_the_runner_is_and_what_its_clock_shows() -> None:
    runner = fold()
    answer = contract.Resumed(seq=0, time=START + 600, state=RunnerState.STARTING, job_uid="")
    runner.answer(answer, START + 1)
    seen = runner.snapshot()
    assert seen.connected
    assert (seen.node_time, seen.node_time_at, seen.state) == (START + 600, START + 1, RunnerState.STARTING)


def test_silence_counts_from_when_touch_was_lost() -> None:
    runner = fold()
    runner.answer(contract.Resumed(seq=0, time=START, state=RunnerState.READY, job_uid=""), START)
    runner.lose_touch(START + 5, "no route")
    runner.lose_touch(START + 9)
    seen = runner.snapshot()
    assert (seen.connected, seen.silent_since, seen.trouble) == (False, START + 5, "no route")


def test_a_runner_that_keeps_refusing_is_given_up_unless_it_has_the_job() -> None:
    refusal = contract.Refused(seq=0, time=START, message="what?")
    without, with_job = fold(), fold()
    with_job.take(contract.Started(seq=1, time=START, job_uid="job-uid"))
    for _ in range(2):
        without.refused(refusal)
    assert not without.snapshot().broken
    for runner in (without, with_job):
        runner.refused(refusal)
        runner.refused(refusal)
        runner.refused(refusal)
    assert without.snapshot().broken
    assert "what?" in without.snapshot().trouble
    assert not with_job.snapshot().broken
