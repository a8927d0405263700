"""How jobs arrive: one after another, or at a rate that does not care how long they take."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from bench import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.timeline import Timeline

SEED = 6
"""Of the arrivals: every arm gets the same."""
PATIENCE_SECONDS = 300
ROUNDS = 2
"""In which arms that are compared directly take turns: the machine is not the same from minute to minute."""


@dataclass(frozen=True)
class Run:
    """One job, in milliseconds from its creation."""

    entered: float
    """To the first line of its ``main``."""
    seen: float
    """To its end in the user's watch."""
    path: str = ""
    """``warm`` or ``cold``, where somebody says so."""
    created: float = 0.0
    """When, in seconds since the epoch."""
    name: str = ""

    @classmethod
    def of(cls, timeline: Timeline, path: str = "") -> Run:
        """Return what these moments say."""
        return cls(
            entered=round(timeline.between("created", "main entered"), 3),
            seen=round(timeline.between("created", "seen"), 3),
            path=path,
            created=timeline.moments["created"],
        )


class Arm(Protocol):
    """One way to run the program."""

    async def ready(self, jobs: int) -> None:
        """Return when all is there that so many jobs need, and nothing of earlier ones is left."""
        ...

    async def run(self, name: str) -> Run:
        """Create one of this name, and follow it to its end."""
        ...


async def closed(arms: Sequence[Arm], jobs: int, *, label: str = "closed") -> list[list[Run]]:
    """Return the runs of each arm: the arms in turn, the next job as soon as the one before has ended."""
    runs: list[list[Run]] = [[] for _ in arms]
    for arm in arms:
        await arm.ready(jobs)
    await machine.quiet()
    for number in range(jobs):
        for arm, so_far in zip(arms, runs, strict=True):
            so_far.append(await _patiently(arm, f"{label}-{number}"))
    return runs


async def apart(arm: Arm, jobs: int) -> list[Run]:
    """Return the runs of one arm, one job at a time, each with all that it needs and the machine for itself."""
    runs = []
    for number in range(jobs):
        await arm.ready(1)
        await machine.quiet()
        runs.append(await _patiently(arm, f"apart-{number}"))
    return runs


async def opened(arm: Arm, jobs: int, *, rate: float, label: str = "") -> list[Run]:
    """Return the runs of one arm whose jobs arrive at random (Poisson), so many per second on average."""
    await arm.ready(jobs)
    await machine.quiet()
    loop = asyncio.get_running_loop()
    begin = loop.time()
    async with asyncio.TaskGroup() as tasks:
        running = []
        for number, moment in enumerate(arrivals(jobs, rate)):
            await asyncio.sleep(begin + moment - loop.time())
            running.append(tasks.create_task(_patiently(arm, f"{label or f'open-{rate:g}'}-{number}")))
    return [task.result() for task in running]


async def in_turn(arms: Sequence[Arm], jobs: int, *, rate: float, label: str = "") -> list[list[Run]]:
    """Return the runs of each arm at this rate, in rounds that divide the jobs between them (rounded up).

    In every round each arm has its turn, and meanwhile the others have no pods.
    """
    runs: list[list[Run]] = [[] for _ in arms]
    for number in range(ROUNDS):
        for arm, so_far in zip(arms, runs, strict=True):
            for other in arms:
                if other is not arm:
                    await other.ready(0)
            so_far += await opened(arm, share(jobs), rate=rate, label=f"{label or f'open-{rate:g}'}-{number}")
    return runs


def share(jobs: int) -> int:
    """Return how many of so many jobs each round has."""
    return math.ceil(jobs / ROUNDS)


def arrivals(jobs: int, rate: float) -> list[float]:
    """Return when they arrive, in seconds from the beginning: the same at every call, the first at once."""
    chance = random.Random(SEED)
    moments = [0.0]
    while len(moments) < jobs:
        moments.append(moments[-1] + chance.expovariate(rate))
    return moments[:jobs]


def as_data(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the runs as they are kept."""
    return {
        "entered": [run.entered for run in runs],
        "seen": [run.seen for run in runs],
        "paths": [run.path for run in runs],
    }


async def _patiently(arm: Arm, name: str) -> Run:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return replace(await arm.run(name), name=name)
