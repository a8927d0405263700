"""Staying with a job until it has ended: what it is doing, what it says, and how it went."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from runtime_runner.encoding import ResultDecoder

from quantum_runtime.cli import errors, exits, session, tail
from quantum_runtime.exceptions import RuntimeJobNotFound
from quantum_runtime.outcome import COMPLETED, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quantum_runtime.cli.waiting import Waiting
    from quantum_runtime.service.job import RuntimeJob
    from quantum_runtime.service.service import RuntimeService
    from quantum_runtime.service.view import JobView


class AsText(ResultDecoder):
    """Leaves results as the texts they are."""

    @classmethod
    def decode(cls, data: str) -> str:
        """Return the text."""
        return data


class LogReader:
    """Passes on what is new in a job's log, each part once."""

    def __init__(self, write: Callable[[str], None], remark: Callable[[str], None]) -> None:
        """Begin at the log's beginning.

        Args:
            write: Takes the log's text, piece by piece.
            remark: Takes a line about the log that is not part of it.
        """
        self.position = tail.Position()
        self._write = write
        self._remark = remark

    def begin_with_last_lines(self, view: JobView, number: int) -> None:
        """Pass on the newest lines of what a state of the job has, and leave out what is before them."""
        self._pass_on(tail.News(0, tail.last_lines(view.log_tail, number), tail.Position(view.log_bytes)))

    def see(self, view: JobView) -> None:
        """Pass on what a state of the job has that is new."""
        self._pass_on(tail.after(self.position, view.log_tail, view.log_bytes))

    def end(self, job: RuntimeJob) -> None:
        """Pass on the rest, which the status of a job that has ended may have no room for."""
        view = job.view
        if view.log_ref is not None or not view.log_truncated:
            self._pass_on(tail.rest(self.position, job.logs()))
        else:
            self._pass_on(tail.after(self.position, view.log_tail, view.log_bytes))
        if self.position.skipped and view.log_ref is not None:
            where = f"{_program()} logs {view.name}{session.same_cluster()}"
            self._remark(f"... {self.position.skipped} bytes in all were not shown; {where} prints the whole log ...")

    def _pass_on(self, news: tail.News) -> None:
        if news.skipped:
            self._remark(f"... {news.skipped} bytes not shown ...")
        if news.text:
            self._write(news.text)
        self.position = news.position


def to_the_end(
    job: RuntimeJob,
    waiting: Waiting,
    *,
    interim: Callable[[str], None] | None = None,
    log: LogReader | None = None,
    timeout: float | None = None,
) -> JobView:
    """Stay until the job has ended, and return its last state.

    Args:
        job: Which job.
        waiting: Shows what it is doing.
        interim: Called with each interim result, a JSON text, once and in order.
        log: Gets what the program writes.
        timeout: Seconds to stay; None for no limit.

    Raises:
        IBMError: the job was deleted, has not ended in time, or cannot be followed.
    """
    interims = _InterimResults(job, interim)
    with waiting.ticking():
        view = job.view
        try:
            for view in job.states(timeout):
                interims.check()
                waiting.show(view)
                if log is not None and not view.final:
                    log.see(view)
        except RuntimeJobNotFound:
            interims.end()  # those that were published before are printed yet
            raise
        interims.end()
        if log is not None:
            log.end(job)
    return view


@contextmanager
def interruptible(job: RuntimeJob) -> Iterator[None]:
    """Let Ctrl-C end the command and not the job, and say where the job is to be found."""
    try:
        yield
    except KeyboardInterrupt:
        line_end = "\n" if sys.stderr.isatty() else ""  # behind the ^C that the terminal shows
        click.echo(f"{line_end}{hints(str(job.job_id))}", err=True)
        sys.exit(exits.INTERRUPTED)


def hints(name: str) -> str:
    """Return that a job goes on, how to come back to it, and how to end it: commands to be copied, a line each."""
    commands = (f"status {name}", f"result {name} --wait", f"cancel {name}")
    lines = (f"  {_program()} {command}{session.same_cluster()}" for command in commands)
    return "\n".join([f"{name} goes on. Its status, its result, its end:", *lines])


def outcome(job: RuntimeJob, *, interim_texts: tuple[str, ...] = (), logs: str = "") -> Outcome:
    """Return how a job that has ended went, in the form a run on this machine has it."""
    view = job.view
    return Outcome(
        reason=reason(view),
        message="" if view.succeeded else view.message,
        traceback=view.traceback,
        result_text=result_text(job),
        interim_texts=interim_texts,
        interim_dropped=view.dropped,
        logs=logs,
        seconds=view.execution_seconds or 0.0,
        warnings=_warnings(view),
    )


def time_limit(service: RuntimeService, job: RuntimeJob) -> int | None:
    """Return how many seconds a job may run; None if that cannot be told."""
    if job.view.time_limit is not None:
        return job.view.time_limit
    try:
        return service.program(job.program_id).max_execution_time
    except Exception as error:
        if errors.code_of(error) is None:
            raise
        return None  # gone, or not for this user's eyes


def reason(view: JobView) -> str:
    """Return how a job that has ended went, in one word."""
    return COMPLETED if view.succeeded else view.reason or view.phase


def result_text(job: RuntimeJob) -> str | None:
    """Return what the program returned, also if that is why the job failed; None if there is nothing."""
    view = job.view
    if view.result_text is None and view.result_ref is None:
        return None
    text: str = job.unchecked_result(AsText)
    return text


def _program() -> str:
    """Return the name by which this program was called."""
    return str(click.get_current_context().find_root().info_name)


def _warnings(view: JobView) -> tuple[str, ...]:
    conditions: list[dict[str, Any]] = view.body.get("status", {}).get("conditions", [])
    found = (one for one in conditions if one["type"] == "ResultsValid" and one["status"] != "True")
    return tuple(str(one["message"]) for one in found) if view.succeeded else ()


class _InterimResults:
    """Passes the interim results of a job on, on a thread of its own."""

    def __init__(self, job: RuntimeJob, take: Callable[[str], None] | None) -> None:
        self._job = job
        self._take = take
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._pass_on, name="quantum-runtime interim results", daemon=True)
        if take is not None:
            self._thread.start()

    def check(self) -> None:
        """Raise what has gone wrong: that whoever reads stdout has gone, for one."""
        if self._trouble is not None:
            raise self._trouble

    def end(self) -> None:
        """Return when all have been passed on; raise what has gone wrong."""
        if self._take is not None:
            self._thread.join()
        self.check()

    def _pass_on(self) -> None:
        assert self._take is not None
        try:
            for text in self._job.stream(AsText):
                self._take(text)
        except BaseException as error:
            self._trouble = error
