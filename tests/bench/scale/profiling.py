"""What an operator's profile says: which code it spent its time in, by package and by function."""

from __future__ import annotations

import pstats
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = 15
_IDLE = "select.epoll"
_STARTING = ("importlib", "<frozen", "marshal", "builtins.compile", "builtins.exec")
_GROUPS = (
    ("TLS", r"sslproto|_ssl\.|/ssl\.py"),
    ("sockets", r"_socket|selector_events|selectors"),
    ("asyncio", r"asyncio"),
    ("kopf, and copies it makes", r"/kopf/|/copy\.py"),
    ("aiohttp", r"/aiohttp/|/yarl/|/multidict/|/propcache/|/frozenlist/"),
    ("JSON", r"/json/"),
    ("pydantic", r"pydantic"),
    ("logging", r"/logging/|structlog"),
)


def summary(profile: Path, jobs: int) -> dict[str, Any]:
    """Return the shares (percent) of the time the operator was busy; starting up and waiting left out.

    cProfile makes calls of small Python functions look dearer than they are, and its times are the clock's: on a busy
    machine what wakes others (``send``) looks dear, too.
    """
    rows = [
        (f"{file}:{name}" if line else name, calls, own)
        for (file, line, name), (_, calls, own, _, _) in pstats.Stats(str(profile)).stats.items()  # type: ignore[attr-defined]
    ]
    busy = [row for row in rows if _IDLE not in row[0] and not any(word in row[0] for word in _STARTING)]
    total = sum(own for _, _, own in busy)
    groups: Counter[str] = Counter()
    for name, _, own in busy:
        groups[_group(name)] += own
    slowest = sorted(busy, key=lambda row: -row[2])[:FUNCTIONS]
    return {
        "jobs": jobs,
        "busy_ms_per_job": round(1e3 * total / max(1, jobs), 1),
        "groups": {name: round(100 * own / total, 1) for name, own in groups.most_common()},
        "functions": [
            [_short(name), round(100 * own / total, 1), round(calls / max(1, jobs), 1)] for name, calls, own in slowest
        ],
    }


def _group(name: str) -> str:
    if found := re.search(r"/runtime_operator/(\w+)", name):
        return f"operator: {found[1]}"
    return next((group for group, pattern in _GROUPS if re.search(pattern, name)), "the rest of Python")


def _short(name: str) -> str:
    return re.sub(r"^.*/(?:site-packages|src|python3\.\d+)/", "", name)
