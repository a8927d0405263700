"""What jobs ask of runner pools, counted as it happens: deciding about a pool never means looking at every job."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

from runtime_operator.observe.pools import Demand

if TYPE_CHECKING:
    from runtime_operator.observe.pools import PoolSnapshot


class Ledger:
    """Hits and misses by pool; jobs that are starting, or refused for want of quota, by namespace."""

    def __init__(self) -> None:
        self._counts: dict[str, Demand] = {}
        self._starting: dict[str, tuple[str, str]] = {}
        self._starting_in: Counter[tuple[str, str]] = Counter()
        self._refused: dict[str, str] = {}
        self._refused_in: Counter[str] = Counter()

    def open(self, pool: PoolSnapshot) -> None:
        """Begin to count for a pool where its status says that an earlier operator ended."""
        if pool.uid not in self._counts:
            self._counts[pool.uid] = Demand(hits=pool.status.get("hits", 0), misses=pool.status.get("misses", 0))

    def close(self, pool_uid: str) -> None:
        """Forget a pool."""
        self._counts.pop(pool_uid, None)

    def asked(self, pool_uid: str, now: float, *, hit: bool) -> None:
        """A job took a pod of this pool, or found none ready."""
        if (count := self._counts.get(pool_uid)) is not None:
            self._counts[pool_uid] = count.asked(now, hit=hit)

    def starting(self, job_uid: str, namespace: str, profile: str) -> None:
        """A job's own pod is on its way."""
        if job_uid not in self._starting:
            self._starting[job_uid] = (namespace, profile)
            self._starting_in[namespace, profile] += 1

    def refused(self, job_uid: str, namespace: str) -> None:
        """A job's pod is not to be had: the namespace's quota has no room for it."""
        if job_uid not in self._refused:
            self._refused[job_uid] = namespace
            self._refused_in[namespace] += 1

    def is_refused_in(self, namespace: str) -> bool:
        """Return whether any job of this namespace waits for its quota."""
        return self._refused_in[namespace] > 0

    def accepted(self, job_uid: str) -> None:
        """There was room after all, or the job wants none any more."""
        if (namespace := self._refused.pop(job_uid, None)) is not None:
            self._refused_in[namespace] -= 1

    def started(self, job_uid: str) -> None:
        """A job has its runner, or needs none any more."""
        self.accepted(job_uid)
        if (where := self._starting.pop(job_uid, None)) is not None:
            self._starting_in[where] -= 1

    def of(self, pool: PoolSnapshot, profile: str) -> Demand:
        """Return what is asked of this pool."""
        count, namespace = self._counts.get(pool.uid, Demand()), pool.key.namespace
        waiting, refused = self._starting_in[namespace, profile], self._refused_in[namespace]
        return dataclasses.replace(count, waiting=waiting, refused=refused)
