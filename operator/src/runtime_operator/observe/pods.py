"""The runner pods that were seen, by whom they belong to: a job, or a pool until a job claims them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runtime_operator.api.names import JobKey, PoolKey

if TYPE_CHECKING:
    from runtime_operator.observe.snapshots import PodSnapshot

Owner = JobKey | PoolKey


def owner(pod: PodSnapshot) -> Owner:
    """Return whose pod this is, by its owner reference; by its labels if it has none of ours."""
    if pod.pool and not pod.job_uid:
        return PoolKey(pod.namespace, pod.pool)
    return JobKey(pod.namespace, pod.job_name)


class Pods:
    """See the module. Which versions are newer, and which pods are gone for good, `Cache` knows."""

    def __init__(self) -> None:
        self._by_owner: dict[Owner, dict[str, PodSnapshot]] = {}
        self._owners: dict[str, Owner] = {}
        self._claimed: dict[PoolKey, set[str]] = {}
        """Uids of pods that jobs took from a pool."""
        self._taken: set[str] = set()
        """Uids of pools' pods that a claim is under way for."""

    def put(self, pod: PodSnapshot) -> None:
        """Take over a pod's state; it may have changed hands."""
        key, before = owner(pod), self._owners.get(pod.uid)
        if before is not None and before != key:
            self._remove(before, pod.uid)
        self._by_owner.setdefault(key, {})[pod.uid] = pod
        self._owners[pod.uid] = key
        if pod.pool and isinstance(key, JobKey):
            self._claimed.setdefault(PoolKey(pod.namespace, pod.pool), set()).add(pod.uid)
            self._taken.discard(pod.uid)

    def drop(self, uid: str) -> Owner | None:
        """Forget a pod; return whose it was."""
        pod, key = self.get(uid), self._owners.pop(uid, None)
        if key is None or pod is None:
            return None
        self._remove(key, uid)
        self._taken.discard(uid)
        if pod.pool:
            pool = PoolKey(pod.namespace, pod.pool)
            claimed = self._claimed.get(pool, set())
            claimed.discard(uid)
            if not claimed:
                self._claimed.pop(pool, None)
        return key

    def get(self, uid: str) -> PodSnapshot | None:
        """Return the pod of this uid."""
        key = self._owners.get(uid)
        return None if key is None else self._by_owner[key][uid]

    def of(self, key: Owner) -> tuple[PodSnapshot, ...]:
        """Return the pods of a job or, as far as no job has claimed them, of a pool."""
        return tuple(self._by_owner.get(key, {}).values())

    def claimed(self, key: PoolKey) -> int:
        """Return how many pods of this pool jobs have that have not ended."""
        claimed = (self.get(uid) for uid in self._claimed.get(key, ()))
        return sum(pod is not None and not pod.ended and pod.deleting_since is None for pod in claimed)

    def note_deletion(self, uid: str, now: float) -> None:
        """Take over that a pod's deletion has been accepted, before the watch says so."""
        pod = self.get(uid)
        if pod is not None and pod.deleting_since is None:
            self.put(dataclasses.replace(pod, deleting_since=now))

    def take(self, uid: str) -> bool:
        """Reserve a pool's pod for a claim that is about to be made; False if it is not to be had any more."""
        pod = self.get(uid)
        if pod is None or pod.job_uid or pod.deleting_since is not None or uid in self._taken:
            return False
        self._taken.add(uid)
        return True

    def release(self, uid: str) -> None:
        """Take a reservation back: the claim was not made."""
        self._taken.discard(uid)

    def is_taken(self, uid: str) -> bool:
        """Return whether a claim is under way for this pod."""
        return uid in self._taken

    def _remove(self, key: Owner, uid: str) -> None:
        pods = self._by_owner[key]
        pods.pop(uid, None)
        if not pods:
            del self._by_owner[key]
