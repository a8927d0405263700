from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quantum_runtime.service.following import Position, abandon, advance, parse_lines
from quantum_runtime.service.view import JobView, OutputRef, parse_interim, parse_job

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from quantum_runtime.cluster.api import Object

TIME = "2026-01-01T00:00:00.123Z"


def entry(number: int) -> Object:
    """The interim result with this index. Its seq leaves gaps; its text has what must not be taken for a line's end."""
    return {"seq": 4 + 3 * number, "time": TIME, "value": json.dumps(f"number\u2028 {number}", ensure_ascii=False)}


def view(
    published: int, *, latest: Iterable[int] = (), names: Sequence[str] = (), phase: str = "Running", dropped: int = 0
) -> JobView:
    """A state of a job. ``published`` counts what was dropped, too; ``latest`` are indices."""
    body = {"metadata": {"name": "toss", "uid": "1"}, "spec": {"programRef": {"name": "coin"}}}
    state = parse_job(body | {"status": {"phase": phase}})
    ref = OutputRef(tuple(names), 0, "") if names else None
    newest = tuple(parse_interim(entry(number)) for number in latest)
    return dataclasses.replace(state, published=published, dropped=dropped, latest=newest, interim_ref=ref)


def lines(numbers: Iterable[int]) -> str:
    return "".join(json.dumps(entry(number), ensure_ascii=False) + "\n" for number in numbers)


class Listener:
    """Does what a step asks for, and keeps what it is given."""

    def __init__(self, outputs: Mapping[str, str]) -> None:
        self.outputs = outputs
        self.position = Position()
        self.heard: list[int] = []
        self.was_read: list[str] = []

    def see(self, state: JobView) -> list[int]:
        """Return what is heard of this state."""
        before = len(self.heard)
        step = advance(self.position, state)
        self._hear(step)
        while step.read:
            self.was_read += step.read
            step = advance(step.position, state, parse_lines([self.outputs[name] for name in step.read]))
            self._hear(step)
        return self.heard[before:]

    def _hear(self, step: Any) -> None:
        self.position = step.position
        self.heard += [(interim.seq - 4) // 3 for interim in step.deliver]


def listener(**outputs: str) -> Listener:
    return Listener(outputs)


def test_what_is_new_in_a_status_comes_once_and_in_order() -> None:
    user = listener()
    assert user.see(view(0)) == []
    assert user.see(view(2, latest=[0, 1])) == [0, 1]
    assert user.see(view(2, latest=[0, 1])) == []
    assert user.see(view(4, latest=[1, 2, 3])) == [2, 3]


def test_who_comes_late_gets_everything_from_the_first() -> None:
    user = listener(a=lines([0, 1]), b=lines([2]))
    assert user.see(view(5, latest=[3, 4], names=["a", "b"])) == [0, 1, 2, 3, 4]


def test_what_is_neither_stored_nor_in_the_status_yet_is_waited_for_and_nothing_overtakes_it() -> None:
    user = listener(a=lines([1, 2]))
    assert user.see(view(1, latest=[0])) == [0]
    assert user.see(view(5, latest=[3, 4])) == []
    assert user.see(view(6, latest=[4, 5])) == []
    assert user.see(view(6, latest=[4, 5], names=["a"])) == [1, 2, 3, 4, 5]


def test_a_part_of_a_gap_that_is_stored_is_not_held_back() -> None:
    user = listener(a=lines([0]))
    assert user.see(view(4, latest=[2, 3], names=["a"])) == [0]


def test_who_has_missed_nothing_reads_no_outputs() -> None:
    user = listener()
    user.see(view(2, latest=[0, 1]))
    user.see(view(4, latest=[2, 3], names=["a"]))
    user.see(view(4, latest=[2, 3], names=["a", "b"], phase="Completed"))
    assert user.heard == [0, 1, 2, 3]
    assert user.was_read == []


def test_outputs_from_before_the_last_complete_state_are_not_read() -> None:
    user = listener(c=lines([4, 5]))
    user.see(view(4, latest=[0, 1, 2, 3], names=["a", "b"]))
    assert user.see(view(8, latest=[6, 7], names=["a", "b", "c"])) == [4, 5, 6, 7]
    assert user.was_read == ["c"]


def test_a_line_cut_into_two_outputs_is_put_together() -> None:
    whole = lines([0, 1])
    user = listener(a=whole[:20], b=whole[20:30], c=whole[30:])
    assert user.see(view(2, names=["a", "b", "c"])) == [0, 1]


def test_interim_results_too_large_for_a_status_come_from_the_outputs() -> None:
    user = listener(a=lines([0]), b=lines([1]))
    assert user.see(view(1)) == []
    assert user.see(view(1, names=["a"])) == [0]
    assert user.see(view(2, names=["a", "b"], phase="Completed")) == [0, 1][1:]


def test_a_gap_that_a_crash_has_left_for_good_is_counted_and_the_rest_delivered() -> None:
    user = listener(a=lines([0, 1]))
    assert user.see(view(9, latest=[7, 8], names=["a"])) == [0, 1]
    assert user.see(view(9, latest=[7, 8], names=["a"], phase="Failed")) == [7, 8]
    assert user.position.missing == 5


def test_nothing_is_given_up_before_every_output_was_looked_at() -> None:
    user = listener(a=lines([0, 1, 2]), b=lines([3]))
    user.see(view(2, latest=[0, 1], names=["a"]))
    assert user.see(view(9, latest=[7, 8], names=["a", "b"])) == [3]
    assert user.see(view(9, latest=[7, 8], names=["a", "b"], phase="Failed")) == [7, 8]
    assert user.was_read == ["b", "a", "b"]


def test_what_is_missing_at_the_end_of_an_ended_job_is_counted_too() -> None:
    user = listener()
    assert user.see(view(1, phase="Failed")) == []
    assert user.position.missing == 1


def test_what_was_dropped_is_not_missing() -> None:
    user = listener()
    assert user.see(view(7, latest=[0, 1], dropped=5, phase="Completed")) == [0, 1]
    assert user.position.missing == 0


def test_what_was_held_back_when_the_job_was_deleted_is_delivered() -> None:
    user = listener()
    assert user.see(view(5, latest=[3, 4])) == []
    step = abandon(user.position)
    assert [interim.text for interim in step.deliver] == [entry(3)["value"], entry(4)["value"]]
    assert step.position.missing == 3


@pytest.mark.parametrize("text", ['{"seq": 1}\n', "[]\n", "{\n", '{"seq": 1, "time": "noon", "value": "1"}\n'])
def test_an_output_with_something_else_in_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a line is no interim result"):
        parse_lines([text])


class Operator:
    """Writes the states a job goes through, as far as interim results are concerned."""

    def __init__(self, room: int, cut: int) -> None:
        self.room, self.cut = room, cut
        self.published = self.stored = 0
        self.outputs: dict[str, str] = {}
        self.states: list[JobView] = [view(0, phase="Queued")]

    def publish(self, count: int) -> None:
        self.published += count

    def store(self, end: int) -> None:
        """Store those before this index; each time whole lines, cut into outputs of a certain length."""
        text = lines(range(self.stored, end))
        for start in range(0, len(text), self.cut):
            self.outputs[f"output-{len(self.outputs)}"] = text[start : start + self.cut]
        self.stored = max(end, self.stored)

    def write(self, phase: str = "Running") -> None:
        latest = range(max(0, self.published - self.room), self.published)
        self.states.append(view(self.published, latest=latest, names=list(self.outputs), phase=phase))


steps = st.one_of(
    st.tuples(st.just("publish"), st.integers(1, 9)),
    st.tuples(st.just("store"), st.integers(0, 9)),
    st.tuples(st.just("write"), st.just(0)),
)


def life(schedule: list[tuple[str, int]], room: int, cut: int) -> Operator:
    """Have a job go through this; storing leaves the last few that were pushed out of the status for the next time."""
    operator = Operator(room, cut)
    for step, number in schedule:
        match step:
            case "publish":
                operator.publish(number)
            case "store":
                operator.store(max(operator.stored, operator.published - room - number))
            case _:
                operator.write()
    return operator


schedules = st.lists(steps, max_size=40)
rooms = st.integers(0, 6)
cuts = st.integers(15, 400)


@given(schedule=schedules, room=rooms, cut=cuts, data=st.data())
def test_every_interim_result_comes_once_and_in_order_whatever_states_were_missed(
    schedule: list[tuple[str, int]], room: int, cut: int, data: st.DataObject
) -> None:
    operator = life(schedule, room, cut)
    if operator.published > room or operator.stored:
        operator.store(operator.published)
    operator.write("Completed")
    *before, last = operator.states
    seen = [state for state in before if data.draw(st.booleans())]
    user = Listener(operator.outputs)
    for state in [*seen, last]:
        user.see(state)
    assert user.heard == list(range(operator.published))
    assert user.position.missing == 0
    assert len(user.was_read) == len(set(user.was_read))


@given(schedule=schedules, room=rooms, cut=cuts, data=st.data())
def test_after_a_crash_what_is_left_comes_once_and_in_order_and_what_is_lost_is_counted(
    schedule: list[tuple[str, int]], room: int, cut: int, data: st.DataObject
) -> None:
    operator = life(schedule, room, cut)
    *before, last = operator.states
    seen = [state for state in before if data.draw(st.booleans())]
    end = dataclasses.replace(last, phase="Failed")
    user = Listener(operator.outputs)
    for state in [*seen, end]:
        user.see(state)
    there = {number for state in [*seen, end] for number in ((i.seq - 4) // 3 for i in state.latest)}
    there |= set(range(len(parse_lines([operator.outputs[name] for name in end.interim_names]))))
    assert user.heard == sorted(there)
    assert user.position.missing == end.published - len(there)


@given(schedule=schedules, room=rooms, cut=cuts)
def test_while_a_job_runs_nothing_is_delivered_beyond_a_gap(
    schedule: list[tuple[str, int]], room: int, cut: int
) -> None:
    operator = life(schedule, room, cut)
    user = Listener(operator.outputs)
    for state in operator.states:
        user.see(state)
        assert user.heard == list(range(len(user.heard)))
        assert user.position.missing == 0
