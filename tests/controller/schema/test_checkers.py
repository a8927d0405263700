"""The operator's children, with real processes: bounded, used again, replaced, and no burden to the event loop."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from runtime_operator.schema.checkers import CheckerError, Checkers
from runtime_runner.schema import child
from runtime_runner.schema.verdicts import Bounds, Request, Verdict
from structlog.testing import capture_logs
from support.clock import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.fixture
async def checkers() -> AsyncIterator[Checkers]:
    checkers = Checkers(2, Bounds(cpu_seconds=1))
    yield checkers
    await checkers.close()


SOUND = Request(schema={"type": "integer"}, text="1", what="inputs")
WRONG = Request(schema={"type": "integer"}, text='"three"', what="inputs")
EVIL = Request(schema={"pattern": "^(a+)+$"}, text='"' + "a" * 60 + 'b"', what="inputs")
TOO_SLOW = Verdict(problem="the schema needs more than 1 s of CPU time to be applied", too_expensive=True)


async def test_a_child_is_started_when_first_needed_and_used_again(checkers: Checkers) -> None:
    assert await checkers.check([], share="a") == []
    assert checkers.started == 0
    for _ in range(3):
        sound, wrong = await checkers.check([SOUND, WRONG], share="a")
        assert sound == Verdict()
        assert str(wrong.violations[0]) == "inputs: expected integer (type), given 'three'"
    assert checkers.started == 1


async def test_the_loop_goes_on_while_a_schema_takes_all_the_time_it_may(checkers: Checkers) -> None:
    """A task counts its turns. A call that blocked the loop would leave it with the few it had before and after."""
    await checkers.check([SOUND], share="a")  # the child has been started
    check = asyncio.create_task(checkers.check([EVIL], share="a"))
    turns = 0
    while not check.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert await check == [TOO_SLOW]
    # At least a second, the child's CPU time: a thousand turns on a machine of our own, fewer on a busy one.
    assert turns > 20


async def test_a_child_that_was_too_slow_is_replaced(checkers: Checkers) -> None:
    assert await checkers.check([SOUND, EVIL, SOUND], share="a") == [Verdict(), TOO_SLOW, TOO_SLOW]
    assert await checkers.check([SOUND], share="a") == [Verdict()]
    assert checkers.started == 2


async def test_a_namespace_with_slow_schemas_does_not_keep_another_waiting(checkers: Checkers) -> None:
    slow = [asyncio.create_task(checkers.check([EVIL], share="a")) for _ in range(4)]
    await asyncio.sleep(0)
    assert await checkers.check([SOUND], share="b") == [Verdict()]
    assert not all(task.done() for task in slow), "b did not wait for all of a"
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_every_check_has_the_whole_of_its_cpu_time() -> None:
    """What a child has used for others does not count: 30 checks of a tenth of a second each."""
    checkers = Checkers(1, Bounds(cpu_seconds=1))
    busy = Request(schema={"pattern": "^(a+)+$"}, text='"' + "a" * 20 + 'b"', what="inputs")
    for _ in range(30):
        (verdict,) = await checkers.check([busy], share="a")
        assert verdict.violations
    assert checkers.started == 1
    await checkers.close()


async def test_memory_is_bounded() -> None:
    checkers = Checkers(1, Bounds(memory_bytes=64 * 1024 * 1024))
    huge = Request(schema={}, text="[" + "{}," * 1_300_000 + "{}]", what="result")
    (verdict,) = await checkers.check([huge], share="a")
    assert "64 MiB of memory" in verdict.problem
    await checkers.close()


async def test_a_machine_without_cpu_time_to_give_ends_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    monkeypatch.setattr(child, "command", lambda bounds: stuck)
    checkers = Checkers(1, Bounds(wall_seconds=0.05))
    (verdict,) = await checkers.check([SOUND], share="a")
    assert verdict == Verdict(problem="the schema could not be applied within 0.05 s", too_expensive=True)


async def test_a_child_that_died_while_nobody_asked_is_replaced(checkers: Checkers) -> None:
    await checkers.check([SOUND], share="a")
    (process,) = checkers._idle
    process.kill()
    await process.wait()
    assert await checkers.check([SOUND], share="a") == [Verdict()]
    assert checkers.started == 2


async def test_a_child_that_is_killed_at_work_is_nobodys_verdict(checkers: Checkers) -> None:
    await checkers.check([SOUND], share="a")
    (process,) = checkers._idle
    check = asyncio.create_task(checkers.check([EVIL], share="a"))
    await settle()
    assert not checkers._idle
    process.kill()
    with pytest.raises(CheckerError, match="SIGKILL"):
        await check
    assert await checkers.check([SOUND], share="a") == [Verdict()]


@pytest.mark.parametrize(
    ("command", "says"),
    [(["/no/such/python"], "no child can be started"), ([sys.executable, "-c", "raise SystemExit(1)"], "exit code 1")],
)
async def test_a_child_that_cannot_be_had_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, checkers: Checkers, command: list[str], says: str
) -> None:
    monkeypatch.setattr(child, "command", lambda bounds: command)
    with pytest.raises(CheckerError, match=says):
        await checkers.check([SOUND], share="a")


async def test_a_check_that_is_cancelled_takes_its_child_along(checkers: Checkers) -> None:
    await checkers.check([SOUND], share="a")
    (process,) = checkers._idle
    check = asyncio.create_task(checkers.check([EVIL], share="a"))
    await settle()
    assert not checkers._idle
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    assert process.returncode is not None
    assert await checkers.check([SOUND], share="a") == [Verdict()]


async def test_closing_ends_the_children() -> None:
    checkers = Checkers(2)
    await checkers.check([SOUND], share="a")
    (process,) = checkers._idle
    await checkers.close()
    assert process.returncode is not None
