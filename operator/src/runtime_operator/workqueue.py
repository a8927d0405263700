"""Which keys need work, and when: a queue that forgets duplicates and remembers failures.

A key that waits is in the queue once, however often it was added. It is never worked on twice at the same time; added
meanwhile, it is worked on again afterwards. What a key means, and what the work is, is not known here. Everything
happens in one event loop, and time is the loop's.

There are two lanes: most workers take what is patient, clearing away for example, only when nothing else waits; every
fourth looks there first, so that it is never left undone either.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    K = TypeVar("K", bound=Hashable)
else:
    K = TypeVar("K")

log = structlog.get_logger(__name__)

FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 60.0
"""A key that keeps failing is still tried every minute: whatever ails it may be over."""


class WorkQueue(Generic[K]):
    """See the module's docstring. `add` from handlers, `run` once."""

    def __init__(
        self, *, expected: tuple[type[Exception], ...] = (), is_patient: Callable[[K], bool] = lambda _: False
    ) -> None:
        self._expected = expected
        """What the work may raise without being broken: told in a line, not in a traceback."""
        self._is_patient = is_patient
        """Whether a key that is added now may wait for others; asked once each time."""
        self._lanes: tuple[deque[K], deque[K]] = (deque(), deque())
        self._count = asyncio.Semaphore(0)
        """How many keys are in both lanes."""
        self._waiting: set[K] = set()
        """What is in the lanes."""
        self._active: set[K] = set()
        self._again: set[K] = set()
        """Added while active."""
        self._due: dict[K, float] = {}
        self._timetable: list[tuple[float, int, K]] = []
        """A heap with an entry for every key in ``_due``, and obsolete ones, which are skipped."""
        self._timer: asyncio.TimerHandle | None = None
        self._order = itertools.count()
        self._failures: dict[K, int] = {}

    def __len__(self) -> int:
        """How many keys want to be worked on now."""
        return len(self._waiting) + len(self._again)

    def add(self, key: K) -> None:
        """Have this key worked on as soon as a worker is free."""
        self._due.pop(key, None)
        if key in self._active:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._lanes[self._is_patient(key)].append(key)
            self._count.release()

    def add_after(self, key: K, seconds: float) -> None:
        """Have this key worked on in so many seconds, or earlier if that was asked for already."""
        if seconds <= 0:
            self.add(key)
            return
        when = asyncio.get_running_loop().time() + seconds
        if key in self._waiting or key in self._again or self._due.get(key, when + 1) <= when:
            return
        self._due[key] = when
        heapq.heappush(self._timetable, (when, next(self._order), key))
        if len(self._timetable) > 2 * len(self._due) + 64:  # mostly obsolete: a busy key leaves one at every pass
            self._timetable = [entry for entry in self._timetable if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._timetable)
        self._set_timer()

    async def run(self, worker: Callable[[K], Awaitable[float | None]], concurrency: int) -> None:
        """Work until cancelled, on up to ``concurrency`` keys at once.

        The worker returns after how many seconds it wants to see the key again, or None. If it raises, the key comes
        back after a delay that doubles with every failure in a row, from 0.1 s to a minute.
        """
        async with asyncio.TaskGroup() as workers:
            for number in range(concurrency):
                first, second = self._lanes if number % 4 != 3 else reversed(self._lanes)
                workers.create_task(self._work(worker, first, second))

    async def _work(self, worker: Callable[[K], Awaitable[float | None]], first: deque[K], second: deque[K]) -> None:
        while True:
            await self._count.acquire()
            key = (first or second).popleft()
            self._waiting.discard(key)
            self._active.add(key)
            after: float | None = None
            try:
                after = await worker(key)
                self._failures.pop(key, None)
            except Exception as error:
                failures = self._failures[key] = self._failures.get(key, 0) + 1
                after = _retry_seconds(failures)
                said = {"key": str(key), "failures": failures, "retry_seconds": round(after, 3)}
                if isinstance(error, self._expected):
                    log.warning("work postponed", **said, error=str(error))
                else:
                    log.exception("work failed", **said)
            finally:
                self._active.discard(key)
            if key in self._again:
                self._again.discard(key)
                self.add(key)
            elif after is not None:
                self.add_after(key, after)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timetable:
            self._timer = asyncio.get_running_loop().call_at(self._timetable[0][0], self._release)

    def _release(self) -> None:
        """Add every key whose time has come."""
        now = asyncio.get_running_loop().time()
        while self._timetable and self._timetable[0][0] <= now:
            when, _, key = heapq.heappop(self._timetable)
            if self._due.get(key) == when:
                self.add(key)
        self._set_timer()


def _retry_seconds(failures: int) -> float:
    """Return the delay after so many failures in a row: half of it certain, half by chance."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 16))
    return random.uniform(longest / 2, longest)
