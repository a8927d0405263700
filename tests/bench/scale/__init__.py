"""The operator at scale, on a real control plane with simulated nodes (`support.simulated`)."""

from bench.scale.measuring import measure
from bench.scale.report import section

__all__ = ["measure", "section"]
