"""The page's section, made from the figures of `bench.scale.measuring`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from bench.figures import verdict
from bench.scale.api_server import PARTS as PARTS_OF_API_SERVER
from bench.scale.steps import STAGE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEBI = 2**20
MEMORY_LIMIT_MIB = 512
WIDTH = 120
SMALLEST_SHARE = 1.0
"""Percent of the operator's time below which a package is not listed."""
PARTS = ("operator", "kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kubelets", "load")


def section(data: dict[str, Any]) -> str:
    """Return the section of the page that these figures make."""
    ours, theirs, live = data["alone"], data["job_controller"], data["with_live"]
    best, baseline = best_rate(ours), best_rate(theirs)
    full = data["full"]["operator"] / MEBI
    fill, end, over = data["fill"], data["all_end"], data["fail_over"]
    versions = data["versions"]
    return f"""\
## The operator at scale

Kubernetes {versions["kubernetes"]} (API server, scheduler, controller manager) and etcd {versions["etcd"]} with its
usual fsync as plain processes; nodes are simulated: their pods run at once, and behind each answers a runner whose
program takes {data["work_seconds"]:g} s. Everything, the load generator included, shares this machine, so what is held
is what *all of it together* can do: the CPU per job says who needs it. Jobs are made at random moments (Poisson),
whatever becomes of the ones before, each rate for {data["step_seconds"]:g} s. A rate is *held* if, two seconds after
the last job was made, nineteen of twenty have ended, and p99 did not grow by half from the second third of the step to
the last (or is below a second). Every job is a cold one: it gets a pod of its own.

| | highest rate held, jobs/s | of the Job controller's |
|---|---|---|
| built-in Job controller (one pod per job; 32 jobs at once, no limit on its requests) | {baseline:g} | 1.00 |
| the operator | {best:g} | {_share(best, baseline)} |
| the operator, {_living(data):,} other jobs running | {best_rate(live):g} | {_share(best_rate(live), baseline)} |

At least the Job controller's rate: {_met(best, baseline)} With {_living(data):,} live jobs: \
{_met(best_rate(live), baseline)}
Memory of the operator with {_living(data):,} live jobs, MiB: {verdict(full, MEMORY_LIMIT_MIB, digits=0)}

{_what_stops_it(_held_step(ours), _held_step(theirs))}

### Created → terminal status seen, less the program's own time, ms

| | rate | jobs | p50 | p99 | held | generator's lag p99 |
|---|---|---|---|---|---|---|
{_latencies("Job controller", theirs)}
{_latencies("operator", ours)}
{_latencies("operator, live jobs", live)}

### Where a job's time goes, at the highest rate held without other jobs, ms

| stage | operator: p50 | p99 | Job controller: p50 | p99 |
|---|---|---|---|---|
{_stages(_held_step(ours), _held_step(theirs))}

(The Job controller's pod runs the program by itself: it has no runner that gets ready and is handed a job.)

### CPU per job, ms

| | {" | ".join(PARTS)} | together |
|{"---|" * (len(PARTS) + 2)}
{_cpu("Job controller", _held_step(theirs))}
{_cpu("operator", _held_step(ours))}
{_cpu("operator, live jobs", _held_step(live))}

### What the operator does with its time

Under `cProfile`, {data["profile"]["jobs"]} jobs: percent of the time it was busy, by package and by function.

| | % | calls per job |
|---|---|---|
{_profile(data["profile"])}

{_api_server(data["api_server"])}
### What the API server is asked to change, per job

| who | requests |
|---|---|
| Job controller and everybody else | {_requests(_held_step(theirs))} |
| operator and everybody else | {_requests(_held_step(ours))} |

`create pods`, `patch pods` (the claim) and what goes to `runtimejobs/status` are the operator's; bindings and events
are the scheduler's (of the Job controller's events, one), `pods/status` the kubelet's. Pods stay after their jobs' ends
here, on both sides; else a deletion is added.

### Many at once

| | |
|---|---|
| {fill["jobs"]:,} jobs brought to run, at {fill["rate"]:g} a second | {fill["span"]:.0f} s |
| memory then: operator / API server / etcd, MiB | {_resident(data["full"])} |
| memory of the operator without jobs, MiB | {data["empty"] / MEBI:.0f} |
| ... per live job, KiB | {1024 * (full - data["empty"] / MEBI) / max(1, _living(data)):.1f} |
| operator killed and started anew: until a new job is promised to a pod | {over["reaction_ms"]:.0f} ms |
| ... until it has spoken to the runners and idles | {over["idle_ms"]:.0f} ms, {over["cpu_seconds"]:.1f} s of CPU |
| ... most memory it had by then, MiB | {over["peak"] / MEBI:.0f} |
| {end["jobs"]:,} programs return at the same moment: until all statuses say so | {end["seconds"]:.0f} s, \
{1e3 * end["operator_cpu_seconds"] / max(1, end["jobs"]):.1f} ms of the operator's CPU per job |
| start without jobs, until the first one is promised to a pod | {data["idle_start_ms"]:.0f} ms |
| start with {end["finished"]:,} finished jobs, until a new one is promised to a pod | {data["restart_ms"]:.0f} ms, \
{data["restarted"]["peak"] / MEBI:.0f} MiB |
"""


def best_rate(steps: Sequence[Mapping[str, Any]]) -> float:
    """Return the highest rate that was held; 0 if none was."""
    return max((float(step["rate"]) for step in steps if step["held"]), default=0.0)


def _held_step(steps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the step of the highest rate held, the first one if none was."""
    return next((step for step in steps if step["rate"] == best_rate(steps)), steps[0])


def _living(data: Mapping[str, Any]) -> int:
    return int(data["all_end"]["jobs"])


def _share(rate: float, baseline: float) -> str:
    return f"{rate / baseline:.2f}" if baseline else "-"


def _met(rate: float, baseline: float) -> str:
    return f"**{rate:g}** to {baseline:g} jobs/s, {'met' if rate >= baseline else 'missed'}."


def _what_stops_it(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    cpu, baseline = _cpu_per_job(ours), _cpu_per_job(theirs)
    more = {part: cpu[part] - baseline[part] for part in PARTS}
    most = sorted((part for part in PARTS if more[part] > 1), key=lambda part: -more[part])
    named = ", ".join(f"{more[part]:.0f} ms of {part}" for part in most)
    text = f"""
        What sets the pace is CPU: a job of the operator's takes {sum(cpu.values()):.0f} ms of it in all, one of the Job
        controller's {sum(baseline.values()):.0f}. What is more: {named}. The tables below say for what. (By its own CPU
        alone, one core, the operator would be busy at {1e3 / cpu["operator"]:.0f} jobs/s: arithmetic, not a
        measurement.)"""
    return textwrap.fill(" ".join(text.split()), WIDTH, break_on_hyphens=False)


def _cpu_per_job(step: Mapping[str, Any]) -> dict[str, float]:
    return {part: 1e3 * step["cpu"].get(part, 0.0) / step["jobs"] for part in PARTS}


def _latencies(who: str, steps: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        f"| {who} | {step['rate']:g} | {step['jobs']} | {step['latency']['p50']:.0f} | {step['latency']['p99']:.0f} "
        f"| {'yes' if step['held'] else 'no'} | {step['lag']['p99']:.0f} |"
        for step in steps
    )


def _stages(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    return "\n".join(
        f"| {name} | {_two(ms)} | {_two(theirs['stages'].get(name, {'count': 0}))} |"
        for name, ms in ((name, ours["stages"][name]) for name in STAGE_NAMES)
    )


def _two(ms: Mapping[str, float]) -> str:
    return f"{ms['p50']:.0f} | {ms['p99']:.0f}" if ms["count"] else "- | -"


def _profile(profile: Mapping[str, Any]) -> str:
    groups = sorted(profile["groups"].items(), key=lambda group: -group[1])
    rows = [f"| {name} | {share:.1f} | |" for name, share in groups if share >= SMALLEST_SHARE]
    rows += [f"| `{name}` | {share:.1f} | {calls:.1f} |" for name, share, calls in profile["functions"]]
    return "\n".join(rows)


def _api_server(data: Mapping[str, Any]) -> str:
    ours, theirs = data["RuntimeJob"], data["Job"]
    if not ours["shares"]:
        return ""
    rows = "\n".join(
        f"| {part} | {_share_of(ours, part)} | {_share_of(theirs, part)} |"
        for part in PARTS_OF_API_SERVER
        if part in ours["shares"] or part in theirs["shares"]
    )
    return f"""\
### What the API server does with its time, ms of CPU per job

{ours["jobs"]} jobs of each kind, by its own profile; a part may be within another.

| part | operator | Job controller |
|---|---|---|
{rows}
| all | {ours["cpu_ms"]:.1f} | {theirs["cpu_ms"]:.1f} |
"""


def _share_of(data: Mapping[str, Any], part: str) -> str:
    return f"{data['cpu_ms'] * data['shares'].get(part, 0.0) / 100:.1f}"


def _cpu(who: str, step: Mapping[str, Any]) -> str:
    each = _cpu_per_job(step)
    cells = " | ".join(f"{each[part]:.1f}" for part in PARTS)
    return f"| {who}, {step['rate']:g} jobs/s | {cells} | {sum(each.values()):.0f} |"


def _requests(step: Mapping[str, Any]) -> str:
    per_job = ((what, count / step["jobs"]) for what, count in step["requests"].items())
    return ", ".join(f"{what} {count:.1f}" for what, count in per_job if "lease" not in what)


def _resident(memory: Mapping[str, int]) -> str:
    return " / ".join(f"{memory[name] / MEBI:.0f}" for name in ("operator", "kube-apiserver", "etcd"))
