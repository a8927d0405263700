"""Percentiles, ratios and verdicts, as they stand on the page."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of them (0 to 1) does not exceed; of the middle, the median."""
    ordered = sorted(values)
    if share == 0.5:
        return statistics.median(ordered)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def percentiles(values: Sequence[float], digits: int = 0) -> str:
    """Return p50, p90, p99 and the maximum of values as table cells."""
    chosen = (*(percentile(values, share) for share in (0.5, 0.9, 0.99)), max(values))
    return " | ".join(f"{value:.{digits}f}" for value in chosen)


def quotient(values: Sequence[float], others: Sequence[float], share: float = 0.5) -> float:
    """Return the ratio of the two at this percentile."""
    return percentile(values, share) / percentile(others, share)


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Return the ratio of the medians."""
    return f"{quotient(values, others):.2f}"


def verdict(value: float, limit: float, *, digits: int = 2, strictly: bool = False) -> str:
    """Return the sentence that compares a figure with its target.

    Args:
        value: What was measured.
        limit: What it must not exceed, or must stay below.
        digits: Digits after the point.
        strictly: Whether the limit itself is too much.
    """
    met = value < limit if strictly else value <= limit
    sign = "<" if strictly else "≤"
    return f"Target {sign} {limit:g}: **{value:.{digits}f}**, {'met' if met else 'missed'}."
