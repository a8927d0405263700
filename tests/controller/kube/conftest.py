from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from runtime_operator.kube.http import HttpKube
from support.api_server import ApiServer, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def api() -> AsyncIterator[ApiServer]:
    server = ApiServer()
    async with serving(server) as server.url:
        yield server


class Sleeps(list[float]):
    """Instead of sleeping, notes for how long it would have."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
async def kube(api: ApiServer, sleeps: Sleeps) -> AsyncIterator[HttpKube]:
    async with aiohttp.ClientSession(base_url=api.url) as session:
        yield HttpKube(session, sleep=sleeps)
