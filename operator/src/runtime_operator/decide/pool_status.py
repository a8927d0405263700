"""What a pool's status should say, and when that is worth a write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.api.conditions import (
    Condition,
    ConditionType,
    Reason,
    Status,
    format_time,
    parse_time,
    set_conditions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from runtime_operator.config import Pools
    from runtime_operator.decide.pool_pods import Census
    from runtime_operator.observe.pools import Demand, ObservedPool, PoolSnapshot

URGENT_SECONDS = 1.0
"""Also what is worth a write at once is written no more often than this."""

RECORD_SECONDS = 1.0
"""How long a new pod may be missing from the status: an operator that started then would not take it over."""

MANY = 20
"""So many hits and misses are written also while jobs leave no quiet moment."""

NO_HIT_RATE = "-"

_WANTED = frozenset({Reason.POOL_READY, Reason.REFILLING})


@dataclass(frozen=True, slots=True)
class Finding:
    """The Ready condition, and what kstatus makes of it."""

    reason: Reason
    message: str
    ready: bool = False
    stalled: bool = False
    """Nothing will change it but a change of the spec or of the operator's configuration."""


def stalled(reason: Reason, message: str) -> Finding:
    """Return the finding that the pool cannot be what its spec says."""
    return Finding(reason, message, stalled=True)


def finding(observed: ObservedPool, pool: PoolSnapshot, seen: Census, target: int) -> Finding:
    """Return what there is to say of a pool whose spec is right.

    A pool that has been full for this generation stays Ready while jobs take pods and they are replaced: its columns
    say how many there are. It ceases to be when something keeps it from being refilled.
    """
    if target == 0:
        return Finding(Reason.POOL_READY, "no pods are wanted", ready=True)
    if observed.demand.refused:
        message = "the namespace's quota has no room for a job: the pool creates nothing and gives pods back"
        return Finding(Reason.QUOTA_EXCEEDED, message)
    if len(seen.ready) >= target:
        return Finding(Reason.POOL_READY, "as many pods wait for jobs as are wanted", ready=True)
    if seen.live < target:
        if observed.refusal is not None:
            return Finding(observed.refusal.reason, observed.refusal.message)
        if seen.failed:
            last = seen.failed[-1].trouble
            return Finding(last.reason, last.message)
    serious = [trouble for trouble in seen.troubles if trouble.reason is not Reason.WAITING_FOR_RUNNER]
    if serious:
        return Finding(serious[0].reason, serious[0].message)
    if _ready(pool).get("status") == Status.TRUE and pool.status.get("observedGeneration") == pool.generation:
        return Finding(Reason.REFILLING, "jobs have taken pods, which are being replaced", ready=True)
    return Finding(Reason.REFILLING, "pods are starting, or wait for jobs to leave them time")


def pool_status(
    observed: ObservedPool,
    pool: PoolSnapshot,
    seen: Census,
    leaving: Collection[str],
    found: Finding,
    active: float,
    now: float,
) -> dict[str, Any]:
    """Return the whole status; ``leaving`` are the uids of pods that are being deleted in this pass."""
    ready = sum(pod.uid not in leaving for pod in seen.ready)
    starting = sum(pod.uid not in leaving for pod in seen.starting)
    mine = (*seen.ready, *seen.starting, *seen.taken, *(entry.pod for entry in seen.failed))
    demand = observed.demand
    return {
        "observedGeneration": pool.generation,
        "replicas": ready + starting,
        "readyReplicas": ready,
        "startingReplicas": starting,
        "claimedReplicas": observed.claimed,
        "hits": demand.hits,
        "misses": demand.misses,
        "hitRate": hit_rate(demand),
        "lastActiveTime": format_time(active),
        "selector": f"{names.POOL_LABEL}={pool.key.name},!{names.JOB_UID_LABEL}",
        "pods": sorted(pod.uid for pod in mine if pod.uid not in leaving),
        "conditions": set_conditions(pool.status.get("conditions", []), _conditions(found), now, pool.generation),
    }


def due(
    observed: ObservedPool,
    pool: PoolSnapshot,
    wanted: Mapping[str, Any],
    now: float,
    settings: Pools,
    *,
    at_once: bool = False,
    unsettled: bool = False,
) -> float | None:
    """Return in how many seconds this status should be written, 0: at once; None if it is written already.

    Counters change with every job. They wait for a moment in which no job asks for a pod, because a write then costs
    no job any time, and for what will be different in a moment (``unsettled``): pods are being created, runners asked.
    """
    old = pool.status
    if all(old.get(field) == value for field, value in wanted.items()):
        return None
    if at_once or any(old.get(field) != wanted[field] for field in ("observedGeneration", "selector")):
        return 0.0
    written = observed.status_written_at
    moments = []
    if _is_news(_ready(pool), wanted["conditions"][0]):
        moments.append(written + URGENT_SECONDS)
    new = set(wanted["pods"]) - pool.recorded
    unrecorded = [entry.pod.created for entry in observed.pods if entry.pod.uid in new]
    next_write = written + settings.status_seconds
    if unrecorded:
        moments.append(max(next_write, min(unrecorded) + RECORD_SECONDS))
    elif unsettled:
        moments.append(max(next_write, now + RECORD_SECONDS))
    else:
        moments.append(max(next_write, observed.demand.last_asked + settings.quiet_seconds))
    if abs(observed.demand.hits + observed.demand.misses - old.get("hits", 0) - old.get("misses", 0)) >= MANY:
        moments.append(next_write)
    return max(0.0, min(moments) - now)


def last_active(observed: ObservedPool, pool: PoolSnapshot, now: float) -> float:
    """Return when a job last asked for a pod, or the spec was changed: scaling to zero counts from here."""
    if pool.status.get("observedGeneration") != pool.generation:
        return now
    written = pool.status.get("lastActiveTime")
    return max(observed.demand.last_asked, parse_time(written) if written else pool.created)


def ready_reason(pool: PoolSnapshot) -> str:
    """Return the reason of the Ready condition that was written last, or nothing."""
    return str(_ready(pool).get("reason", ""))


def hit_rate(demand: Demand) -> str:
    """Return which part of the jobs found a pod, in whole percent, rounded down."""
    asked = demand.hits + demand.misses
    return f"{100 * demand.hits // asked}%" if asked else NO_HIT_RATE


def _conditions(found: Finding) -> list[Condition]:
    ready = Condition(
        type=ConditionType.READY,
        status=Status.TRUE if found.ready else Status.FALSE,
        reason=found.reason,
        message=found.message,
    )
    if found.ready:
        return [ready]
    why = ConditionType.STALLED if found.stalled else ConditionType.RECONCILING
    return [ready, Condition(type=why, status=Status.TRUE, reason=found.reason, message=found.message)]


def _ready(pool: PoolSnapshot) -> Mapping[str, Any]:
    conditions = pool.status.get("conditions", ())
    return next((c for c in conditions if c["type"] == ConditionType.READY), {})


def _is_news(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether somebody waits for this: not that a pool in use is full, is refilled, is full again."""
    if old.get("status") != new["status"]:
        return True
    return old.get("reason") != new["reason"] and not {old.get("reason"), new["reason"]} <= _WANTED
