"""``quantum-runtime validate``: what a cluster would say about a program, without running it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from quantum_runtime import findings, inputs, validation
from quantum_runtime.cli import arguments


@click.command(short_help="Check a program's files, metadata, schemas and examples.")
@arguments.program_argument
@click.option(
    "--inputs", "document", metavar="FILE", help="Check these inputs, too: a JSON or YAML file; - reads stdin."
)
@arguments.plain_errors
def validate(path: Path, document: str | None) -> None:
    """Check PROGRAM and say what a cluster would say about it. Nothing of it is executed.

    Prints a line for each error and warning, with file, field and, in parentheses, the cluster's reason.

    \b
    Examples:
      quantum-runtime validate programs/sample_program
      quantum-runtime validate vqe.py --inputs vqe_inputs.json

    Exits with 0 if there are no errors, with 1 if there are.
    """  # noqa: D301 - click wants the character itself
    values = None
    if document == "-":
        values = inputs.from_file_text(sys.stdin.read(), what="stdin")
    elif document is not None:
        values = inputs.read(Path(document))
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
