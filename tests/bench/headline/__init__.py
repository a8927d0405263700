"""The headline: what one job for a whole loop saves, with lithium hydride as the example.

Four ways to cut one and the same computation into jobs, in one cluster and one run, and the model that foretells them.
"""

from bench.headline.page import section
from bench.headline.picture import PICTURE, draw
from bench.headline.run import measure

__all__ = ["PICTURE", "draw", "measure", "section"]
