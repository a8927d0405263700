"""Who has a stream: so many at most, and who gives theirs up for whom.

With ten thousand runners, looking at each of them at every event was two thirds of the operator's work: here everything
takes constant time. What a stream is, is not known here; runners are told apart by their pods' uids.
"""

from __future__ import annotations


class Streams:
    """Pods whose runners have a stream, in four lists that never contradict one another."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[str] = set()
        self._quiet: dict[str, None] = {}
        """Of the open ones, those that nobody waits for; the one that has been silent for longest is the first."""
        self._resting: set[str] = set()
        self._waiting: dict[str, None] = {}
        """They could have none; the first goes first."""

    def __len__(self) -> int:
        """How many are open, or about to be."""
        return len(self._open)

    @property
    def resting(self) -> int:
        """How many have given theirs up and have not got another one since."""
        return len(self._resting)

    def has_room(self) -> bool:
        """Whether one more may be opened."""
        return len(self._open) < self._most

    def opened(self, pod_uid: str) -> None:
        """This one has a stream now, or tries to get it."""
        self._open.add(pod_uid)
        self._resting.discard(pod_uid)
        self._waiting.pop(pod_uid, None)

    def heard(self, pod_uid: str, *, may_rest: bool) -> None:
        """It has just said something; ``may_rest``: it could do without its stream from now on."""
        self._quiet.pop(pod_uid, None)
        if may_rest and pod_uid in self._open:
            self._quiet[pod_uid] = None

    def longest_silent(self) -> str | None:
        """Return whose stream can be closed for another, if there is one."""
        return next(iter(self._quiet), None)

    def rested(self, pod_uid: str) -> None:
        """Its stream has been closed for another."""
        self.closed(pod_uid)
        self._resting.add(pod_uid)

    def closed(self, pod_uid: str) -> None:
        """It has no stream any more, and wants none."""
        self._open.discard(pod_uid)
        self._quiet.pop(pod_uid, None)

    def wait(self, pod_uid: str) -> None:
        """It wants one, and there is no room."""
        self._waiting.setdefault(pod_uid)

    def take_waiting(self) -> str | None:
        """Return who has waited for longest, and count it as waiting no more."""
        pod_uid = next(iter(self._waiting), None)
        if pod_uid is not None:
            del self._waiting[pod_uid]
        return pod_uid

    def forget(self, pod_uid: str) -> None:
        """There is no such runner any more."""
        self.closed(pod_uid)
        self._resting.discard(pod_uid)
        self._waiting.pop(pod_uid, None)
