from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import structlog
from runtime_operator.workqueue import WorkQueue
from support.clock import settle, virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from structlog.typing import EventDict

    Worker = Callable[[str], Awaitable[float | None]]


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def running(queue: WorkQueue[str], worker: Worker, concurrency: int = 4) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run(worker, concurrency))
    try:
        yield
        assert not task.done(), "the queue ended by itself"
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


class Recorder:
    """A worker that notes what it was given when, and answers from a script."""

    def __init__(self, *answers: float | Exception | None) -> None:
        self.seen: list[tuple[str, float]] = []
        self._answers = list(answers)

    async def __call__(self, key: str) -> float | None:
        self.seen.append((key, now()))
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.seen]


class Gate:
    """A worker that holds every key until the test lets it go."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.inside: list[str] = []
        self._doors: dict[str, asyncio.Event] = {}

    async def __call__(self, key: str) -> None:
        assert key not in self.inside, "the same key twice at the same time"
        self.entered.append(key)
        self.inside.append(key)
        door = self._doors[key] = asyncio.Event()
        await door.wait()
        self.inside.remove(key)

    async def release(self, key: str) -> None:
        self._doors[key].set()
        await settle()


@virtual_time
async def test_a_key_that_waits_is_worked_on_once_however_often_it_was_added() -> None:
    queue, worker = WorkQueue[str](), Recorder()
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert len(queue) == 2
    async with running(queue, worker):
        await settle()
    assert worker.seen == [("a", 0), ("b", 0)]


@virtual_time
async def test_a_key_added_while_it_is_worked_on_is_worked_on_once_more_afterwards() -> None:
    queue, gate = WorkQueue[str](), Gate()
    async with running(queue, gate):
        queue.add("a")
        await settle()
        queue.add("a")
        queue.add("a")
        await settle()
        assert gate.entered == ["a"]
        await gate.release("a")
        assert gate.entered == ["a", "a"]
        await gate.release("a")
        assert gate.entered == ["a", "a"]


@virtual_time
async def test_no_more_keys_are_worked_on_at_once_than_allowed() -> None:
    queue, gate = WorkQueue[str](), Gate()
    async with running(queue, gate, concurrency=2):
        for key in ("a", "b", "c"):
            queue.add(key)
        await settle()
        assert gate.inside == ["a", "b"]
        await gate.release("b")
        assert gate.inside == ["a", "c"]


@virtual_time
async def test_a_worker_that_wants_to_see_the_key_again_sees_it_at_that_time() -> None:
    queue, worker = WorkQueue[str](), Recorder(30, 10.5, None)
    async with running(queue, worker):
        queue.add("a")
        await asyncio.sleep(1000)
    assert worker.times == [0, 30, 40.5]


@virtual_time
async def test_zero_seconds_means_at_once() -> None:
    queue, worker = WorkQueue[str](), Recorder(0, None)
    async with running(queue, worker):
        queue.add("a")
        await settle()
    assert worker.times == [0, 0]


@virtual_time
async def test_of_several_times_the_earliest_counts_and_the_others_are_forgotten() -> None:
    queue, worker = WorkQueue[str](), Recorder()
    async with running(queue, worker):
        queue.add_after("a", 20)
        queue.add_after("a", 5)
        queue.add_after("a", 60)
        await asyncio.sleep(1000)
    assert worker.times == [5]


@virtual_time
async def test_add_does_not_wait_for_the_time_that_was_set_before() -> None:
    queue, worker = WorkQueue[str](), Recorder()
    async with running(queue, worker):
        queue.add_after("a", 60)
        await asyncio.sleep(1)
        queue.add("a")
        await asyncio.sleep(1000)
    assert worker.times == [1]


@virtual_time
async def test_a_time_set_while_the_key_is_worked_on_is_kept() -> None:
    queue, gate = WorkQueue[str](), Gate()
    async with running(queue, gate):
        queue.add("a")
        await settle()
        queue.add_after("a", 5)
        await gate.release("a")
        assert gate.entered == ["a"]
        await asyncio.sleep(5)
        assert gate.entered == ["a", "a"]


@virtual_time
async def test_keys_come_in_the_order_of_their_times() -> None:
    queue, worker = WorkQueue[str](), Recorder()
    async with running(queue, worker):
        for key, seconds in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
            queue.add_after(key, seconds)
        await asyncio.sleep(10)
    assert worker.seen == [("a", 1), ("b", 2), ("c", 3)]


@virtual_time
async def test_a_key_that_fails_comes_back_ever_later_but_at_least_every_minute() -> None:
    queue, worker = WorkQueue[str](), Recorder(*[ValueError("no")] * 30)
    async with running(queue, worker):
        queue.add("a")
        await asyncio.sleep(3600)
    pauses = [later - earlier for earlier, later in zip(worker.times, worker.times[1:], strict=False)][:20]
    for n, pause in enumerate(pauses):
        longest = min(60, 0.1 * 2**n)
        assert longest / 2 <= pause <= longest + 1e-6


@virtual_time
async def test_a_success_makes_the_next_failure_the_first_one() -> None:
    queue, worker = WorkQueue[str](), Recorder(*[ValueError("no")] * 8, None, ValueError("no"))
    async with running(queue, worker):
        queue.add("a")
        await asyncio.sleep(100)
        assert len(worker.seen) == 9
        queue.add("a")
        await asyncio.sleep(100)
    assert worker.times[10] - worker.times[9] <= 0.1 + 1e-6


@virtual_time
async def test_a_change_makes_a_failing_key_come_back_at_once() -> None:
    queue, worker = WorkQueue[str](), Recorder(*[ValueError("no")] * 10, None)
    async with running(queue, worker):
        queue.add("a")
        await asyncio.sleep(40)
        before = len(worker.seen)
        queue.add("a")
        await settle()
        assert len(worker.seen) == before + 1


@virtual_time
async def test_one_failing_key_holds_up_no_other() -> None:
    queue, worker = WorkQueue[str](), Recorder(ValueError("no"), None)
    async with running(queue, worker, concurrency=1):
        queue.add("a")
        queue.add("b")
        await settle()
        assert worker.seen == [("a", 0), ("b", 0)]


@virtual_time
async def test_every_failure_is_logged_once_with_its_key(logs: list[EventDict]) -> None:
    queue, worker = WorkQueue[str](), Recorder(ValueError("no"), ValueError("no"))
    async with running(queue, worker):
        queue.add("a")
        await asyncio.sleep(60)
    assert [(entry["event"], entry["key"], entry["failures"]) for entry in logs] == [
        ("work failed", "a", 1),
        ("work failed", "a", 2),
    ]


@virtual_time
async def test_a_failure_that_is_expected_is_told_without_a_traceback(logs: list[EventDict]) -> None:
    queue, worker = WorkQueue[str](expected=(ValueError,)), Recorder(ValueError("busy"))
    async with running(queue, worker):
        queue.add("a")
        await asyncio.sleep(60)
    assert [(entry["event"], entry["error"], "exc_info" in entry) for entry in logs] == [
        ("work postponed", "busy", False)
    ]


@virtual_time
async def test_a_key_that_is_postponed_again_and_again_leaves_nothing_behind() -> None:
    queue, worker = WorkQueue[str](), Recorder(*[3600.0] * 10_000)
    async with running(queue, worker):
        for _ in range(1000):
            queue.add("a")
            await asyncio.sleep(1)
        assert len(queue._timetable) < 100


@virtual_time
async def test_patient_keys_wait_for_the_others_but_not_for_ever() -> None:
    queue: WorkQueue[str] = WorkQueue(is_patient=lambda key: key.startswith("patient"))
    for n in range(8):
        queue.add(f"patient-{n}")
        queue.add(f"urgent-{n}")
    done: list[str] = []

    async def work(key: str) -> None:
        await asyncio.sleep(1)
        done.append(key)

    running = asyncio.create_task(queue.run(work, 4))
    await asyncio.sleep(1.5)
    assert sorted(done) == ["patient-0", "urgent-0", "urgent-1", "urgent-2"]
    await asyncio.sleep(5)
    assert len(done) == 16
    running.cancel()
