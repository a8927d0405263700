"""A real runner behind pipes, and what it says, in the terms of the contract."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from runtime_runner import contract, journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

E = TypeVar("E")

BARE_BACKEND = {"custom": {"factory": "types:SimpleNamespace"}}
"""A backend that can be built without Qiskit."""

GENEROUS_SECONDS = 120.0
"""A time limit that only a program that hangs would reach."""


def program(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def make_job(main: str, /, inputs: dict[str, Any] | None = None, **changes: Any) -> contract.Job:
    """Return a job of one file, main.py, or of `files`."""
    limits: dict[str, Any] = changes.pop("limits", {})
    job = contract.Job(
        job_uid="uid-1",
        job_name="test",
        attempt=1,
        files={"main.py": program(main)},
        entrypoint="main.py",
        inputs=inputs or {},
        backend_name="bare",
        backend=BARE_BACKEND,
        limits=contract.Limits(**({"execution_seconds": GENEROUS_SECONDS} | limits)),
    )
    return dataclasses.replace(job, **changes)


@dataclass(frozen=True)
class Journal:
    """Everything a runner has said."""

    events: list[contract.AnyEvent]
    raw: bytes
    exit_code: int

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[E]) -> E:
        (event,) = self.all(kind)
        return event

    @property
    def failed(self) -> contract.Failed:
        assert not self.all(contract.Result)
        assert self.exit_code == contract.ExitCode.FAILED
        assert not self.end.succeeded
        return self.one(contract.Failed)

    @property
    def result(self) -> str:
        """The whole result, checked as a reader must check it."""
        pieces = self.all(contract.Result)
        assert not self.all(contract.Failed), self.all(contract.Failed)
        assert [piece.index for piece in pieces] == list(range(pieces[0].count))
        text = "".join(piece.text for piece in pieces)
        assert contract.digest(text) == (pieces[0].size, pieces[0].sha256)
        assert self.end.succeeded
        assert self.exit_code == contract.ExitCode.SUCCEEDED
        return text

    @property
    def end(self) -> contract.Exit:
        assert isinstance(self.events[-1], contract.Exit)
        return self.events[-1]

    def log(self, *streams: str) -> str:
        return "".join(event.text for event in self.all(contract.Log) if not streams or event.stream in streams)

    @property
    def interims(self) -> list[str]:
        return [event.value for event in self.all(contract.Interim)]


class Runner:
    """One supervisor with its worker."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: dict[str, str] | None = None,
        before_exec: Callable[[], None] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [*command, "-m", "runtime_runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            preexec_fn=before_exec,
        )
        self._lines: list[bytes] = []

    def send(self, request: contract.Request | bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(request if isinstance(request, bytes) else contract.encode(request))
        self.process.stdin.flush()

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def next_event(self) -> contract.AnyEvent:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the runner ended"
        self._lines.append(line)
        return contract.parse_event(line)

    def wait_for(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E:
        """Read up to the next event of this kind."""
        while True:
            event = self.next_event()
            if isinstance(event, kind) and where(event):
                return event

    def finish(self) -> Journal:
        """Read to the end and check what holds for every journal."""
        assert self.process.stdout is not None
        self._lines += self.process.stdout.readlines()
        code = self.process.wait()
        raw = b"".join(self._lines)
        events = [contract.parse_event(line) for line in self._lines]
        numbers = [event.seq for event in events if not isinstance(event, contract.Resumed | contract.Refused)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(raw) <= contract.JOURNAL_BYTES
        return Journal(events, raw, code)

    def run(self, job: contract.Job) -> Journal:
        self.send(job)
        return self.finish()

    def close(self) -> None:
        """Leave nothing behind, whatever a failed test has left running."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def line_size(event: contract.AnyEvent) -> int:
    return len(contract.encode(event))


def unnumbered(cls: type[E], **fields: Any) -> E:
    event: E = journal.unnumbered(cls, **fields)
    return event
