"""Memory goes back to the system now and then."""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING

import pytest
from runtime_operator import memory
from support.clock import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable


def finds(trim: Callable[[int], int] | None) -> Callable[[], Callable[[int], int] | None]:
    return lambda: trim


@virtual_time
async def test_free_memory_is_given_back_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed: list[int] = []

    def trim(kept: int) -> int:
        trimmed.append(kept)
        return 1

    monkeypatch.setattr(memory, "find_trim", finds(trim))
    task = asyncio.create_task(memory.trim_now_and_then())
    await asyncio.sleep(150)
    assert trimmed == [0, 0]
    task.cancel()


@virtual_time
async def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "find_trim", finds(None))
    await memory.trim_now_and_then()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_glibc_can_be_asked() -> None:
    trim = memory.find_trim()
    assert trim is not None
    assert trim(0) in (0, 1)
