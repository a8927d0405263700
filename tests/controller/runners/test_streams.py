"""Who has a stream, who gives theirs up, and who waits for one."""

from __future__ import annotations

from runtime_operator.runners.streams import Streams


def opened(most: int, *pod_uids: str) -> Streams:
    streams = Streams(most)
    for pod_uid in pod_uids:
        streams.opened(pod_uid)
    return streams


def test_there_is_room_until_the_bound_is_reached() -> None:
    streams = opened(2, "a")
    assert streams.has_room()
    streams.opened("b")
    assert not streams.has_room()
    streams.closed("a")
    assert streams.has_room()


def test_opening_twice_counts_once() -> None:
    assert len(opened(2, "a", "a")) == 1


def test_only_those_that_may_rest_are_asked_for_their_stream() -> None:
    streams = opened(2, "starts", "runs")
    assert streams.longest_silent() is None
    streams.heard("starts", may_rest=False)
    streams.heard("runs", may_rest=True)
    assert streams.longest_silent() == "runs"


def test_the_one_that_has_been_silent_for_longest_goes_first() -> None:
    streams = opened(3, "a", "b", "c")
    for pod_uid in "abcab":
        streams.heard(pod_uid, may_rest=True)
    assert streams.longest_silent() == "c"


def test_one_that_may_not_rest_any_more_keeps_its_stream() -> None:
    streams = opened(1, "a")
    streams.heard("a", may_rest=True)
    streams.heard("a", may_rest=False)
    assert streams.longest_silent() is None


def test_a_last_word_after_the_end_makes_nobody_quiet() -> None:
    streams = opened(1, "a")
    streams.closed("a")
    streams.heard("a", may_rest=True)
    assert streams.longest_silent() is None


def test_whoever_rests_is_counted_until_it_has_a_stream_again() -> None:
    streams = opened(1, "a")
    streams.rested("a")
    assert (len(streams), streams.resting) == (0, 1)
    streams.opened("a")
    assert (len(streams), streams.resting) == (1, 0)


def test_whoever_has_waited_for_longest_is_next_and_once() -> None:
    streams = Streams(0)
    for pod_uid in "aba":
        streams.wait(pod_uid)
    assert [streams.take_waiting() for _ in range(3)] == ["a", "b", None]


def test_whoever_got_a_stream_waits_no_longer() -> None:
    streams = Streams(1)
    streams.wait("a")
    streams.opened("a")
    assert streams.take_waiting() is None


def test_one_that_is_gone_is_in_no_list() -> None:
    streams = opened(9, "a", "b")
    streams.heard("a", may_rest=True)
    streams.rested("b")
    streams.wait("c")
    for pod_uid in "abc":
        streams.forget(pod_uid)
    assert (len(streams), streams.resting, streams.longest_silent(), streams.take_waiting()) == (0, 0, None, None)
