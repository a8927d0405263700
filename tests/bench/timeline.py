"""When what happened in one run. All moments are of one clock: bench, API server and node share a machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Timeline:
    """Moments by name, in seconds since the epoch."""

    moments: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str, moment: float | None = None) -> None:
        """Note this moment, or the present, unless it has been noted."""
        self.moments.setdefault(name, time.time() if moment is None else moment)

    def between(self, earlier: str, later: str) -> float:
        """Return the milliseconds from one to the other."""
        return (self.moments[later] - self.moments[earlier]) * 1e3
