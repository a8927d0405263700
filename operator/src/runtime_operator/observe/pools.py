"""Frozen values about runner pools: what is known of one when it is decided.

All moments are seconds since the epoch.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runtime_operator.api.conditions import parse_time
from runtime_operator.api.names import PoolKey
from runtime_operator.api.v1alpha1 import RunnerPoolSpec
from runtime_operator.observe.snapshots import parse_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_operator.observe.snapshots import PodSnapshot, Refusal, RunnerSnapshot

RATE_SECONDS = 5.0
"""Over how long the rate at which jobs ask is averaged: a job's share in it fades by 1/e in so long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolSnapshot:
    """A RunnerPool."""

    key: PoolKey
    uid: str
    generation: int
    created: float
    deleting: bool
    spec: RunnerPoolSpec | None
    spec_error: str
    """Why ``spec`` is None."""
    status: Mapping[str, Any]
    recorded: frozenset[str] = field(init=False)
    """Uids of the pods that an operator, according to the status, has made for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "recorded", frozenset(self.status.get("pods", ())))


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolPod:
    """One pod of a pool that no job has claimed."""

    pod: PodSnapshot
    runner: RunnerSnapshot | None = None
    """What its runner has said; None if nobody has spoken to it."""
    taken: bool = False
    """A job's claim is under way: it is as good as gone, and nobody may delete it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What jobs have asked of a pool. Moments are 0 if there was none since the operator's start."""

    hits: int = 0
    """Jobs that took a pod of it, ever."""
    misses: int = 0
    """Jobs of its namespace and profile that found none ready and started cold, ever."""
    last_asked: float = 0.0
    """When a job last took, or missed, one."""
    last_missed: float = 0.0
    """When a job last found none ready."""
    rate: float = 0.0
    """Jobs per second that asked, at that moment. It fades from then on: :meth:`falls_to`."""
    waiting: int = 0
    """Jobs of its namespace and profile whose own pods are starting now."""
    refused: int = 0
    """Jobs of its namespace that the namespace's quota has no room for."""

    def asked(self, now: float, *, hit: bool) -> Demand:
        """Return it with one job more, which took a pod or found none."""
        left = self.rate * math.exp(min(0.0, self.last_asked - now) / RATE_SECONDS)
        return dataclasses.replace(
            self,
            hits=self.hits + hit,
            misses=self.misses + (not hit),
            last_asked=now,
            last_missed=self.last_missed if hit else now,
            rate=left + 1 / RATE_SECONDS,
        )

    def falls_to(self, rate: float) -> float:
        """Return when the rate is no higher than this, if no other job asks."""
        return self.last_asked + RATE_SECONDS * math.log(self.rate / rate) if self.rate > rate else self.last_asked


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedPool:
    """Everything a decision about one pool may know."""

    key: PoolKey
    pool: PoolSnapshot | None
    pods: tuple[PoolPod, ...] = ()
    """The pods that carry its name and that no job owns, whichever pool's uid they carry."""
    made: frozenset[str] = frozenset()
    """Uids of the pods that this operator has created since its start."""
    claimed: int = 0
    """Pods of it that jobs own and that have not ended."""
    demand: Demand = Demand()
    namespace_prepared: bool = False
    refusal: Refusal | None = None
    """The last thing the API server refused for this pool."""
    status_written_at: float = 0.0


def parse_pool(body: Mapping[str, Any]) -> PoolSnapshot:
    """Return the pool; a spec that cannot be understood becomes ``spec_error``."""
    meta = body["metadata"]
    spec, error = parse_spec(RunnerPoolSpec, body)
    return PoolSnapshot(
        key=PoolKey(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        generation=meta.get("generation", 1),
        created=parse_time(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=spec,
        spec_error=error,
        status=body.get("status") or {},
    )
