"""A run of a program on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from runtime_runner import contract

from quantum_runtime import local
from quantum_runtime.cli import arguments, exits, printer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run(
    path: Path,
    values: dict[str, Any],
    *,
    backend: str | None,
    backend_file: Path | None,
    max_execution_time: int | None,
    compatibility: str | None,
    log_level: str | None,
    output: str,
) -> None:
    """Run the program at a path, print what it says and exit by its outcome."""
    program = arguments.read_program(path)
    chosen = arguments.chosen_backend(backend, backend_file)
    shown = None if output == "json" else printer.Printer()
    outcome = local.run(
        program,
        values,
        backend=chosen,
        max_execution_time=max_execution_time,
        compatibility=compatibility or "",
        log_level=(log_level or "INFO").upper(),
        listener=None if shown is None else _listener(shown),
        cancel_on_interrupt=True,
    )
    if shown is None:
        name = chosen if isinstance(chosen, str) else chosen.name
        click.echo(printer.as_json(outcome, program=program.name, backend=name))
    else:
        shown.end(outcome)
    sys.exit(exits.of_reason(outcome.reason))


def _listener(shown: printer.Printer) -> Callable[[contract.JournalEvent], None]:
    def listen(event: contract.JournalEvent) -> None:
        match event:
            case contract.Interim():
                shown.interim(event.value)
            case contract.Log():
                shown.log(event.text)

    return listen
