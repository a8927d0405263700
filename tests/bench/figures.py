"""Percentiles and ratios, as table cells."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentiles(values: Sequence[float], digits: int = 0) -> str:
    """Return p50, p90, p99 and the maximum of values as table cells."""
    ordered = sorted(values)
    chosen = [ordered[min(len(ordered) - 1, int(len(ordered) * p))] for p in (0.9, 0.99)]
    return " | ".join(f"{value:.{digits}f}" for value in (statistics.median(ordered), *chosen, ordered[-1]))


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Return the ratio of the medians."""
    return f"{statistics.median(values) / statistics.median(others):.2f}"
