"""What each of a pool's pods is to it: ready, on its way, failed, or only in the way."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_runner.contract import RunnerState

from runtime_operator.api.conditions import Reason
from runtime_operator.decide import waiting
from runtime_operator.decide.plan import DiscardPod, Waste
from runtime_operator.decide.waiting import Trouble
from runtime_operator.decide.warm import is_believed, is_ready

if TYPE_CHECKING:
    from runtime_operator.config import Limits
    from runtime_operator.observe.pools import ObservedPool, PoolPod, PoolSnapshot
    from runtime_operator.observe.snapshots import PodSnapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """A pod that will never be ready, and why."""

    pod: PodSnapshot
    trouble: Trouble


@dataclass(frozen=True, kw_only=True, slots=True)
class Census:
    """A pool's pods. Those that are being deleted are in none of the lists."""

    ready: tuple[PodSnapshot, ...] = ()
    """Oldest first: in this order jobs take them."""
    starting: tuple[PodSnapshot, ...] = ()
    """On their way to being ready, for the first time or because the stream to them broke; oldest first."""
    failed: tuple[Failed, ...] = ()
    """Oldest first."""
    taken: tuple[PodSnapshot, ...] = ()
    """A job's claim is under way."""
    wasted: tuple[DiscardPod, ...] = ()
    """To be deleted whatever the pool needs."""
    silent: tuple[PodSnapshot, ...] = ()
    """Of the ready and starting ones: no stream to their runner is open."""
    troubles: tuple[Trouble, ...] = ()
    """What starting pods are held up by."""
    look_again: float | None = None
    """In how many seconds time alone makes something of this different."""

    @property
    def live(self) -> int:
        """How many pods wait for a job, or will."""
        return len(self.ready) + len(self.starting)


def census(observed: ObservedPool, pool: PoolSnapshot, template: str, limits: Limits, now: float) -> Census:
    """Sort the pool's pods. ``template`` is the digest they should have; an empty one: none is right."""
    ready: list[PodSnapshot] = []
    starting: list[PodSnapshot] = []
    failed: list[Failed] = []
    taken: list[PodSnapshot] = []
    wasted: list[DiscardPod] = []
    silent: list[PodSnapshot] = []
    troubles: list[Trouble] = []
    moments: list[float] = []
    for entry in sorted(observed.pods, key=lambda entry: (entry.pod.created, entry.pod.name)):
        pod, runner = entry.pod, entry.runner
        if entry.taken:
            taken.append(pod)
        elif pod.deleting_since is not None:
            continue
        elif (waste := _useless(observed, pool, pod, template)) is not None:
            wasted.append(discard(pod, waste))
        elif (end := _failure(entry, now, limits)) is not None:
            failed.append(Failed(pod=pod, trouble=end))
        else:
            if pod.scheduled and (runner is None or not runner.connected):
                silent.append(pod)
            if is_ready(pod, runner):
                ready.append(pod)
                continue
            starting.append(pod)
            on_its_way = _counted_from(entry, now)
            if (trouble := waiting.trouble(on_its_way, now, limits)) is not None:
                troubles.append(trouble)
            if (again := waiting.look_again(on_its_way, now, limits)) is not None:
                moments.append(again)
    return Census(
        ready=tuple(ready),
        starting=tuple(starting),
        failed=tuple(failed),
        taken=tuple(taken),
        wasted=tuple(wasted),
        silent=tuple(silent),
        troubles=tuple(troubles),
        look_again=min(moments, default=None),
    )


def discard(pod: PodSnapshot, why: Waste) -> DiscardPod:
    """Return the deletion of the pod in the state in which it was seen."""
    return DiscardPod(namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid, version=pod.version, why=why)


def _useless(observed: ObservedPool, pool: PoolSnapshot, pod: PodSnapshot, template: str) -> Waste | None:
    """Return why the pod is of no use whatever becomes of it."""
    if not is_believed(pod, pool, observed.made):
        return Waste.UNKNOWN
    if pod.template != template:
        return Waste.OUTDATED
    return Waste.LOST if pod.ready_lost_since is not None else None


def _failure(entry: PoolPod, now: float, limits: Limits) -> Trouble | None:
    """Return why the pod will never be ready."""
    pod, runner = entry.pod, entry.runner
    if pod.ended:
        message = f"pod {pod.name} ended before a job came: {waiting.why_it_ended(pod)}"
        return Trouble(Reason.RUNNER_START_FAILED, message)
    if runner is not None and (runner.broken or runner.job_uid or runner.state is RunnerState.ENDED):
        said = runner.trouble or "it says that it has, or had, a job"
        return Trouble(Reason.RUNNER_START_FAILED, f"the runner in pod {pod.name} cannot be used: {said}")
    if is_ready(pod, runner):
        return None
    trouble = waiting.trouble(_counted_from(entry, now), now, limits)
    return trouble if trouble is not None and trouble.gives_up else None


def _counted_from(entry: PoolPod, now: float) -> PodSnapshot:
    """Return the pod with the moment from which its start is counted.

    A pod that was ready before its stream broke, or before this operator started, gets the time anew.
    """
    pod, runner = entry.pod, entry.runner
    if not pod.scheduled:
        return pod
    scheduled = pod.created if pod.scheduled_since is None else pod.scheduled_since
    if runner is None:
        since = now
    elif runner.connected:
        since = scheduled
    else:
        since = max(scheduled, runner.silent_since)
    return dataclasses.replace(pod, scheduled_since=since)
