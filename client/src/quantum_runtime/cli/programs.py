"""``quantum-runtime programs``: what can be run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from quantum_runtime.cli import arguments, candidates, objects, session, show, table

if TYPE_CHECKING:
    from quantum_runtime.service.program import RuntimeProgram

COLUMNS = ("NAME", "VISIBILITY", "READY", "REASON", "MAX-SECONDS", "PROFILE", "AGE")
WIDE_COLUMNS = (*COLUMNS, "DESCRIPTION")


@click.command(short_help="List the programs, or show one.")
@click.argument("name", required=False, shell_complete=candidates.programs)
@arguments.output_option("table", "wide", "json", "yaml", "name")
@session.cluster_options
def programs(name: str | None, output: str) -> None:
    """List the programs of the namespace and of the cluster's catalogue, or show what the one called NAME takes and gives.

    If a private and a public program have the same name, jobs run the private one.

    \b
    Examples:
      quantum-runtime programs
      quantum-runtime programs sample-program
      quantum-runtime programs vqe -o json | jq -r .spec.source.inline
    """  # noqa: D301, E501 - click wants the character itself
    service = session.service()
    if name is not None:
        program = service.program(name)
        if output in ("json", "yaml", "name"):
            click.echo(objects.text([program.body], output, single=True), nl=False)
        else:
            click.echo(described(program))
        return
    found = service.programs(limit=None)
    if output in ("json", "yaml", "name"):
        click.echo(objects.text([program.body for program in found], output), nl=False)
    elif found:
        rows = [_row(program, session.now()) for program in found]
        wide = output == "wide"
        headers = WIDE_COLUMNS if wide else COLUMNS
        click.echo(table.render(headers, [row[: len(headers)] for row in rows]), nl=False)
    else:
        click.echo(f"No programs in namespace {service.namespace} and in the cluster's catalogue.", err=True)


def described(program: RuntimeProgram) -> str:
    """Return what ``print(program)`` shows, and whether jobs can run it."""
    state = "yes" if program.ready else "no" if program.reason else "not yet known"
    why = f" ({program.reason}: {program.message})" if program.reason and not program.ready else ""
    return show.printable(f"{program}\n  Visibility: {_visibility(program)}\n  Ready: {state}{why}")


def _row(program: RuntimeProgram, now: datetime) -> tuple[object, ...]:
    created = program.creation_date
    return (
        program.program_id,
        _visibility(program),
        "True" if program.ready else "False" if program.reason else "Unknown",
        program.reason,
        program.max_execution_time,
        program.body["spec"].get("profile"),
        table.age(datetime.fromisoformat(created) if created else None, now),
        program.description,
    )


def _visibility(program: RuntimeProgram) -> str:
    return "public" if program.is_public else "private"
