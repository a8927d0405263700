"""What a cluster would say about a program's files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from quantum_runtime import findings, validation
from quantum_runtime.cli import arguments

if TYPE_CHECKING:
    from pathlib import Path


def validate(path: Path, values: dict[str, Any] | None) -> None:
    """Print what is found, and exit by whether a cluster would take the program."""
    program, found = validation.validate(path, values)
    for finding in found:
        click.echo(arguments.paint(finding))
    wrong = len(findings.errors(found))
    counted = f"{_count(wrong, 'error')}, {_count(len(found) - wrong, 'warning')}"
    name = program.name if program and program.name else str(path)
    click.echo(f"{name}: {'a cluster would refuse it' if wrong else 'fit for a cluster'} ({counted})")
    sys.exit(1 if wrong else 0)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
