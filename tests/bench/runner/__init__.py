"""The runner alone, with no cluster: what a first run pays, what the warm-up costs, and what a warm runner holds."""

from bench.runner.measuring import measure
from bench.runner.report import section

__all__ = ["measure", "section"]
