"""How many pods wait for jobs: which are created, which are deleted, and when it is time for either.

Jobs go first. Pods are replaced when no job asks for one, few at a time, and one by one while jobs do; see
docs/decisions/0023. What is known of a failure is on the pod that failed: it is kept until the next one is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_operator.api.conditions import Reason
from runtime_operator.build.pod import pool_pod, template_digest
from runtime_operator.decide import deadlines, pool_status
from runtime_operator.decide.plan import Action, Converse, CreatePod, DiscardPod, Plan, PrepareNamespace, Waste
from runtime_operator.decide.pool_pods import Census, census, discard
from runtime_operator.decide.waiting import refusal_wait

if TYPE_CHECKING:
    from runtime_operator.api.v1alpha1 import RunnerPoolSpec
    from runtime_operator.config import Limits, OperatorConfig
    from runtime_operator.observe.pools import ObservedPool, PoolSnapshot
    from runtime_operator.observe.snapshots import PodSnapshot

LOOK_AGAIN = 1.0
"""How often something is looked at that no event may tell: jobs that wait, or a quota without room."""

FIRST_BACK_OFF = 5.0
"""Between the creation of a pod that failed and the next attempt; twice as long each time."""

MOST_BACK_OFF = 300.0

START_SECONDS = 1.0
"""About what it takes to start a pod, and the CPU time it costs: docs/benchmarks.md."""

GONE_SECONDS = 30.0
"""A pod that is deleted frees its quota within its grace period; on a lost node it may never be gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """How many pods should wait, and what there is to say if it is not what the spec says."""

    target: int
    finding: pool_status.Finding | None = None
    again: float | None = None
    """In how many seconds time alone makes it different."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refill:
    """What to create now."""

    count: int = 0
    attempt: int = 0
    """How many pods before these have failed to start, one after the other."""
    again: float | None = None
    """If nothing happens before: when to look again, in seconds."""


def plan_pool(observed: ObservedPool, now: float, config: OperatorConfig, token: str) -> Plan:
    """Return what the pool needs now. The token is for the names of new pods: another one at each call."""
    pool = observed.pool
    if pool is None:  # its pods go with it, but for those whose owner reference somebody has taken away
        alone = (entry.pod for entry in observed.pods if not entry.taken and not entry.pod.pool_uid)
        return Plan(actions=tuple(discard(pod, Waste.UNKNOWN) for pod in alone if pod.deleting_since is None))
    profile_name = _profile_name(pool, config)
    profile = config.profiles.get(profile_name)
    template = template_digest(profile_name, profile) if profile is not None else ""
    seen = census(observed, pool, template, config.limits, now)
    active = pool_status.last_active(observed, pool, now)
    wanted = _wanted(pool, config, active, now)
    refill = _refill(observed, pool, seen, wanted.target, now, config)
    discards, again = _discards(observed, pool, seen, wanted.target, refill, now, config)
    leaving = {action.pod_uid for action in discards}
    actions: list[Action] = [
        Converse(namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid, runs=pod.running)
        for pod in seen.silent
        if pod.uid not in leaving
    ]
    actions += discards
    if refill.count and not observed.namespace_prepared:
        return Plan(actions=(*actions, PrepareNamespace(namespace=pool.key.namespace)), requeue_after=0.0)
    actions += (_creation(pool, config, refill.attempt, f"{token}-{n}") for n in range(refill.count))
    if pool.deleting:
        return Plan(actions=tuple(actions))
    finding = wanted.finding or pool_status.finding(observed, pool, seen, wanted.target)
    status = pool_status.pool_status(observed, pool, seen, leaving, finding, active, now)
    due = pool_status.due(
        observed,
        pool,
        status,
        now,
        config.pools,
        at_once=any(action.why is Waste.YIELDED for action in discards),
        unsettled=bool(refill.count) or _is_asking(observed, seen, now),
    )
    write = due is not None and due <= 0
    moments = (seen.look_again, wanted.again, refill.again, again, None if write else due)
    return Plan(
        actions=tuple(actions),
        status=status if write else None,
        requeue_after=min((moment for moment in moments if moment is not None), default=None),
    )


def _is_asking(observed: ObservedPool, seen: Census, now: float) -> bool:
    """Return whether runners have just been asked how they are: at the operator's start, all of them."""
    silent = {pod.uid for pod in seen.silent}
    runners = (entry.runner for entry in observed.pods if entry.pod.uid in silent)
    return any(runner is None or now - runner.silent_since < LOOK_AGAIN for runner in runners)


def _profile_name(pool: PoolSnapshot, config: OperatorConfig) -> str:
    return (pool.spec.profile if pool.spec else None) or config.default_profile


def _wanted(pool: PoolSnapshot, config: OperatorConfig, active: float, now: float) -> _Wanted:
    """Return how many pods the pool should have."""
    if pool.spec is None:
        return _Wanted(target=0, finding=pool_status.stalled(Reason.INVALID_SPEC, pool.spec_error))
    profile = _profile_name(pool, config)
    if profile not in config.profiles:
        known = ", ".join(sorted(config.profiles))
        message = f"spec.profile: there is no profile {profile!r}; there are: {known}"
        return _Wanted(target=0, finding=pool_status.stalled(Reason.PROFILE_NOT_FOUND, message))
    if pool.deleting:
        return _Wanted(target=0)
    limit = pool.spec.scale_to_zero_after_seconds
    if limit is None or pool.spec.replicas == 0:
        return _Wanted(target=pool.spec.replicas)
    left = active + limit - now
    if left > 0:
        return _Wanted(target=pool.spec.replicas, again=left)
    message = f"no job has asked for {limit} s (scaleToZeroAfterSeconds); the next one that does fills it again"
    return _Wanted(target=0, finding=pool_status.Finding(Reason.SCALED_TO_ZERO, message, ready=True))


def _refill(
    observed: ObservedPool, pool: PoolSnapshot, seen: Census, target: int, now: float, config: OperatorConfig
) -> _Refill:
    """Return how many pods to create now."""
    missing = target - seen.live
    if missing <= 0 or pool.spec is None:
        return _Refill()
    if observed.demand.refused:
        return _Refill(again=LOOK_AGAIN)
    if (wait := refusal_wait(observed.refusal, now)) > 0:
        return _Refill(again=wait)
    if seen.failed:
        last = _last_failed(seen)
        wait = last.created + min(FIRST_BACK_OFF * 2.0 ** min(last.attempt, 16), MOST_BACK_OFF) - now
        if wait > 0:
            return _Refill(again=wait)
        return _Refill(count=1, attempt=last.attempt + 1, again=LOOK_AGAIN)
    if any(pod.attempt for pod in seen.starting):
        return _Refill()  # it is being tried whether pods can be started again
    at_once = config.pools.max_starting if observed.refusal is None else 1
    quiet = _until_quiet(observed, now, config)
    if quiet is not None:
        at_once = min(at_once, max(1, config.pools.max_starting // 4))
        low = _low_watermark(pool.spec, target)
        if (slower := _until_slower(observed, at_once, now, config)) is not None:
            quiet, low = min(quiet, slower), min(low, 1)
        if seen.live >= low:
            return _Refill(again=quiet)
    count = max(0, min(missing, at_once - len(seen.starting)))
    return _Refill(count=count, again=LOOK_AGAIN if count else quiet)


def _discards(
    observed: ObservedPool,
    pool: PoolSnapshot,
    seen: Census,
    target: int,
    refill: _Refill,
    now: float,
    config: OperatorConfig,
) -> tuple[list[DiscardPod], float | None]:
    """Return the pods to delete, and in how many seconds there may be others."""
    found, again = list(seen.wasted), None
    found += [discard(pod, Waste.FAILED) for pod in _past_failures(seen, target, refill)]
    if seen.live > target or pool.spec is None:
        found += [discard(pod, Waste.SURPLUS) for pod in _least_useful(seen)[: seen.live - target]]
        return found, None
    if observed.demand.refused and seen.live:
        again = _until_yielding(observed, pool, now, config)
        if again is None:
            found.append(discard(_least_useful(seen)[0], Waste.YIELDED))
        return found, again or LOOK_AGAIN
    aged = [pod for pod in seen.ready if _is_old(pod, pool.spec, config.limits, now)]
    if aged:
        holds = (_until_quiet(observed, now, config), refusal_wait(observed.refusal, now) or None)
        again = min((hold for hold in holds if hold is not None), default=None)
        if again is None and seen.live == target and not seen.starting:
            found.append(discard(aged[0], Waste.OLD))
            again = LOOK_AGAIN if len(aged) > 1 else None
    ages = [pod.created + pool.spec.max_age_seconds - now for pod in seen.ready]
    return found, min((age for age in (*ages, again) if age is not None and age > 0), default=None)


def _until_quiet(observed: ObservedPool, now: float, config: OperatorConfig) -> float | None:
    """Return in how many seconds to ask again whether jobs leave time for the pool; None: they do."""
    if observed.demand.waiting:
        return LOOK_AGAIN
    left = observed.demand.last_asked + config.pools.quiet_seconds - now
    return left if left > 0 else None


def _until_slower(observed: ObservedPool, at_once: int, now: float, config: OperatorConfig) -> float | None:
    """Return in how many seconds jobs will not come faster than pods can be started, if no other comes.

    None: they do not, or some find no pod. Those start one of their own, and one for the pool in its place is no more
    work; while all find one, it would only slow them down.
    """
    demand = observed.demand
    if now < demand.last_missed + config.pools.quiet_seconds:
        return None
    left = demand.falls_to(at_once / START_SECONDS) - now
    return left if left > 0 else None


def _until_yielding(observed: ObservedPool, pool: PoolSnapshot, now: float, config: OperatorConfig) -> float | None:
    """Return in how many seconds the next pod may be given back; None: now.

    Each is given time to be gone, and the job to try again. The status, written with each, remembers when that was.
    """
    leaving = (entry.pod.deleting_since for entry in observed.pods)
    if any(since is not None and now < since + GONE_SECONDS for since in leaving):
        return LOOK_AGAIN
    if pool_status.ready_reason(pool) != Reason.QUOTA_EXCEEDED:
        return None
    left = observed.status_written_at + config.pools.status_seconds - now
    return left if left > 0 else None


def _low_watermark(spec: RunnerPoolSpec, target: int) -> int:
    """Return below how many pods the pool is refilled also while jobs start."""
    low = (target + 1) // 2 if spec.low_watermark is None else spec.low_watermark
    return min(low, target)


def _past_failures(seen: Census, target: int, refill: _Refill) -> list[PodSnapshot]:
    """Return the failed pods that nobody needs: the last one says when to try again, until a newer one is ready."""
    failed = [entry.pod for entry in seen.failed]
    if not failed:
        return []
    last = _last_failed(seen)
    over = refill.count > 0 or seen.live >= target or any(pod.created > last.created for pod in seen.ready)
    return failed if over else [pod for pod in failed if pod.uid != last.uid]


def _last_failed(seen: Census) -> PodSnapshot:
    return max((entry.pod for entry in seen.failed), key=lambda pod: (pod.created, pod.attempt, pod.name))


def _least_useful(seen: Census) -> list[PodSnapshot]:
    """Return the pods in the order in which they can be spared: those without a node, then the youngest."""

    def youth(pod: PodSnapshot) -> tuple[bool, float, str]:
        return (pod.scheduled, -pod.created, pod.name)

    return [*sorted(seen.starting, key=youth), *sorted(seen.ready, key=youth)]


def _is_old(pod: PodSnapshot, spec: RunnerPoolSpec, limits: Limits, now: float) -> bool:
    """Return whether the pod has waited for too long, or what is left to it is shorter than the longest run."""
    age = now - pod.created
    longest = limits.max_execution_seconds + limits.stop_grace_seconds + limits.backstop_seconds
    return age >= spec.max_age_seconds or (pod.deadline_seconds is not None and pod.deadline_seconds - age < longest)


def _creation(pool: PoolSnapshot, config: OperatorConfig, attempt: int, token: str) -> CreatePod:
    assert pool.spec is not None
    name, limits = _profile_name(pool, config), config.limits
    manifest = pool_pod(
        pool_name=pool.key.name,
        pool_uid=pool.uid,
        namespace=pool.key.namespace,
        token=token,
        attempt=attempt,
        profile_name=name,
        profile=config.profiles[name],
        deadline_seconds=deadlines.first_pod_deadline_seconds(
            limits.max_execution_seconds, limits, waiting=pool.spec.max_age_seconds
        ),
    )
    return CreatePod(manifest=manifest, owner_uid=pool.uid)
