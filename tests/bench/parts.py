"""The parts of the bench, in the order of the page.

A part is a module with ``async def measure(options) -> dict`` (JSON: milliseconds and counts, no prose) and
``def section(data) -> str`` (the section of the page that these figures make, every judgement computed from them).
Options are ``runs`` (how often the usual thing is repeated), ``quick`` (as little as shows that it works) and ``image``
(the runner image on the node).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import argparse
    from collections.abc import Coroutine

MODULES = {
    "warm": "bench.warm",
    "headline": "bench.headline",
    "cold": "bench.cold",
    "scale": "bench.scale",
    "runner": "bench.runner",
    "client": "bench.client",
}


class Part(Protocol):
    """What each of these modules has."""

    def measure(self, options: argparse.Namespace) -> Coroutine[Any, Any, dict[str, Any]]:
        """Return the raw figures."""
        ...

    def section(self, data: dict[str, Any]) -> str:
        """Return the section of the page."""
        ...


def load(name: str) -> Part:
    """Return the part; only then is its module imported, with whatever it needs."""
    return cast("Part", importlib.import_module(MODULES[name]))
