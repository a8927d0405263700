from __future__ import annotations

import asyncio

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.retrying import patiently, pause
from support.clock import virtual_time


@pytest.mark.parametrize(
    ("attempt", "retry_after", "shortest", "longest"),
    [
        (0, None, 0.05, 0.1),
        (1, None, 0.1, 0.2),
        (5, None, 1.6, 3.2),
        (7, None, 5, 10),
        (1_000_000, None, 5, 10),
        (0, 5, 5.05, 5.1),
        (0, 3600, 60.05, 60.1),
    ],
)
def test_pauses_grow_up_to_a_limit_and_are_never_shorter_than_the_server_wants(
    attempt: int, retry_after: float | None, shortest: float, longest: float
) -> None:
    assert pause(attempt, retry_after, chance=0) == pytest.approx(shortest)
    assert pause(attempt, retry_after, chance=1) == pytest.approx(longest)


class Flaky:
    """Fails so many times, with this error, and notes when it was asked."""

    def __init__(self, times: int, error: Exception) -> None:
        self.asked: list[float] = []
        self._times = times
        self._error = error

    async def __call__(self) -> str:
        self.asked.append(asyncio.get_running_loop().time())
        if len(self.asked) <= self._times:
            raise self._error
        return "answer"


@virtual_time
async def test_a_request_is_repeated_until_it_is_answered() -> None:
    request = Flaky(5, errors.Unavailable("not now"))
    assert await patiently(request) == "answer"
    assert len(request.asked) == 6


@virtual_time
async def test_the_server_is_left_alone_for_as_long_as_it_wants() -> None:
    request = Flaky(1, errors.Unavailable("not now", retry_after=7))
    assert await patiently(request) == "answer"
    assert request.asked[1] >= 7


@virtual_time
async def test_patience_ends_with_what_the_server_said_last() -> None:
    request = Flaky(1_000, errors.Unavailable("not now"))
    with pytest.raises(errors.Unavailable, match="not now"):
        await patiently(request, seconds=20)
    assert 10 < request.asked[-1] <= 20


@virtual_time
async def test_nobody_waits_for_a_time_that_is_after_the_end_of_patience() -> None:
    request = Flaky(1, errors.Unavailable("not now", retry_after=30))
    with pytest.raises(errors.Unavailable):
        await patiently(request, seconds=20)
    assert request.asked == [0]


@virtual_time
async def test_a_refusal_is_not_questioned() -> None:
    request = Flaky(1, errors.Forbidden("no"))
    with pytest.raises(errors.Forbidden):
        await patiently(request)
    assert len(request.asked) == 1
