"""What a run says, as people read it: interim results and the result on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from quantum_runtime.cli import show

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.outcome import Outcome


class Printer:
    """Prints a run as it goes on."""

    def __init__(self, echo: Callable[..., None] = click.echo) -> None:
        """Print through a function that takes what `click.echo` takes."""
        self._echo = echo
        self._interims = 0
        self._at_line_start = True

    def interim(self, text: str) -> None:
        """Print the next interim result, a JSON text."""
        if sys.stdout.isatty():
            self.end_line()
        self._interims += 1
        self._echo(f"interim result {self._interims}: {show.value(text)}")

    def log(self, text: str) -> None:
        """Print what the program wrote."""
        if text:
            self._echo(text, err=True, nl=False)
            self._at_line_start = text.endswith("\n")

    def end_line(self) -> None:
        """End a line that the program left open."""
        if not self._at_line_start:
            self._echo("", err=True)
            self._at_line_start = True

    def remark(self, line: str) -> None:
        """Print a line about what the program wrote that is not part of it."""
        self.end_line()
        self._echo(click.style(line, fg="yellow"), err=True)

    def end(self, outcome: Outcome) -> None:
        """Print how it went: the result last on stdout, everything else on stderr."""
        self.end_line()
        for line in _remarks(outcome):
            self.remark(line)
        if outcome.result_text is not None:
            self._echo(f"result: {show.value(outcome.result_text)}")
        if not outcome.succeeded:
            self.failure(outcome)

    def failure(self, outcome: Outcome) -> None:
        """Print why it did not succeed, with the program's frames."""
        if outcome.traceback:
            self._echo(show.printable(outcome.traceback).rstrip("\n"), err=True)
        self._echo(click.style(f"{outcome.reason}: {show.printable(outcome.message)}", fg="red"), err=True)


def as_json(outcome: Outcome, **facts: str) -> str:
    """Return an outcome as ``-o json`` shows it; results stand there as the program's encoder wrote them.

    Args:
        outcome: How the run went.
        **facts: What goes before it: program, backend, ...
    """
    told: dict[str, Any] = {
        **facts,
        "succeeded": outcome.succeeded,
        "reason": outcome.reason,
        "message": outcome.message,
        "traceback": outcome.traceback,
        "seconds": round(outcome.seconds, 6),
        "interimResultsDropped": outcome.interim_dropped,
        "logs": outcome.logs,
        "logBytesDropped": outcome.log_dropped_bytes,
        "warnings": list(outcome.warnings),
        "versions": outcome.versions,
    }
    texts = {key: json.dumps(fact) for key, fact in told.items()}
    texts["interimResults"] = f"[{', '.join(outcome.interim_texts)}]"
    texts["result"] = outcome.result_text or "null"
    return "{" + ", ".join(f'"{key}": {text}' for key, text in texts.items()) + "}"


def _remarks(outcome: Outcome) -> list[str]:
    remarks = [f"warning: {show.printable(warning)}" for warning in outcome.warnings]
    if outcome.interim_dropped:
        remarks.append(f"warning: {outcome.interim_dropped} interim results were beyond the limit and are lost")
    if outcome.log_dropped_bytes:
        remarks.append(f"warning: {outcome.log_dropped_bytes} bytes of log were beyond the limit and are lost")
    return remarks
