"""What the page says of the runner follows from the figures."""

from __future__ import annotations

import json
from typing import Any

from bench.runner import section

MEMORY = {"rss": 100.0, "anonymous": 60.0, "pss": 80.0, "files": 40.0}
STAGES = ("Python", "NumPy", "Qiskit", "Aer", "ready", "warm")


def figures(*, second: float = 9.0, warm: float = 100.0, main: float = 3.0) -> dict[str, Any]:
    """Return two runs of everything; the first run of each program takes 10 ms."""
    runs = [[10.0, second, 9.5], [10.0, second, 9.5]]
    return {
        "runs": 2,
        "programs": [{"name": name, "bare": runs, "ready": runs, "warm": runs} for name in ("one", "another")],
        "sample": {"python": [1000.0, 1000.0], "ready": [300.0, 300.0], "warm": [warm, warm]},
        "entered": {"aer": {"ready": [9.0, 9.0], "warm": [main, main]}},
        "hand_over": {state: [[["read", 1.0], ["build", 2.0]]] * 2 for state in ("ready", "warm")},
        "starts": {name: [1.0, 2.0] for name in ("import qiskit, qiskit_aer", "ready", "imports")},
        "stages": [{"memory": dict.fromkeys(STAGES, MEMORY), "steps": [5.0, 30.0]}] * 2,
        "idle": [{"supervisor": MEMORY, "worker": MEMORY}],
    }


def test_targets_that_are_met_are_said_to_be_met() -> None:
    text = section(figures())
    assert "no second run more than 20% faster: met for all 2 programs." in text
    assert "Target < 1: **0.10**, met." in text
    assert "Target ≤ 5: **3.00**, met." in text
    assert "| together | 3.00 | 3.00 |" in text


def test_targets_that_are_missed_are_said_to_be_missed_and_by_what() -> None:
    text = section(figures(second=7.0, warm=1000.0, main=6.0))
    missed = "missed for one (**30%**, after the pause 5%), another (**30%**, after the pause 5%)."
    assert f"met for 0 of 2 programs, {missed}" in text
    assert "Target < 1: **1.00**, missed." in text
    assert "Target ≤ 5: **6.00**, missed." in text


def test_the_figures_as_they_are_kept_make_the_same_text() -> None:
    assert section(json.loads(json.dumps(figures(), sort_keys=True))) == section(figures())
