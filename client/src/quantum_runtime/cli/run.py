"""``quantum-runtime run``: one run of a program on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from runtime_runner import contract

from quantum_runtime import inputs, local
from quantum_runtime.cli import arguments, show
from quantum_runtime.outcome import EXIT_CODES

if TYPE_CHECKING:
    from quantum_runtime.folder import ProgramFolder
    from quantum_runtime.outcome import Outcome


@click.command(short_help="Run a program on this machine.")
@arguments.program_argument
@click.option(
    "-i",
    "--input",
    "single",
    metavar="NAME=VALUE",
    multiple=True,
    help="One input: the value is JSON if it is any, otherwise text. May be repeated.",
)
@click.option(
    "--inputs",
    "document",
    metavar="FILE",
    multiple=True,
    help="A JSON or YAML file of inputs; - reads stdin. May be repeated; later files, and --input, win.",
)
@arguments.backend_options
@arguments.time_limit_option
@arguments.compatibility_option
@click.option(
    "--log-level",
    type=click.Choice(local.LOG_LEVELS, case_sensitive=False),
    default="INFO",
    show_default=True,
    help="Level of the root logger in the program's process.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="json: one document, for scripts."
)
@arguments.plain_errors
def run(
    path: Path,
    single: tuple[str, ...],
    document: tuple[str, ...],
    backend: str | None,
    backend_file: Path | None,
    max_execution_time: int | None,
    compatibility: str | None,
    log_level: str,
    output: str,
) -> None:
    """Run PROGRAM, a Python file or a program's folder, on this machine.

    It runs with the same runner, checks, limits and messages as in a cluster, but without a sandbox: the program has
    your rights. Interim results and the result go to stdout, what the program logs to stderr. Ctrl-C cancels the run, a
    second one kills it.

    \b
    Examples:
      quantum-runtime run programs/sample_program --input iterations=3
      quantum-runtime run bell.py --inputs bell.json --backend fake-montreal
      quantum-runtime run vqe -i seed=1 -o json | jq .result

    \b
    Exit codes:
      0    the program returned a result
      1    the program failed, or its result cannot be used
      2    wrong usage, or PROGRAM cannot be read
      3    the inputs were refused
      4    the backend is not there, too small, or cannot be built
      5    the program ran longer than it may
      6    the program used more memory than there is
      70   the runner broke
      130  cancelled
    """  # noqa: D301 - click wants the character itself
    program = arguments.read_program(path)
    values = _inputs(document, single)
    chosen = arguments.chosen_backend(backend, backend_file)
    printer = None if output == "json" else _Printer()
    outcome = local.run(
        program,
        values,
        backend=chosen,
        max_execution_time=max_execution_time,
        compatibility=compatibility or "",
        log_level=log_level.upper(),
        listener=printer,
        cancel_on_interrupt=True,
    )
    name = chosen if isinstance(chosen, str) else chosen.name
    if printer is None:
        click.echo(as_json(program, name, outcome))
    else:
        printer.end(outcome)
    sys.exit(EXIT_CODES.get(outcome.reason, 1))


def as_json(program: ProgramFolder, backend: str, outcome: Outcome) -> str:
    """Return an outcome as ``-o json`` shows it; results stand there as the program's encoder wrote them."""
    facts: dict[str, Any] = {
        "program": program.name,
        "backend": backend,
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
    texts = {key: json.dumps(fact) for key, fact in facts.items()}
    texts["interimResults"] = f"[{', '.join(outcome.interim_texts)}]"
    texts["result"] = outcome.result_text or "null"
    return "{" + ", ".join(f'"{key}": {text}' for key, text in texts.items()) + "}"


def _inputs(documents: tuple[str, ...], single: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in documents:
        if name == "-":
            values |= inputs.from_file_text(sys.stdin.read(), what="stdin")
        else:
            values |= inputs.read(Path(name))
    return values | dict(map(inputs.from_option, single))


class _Printer:
    """Prints what a run says, as it says it."""

    def __init__(self) -> None:
        self._interims = 0
        self._at_line_start = True

    def __call__(self, event: contract.JournalEvent) -> None:
        match event:
            case contract.Interim():
                self._interims += 1
                click.echo(f"interim result {self._interims}: {show.value(event.value)}")
            case contract.Log():
                click.echo(event.text, err=True, nl=False)
                self._at_line_start = event.text.endswith("\n")

    def end(self, outcome: Outcome) -> None:
        """Print how it went: the result last on stdout, everything else on stderr."""
        if not self._at_line_start:
            click.echo(err=True)
        for line in _remarks(outcome):
            click.secho(line, err=True, fg="yellow")
        if outcome.result_text is not None:
            click.echo(f"result: {show.value(outcome.result_text)}")
        if outcome.succeeded:
            return
        if outcome.traceback:
            click.echo(show.printable(outcome.traceback).rstrip("\n"), err=True)
        click.secho(f"{outcome.reason}: {show.printable(outcome.message)}", err=True, fg="red")


def _remarks(outcome: Outcome) -> list[str]:
    remarks = [f"warning: {show.printable(warning)}" for warning in outcome.warnings]
    if outcome.interim_dropped:
        remarks.append(f"warning: {outcome.interim_dropped} interim results were beyond the limit and are lost")
    if outcome.log_dropped_bytes:
        remarks.append(f"warning: {outcome.log_dropped_bytes} bytes of log were beyond the limit and are lost")
    return remarks
