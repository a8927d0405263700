"""Where a warm job's time goes, and the floor's, as a watch of the pods sees it: what stops a target that is missed."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.kube.client import PODS

from bench import cluster, loops
from bench.figures import percentile
from bench.floor import JOB_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runtime_operator.kube.client import Kube, Object

RATE = 2.0
LABEL = "steps"
STEPS = (
    ("created → claim seen", "", "claimed", "watch, decision, one PATCH of the pod"),
    ("claim seen → `main` entered", "claimed", "entered", "answer to the PATCH, the line, the runner"),
    ("`main` entered → end seen", "entered", "seen", "two events, decision, one PATCH of the status, the user's watch"),
)


async def measure(kube: Kube, arms: Mapping[str, loops.Arm], places: Sequence[str], jobs: int) -> dict[str, Any]:
    """Return the moments of so many jobs of each arm, in milliseconds from their creation: claimed, entered, seen.

    The arms take turns, each in its namespace.
    """
    claimed: dict[str, dict[str, float]] = {name: {} for name in arms}
    async with contextlib.AsyncExitStack() as watches:
        for moments, place in zip(claimed.values(), places, strict=True):
            await watches.enter_async_context(cluster.Follower(kube, PODS, place, every=_noting(moments)))
        runs = await loops.in_turn(list(arms.values()), jobs, rate=RATE, label=LABEL)
    return {name: _moments(of_arm, claimed[name]) for name, of_arm in zip(arms, runs, strict=True)}


def _noting(claimed: dict[str, float]) -> Callable[[Object], None]:
    """Return what notes, of every pod it is told of, when it was first seen to be a job's."""

    def changed(pod: Object) -> None:
        labels = pod["metadata"].get("labels", {})
        if name := labels.get(names.JOB_NAME_LABEL) or labels.get(JOB_LABEL):
            claimed.setdefault(name, time.time())

    return changed


def _moments(runs: Sequence[loops.Run], claimed: Mapping[str, float]) -> dict[str, list[float]]:
    return {
        "claimed": [round((claimed[run.name] - run.created) * 1e3, 3) for run in runs],
        "entered": [run.entered for run in runs],
        "seen": [run.seen for run in runs],
    }


def table(steps: dict[str, dict[str, list[float]]]) -> str:
    """Return the medians of both, step by step, and the sentence that names the step with most of the difference."""
    lines = ["| step | floor p50 | warm job p50 | more | |", "|---|---|---|---|---|"]
    more: dict[str, float] = {}
    for what, begin, end, why in STEPS:
        lowest, warm = (_median(steps[arm], begin, end) for arm in ("floor", "warm"))
        more[what] = warm - lowest
        lines.append(f"| {what} | {lowest:.1f} | {warm:.1f} | {more[what]:.1f} | {why} |")
    most = max(more, key=more.__getitem__)
    return "\n".join([*lines, "", f"Most of what the operator adds is in the step *{most}*: {more[most]:.1f} ms."])


def _median(moments: dict[str, list[float]], begin: str, end: str) -> float:
    begins = moments[begin] if begin else [0.0] * len(moments[end])
    return percentile([later - earlier for earlier, later in zip(begins, moments[end], strict=True)], 0.5)
