"""The section about warm pools, made of the figures."""

from __future__ import annotations

import statistics
from typing import Any

from bench import loops
from bench.figures import percentile, quotient, verdict
from bench.warm import steps
from bench.warm.sample_program import ITERATIONS
from bench.warm.writes import OF_POOL, per_job

TITLES = {
    "floor": "floor",
    "warm": "job, warm hit",
    "refilled": "job, warm hit, pool refilled beside",
    "cold": "job, cold",
    "drained": "job, pool drained",
    "missing": "job, image missing on the node",
    "pod": "bare pod",
    "job": "Kubernetes `Job`",
    "argo": "Argo Workflow",
}
LOOPS = {"closed": "one at a time", "1": "1 per second", "2": "2 per second", "4": "4 per second"}
ALTERNATIVES = ("pod", "job", "argo")
LATE_MS = 1000
BY = {
    "create pods": "the pod that replaces the one taken",
    "patch pods": "the claim",
    "delete pods": "the pod that was used",
    "patch runtimejobs/status": "running, ended",
    OF_POOL: "now and then, whatever the number of jobs",
}


def section(data: dict[str, Any]) -> str:
    """Return the page's section."""
    arms = data["arms"]
    return f"""\
## Warm pools

The program returns at once, after saying when it was entered. *Floor* is a bare script that does what no design can
avoid: it watches the job, sends one guarded PATCH of a ready pod, one line each way over a stream that is open, and one
PATCH of the status, which the user's watch sees. It has the same pods, runner and program as the job (profile with
{data["cpu_request"]} CPU requested and {data["memory"]}). Floor and *warm hit* have the same conditions, so the
difference is the operator: pods that were used stay, and none are started, until the loop is over. The row *pool
refilled beside* shows a pool with default settings.

{_table(arms)}

One at a time: the next is created when the one before has ended; floor and warm hits in turn and without a pause, all
others with the machine for themselves. Per second: random arrivals (Poisson, the same for every arm) that wait for
nobody; floor and warm hits take turns, in {loops.ROUNDS} rounds of equally many jobs, whose figures are joined, and the
one whose turn it is not has no pods. *÷ floor* compares medians of jobs that arrive alike. A hit is a job that got a
ready pod.

- *Warm hit*: the pool is filled before, with as many pods as there are jobs. With `lowWatermark: 0` it starts no others
  while jobs arrive, and `ttl.podSeconds` keeps the used ones.
- *Pool refilled beside*: filled before in the same way. It has the default low watermark, so pods are started while
  jobs arrive when fewer than half are left, unless jobs come faster than pods start and all find one (then, once none
  is left); each used one is deleted at once.
- *Cold*: there is no pool. On this machine a start keeps more than a core busy, so arrivals above that queue up.
- *Pool drained*: other jobs have just taken the pool's two pods; what comes next starts pods of its own, beside the
  refill, and later arrivals may find refilled ones.
- *Image missing*: the node pulls the image ({data["image_bytes"] / 2**20:.0f} MiB compressed, one layer) from a
  registry on itself: for every job that comes alone, and once for arrivals at a rate. A network adds to that.
- *Bare pod*, *Job*, *Workflow*: the same container and limits, `python` with the program and Aer imported. Their end is
  seen when the kubelet has noticed that the container ended, and the controller has heard of it.
{_about_argo(data["argo"])}
{_late(arms)}

### Targets

Warm hits against the floor at 2 per second, {len(arms["warm"]["2"]["seen"])} jobs each:

- created → `main` entered, p50 ÷ p50: {_target(arms, "entered", 0.5, 1.5)}
- created → `main` entered, p99 ÷ p99: {_target(arms, "entered", 0.99, 3.0)}
- created → terminal status seen by a watch, p50 ÷ p50: {_target(arms, "seen", 0.5, 1.5)}
- API writes per job, pool refilled beside: {verdict(per_job(data["writes"]["requests"], data["writes"]["jobs"]), 5.0)}
- `sample-program`: {verdict(_sample(data["sample"]), 1.0, strictly=True)}

### Where a warm job's time goes

{len(data["steps"]["warm"]["seen"])} jobs each at 2 per second, in turn as above, with a watch of their pods beside
the user's.

{steps.table(data["steps"])}

### Against the plain alternatives

{_alternatives(arms)}

### Writes

What the operator wrote, by its own count, for the {data["writes"]["jobs"]} jobs at 2 per second with the pool refilled
beside, until every pod that was taken had been replaced and was gone:

| request | per job | |
|---|---|---|
{_writes(data["writes"])}

### `sample-program`

{ITERATIONS} iterations; from creation to the terminal status in the user's watch, in a pod that was ready, and with
`python` running the same file on the same machine, from its start to its end; {len(data["sample"]["warm"])} times each,
in turn: {statistics.median(data["sample"]["warm"]):.0f} ms in a warm pod,
{statistics.median(data["sample"]["python"]):.0f} ms with `python`. Ratio **{_sample(data["sample"]):.2f}**: what the
warm pod saves is the start of Python and the imports.
"""


def _table(arms: dict[str, Any]) -> str:
    lines = [
        "| | arrive | jobs | hits | `main` entered p50 | p90 | p99 | ÷ floor | end seen p50 | p90 | p99 | ÷ floor |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for arm, title in TITLES.items():
        for loop, arrive in LOOPS.items():
            if loop in arms.get(arm, {}):
                runs, lowest = arms[arm][loop], arms["floor"][loop]
                cells = [title, arrive, str(len(runs["seen"])), _hits(runs["paths"])]
                cells += [cell for what in ("entered", "seen") for cell in _cells(runs[what], lowest[what])]
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(values: list[float], lowest: list[float]) -> list[str]:
    digits = 0 if percentile(values, 0.5) >= 100 else 1
    return [
        *(f"{percentile(values, share):.{digits}f}" for share in (0.5, 0.9, 0.99)),
        f"{quotient(values, lowest):.2f}",
    ]


def _hits(paths: list[str]) -> str:
    return f"{100 * paths.count('warm') / len(paths):.0f} %" if any(paths) else ""


def _late(arms: dict[str, Any]) -> str:
    """Return the sentence about warm jobs whose end the user saw late."""
    taken = [
        seen - entered
        for of_arm in arms.values()
        for runs in of_arm.values()
        for entered, seen, path in zip(runs["entered"], runs["seen"], runs["paths"], strict=True)
        if path == "warm"
    ]
    late = sum(one > LATE_MS for one in taken)
    return (
        f"{late} of {len(taken)} warm jobs' ends came late, more than {LATE_MS:,} ms after `main` was entered: an\n"
        "ended container's last lines can get lost on the stream, and then the end comes with the pod's."
    )


def _target(arms: dict[str, Any], what: str, share: float, limit: float) -> str:
    return verdict(quotient(arms["warm"]["2"][what], arms["floor"]["2"][what], share), limit)


def _sample(sample: dict[str, Any]) -> float:
    return quotient(sample["warm"], sample["python"])


def _alternatives(arms: dict[str, Any]) -> str:
    lines = [
        "One at a time, medians: how many times as long as a warm hit, and as a cold job, each takes.",
        "",
        "| | `main` entered ÷ warm | ÷ cold | end seen ÷ warm | ÷ cold |",
        "|---|---|---|---|---|",
    ]
    for arm in ALTERNATIVES:
        if arm in arms:
            cells = [
                f"{quotient(arms[arm]['closed'][what], arms[other]['closed'][what]):.1f}"
                for what in ("entered", "seen")
                for other in ("warm", "cold")
            ]
            lines.append(f"| {TITLES[arm]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _writes(writes: dict[str, Any]) -> str:
    jobs = writes["jobs"]
    rows = [f"| {what} | {count / jobs:.2f} | {BY.get(what, '')} |" for what, count in writes["requests"].items()]
    return "\n".join([*rows, f"| **all but the pool's status** | **{per_job(writes['requests'], jobs):.2f}** | |"])


def _about_argo(argo: dict[str, str]) -> str:
    if argo["reason"]:
        return f"- Argo Workflows {argo['version']} could not be built here:\n\n```\n{argo['reason']}\n```\n"
    return (
        f"- *Workflow*: Argo Workflows {argo['version']}, built from its Go module, with its default settings, among\n"
        "  them the 10 s that its controller lets pass before it looks at a workflow again.\n"
    )
