"""What is stored beside the status, and how patiently it waits."""

from __future__ import annotations

from runtime_operator.decide import storing
from support.clock import START
from support.snapshots import ended, exit_event, observed, promised, running

EIGHT_HOURS = 8 * 3600


def test_a_program_that_publishes_for_eight_hours_makes_at_most_200_objects() -> None:
    talkative, now, stored_at, count = running(started=START, spilled_bytes=1), START, 0.0, 0
    while now < START + EIGHT_HOURS:
        wait = storing.waits(observed(job=promised(), interims_stored_at=stored_at), talkative, now)
        assert wait is not None
        if wait == 0.0:
            stored_at, count = now, count + 1
        now += max(wait, 1.0)
    assert 150 < count <= 200


def test_with_nothing_waiting_nobody_has_to_look() -> None:
    assert storing.waits(observed(job=promised()), running(), START + 3) is None


def test_a_job_that_had_room_for_all_stores_nothing_at_its_end() -> None:
    assert storing.rest(promised(), running()) is None
    assert storing.rest(promised(), None) is None


def test_what_a_runner_says_of_another_job_is_not_stored() -> None:
    assert storing.rest(promised(), running(job_uid="other", spilled_bytes=7)) is None


def test_a_log_that_was_no_text_is_called_cut_by_what_came_of_it_and_not_by_what_was_written() -> None:
    replaced = "\ufffd" * 5
    written = exit_event(log_bytes=7)
    whole = ended(log_tail=replaced, log_bytes=len(replaced.encode()), exit=written)
    cut = ended(log_tail=replaced, log_bytes=len(replaced.encode()) + 6, exit=written)
    assert [runner.log_is_whole for runner in (whole, cut)] == [True, False]
    assert not ended(log_tail="a", log_bytes=1, exit=exit_event(log_bytes=9, log_dropped_bytes=8)).log_is_whole
