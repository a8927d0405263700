"""One step of load: what every process used, what the API server was asked, and how each job fared."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.simulated import connecting
from support.simulated.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.simulated.control_plane import ControlPlane
    from support.simulated.nodes import Nodes

TESTS = Path(__file__).resolve().parents[2]
CHANGES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "APPLY": "apply"}

GRACE_SECONDS = 2.0
"""After the last job was made (and the program's own time), in which nineteen of twenty have to have ended."""

STEADY_SECONDS = 1.0
"""A p99 below this may grow: it is noise."""

STAGES = (
    ("created", "pod created"),
    ("pod created", "scheduled"),
    ("scheduled", "ready"),
    ("ready", "handed over"),
    ("handed over", "started"),
    ("ended", "terminal seen"),
)
"""Between these moments; what lies between ``started`` and ``ended`` is the program's own time."""

STAGE_NAMES = tuple(f"{earlier} → {later}" for earlier, later in STAGES)

_SAMPLE = re.compile(r"^apiserver_request_total\{(?P<labels>.*)\} (?P<count>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What is asked for in one step; see ``bench.scale.load`` for each."""

    step: str
    rate: float
    seconds: float
    kind: str = "RuntimeJob"
    work: float = 1.0
    interims: int = 0
    most: int = 0
    wait_for: str = "ended"
    patience: float = 30.0
    pod_seconds: int = 3600
    """Pods stay, as those of the Job controller do."""
    namespace: str = "default"


async def run(plane: ControlPlane, nodes: Nodes, load: Load, processes: Mapping[str, Process]) -> dict[str, Any]:
    """Make the load and return its figures: times in milliseconds, CPU in seconds."""
    out = plane.folder / f"{load.step}.load"
    command = [sys.executable, "-m", "bench.scale.load", "--kubeconfig", str(plane.admin), "--out", str(out)]
    for name in ("step", "rate", "seconds", "kind", "work", "interims", "most", "patience", "namespace"):
        command += [f"--{name}", str(getattr(load, name))]
    command += ["--wait-for", load.wait_for, "--pod-seconds", str(load.pod_seconds)]
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    watched = {**plane.processes, "kubelets": nodes.process, **processes}
    before, asked = _usage(watched), await requests(plane)
    generator = Process("load", command, plane.folder / "load.log", {**os.environ, "PYTHONPATH": path})
    used = 0.0
    while generator.running:
        used = max(used, _cpu(generator, used))
        await asyncio.sleep(0.1)
    if not out.exists():
        raise RuntimeError(f"the load generator failed:\n{generator.tail()}")
    after, answered = _usage(watched), await requests(plane)
    seen = json.loads(out.read_text())
    await asyncio.sleep(1.0)  # the nodes write their trace twice a second
    moments = _with_trace(seen["jobs"], nodes.trace)
    count = len(moments)
    ended = [m for m in moments.values() if "terminal seen" in m]
    return {
        "rate": load.rate,
        "work": load.work,
        "jobs": count,
        "ended": len(ended),
        "failed": len(seen["failed"]),
        "failures": Counter(seen["failed"].values()).most_common(3),
        "lag": _figures(seen["lags"]),
        "latency": _figures(m["terminal seen"] - m["created"] - load.work for m in ended),
        "stages": {
            name: _figures(_between(moments.values(), *stage)) for name, stage in zip(STAGE_NAMES, STAGES, strict=True)
        },
        "span": round(max((max(m.values()) for m in moments.values()), default=seen["began"]) - seen["began"], 1),
        "held": held(seen["began"], load, list(moments.values())),
        "cpu": {name: round(after[name].cpu_seconds - before[name].cpu_seconds, 2) for name in before} | {"load": used},
        "resident": {name: after[name].resident_bytes for name in after},
        "requests": {what: n for what, n in sorted((answered - asked).items()) if n >= max(1, count // 20)},
    }


def held(began: float, load: Load, jobs: list[dict[str, float]]) -> bool:
    """Return whether the rate was held.

    Two seconds after the last job was made, nineteen of twenty have ended; and the p99 of the last third of the step is
    below a second or not half as much again as that of the second third. (A hundred jobs have no p99 to speak of.)
    """
    end = began + load.seconds
    in_time = [m for m in jobs if m.get("terminal seen", math.inf) <= end + load.work + GRACE_SECONDS]

    def slowest(first: float, last: float) -> float:
        span = [m for m in in_time if first <= (m["created"] - began) / load.seconds < last]
        return _percentile(sorted(m["terminal seen"] - m["created"] - load.work for m in span), 0.99)

    steady = slowest(2 / 3, 1.0) <= max(1.5 * slowest(1 / 3, 2 / 3), STEADY_SECONDS)
    return len(in_time) >= 0.95 * len(jobs) and steady


async def requests(plane: ControlPlane) -> Counter[str]:
    """Return how many changes the API server was asked for since its start, whoever asked."""
    connection = connecting.connect(plane.admin)
    async with connection.session() as session, session.get("metrics") as response:
        text = await response.text()
    await connection.close()
    return changes(text)


def changes(metrics: str) -> Counter[str]:
    """Return the changes that these metrics of an API server count, by ``verb resource[/subresource]``."""
    counts: Counter[str] = Counter()
    for line in metrics.splitlines():
        if found := _SAMPLE.match(line):
            labels = dict(_LABEL.findall(found["labels"]))
            if labels["verb"] in CHANGES:
                resource = "/".join(filter(None, (labels["resource"], labels["subresource"])))
                counts[f"{CHANGES[labels['verb']]} {resource}"] += int(float(found["count"]))
    return counts


def _with_trace(jobs: dict[str, dict[str, float]], trace: Path) -> dict[str, dict[str, float]]:
    with trace.open() as lines:
        for line in lines:
            what, job, moment = json.loads(line)
            if job in jobs:
                jobs[job].setdefault(what, moment)
    return jobs


def _between(jobs: Iterable[dict[str, float]], earlier: str, later: str) -> list[float]:
    return [m[later] - m[earlier] for m in jobs if earlier in m and later in m]


def _figures(seconds: Iterable[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "p50": round(1e3 * _percentile(ordered, 0.5), 1),
        "p99": round(1e3 * _percentile(ordered, 0.99), 1),
    }


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _usage(processes: Mapping[str, Process]) -> dict[str, Any]:
    return {name: process.usage() for name, process in processes.items()}


def _cpu(process: Process, otherwise: float) -> float:
    try:
        return process.usage().cpu_seconds
    except ProcessLookupError:
        return otherwise
