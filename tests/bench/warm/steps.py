"""Where a warm job's time goes, and the floor's, as a watch of the pods sees it: what stops a target that is missed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runtime_operator.api import names
from runtime_operator.kube.client import PODS

from bench import cluster, loops
from bench.figures import percentile
from bench.floor import JOB_LABEL

if TYPE_CHECKING:
    from runtime_operator.kube.client import Kube, Object

RATE = 2.0
LABEL = "steps"
STEPS = (
    ("created → claim seen", "", "claimed", "watch, decision, one PATCH of the pod"),
    ("claim seen → `main` entered", "claimed", "entered", "answer to the PATCH, the line, the runner"),
    ("`main` entered → end seen", "entered", "seen", "two events, decision, one PATCH of the status, the user's watch"),
)


async def measure(kube: Kube, namespace: str, arm: loops.Arm, jobs: int) -> dict[str, list[float]]:
    """Return the moments of so many jobs, in milliseconds from their creation: claimed, entered, seen."""
    claimed: dict[str, float] = {}

    def changed(pod: Object) -> None:
        labels = pod["metadata"].get("labels", {})
        if name := labels.get(names.JOB_NAME_LABEL) or labels.get(JOB_LABEL):
            claimed.setdefault(name, time.time())

    await arm.ready(jobs)
    async with cluster.Follower(kube, PODS, namespace, every=changed):
        runs = await loops.opened(arm, jobs, rate=RATE, label=LABEL)
    return {
        "claimed": [round((claimed[f"{LABEL}-{number}"] - run.created) * 1e3, 3) for number, run in enumerate(runs)],
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
