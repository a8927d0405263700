"""A runner that answers as `runtime_runner`'s supervisor does, and whose program is described by the job's inputs.

Inputs: ``seconds`` the program runs (0), ``interims`` it publishes, evenly spread (0), ``log_lines`` it prints before
the first of them (0), ``result`` it returns ("done").
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from runtime_runner import contract
from runtime_runner.contract import FailureReason, RunnerState

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.simulated.server import Channel

VERSIONS = {"python": "3.12.0", "runner": "0.1.0", "qiskit": "2.2.0", "qiskit-aer": "0.17.0"}


class SimulatedRunner:
    """Supervisor, worker and program of one pod. Needs a running event loop."""

    def __init__(
        self,
        *,
        warmup_seconds: float = 0.0,
        on_end: Callable[[contract.TerminationMessage], None] = lambda _: None,
        on_event: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.state = RunnerState.STARTING
        self._on_end, self._on_event = on_end, on_event
        self._journal: list[bytes] = []
        self._newest = 0
        self._channels: list[Channel] = []
        self._input = b""
        self._job: contract.Job | None = None
        self._is_held = False
        self._entered_at: float | None = None
        self._published = self._log_bytes = 0
        self._result = ""
        self._timers: list[asyncio.TimerHandle] = []
        self._warmup_seconds = warmup_seconds
        self._later(warmup_seconds, self._ready)

    @property
    def job_name(self) -> str:
        """The job it has, empty if none."""
        return self._job.job_name if self._job else ""

    # What the kubelet does

    def attached(self, channel: Channel) -> None:
        """Somebody listens from now on."""
        self._channels.append(channel)

    def detached(self, channel: Channel) -> None:
        """They do not any more."""
        if channel in self._channels:
            self._channels.remove(channel)

    def log(self) -> bytes:
        """Return the container log."""
        return b"".join(self._journal)

    def terminate(self) -> None:
        """SIGTERM."""
        self._fail(FailureReason.CANCELLED, "the pod was told to stop")

    def finish(self) -> None:
        """Have the program return now, if it runs."""
        if self.state is RunnerState.RUNNING:
            self._return()

    def kill(self) -> None:
        """SIGKILL: nothing more is said."""
        self._clear()
        self.state = RunnerState.ENDED

    def hear(self, data: bytes) -> None:
        """Take what came on stdin."""
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            if line.strip() and self.state is not RunnerState.ENDED:
                self._request(line)

    # What the supervisor does

    def _request(self, line: bytes) -> None:
        try:
            request = contract.parse_request(line)
        except contract.ProtocolError as error:
            self._answer(contract.Refused, message=str(error))
            return
        match request:
            case contract.Resume():
                self._answer_where()
            case contract.Cancel():
                what = "the job was cancelled"
                entered = "" if self._entered_at is not None else " before the program was entered"
                self._fail(FailureReason.CANCELLED, f"{what}{entered}")
            case contract.Job():
                self._take(request)
            case contract.Enter() if self._job is None or self._job.job_uid != request.job_uid:
                self._answer(contract.Refused, message=f"this runner does not have job {request.job_uid}")
            case contract.Enter():
                self._release()

    def _take(self, job: contract.Job) -> None:
        if self._job is not None and self._job.job_uid == job.job_uid:
            if not job.hold:
                self._release()
            self._answer_where()
        elif self._job is not None:
            self._answer(contract.Refused, message=f"this runner has job {self._job.job_uid}; one runner runs one job")
        else:
            self._job, self._is_held = job, job.hold
            self._on_event("handed over")
            self._enter_soon()

    def _release(self) -> None:
        if self._is_held:
            self._is_held = False
            self._enter_soon()

    def _enter_soon(self) -> None:
        if self.state is RunnerState.READY and not self._is_held:
            self._later(0.0, self._enter)

    def _ready(self) -> None:
        self.state = RunnerState.READY
        self._emit(contract.Ready, protocol=contract.PROTOCOL, versions=VERSIONS, warmup_seconds=self._warmup_seconds)
        self._on_event("ready")
        if self._job is not None:
            self._enter_soon()

    def _enter(self) -> None:
        assert self._job is not None
        inputs = self._job.inputs
        self.state = RunnerState.RUNNING
        self._emit(contract.Started, job_uid=self._job.job_uid)
        self._entered_at = time.monotonic()
        self._on_event("started")
        self._result = json.dumps(inputs.get("result", "done"))
        for number in range(int(inputs.get("log_lines", 0))):
            self._print(f"line {number}\n")
        seconds, interims = float(inputs.get("seconds", 0)), int(inputs.get("interims", 0))
        for number in range(interims):
            self._later(seconds * (number + 1) / (interims + 1), self._publish, str(number))
        self._later(seconds, self._return)

    def _print(self, text: str) -> None:
        self._log_bytes += len(text.encode())
        self._emit(contract.Log, stream="stdout", text=text)

    def _publish(self, value: str) -> None:
        self._published += 1
        self._emit(contract.Interim, value=value)

    def _return(self) -> None:
        size, sha256 = contract.digest(self._result)
        self._emit(contract.Result, index=0, count=1, text=self._result, size=size, sha256=sha256)
        self._end(succeeded=True)

    def _fail(self, reason: FailureReason, message: str) -> None:
        if self.state is not RunnerState.ENDED:
            self._emit(contract.Failed, reason=reason, message=message)
            self._end(succeeded=False, reason=reason, message=message)

    def _end(self, *, succeeded: bool, reason: str = "", message: str = "") -> None:
        self._clear()
        seconds = 0.0 if self._entered_at is None else time.monotonic() - self._entered_at
        self._emit(
            contract.Exit,
            succeeded=succeeded,
            execution_seconds=seconds,
            interim_published=self._published,
            interim_dropped=0,
            log_bytes=self._log_bytes,
            log_dropped_bytes=0,
        )
        self.state = RunnerState.ENDED
        self._on_event("ended")
        self._on_end(
            contract.TerminationMessage(
                job_uid=self._job.job_uid if self._job else "",
                succeeded=succeeded,
                execution_seconds=seconds,
                reason=reason,
                message=message,
                result=self._result if succeeded else None,
            )
        )

    def hang_up(self) -> None:
        """End the streams, as the kubelet does when the process has ended."""
        for channel in list(self._channels):
            channel.end()

    def _answer_where(self) -> None:
        held = self._is_held and self.state in (RunnerState.STARTING, RunnerState.READY)
        state = RunnerState.HELD if held else self.state
        self._answer(contract.Resumed, state=state, job_uid=self._job.job_uid if self._job else "")

    def _answer(self, kind: type[Any], **fields: Any) -> None:
        self._write(contract.encode(kind(seq=self._newest, time=time.time(), **fields)))

    def _emit(self, kind: type[Any], **fields: Any) -> None:
        self._newest += 1
        self._write(contract.encode(kind(seq=self._newest, time=time.time(), **fields)))

    def _write(self, line: bytes) -> None:
        self._journal.append(line)
        for channel in list(self._channels):
            channel.say(line)

    def _later(self, seconds: float, what: Callable[..., None], *arguments: Any) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, what, *arguments))

    def _clear(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
