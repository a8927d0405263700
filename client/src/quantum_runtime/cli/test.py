"""``quantum-runtime test``: the examples of a program, run one after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from quantum_runtime import local
from quantum_runtime.cli import arguments, show
from quantum_runtime.judgement import ENFORCE

if TYPE_CHECKING:
    from pathlib import Path

    from quantum_runtime.outcome import Outcome


@click.command(short_help="Run a program's examples.")
@arguments.program_argument
@click.option("--example", "names", metavar="NAME", multiple=True, help="Only this example. May be repeated.")
@arguments.backend_options
@arguments.time_limit_option
@arguments.compatibility_option
@arguments.plain_errors
def test(
    path: Path,
    names: tuple[str, ...],
    backend: str | None,
    backend_file: Path | None,
    max_execution_time: int | None,
    compatibility: str | None,
) -> None:
    """Run the examples of PROGRAM, the files examples/*.json in its folder, on this machine.

    Each file holds the inputs of one run. Inputs, interim results and results have to match the program's metadata.

    \b
    Examples:
      quantum-runtime test programs/sample_program
      quantum-runtime test programs/sample_program --example repeatable --backend fake-montreal

    Exits with 0 if all succeed, with 1 if one does not, with 2 if there is nothing to run.
    """  # noqa: D301 - click wants the character itself
    program = arguments.read_program(path)
    if unknown := [name for name in names if name not in program.examples]:
        there = ", ".join(program.examples) or "none"
        raise click.UsageError(f"{program.name} has no example {unknown[0]!r}; there are: {there}")
    chosen = arguments.chosen_backend(backend, backend_file)
    wanted = names or tuple(program.examples)
    if not wanted:
        raise click.UsageError(f"{program.name} has no examples: put inputs into files {path}/examples/<name>.json")
    width = max(len("EXAMPLE"), *map(len, wanted))
    click.echo(f"{'EXAMPLE':{width}}  OUTCOME    SECONDS")
    failed = 0
    for name in wanted:
        outcome = local.run(
            program,
            program.examples[name],
            backend=chosen,
            max_execution_time=max_execution_time,
            compatibility=compatibility or "",
            validate_results=ENFORCE,
        )
        failed += not outcome.succeeded
        click.echo(_line(name, outcome, width))
        for warning in outcome.warnings:
            click.secho(f"  warning: {show.printable(warning)}", fg="yellow")
    click.echo(f"{len(wanted) - failed} of {len(wanted)} examples succeeded")
    sys.exit(1 if failed else 0)


def _line(name: str, outcome: Outcome, width: int) -> str:
    word = click.style("ok    ", fg="green") if outcome.succeeded else click.style("failed", fg="red")
    line = f"{name:{width}}  {word}     {outcome.seconds:7.2f}"
    if outcome.succeeded:
        return line
    message = " ".join(show.printable(outcome.message).split())
    last = [text.strip() for text in outcome.traceback.splitlines() if text.lstrip().startswith("File ")][-1:]
    place = f" ({last[0]})" if last else ""
    return f"{line}  {outcome.reason}: {message}{show.printable(place)}"
