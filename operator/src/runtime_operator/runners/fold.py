"""One runner's events, folded into what decisions see. Each event counts once.

It stays small whatever the program writes, as long as the interim results that are pushed out are taken away.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING

from runtime_runner import contract
from runtime_runner.contract import RunnerState

from runtime_operator.observe.snapshots import InterimResult, RunnerSnapshot
from runtime_operator.runners.spill import Spill

if TYPE_CHECKING:
    from runtime_operator.config import Limits
    from runtime_operator.observe.snapshots import StoredInterims


REFUSALS = 3
"""A runner that has refused so much and has no job will not take it: other versions of the protocol, or broken."""


class RunnerFold:
    """What one runner has said so far."""

    def __init__(self, pod_uid: str, limits: Limits) -> None:
        self.pod_uid = pod_uid
        self.last_seq = 0
        self.connected = False
        self.silent_since = 0.0
        self.trouble = ""
        self.journal_read = False
        self.cancel_sent_at: float | None = None
        self.resting_until: float | None = None
        """Its stream was closed in favour of others, and is opened again by then."""
        self.waits_for_room = False
        """It has no stream because there are too many."""
        self.exit: contract.Exit | None = None
        self._limits = limits
        self._broken = False
        self._refusals = 0
        self._state: RunnerState | None = None
        self._job_uid = ""
        self._node_time = self._node_time_at = 0.0
        self._started: float | None = None
        self._interims: deque[InterimResult] = deque()
        self._interim_size = 0
        self.spill = Spill()
        self._published = 0
        self._log_tail = b""
        self._log_bytes = 0
        self._parts: list[str] = []
        self._result: str | None = None
        self._failure: contract.Failed | None = None

    def snapshot(self) -> RunnerSnapshot:
        """Return what is known now."""
        return RunnerSnapshot(
            pod_uid=self.pod_uid,
            connected=self.connected,
            silent_since=self.silent_since,
            trouble=self.trouble,
            broken=self._broken,
            state=self._state,
            job_uid=self._job_uid,
            node_time=self._node_time,
            node_time_at=self._node_time_at,
            started=self._started,
            interims=tuple(self._interims),
            interim_published=self._published,
            spilled_bytes=self.spill.size,
            log_tail=self._log_tail.decode(errors="ignore"),
            log_bytes=self._log_bytes,
            result=self._result,
            failure=self._failure,
            exit=self.exit,
            journal_read=self.journal_read,
            cancel_sent_at=self.cancel_sent_at,
            resting_until=self.resting_until,
            waits_for_room=self.waits_for_room,
        )

    @property
    def started(self) -> bool:
        """Whether the program has been entered."""
        return self._started is not None

    def unstored(self, stored_seq: int, *, everything: bool) -> tuple[str, StoredInterims]:
        """Return the interim results beyond those that are stored, as JSON lines, and what they are stored as.

        Args:
            stored_seq: What is stored: everything up to this number.
            everything: Also those that the status holds.
        """
        self.spill.forget(stored_seq)
        held = (interim for interim in self._interims if interim.seq > stored_seq) if everything else ()
        return self.spill.unstored(held)

    def be_asked(self, now: float) -> None:
        """A stream is being opened: from now on silence is the runner's own."""
        if self.waits_for_room or self.resting_until is not None:
            self.silent_since = now
        self.waits_for_room, self.resting_until = False, None

    def answer(self, resumed: contract.Resumed, now: float) -> None:
        """Take the answer to a resume; that the journal up to ``resumed.seq`` has been taken is the caller's care."""
        self.connected = True
        if not self._broken:
            self.trouble = ""
        self._state, self._job_uid = resumed.state, resumed.job_uid
        self._node_time, self._node_time_at = resumed.time, now

    def lose_touch(self, now: float, trouble: str = "") -> None:
        """Where the runner is, is not known any more until it answers again."""
        if self.connected:
            self.connected, self.silent_since = False, now
        if trouble and not self._broken:
            self.trouble = trouble

    def refused(self, refusal: contract.Refused) -> None:
        """Take that the runner does not do what it was asked. Once may be a line cut short by a broken stream."""
        self._refusals += 1
        if self._refusals >= REFUSALS and not self._job_uid:
            self._give_up(f"the runner refuses the job: {refusal.message}")

    def take(self, event: contract.JournalEvent) -> None:
        """Take the next journal event; one that is known already changes nothing."""
        if event.seq <= self.last_seq:
            return
        self.last_seq = event.seq
        match event:
            case contract.Ready():
                self._state = RunnerState.READY
            case contract.Started():
                self._state, self._started, self._job_uid = RunnerState.RUNNING, event.time, event.job_uid
            case contract.Log():
                self._take_log(event.text.encode())
            case contract.Interim():
                self._take_interim(event)
            case contract.Result():
                self._take_result(event)
            case contract.Failed():
                self._failure = event
            case contract.Exit():
                self._state, self.exit = RunnerState.ENDED, event

    def _take_log(self, text: bytes) -> None:
        self._log_bytes += len(text)
        tail = self._log_tail + text
        cut = len(tail) - self._limits.status_log_bytes
        if cut > 0:  # start with a whole line, if there is one
            line_is_whole = tail[cut - 1 : cut] == b"\n"
            tail = tail[cut:]
            tail = tail if line_is_whole else tail.partition(b"\n")[2] or tail
        self._log_tail = tail

    def _take_interim(self, event: contract.Interim) -> None:
        self._published += 1
        self._interims.append(InterimResult(seq=event.seq, time=event.time, value=event.value))
        self._interim_size += len(event.value.encode())
        while self._interims and (
            len(self._interims) > self._limits.status_interims or self._interim_size > self._limits.status_interim_bytes
        ):
            oldest = self._interims.popleft()
            self._interim_size -= len(oldest.value.encode())
            self.spill.add(oldest)

    def _take_result(self, event: contract.Result) -> None:
        if event.index == 0:
            self._parts = []
        self._parts.append(event.text)
        if event.index + 1 < event.count:
            return
        text, self._parts = "".join(self._parts), []
        if contract.digest(text) != (event.size, event.sha256):
            self._give_up(f"the result arrived as {len(text.encode())} bytes, the runner announced {event.size}")
        elif not _is_json(text):
            self._give_up("the result is not JSON text")
        else:
            self._result = text

    def _give_up(self, trouble: str) -> None:
        self._broken, self.trouble = True, trouble


def _is_json(text: str) -> bool:
    """Return whether this parses; what it says stays unread. 4 MiB, the most a result may have, take about 40 ms."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
