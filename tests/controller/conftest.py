"""What tests that run a whole operator need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from support.world import use_virtual_clock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def virtual_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator reads the test's time, and its log, tracebacks and all, is not drawn on the terminal."""
    use_virtual_clock(monkeypatch)
    with capture_logs():
        yield
