"""How a run went, put together from what its runner said."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runtime_runner import contract, encoding
from runtime_runner.contract import FailureReason

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPLETED = "Completed"


class NoResultError(RuntimeError):
    """A result was asked for that there is none of; the message says why the run did not succeed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run went. Texts are JSON as the program's encoder wrote it; decoded values are made when asked for."""

    reason: str
    """``Completed``, or why it did not succeed: the word a cluster has in the job's conditions."""
    message: str = ""
    """One sentence for a person; empty if it succeeded."""
    traceback: str = ""
    """The program's own frames, if an exception ended it."""
    result_text: str | None = None
    """None if there is no result. With ``InvalidResult`` it may be there: what the program returned is kept."""
    interim_texts: tuple[str, ...] = ()
    interim_dropped: int = 0
    """Published beyond what a job may publish, and lost."""
    logs: str = ""
    """What the program wrote to stdout and stderr, in the order in which it arrived."""
    log_dropped_bytes: int = 0
    """Beyond what a job may log; the middle is lost."""
    seconds: float = 0.0
    """From the program's first line to its end; 0 if it was never entered."""
    warnings: tuple[str, ...] = ()
    """What does not match the program's schemas where that is no failure."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of Python, the runner and Qiskit."""

    @property
    def succeeded(self) -> bool:
        """Whether the program returned a result and nothing is wrong with it."""
        return self.reason == COMPLETED

    @cached_property
    def result(self) -> Any:
        """The result, decoded.

        Raises:
            NoResultError: there is none; the message is the run's.
        """
        if self.result_text is None:
            raise NoResultError("\n".join(filter(None, (f"{self.reason}: {self.message}", self.traceback))))
        return encoding.from_text(self.result_text)

    @cached_property
    def interim_results(self) -> list[Any]:
        """The interim results, decoded, in the order in which they were published."""
        return [encoding.from_text(text) for text in self.interim_texts]

    def __repr__(self) -> str:
        said = "" if self.succeeded else f": {self.message}"
        return f"<Outcome {self.reason} after {self.seconds:.3g} s{said}>"


def collect(events: Iterable[contract.JournalEvent]) -> Outcome:
    """Return the outcome that a runner's events tell, the last of which is `contract.Exit`."""
    interims: list[str] = []
    logs: list[str] = []
    pieces: list[str] = []
    versions: dict[str, str] = {}
    failed: contract.Failed | None = None
    end: contract.Exit | None = None
    for event in events:
        match event:
            case contract.Ready():
                versions = event.versions
            case contract.Log():
                logs.append(event.text)
            case contract.Interim():
                interims.append(event.value)
            case contract.Result():
                pieces.append(event.text)
            case contract.Failed():
                failed = event
            case contract.Exit():
                end = event
    return Outcome(
        reason=COMPLETED if failed is None else failed.reason.value,
        message="" if failed is None else failed.message,
        traceback="" if failed is None else failed.traceback,
        result_text="".join(pieces) if failed is None else None,
        interim_texts=tuple(interims),
        interim_dropped=end.interim_dropped if end else 0,
        logs="".join(logs),
        log_dropped_bytes=end.log_dropped_bytes if end else 0,
        seconds=end.execution_seconds if end else 0.0,
        versions=versions,
    )


EXIT_CODES: dict[str, int] = {
    COMPLETED: 0,
    FailureReason.PROGRAM_FAILED: 1,
    FailureReason.PROGRAM_EXITED: 1,
    FailureReason.INVALID_PROGRAM: 1,
    FailureReason.MISSING_MODULE: 1,
    FailureReason.INVALID_RESULT: 1,
    FailureReason.RESULT_TOO_LARGE: 1,
    "InvalidSpec": 1,
    "ProfileNotFound": 1,
    "SourceNotFound": 1,
    "EntrypointNotFound": 1,
    "SourceTooLarge": 1,
    "SchemaTooLarge": 1,
    FailureReason.INVALID_INPUT: 3,
    "MaxExecutionTimeAboveProgram": 3,
    "SchemaTooExpensive": 3,
    "BackendNotFound": 4,
    FailureReason.BACKEND_TOO_SMALL: 4,
    FailureReason.INVALID_BACKEND: 4,
    FailureReason.MAX_EXECUTION_TIME_EXCEEDED: 5,
    FailureReason.OUT_OF_MEMORY: 6,
    "ProgramNotFound": 7,
    FailureReason.RUNNER_ERROR: 70,
    "StartDeadlineExceeded": 75,
    "RunnerStartFailed": 75,
    "RunnerLost": 75,
    "NodeLost": 75,
    "Evicted": 75,
    "NameConflict": 75,
    "SchemaCheckFailed": 75,
    FailureReason.CANCELLED: 130,
}
"""What the command line exits with, by reason, for runs here and for jobs; `cli.exits` has the other codes."""
