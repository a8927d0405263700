"""Who is let through first."""

from __future__ import annotations

import asyncio

from runtime_operator.runners.gate import Gate
from support.clock import virtual_time


async def pass_through(gate: Gate, name: str, passed: list[str], *, hurry: bool = False) -> None:
    async with gate.passing(hurry=hurry):
        passed.append(name)
        await asyncio.sleep(1)


@virtual_time
async def test_only_so_many_are_inside_at_once() -> None:
    gate, passed = Gate(2), list[str]()
    async with asyncio.TaskGroup() as tasks:
        for name in "abcde":
            tasks.create_task(pass_through(gate, name, passed))
        await asyncio.sleep(0.5)
        assert passed == ["a", "b"]
        await asyncio.sleep(1)
        assert passed == ["a", "b", "c", "d"]
    assert passed == list("abcde")


@virtual_time
async def test_whoever_is_in_a_hurry_goes_before_those_who_wait_already() -> None:
    gate, passed = Gate(1), list[str]()
    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(pass_through(gate, name, passed))
        await asyncio.sleep(0.5)
        tasks.create_task(pass_through(gate, "urgent", passed, hurry=True))
    assert passed == ["a", "urgent", "b", "c"]


@virtual_time
async def test_who_gives_up_waiting_takes_no_place_away() -> None:
    gate, passed = Gate(1), list[str]()
    first = asyncio.create_task(pass_through(gate, "first", passed))
    gone = [asyncio.create_task(pass_through(gate, name, passed)) for name in "xyz"]
    await asyncio.sleep(0.5)
    for task in gone:
        task.cancel()
    await first
    await pass_through(gate, "last", passed)
    assert passed == ["first", "last"]


@virtual_time
async def test_a_place_that_was_given_to_somebody_who_is_just_leaving_goes_to_the_next() -> None:
    gate, passed = Gate(1), list[str]()
    holder = asyncio.create_task(pass_through(gate, "holder", passed))
    leaving = asyncio.create_task(pass_through(gate, "leaving", passed))
    waiting = asyncio.create_task(pass_through(gate, "waiting", passed))
    await asyncio.sleep(0.5)
    holder.add_done_callback(lambda _: leaving.cancel())
    await asyncio.gather(holder, waiting)
    assert passed in (["holder", "waiting"], ["holder", "leaving", "waiting"])


@virtual_time
async def test_those_who_are_in_no_hurry_never_hold_all_places() -> None:
    gate, passed = Gate(3, calm=1), list[str]()
    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(pass_through(gate, name, passed))
        await asyncio.sleep(0.5)
        assert passed == ["a"]
        for name in ("urgent", "pressing", "third"):
            tasks.create_task(pass_through(gate, name, passed, hurry=True))
        await asyncio.sleep(0.4)
        assert passed == ["a", "urgent", "pressing"]
        await asyncio.sleep(0.2)
        assert passed == ["a", "urgent", "pressing", "third"]
    assert passed == ["a", "urgent", "pressing", "third", "b", "c"]


@virtual_time
async def test_a_calm_one_that_gives_up_leaves_its_place_to_the_next_calm_one() -> None:
    gate, passed = Gate(2, calm=1), list[str]()
    first = asyncio.create_task(pass_through(gate, "first", passed))
    gone = asyncio.create_task(pass_through(gate, "gone", passed))
    await asyncio.sleep(0.5)
    gone.cancel()
    await first
    await pass_through(gate, "last", passed)
    assert passed == ["first", "last"]
