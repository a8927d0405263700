"""The picture: time and ratio of each arm over the work of an evaluation, the model's lines and what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.headline.model import Model
from bench.headline.summary import summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.headline.summary import Arm, Summary

PICTURE = Path(__file__).resolve().parents[3] / "docs" / "images" / "headline.png"
CLAIM = 120
WORK = np.logspace(-0.5, 5, 200)
"""From 0.3 ms to 100 s."""
LOOP, COLD, WARM, CIRCUIT = "#1b7837", "#2166ac", "#e08214", "#762a83"


def draw(data: Mapping[str, Any], path: Path = PICTURE) -> None:
    """Write the picture as PNG."""
    from matplotlib.figure import Figure

    found = summary(data)
    figure = Figure(figsize=(10, 4.6), dpi=110, layout="constrained")
    times, ratios = figure.subplots(1, 2)
    cold, warm = found.overhead["cold"], found.overhead["warm"]
    models = [_with_work(found, work) for work in WORK]
    loop, each = [model.loop(cold) for model in models], found.per_evaluation
    lines: list[tuple[str, str, Any, Arm]] = [
        ("one job per circuit, cold", CIRCUIT, [model.per_circuit(cold) for model in models], found.per_circuit),
        ("one job per evaluation, cold", COLD, [model.per_evaluation(cold) for model in models], each["cold"]),
        (
            f"one job per evaluation, all warm (measured: {found.hits:.0%} warm)",
            WARM,
            [model.per_evaluation(warm) for model in models],
            each["warm"],
        ),
        ("one job for all evaluations", LOOP, loop, found.loops["cold"]),
    ]
    for label, colour, values, arm in lines:
        times.loglog(WORK, np.array(values) / 1e3, color=colour, label=label)
        _mark(times, found.model.work, arm.measured / 1e3, colour, hollow=arm.extrapolated > 0)
        if colour != LOOP:
            base = np.array([model.loop(found.overhead[arm.path]) for model in models])
            ratios.loglog(WORK, np.array(values) / base, color=colour)
            _mark(ratios, found.model.work, found.ratio(arm), colour, hollow=arm.extrapolated > 0)
    times.set_ylabel(f"wall time of {found.model.evaluations} evaluations (s)")
    times.set_title("How long the loop takes", fontsize=11)
    times.legend(fontsize=8, loc="upper left")
    times.set_ylim(top=times.get_ylim()[1] * 30)
    ratios.axhline(CLAIM, color="grey", linestyle="--", linewidth=1)
    ratios.text(0.8 * WORK[-1], CLAIM * 1.12, f"the claim: {CLAIM} times", ha="right", color="dimgrey", fontsize=9)
    ratios.set_ylabel("times as long as one job")
    ratios.set_title("What one job for the whole loop saves", fontsize=11)
    ratios.set_ylim(bottom=0.8)
    for axes in (times, ratios):
        axes.set_xlabel("work per evaluation, w (ms)")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.set_xlim(WORK[0], WORK[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def _with_work(found: Summary, work: float) -> Model:
    model = found.model
    return Model(evaluations=model.evaluations, circuits=model.circuits, work=work, prepare=model.prepare)


def _mark(axes: Any, work: float, value: float, colour: str, *, hollow: bool) -> None:
    """Draw a measured point; a hollow one is extrapolated."""
    axes.plot([work], [value], "o", color=colour, markerfacecolor="white" if hollow else colour, markersize=7, zorder=3)
