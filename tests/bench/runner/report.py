"""Makes the page's section of the figures."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from bench.figures import percentiles, quotient, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_FASTER = 0.2
"""By how much a second run may be faster than the first in a warm runner."""

MOST_HAND_OVER_MS = 5.0

STAGES = {
    "Python": "the interpreter alone",
    "NumPy": "",
    "Qiskit": "",
    "Aer": "",
    "ready": "with the runner's own modules",
    "warm": "with SciPy, and everything used once",
}


def section(data: dict[str, Any]) -> str:
    """Return the page's section."""
    return f"""\
## The runner

The runner alone, behind pipes, in an environment laid out as its image; {data["runs"]} times each, in turn, each time
in processes of their own. *Ready*: the job was there as soon as the runner was. *Warm*: the runner had been left alone
before, as in a pool, until it had nothing more to do. Milliseconds.

### The first run and the second

A program run again in one process, from its import to its result as text; a plain process also imports Qiskit and
makes the backend. The second run follows the first at once, the third after a pause as long as there was before the
first: what the third is still faster by is what warming up has left out, the rest is the CPU's caches.

| | plain: first | second | ready: first | second | warm: first | second | third | second faster by | third |
|---|---|---|---|---|---|---|---|---|---|
{_programs(data["programs"])}

{_judgement(data["programs"])}

### `sample-program`, three iterations

| | p50 | p90 | p99 | max |
|---|---|---|---|---|
| warm runner: job's line written → result read | {percentiles(data["sample"]["warm"])} |
| ready runner: job's line written → result read | {percentiles(data["sample"]["ready"])} |
| `python` with Qiskit's own `AerSimulator`, start to end | {percentiles(data["sample"]["python"])} |

The warm runner's time divided by that of `python`, start-up included, at p50.
{verdict(quotient(data["sample"]["warm"], data["sample"]["python"]), 1, strictly=True)}

### From the job's line to `main`

| | p50 | p90 | p99 | max |
|---|---|---|---|---|
{_entered(data["entered"])}

With `aer` in a warm runner, in ms at p50.
{verdict(statistics.median(data["entered"]["aer"]["warm"]), MOST_HAND_OVER_MS)}
Devices are built when a job asks for them: what they take is Aer's noise model of the device, and for a fake device the
import of its package before. The steps in the worker, with `aer`, at p50:

| step | ready | warm |
|---|---|---|
{_steps(data["hand_over"])}

### Start and later warm-up

| | p50 | p90 | p99 | max |
|---|---|---|---|---|
| `python -c "import qiskit, qiskit_aer"`, start to end | {percentiles(data["starts"]["import qiskit, qiskit_aer"])} |
| runner started → `ready` | {percentiles(data["starts"]["ready"])} |
| of it, Qiskit and Aer | {percentiles(data["starts"]["imports"])} |
| later warm-up, in all | {percentiles([sum(one["steps"]) for one in data["stages"]])} |
| its longest step: what a job may wait for that comes in the middle | {_longest(data["stages"])} |

### Memory

Of the worker, MB at p50. *Anonymous* is what each pod has for itself; the rest are the image's files, which pods on one
node share.

| stage | resident | anonymous | proportional (PSS) | |
|---|---|---|---|---|
{_stages(data["stages"])}

An idle warm pod, both processes:

| process | resident | anonymous | files |
|---|---|---|---|
{_idle(data["idle"])}
"""


def _programs(programs: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for one in programs:
        cells = [f"{_median(one[kind], which):.1f}" for kind in ("bare", "ready", "warm") for which in (0, 1)]
        cells += [f"{_median(one['warm'], 2):.1f}", *(f"{faster(one['warm'], which):.0%}" for which in (1, 2))]
        rows.append(f"| {one['name']} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _median(runs: Sequence[Sequence[float]], which: int) -> float:
    return statistics.median(run[which] for run in runs)


def faster(runs: Sequence[Sequence[float]], which: int = 1) -> float:
    """Return by which share of the first run's time a later one is faster, at the median; below 0 it is slower."""
    return 1 - _median(runs, which) / _median(runs, 0)


def _judgement(programs: Sequence[Mapping[str, Any]]) -> str:
    missed = [one for one in programs if faster(one["warm"]) > MOST_FASTER]
    target = f"Target: in a warm runner, no second run more than {MOST_FASTER:.0%} faster"
    if not missed:
        return f"{target}: met for all {len(programs)} programs."
    named = ", ".join(
        f"{one['name']} (**{faster(one['warm']):.0%}**, after the pause {faster(one['warm'], 2):.0%})" for one in missed
    )
    return f"{target}: met for {len(programs) - len(missed)} of {len(programs)} programs, missed for {named}."


def _entered(entered: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    return "\n".join(
        f"| `{backend}`, {state} runner | {percentiles(found[state], 1)} |"
        for backend, found in entered.items()
        for state in ("ready", "warm")
    )


def _steps(runs: Mapping[str, Sequence[Sequence[Any]]]) -> str:
    """Return the rows of a table of steps; each run is a list of steps with their milliseconds."""
    columns = [
        [statistics.median(taken for _, taken in step) for step in zip(*runs[state], strict=True)]
        for state in ("ready", "warm")
    ]
    names = [step for step, _ in runs["warm"][0]]
    rows = [f"| {name} | {ready:.2f} | {warm:.2f} |" for name, ready, warm in zip(names, *columns, strict=True)]
    return "\n".join([*rows, f"| together | {sum(columns[0]):.2f} | {sum(columns[1]):.2f} |"])


def _longest(stages: Sequence[Mapping[str, Any]]) -> str:
    return percentiles([max(one["steps"]) for one in stages])


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for stage, what in STAGES.items():
        found = [one["memory"][stage] for one in stages]
        cells = [f"{statistics.median(one[kind] for one in found):.0f}" for kind in ("rss", "anonymous", "pss")]
        rows.append(f"| {stage} | {' | '.join(cells)} | {what} |")
    return "\n".join(rows)


def _idle(idle: Sequence[Mapping[str, Mapping[str, float]]]) -> str:
    rows = []
    for process in ("supervisor", "worker"):
        cells = [statistics.median(one[process][kind] for one in idle) for kind in ("rss", "anonymous", "files")]
        rows.append(f"| {process} | {' | '.join(f'{cell:.0f}' for cell in cells)} |")
    return "\n".join(rows)
