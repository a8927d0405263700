"""Which interim results a listener gets next: decided from the states of a job that were seen. Pure.

A job's status has the newest interim results, and names RuntimeJobOutputs with the oldest, from the first and without a
gap. Between the two there may be some that are in neither yet, while the job runs: later states have them. States may
be missed, and the listener may come late.

Two numbers tell interim results apart. ``seq`` grows, and tells what has been delivered. The *index* counts from 0
without a gap, and tells whether something is missing; the newest in a status end with index ``kept - 1``.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quantum_runtime.service.view import InterimResult, parse_interim

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from quantum_runtime.service.view import JobView


@dataclass(frozen=True, slots=True)
class Position:
    """How far a listener has come.

    Attributes:
        index: Of the next interim result.
        seq: Of the last one that was delivered; -1 before the first.
        done: RuntimeJobOutputs in which there is nothing new.
        held: Seen, and not delivered, because something before them is missing: index and interim result.
        missing: How many were given up, because they are nowhere.
    """

    index: int = 0
    seq: int = -1
    done: tuple[str, ...] = ()
    held: tuple[tuple[int, InterimResult], ...] = ()
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a state.

    Attributes:
        position: Where the listener is after it.
        deliver: Interim results it gets now, in order.
        read: RuntimeJobOutputs that have to be read for what comes next. With what is in them `advance` is asked again,
            for the same state, until there are none.
    """

    position: Position
    deliver: tuple[InterimResult, ...] = ()
    read: tuple[str, ...] = ()


def advance(position: Position, view: JobView, stored: Sequence[InterimResult] | None = None) -> Step:
    """Return what a listener gets when the job is seen in this state.

    Args:
        position: Where the listener is.
        view: The state.
        stored: What was read from the RuntimeJobOutputs that the last step asked for, for this same state.
    """
    skipped = bool(position.done)
    deliver = [interim for interim in stored or () if interim.seq > position.seq]
    done = position.done if stored is None else view.interim_names
    if deliver:  # they begin where the listener is, and have no gap
        position = dataclasses.replace(position, index=position.index + len(deliver), seq=deliver[-1].seq)
    first = view.kept - len(view.latest)
    position = _hold(position, enumerate(view.latest, first))
    position, released = _release(position)
    deliver += released
    complete = position.index >= view.kept
    if complete:
        done = view.interim_names  # all that is in them was published before this state
    unread = _after(done, view.interim_names)
    position = dataclasses.replace(position, done=done)
    if unread or complete or not view.final:
        return Step(position, tuple(deliver), unread)
    if skipped and view.interim_names:  # look at everything before anything is given up
        return Step(dataclasses.replace(position, done=()), tuple(deliver), view.interim_names)
    position, rest = _release(position, give_up=True)
    lost = max(0, view.kept - position.index)
    position = dataclasses.replace(position, index=position.index + lost, missing=position.missing + lost)
    return Step(position, (*deliver, *rest))


def abandon(position: Position) -> Step:
    """Return what a listener gets when there will be no more states: the job was deleted."""
    position, rest = _release(position, give_up=True)
    return Step(position, tuple(rest))


def parse_lines(texts: Sequence[str]) -> list[InterimResult]:
    """Return the interim results in the texts of consecutive RuntimeJobOutputs: one JSON object per line.

    Raises:
        ValueError: there is something else in them.
    """
    try:
        return [parse_interim(json.loads(line)) for line in "".join(texts).split("\n") if line]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"a line is no interim result: {error!r}") from error


def _hold(position: Position, seen: Iterable[tuple[int, InterimResult]]) -> Position:
    """Keep what is new of these, besides what is kept already."""
    held = {interim.seq: (index, interim) for index, interim in (*position.held, *seen) if interim.seq > position.seq}
    return dataclasses.replace(position, held=tuple(held[seq] for seq in sorted(held)))


def _release(position: Position, *, give_up: bool = False) -> tuple[Position, list[InterimResult]]:
    """Take from what is held what comes next; with ``give_up`` everything, and count what is missing in between."""
    number, missing = position.index, position.missing
    released: list[InterimResult] = []
    for index, interim in position.held:
        if index > number and not give_up:
            break
        missing += max(0, index - number)
        number = max(number, index) + 1
        released.append(interim)
    seq = released[-1].seq if released else position.seq
    held = position.held[len(released) :]
    return Position(index=number, seq=seq, done=position.done, held=held, missing=missing), released


def _after(done: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names behind those that are done. If they do not begin with these, all: reading twice does no harm."""
    return names[len(done) :] if names[: len(done)] == done else names
