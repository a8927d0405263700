from __future__ import annotations

import io
import pty
import subprocess
import sys
import termios
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from client.presentation.states import after, running, state
from quantum_runtime import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quantum_runtime.service.view import JobView

TESTS = Path(__file__).parents[2]

LINES = {
    "a job nobody has looked at yet waits for a runner": (state(), 0, "queued: waiting for a runner"),
    "the time it waits is said from the first second on": (state(), 4, "queued 4 s: waiting for a runner"),
    "an operator that says nothing for long is worth a word": (
        state(),
        30,
        "queued 30 s: no word from the operator yet",
    ),
    "what the operator says it waits for": (
        state("Queued", "WaitingForRunner", "pod toss-0 is starting: ContainerCreating"),
        6,
        "queued 6 s: pod toss-0 is starting: ContainerCreating",
    ),
    "a job that was created suspended": (state(spec={"suspend": True}), 60, "queued 60 s: suspended"),
    "a job that its pod has, and that has not begun": (
        state("Running", "Running", "handed over to pod toss-0"),
        2,
        "starting",
    ),
    "a program without a known limit": (running(), 15, "running 12 s"),
    "the job's own limit": (running(spec={"maxExecutionTimeSeconds": 300}), 15, "running 12 s of at most 300 s"),
    "one interim result": (running(interimResults={"published": 1}), 15, "running 12 s, 1 interim result"),
    "several interim results": (
        running(spec={"maxExecutionTimeSeconds": 300}, interimResults={"published": 7}),
        15,
        "running 12 s of at most 300 s, 7 interim results",
    ),
    "interim results that nobody can read any more": (
        running(interimResults={"published": 9000, "dropped": 12}),
        15,
        "running 12 s, 9000 interim results (12 not kept)",
    ),
    "a node whose clock is ahead": (running(seconds=60), 15, "running 0 s"),
    "a runner that does not answer": (
        running(reason="RunnerUnreachable", message="the runner in pod toss-0 does not answer: timeout"),
        15,
        "running 12 s: the runner in pod toss-0 does not answer: timeout",
    ),
    "a job that somebody wants cancelled": (running(spec={"cancel": True}), 15, "being cancelled"),
    "a job that completed": (
        state("Completed", "Completed", "fine", executionSeconds=12.345, interimResults={"published": 2}),
        99,
        "completed in 12.3 s, 2 interim results",
    ),
    "a job that failed says why": (
        state("Failed", "ProgramFailed", "NameError: name 'shot' is not defined", executionSeconds=0.41),
        99,
        "failed after 0.4 s: ProgramFailed: NameError: name 'shot' is not defined",
    ),
    "a job that never began": (
        state("Failed", "BackendNotFound", "there is no backend ibmq_paris"),
        99,
        "failed: BackendNotFound: there is no backend ibmq_paris",
    ),
    "a job that was cancelled": (
        state("Cancelled", "Cancelled", "cancelled while it ran", spec={"cancel": True}, executionSeconds=3.0),
        99,
        "cancelled after 3.0 s",
    ),
    "a job that was cancelled before it ran": (state("Cancelled", "Cancelled", "cancelled"), 99, "cancelled"),
    "a message of many lines becomes one": (
        state("Failed", "ProgramFailed", "ValueError: first\n  second\tthird"),
        99,
        "failed: ProgramFailed: ValueError: first second third",
    ),
    "a message tells the terminal nothing": (
        state("Failed", "ProgramFailed", "\x1b[2J\x07gone\x9b"),
        99,
        "failed: ProgramFailed: [2Jgone",
    ),
}


@pytest.mark.parametrize(("view", "seconds", "line"), LINES.values(), ids=LINES)
def test_a_job_in_one_line(view: JobView, seconds: float, line: str) -> None:
    assert progress.describe(view, after(seconds)) == line


def test_the_programs_limit_counts_where_the_job_has_none() -> None:
    assert progress.describe(running(), after(4), time_limit=60) == "running 1 s of at most 60 s"
    own = running(spec={"maxExecutionTimeSeconds": 30})
    assert progress.describe(own, after(4), time_limit=60) == "running 1 s of at most 30 s"


class Terminal(io.StringIO):
    """A terminal, and what stands in its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.rewritten = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.rewritten.set()
        return super().write(text)

    @property
    def lines(self) -> list[str]:
        """What is visible: the newest text of each line."""
        return [line.rpartition("\r")[2].rstrip() for line in self.getvalue().split("\n")]


def life() -> list[JobView]:
    """Return the states of a job that completes, the clock of which is the real one."""
    now = datetime.now(UTC)
    return [
        state(created=now),
        state("Queued", "Unschedulable", "no node has room for the pod: 0/1 nodes are available", created=now),
        state("Running", "Running", "handed over to pod toss-0", created=now),
        running(created=now, seconds=0),
        running(created=now, seconds=0, interimResults={"published": 1}),
        running(created=now, seconds=0, interimResults={"published": 2}),
        state("Completed", "Completed", "returned", executionSeconds=1.5, interimResults={"published": 2}, created=now),
    ]


def test_in_a_log_file_each_change_is_a_line_and_interim_results_alone_are_none() -> None:
    log = io.StringIO()
    last = progress.show(life(), file=log)
    assert last.succeeded
    assert log.getvalue().splitlines() == [
        "queued: waiting for a runner",
        "queued: no node has room for the pod: 0/1 nodes are available",
        "starting",
        "running 0 s",
        "completed in 1.5 s, 2 interim results",
    ]


def test_a_terminal_has_one_line_that_ends_as_the_outcome() -> None:
    terminal = Terminal()
    progress.show(life(), file=terminal)
    assert terminal.lines == ["completed in 1.5 s, 2 interim results", ""]
    assert "\rstarting" in terminal.getvalue()
    assert "\rrunning 0 s, 2 interim results" in terminal.getvalue()


def test_the_time_goes_on_between_two_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "TICK_SECONDS", 0.01)
    terminal = Terminal()

    def states() -> Iterator[JobView]:
        yield running(created=datetime.now(UTC))
        terminal.rewritten.clear()
        assert terminal.rewritten.wait(60), "nobody has touched the line"
        yield state("Cancelled", "Cancelled", "cancelled")

    assert progress.show(states(), file=terminal).cancelled
    assert terminal.lines == ["cancelled", ""]


def test_a_failed_wait_leaves_the_last_state_and_no_thread_behind() -> None:
    terminal = Terminal()
    before = set(threading.enumerate())

    def states() -> Iterator[JobView]:
        yield running(created=datetime.now(UTC), seconds=0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        progress.show(states(), file=terminal)
    assert terminal.lines == ["running 0 s", ""]
    assert set(threading.enumerate()) <= before


def test_nothing_stays_behind_after_a_job_that_has_ended() -> None:
    before = set(threading.enumerate())
    progress.show([state("Completed", "Completed", "returned")], file=Terminal())
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("columns", "line"),
    [(30, "failed: ProgramFailed: a long"), (0, "failed: ProgramFailed: a long story of forty-five letters")],
    ids=["a terminal has a width", "a terminal says nothing of its size"],
)
def test_a_line_is_no_wider_than_the_terminal(columns: int, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (columns and 24, columns))
    with open(screen, "rb", buffering=0) as output, open(terminal, "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stderr", file)
        progress.show([state("Failed", "ProgramFailed", "a long story of forty-five letters")])
        written = b""
        while not written.endswith(b"\n"):
            written += output.read(4096)
    last = written.decode().rstrip("\r\n").rpartition("\r")[2]
    assert last.rstrip() == line


def test_a_job_without_a_state_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no state"):
        progress.show([], file=io.StringIO())


def test_how_a_program_starts_processes_is_left_to_it() -> None:
    code = """
import io, multiprocessing, threading
from client.presentation.states import state
from quantum_runtime import progress
terminal = type("Terminal", (io.StringIO,), {"isatty": lambda _: True})()
progress.show([state("Completed", "Completed", "returned")], file=terminal)
multiprocessing.set_start_method("spawn")
assert threading.active_count() == 1, threading.enumerate()
"""
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(TESTS)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
