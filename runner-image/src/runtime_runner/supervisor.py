"""PID 1 of a runner pod: starts the worker, owns stdin and stdout, numbers events, keeps the clock.

Standard library only, one thread, one loop around `poll`; nothing in it waits for the worker or for a reader. It trusts
neither: the worker's messages are parsed like anybody's, and what it was told last is not believed until the processes
are gone. A line that is no message is dropped and counted; the job goes on, and can only spoil its own result.

Requests come from stdin. Its end is no cancellation, because that is all a broken attach stream may look like; only a
runner that has no job by then has no future and leaves.
"""

from __future__ import annotations

import dataclasses
import math
import os
import select
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from runtime_runner import contract, descriptors, failures, limits, processes
from runtime_runner.contract import ExitCode, FailureReason, RunnerState
from runtime_runner.journal import Journal, is_unicode, unnumbered
from runtime_runner.lines import LineBuffer
from runtime_runner.output import InterimKeeper, LogKeeper, write_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_runner.launch import Worker

REQUEST_BYTES = 64 * 1024 * 1024
"""Longest request: what the old service took as a job's inputs."""

MESSAGE_BYTES = 256 * 1024
"""Longest message of the worker, beyond the results it may send: a failure with a traceback of nothing but escapes."""

LEFT_BYTES = 4 * 1024 * 1024
"""Most read from one pipe after the program has ended: larger than a pipe's buffer can be made without privileges."""

WARMUP_TAIL_BYTES = 8 * 1024
"""Kept of what the worker writes before the program is entered, for the case that it never gets there."""

LAST_WORDS_SECONDS = 0.5
"""How long a runner that was told to leave waits for its reader."""

LINGER_SECONDS = 0.1
"""How long the first process of a pod stays after its last line. With its end, containerd may drop what it has not yet
delivered to those who are attached: about one job in 150 was seen to end only with its pod, 1.5 s late."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stop:
    """The program has been asked to end, whatever it may still say."""

    reason: FailureReason
    message: str
    kill_at: float


class Supervisor:
    """One runner, from its start to its last line."""

    def __init__(
        self, worker: Worker, *, requests: int = 0, journal: int = 1, linger_seconds: float | None = None
    ) -> None:
        """Listen to everybody.

        Args:
            worker: Has just been started.
            requests: Where they are read from.
            journal: Where it is written to.
            linger_seconds: How long to stay after the last line; by default `LINGER_SECONDS` in a pod, else not at all.
        """
        default = LINGER_SECONDS if os.getpid() == 1 else 0.0
        self._linger_seconds = default if linger_seconds is None else linger_seconds
        self._journal = Journal(journal)
        self._journal_descriptor = journal
        self._state = RunnerState.STARTING
        self._job: contract.Job | None = None
        self._is_held = self._is_prepared = False
        """The program may not be entered yet; it could be."""
        self._interims = InterimKeeper(self._journal, 0)
        self._log = LogKeeper(self._journal, 0)
        self._warmup_tail = b""
        self._dropped_messages = 0
        self._entered_at: float | None = None
        self._ended_at: float | None = None
        self._stop: _Stop | None = None
        self._outcome: contract.Result | contract.Failed | None = None
        self._worker_status: int | None = None
        self._leave_at_once = False

        self._poll = select.poll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._request_lines = LineBuffer(REQUEST_BYTES)
        self._message_lines = LineBuffer(MESSAGE_BYTES)
        self._to_worker: deque[memoryview] = deque()

        self._worker = worker
        self._signals = descriptors.signal_pipe()
        self._collect()  # it may have ended before its signal was listened for
        self._kills_before = limits.out_of_memory_kills()
        self._listen(self._signals, self._read_signals)
        self._listen(requests, self._read_requests)
        self._listen(self._worker.messages, self._read_messages)
        self._listen(self._worker.stdout, self._read_output)
        self._listen(self._worker.stderr, self._read_output)

    def run(self) -> ExitCode:
        """Serve until the job has an outcome and everything about it is written; return what to exit with."""
        while self._outcome is None:
            self._turn()
        outcome = self._outcome
        code = self._finish(outcome)
        if self._worker.scratch:
            import shutil  # not in a pod

            shutil.rmtree(self._worker.scratch, ignore_errors=True)
        self._linger()
        return code

    # The loop

    def _listen(self, descriptor: int, handler: Callable[[int], None], events: int = select.POLLIN) -> None:
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, events)

    def _forget(self, descriptor: int) -> None:
        self._handlers.pop(descriptor, None)
        with suppress(KeyError):
            self._poll.unregister(descriptor)

    def _turn(self) -> None:
        """Wait for the next thing to happen and deal with it."""
        if self._journal.waiting and self._journal_descriptor not in self._handlers:
            self._listen(self._journal_descriptor, self._write_journal, select.POLLOUT)
        for descriptor, _ in self._poll.poll(self._wait_milliseconds()):
            if handler := self._handlers.get(descriptor):
                handler(descriptor)
        now = time.monotonic()
        if self._log.flush_at is not None and now >= self._log.flush_at:
            self._log.flush(now)
        if self._outcome is None:
            self._watch_clock(now)
        if self._outcome is None and self._worker_status is not None:
            self._outcome = self._worker_ended(self._worker_status)
        if self._journal.broken and self._outcome is None:
            self._fail(FailureReason.RUNNER_ERROR, "the journal cannot be written: nobody reads stdout any more")

    def _wait_milliseconds(self) -> float | None:
        moments = [self._log.flush_at, self._deadline()]
        known = [moment for moment in moments if moment is not None]
        # rounded up, so that a moment has always been reached after the wait
        return max(0, math.ceil((min(known) - time.monotonic()) * 1000)) if known else None

    def _deadline(self) -> float | None:
        if self._stop is not None:
            return self._stop.kill_at
        if self._entered_at is None or self._job is None:
            return None
        return self._entered_at + self._job.limits.execution_seconds

    def _watch_clock(self, now: float) -> None:
        deadline = self._deadline()
        if deadline is None or now < deadline:
            return
        if self._stop is not None:
            self._fail(self._stop.reason, f"{self._stop.message}; it did not end when asked to and was killed")
        else:
            assert self._job is not None
            seconds = self._job.limits.execution_seconds
            self._ask_to_end(
                FailureReason.MAX_EXECUTION_TIME_EXCEEDED,
                f"the program ran longer than its maximum execution time of {seconds:g} s",
            )

    # What comes in

    def _read_signals(self, descriptor: int) -> None:
        numbers = descriptors.read(descriptor) or b""
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGHUP):
                self._leave_at_once = True
                self._fail(FailureReason.CANCELLED, "the pod was told to stop")
            elif number == signal.SIGINT:
                self._cancel("the runner was interrupted")
        self._collect()

    def _collect(self) -> None:
        for pid, status in processes.reap().items():
            if pid == self._worker.pid:
                self._worker_status = status

    def _read_requests(self, descriptor: int) -> None:
        data = descriptors.read(descriptor)
        if data is None:
            return
        for line, whole in self._request_lines.feed(data) if data else self._request_lines.rest():
            if line.strip():
                self._on_request(line, whole=whole)
        if not data:
            self._forget(descriptor)
            if self._job is None:
                self._fail(FailureReason.CANCELLED, "stdin ended before a job was handed over")

    def _read_messages(self, descriptor: int) -> None:
        data = descriptors.read(descriptor)
        if data is None:
            return
        if not data:
            self._forget(descriptor)
        for line, whole in self._message_lines.feed(data):
            if line:
                self._on_message(line, whole=whole)

    def _read_output(self, descriptor: int) -> None:
        data = descriptors.read(descriptor)
        if data is None:
            return
        if not data:
            self._forget(descriptor)
        elif self._entered_at is None:
            self._warmup_tail = (self._warmup_tail + data)[-WARMUP_TAIL_BYTES:]
        else:
            self._log.feed("stdout" if descriptor == self._worker.stdout else "stderr", data, time.monotonic())

    def _write_journal(self, descriptor: int) -> None:
        self._journal.write_some()
        if not self._journal.waiting:
            self._forget(descriptor)

    def _write_to_worker(self, descriptor: int) -> None:
        while self._to_worker:
            try:
                written = os.write(descriptor, self._to_worker[0])
            except BlockingIOError:
                if descriptor not in self._handlers:
                    self._listen(descriptor, self._write_to_worker, select.POLLOUT)
                return
            except OSError:  # it has ended; that is noticed elsewhere
                self._to_worker.clear()
                break
            if written == len(self._to_worker[0]):
                self._to_worker.popleft()
            else:
                self._to_worker[0] = self._to_worker[0][written:]
        self._forget(descriptor)

    # Requests

    def _on_request(self, line: bytes, *, whole: bool) -> None:
        if not whole:
            self._refuse(f"the request is longer than {REQUEST_BYTES} bytes")
            return
        try:
            request = contract.parse_request(line)
        except contract.ProtocolError as error:
            self._refuse(str(error))
            return
        match request:
            case contract.Job():
                self._on_job(request, line)
            case contract.Enter():
                self._on_enter(request)
            case contract.Resume():
                self._answer_where()
            case contract.Cancel():
                self._cancel("the job was cancelled")
            case _:
                assert_never(request)

    def _on_job(self, job: contract.Job, line: bytes) -> None:
        if self._job is not None and self._job.job_uid == job.job_uid:
            if not job.hold:
                self._release(self._job)
            self._answer_where()
        elif self._job is not None:
            self._refuse(f"this runner has job {self._job.job_uid}; one runner runs one job")
        elif problem := limits.unusable(job.limits):
            self._refuse(problem)
        else:
            self._job = dataclasses.replace(job, files={}, inputs={})  # they are the worker's business
            self._is_held = job.hold
            self._interims = InterimKeeper(self._journal, job.limits.interim_bytes)
            self._log = LogKeeper(self._journal, job.limits.log_bytes)
            self._message_lines.limit += max(job.limits.result_bytes, job.limits.interim_bytes)
            self._send(line + b"\n")

    def _on_enter(self, request: contract.Enter) -> None:
        if self._job is None or self._job.job_uid != request.job_uid:
            self._refuse(f"this runner does not have job {request.job_uid}")
        else:
            self._release(self._job)

    def _release(self, job: contract.Job) -> None:
        """The program may be entered, and is if it can be."""
        self._is_held = False
        if self._is_prepared and self._outcome is None:
            self._is_prepared = False
            self._enter(job)

    def _answer_where(self) -> None:
        uid = "" if self._job is None else self._job.job_uid
        held = self._is_held and self._state in (RunnerState.STARTING, RunnerState.READY)
        state = RunnerState.HELD if held else self._state
        self._journal.answer(unnumbered(contract.Resumed, state=state, job_uid=uid))

    def _refuse(self, message: str) -> None:
        self._journal.answer(unnumbered(contract.Refused, message=failures.cut(message, failures.MESSAGE_BYTES)))

    def _cancel(self, message: str) -> None:
        if self._outcome is not None:
            return  # the worker has been collected, its number may be somebody else's
        if self._entered_at is None:
            self._fail(FailureReason.CANCELLED, f"{message} before the program was entered")
        elif self._stop is None:
            self._ask_to_end(FailureReason.CANCELLED, message)

    def _send(self, line: bytes) -> None:
        self._to_worker.append(memoryview(line))
        self._write_to_worker(self._worker.requests)

    # Messages

    def _on_message(self, line: bytes, *, whole: bool) -> None:
        if not whole:
            if self._entered_at is not None and line.startswith(b'{"kind":"interim"'):
                self._interims.drop()
            else:
                self._dropped_messages += 1
            return
        try:
            event = contract.parse_event(line)
        except contract.ProtocolError:
            event = None
        if event is None or not self._accept(event):
            self._dropped_messages += 1

    def _accept(self, event: contract.AnyEvent) -> bool:
        """Act on an event of the worker, if this is the time for one like it."""
        match event:
            case contract.Interim() if self._entered_at is not None:
                self._interims.feed(event)
            case _ if self._outcome is not None:
                return False
            case contract.Ready() if self._state is RunnerState.STARTING:
                self._state = RunnerState.READY
                self._journal.emit(event)
                if self._job is None:
                    contract.prepare()  # while the job is on its way
            case contract.Started() if self._state is RunnerState.READY and self._job is not None:
                self._is_prepared = True
                if not self._is_held:
                    self._release(self._job)
            case contract.Result() if self._entered_at is not None and is_unicode(event.text):
                self._end_with(event)
            case contract.Failed() if event.reason in self._credible_reasons():
                message = failures.cut(event.message, failures.MESSAGE_BYTES)
                trace = failures.cut(event.traceback, failures.TRACEBACK_BYTES, keep_end=True)
                self._end_with(unnumbered(contract.Failed, reason=event.reason, message=message, traceback=trace))
            case _:
                return False
        return True

    def _credible_reasons(self) -> frozenset[FailureReason]:
        return failures.OF_WORKERS if self._entered_at is None else failures.OF_PROGRAMS

    def _enter(self, job: contract.Job) -> None:
        """Start the clock and let the program begin. What the pipes hold now is not the program's."""
        self._read_output(self._worker.stdout)
        self._read_output(self._worker.stderr)
        self._state = RunnerState.RUNNING
        self._journal.emit(unnumbered(contract.Started, job_uid=job.job_uid))
        self._entered_at = time.monotonic()
        self._send(b"go\n")

    # The end

    def _end_with(self, outcome: contract.Result | contract.Failed) -> None:
        if self._outcome is not None:
            return
        if self._stop is not None:
            self._fail(self._stop.reason, f"{self._stop.message}; it ended when asked to, too late for its outcome")
            return
        self._ended_at = time.monotonic()
        self._outcome = outcome

    def _fail(self, reason: FailureReason, message: str, trace: str = "") -> None:
        if self._outcome is None:
            self._ended_at = time.monotonic()
            self._outcome = unnumbered(contract.Failed, reason=reason, message=message, traceback=trace)

    def _ask_to_end(self, reason: FailureReason, message: str) -> None:
        assert self._job is not None
        grace = self._job.limits.grace_seconds
        self._stop = _Stop(reason=reason, message=message, kill_at=time.monotonic() + grace)
        processes.terminate(self._worker)

    def _worker_ended(self, status: int) -> contract.Result | contract.Failed:
        """Say what the end of the worker means, after hearing what it said before."""
        self._read_rest(self._worker.messages)
        if self._outcome is not None:
            return self._outcome
        how = processes.how_it_ended(status)
        trace = ""
        if self._stop is not None:
            reason, message = self._stop.reason, f"{self._stop.message}; it ended when asked to"
        elif self._entered_at is None:
            self._read_rest(self._worker.stdout)
            self._read_rest(self._worker.stderr)
            reason, message = FailureReason.RUNNER_ERROR, f"the worker ended {how} before the program was entered"
            trace = self._warmup_tail.decode("utf-8", "replace")
        elif os.waitstatus_to_exitcode(status) == -signal.SIGKILL and self._memory_ran_out():
            reason, message = FailureReason.OUT_OF_MEMORY, "the program used more memory than its runner has"
        else:
            reason = FailureReason.PROGRAM_EXITED
            message = f"the program ended its process {how} instead of returning from main()"
            if self._dropped_messages:
                message += f"; {self._dropped_messages} lines on the runner's message pipe were no messages"
        self._fail(reason, message, failures.cut(trace, failures.TRACEBACK_BYTES, keep_end=True))
        assert self._outcome is not None
        return self._outcome

    def _memory_ran_out(self) -> bool:
        kills = limits.out_of_memory_kills()
        return kills is not None and kills > (self._kills_before or 0)

    def _finish(self, outcome: contract.Result | contract.Failed) -> ExitCode:
        """End everything else, write what is still to be said, and the last line."""
        processes.kill_everything(self._worker, collected=self._worker_status is not None)
        if self._entered_at is not None:
            self._collect_output()
        if isinstance(outcome, contract.Result):
            assert self._job is not None
            outcome = write_result(self._journal, outcome.text, self._job.limits.result_bytes)
        else:
            self._journal.emit(outcome)
        seconds = 0.0 if self._entered_at is None else (self._ended_at or time.monotonic()) - self._entered_at
        if os.getpid() != 1:
            processes.collect_all()  # nobody may fork any more before we say that everything has ended
        self._write_exit(outcome, seconds)
        self._wait_for_the_reader()
        processes.collect_all()
        if self._job is None:
            return ExitCode.NO_JOB
        return ExitCode.SUCCEEDED if isinstance(outcome, contract.Result) else ExitCode.FAILED

    def _collect_output(self) -> None:
        """Take what the dead have left in the pipes, and write what was kept for the end."""
        for descriptor in (self._worker.stdout, self._worker.stderr, self._worker.messages):
            self._read_rest(descriptor)
        self._log.close()
        self._interims.close()

    def _read_rest(self, descriptor: int) -> None:
        for _ in range(LEFT_BYTES // descriptors.READ_BYTES):
            if descriptor not in self._handlers or not descriptors.readable(descriptor):
                break
            self._handlers[descriptor](descriptor)

    def _wait_for_the_reader(self) -> None:
        """Get the journal out: however long the reader takes, unless we are told to stop."""
        for descriptor in set(self._handlers) - {self._signals}:
            self._forget(descriptor)
        while self._journal.waiting and not self._leave_at_once:
            self._turn()
        self._journal.flush(LAST_WORDS_SECONDS)

    def _linger(self) -> None:
        """Leave those who carry the last line the time to deliver it, unless we are told to stop."""
        leave_at = time.monotonic() + self._linger_seconds
        while not self._leave_at_once and (left := leave_at - time.monotonic()) > 0:
            if descriptors.readable(self._signals, left):
                self._read_signals(self._signals)

    def _write_exit(self, outcome: contract.Result | contract.Failed, seconds: float) -> None:
        failed = outcome if isinstance(outcome, contract.Failed) else None
        summary = contract.TerminationMessage(
            job_uid="" if self._job is None else self._job.job_uid,
            succeeded=failed is None,
            execution_seconds=seconds,
            reason="" if failed is None else failed.reason,
            message="" if failed is None else failed.message,
            result=outcome.text if isinstance(outcome, contract.Result) else None,
        )
        processes.write_termination_message(contract.encode_termination(summary))
        self._journal.emit(
            unnumbered(
                contract.Exit,
                succeeded=failed is None,
                execution_seconds=seconds,
                interim_published=self._interims.published,
                interim_dropped=self._interims.dropped,
                log_bytes=self._log.written_bytes,
                log_dropped_bytes=self._log.dropped_bytes,
            )
        )
        self._state = RunnerState.ENDED
