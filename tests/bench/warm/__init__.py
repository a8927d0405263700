"""Warm pools: the product's four curves, the floor below them, and the plain alternatives, in one run."""

from bench.warm.measuring import measure
from bench.warm.page import section

__all__ = ["measure", "section"]
