"""``quantum-runtime interim``: what a program has published so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quantum_runtime.cli import arguments, candidates, follow, printer, session
from quantum_runtime.cli.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command(short_help="Print a job's interim results.")
@click.argument("job", callback=arguments.job_name, shell_complete=candidates.jobs)
@click.option("-f", "--follow", "stay", is_flag=True, help="Stay until the job has ended.")
@arguments.output_option("text", "json", default="text")
@session.cluster_options
def interim(job: str, stay: bool, output: str) -> None:
    """Print the interim results of JOB, from the first, in order.

    With -o json each is a line of JSON, as the program's encoder wrote it.

    \b
    Examples:
      quantum-runtime interim vqe-4vq0x2m8nd -f
      quantum-runtime interim vqe-4vq0x2m8nd -o json | jq .energy
    """  # noqa: D301 - click wants the character itself
    service = session.service()
    found = service.job(job)
    if stay:
        waiting = Waiting(session.clock(), time_limit=follow.time_limit(service, found))
        with follow.interruptible(found):
            follow.to_the_end(found, waiting, interim=_taker(output, waiting.echo))
        return
    take = _taker(output, click.echo)
    for text in found.interim_results(follow.AsText):
        take(text)


def _taker(output: str, echo: Callable[..., None]) -> Callable[[str], None]:
    if output == "text":
        return printer.Printer(echo).interim
    return lambda text: echo(in_a_line(text))


def in_a_line(text: str) -> str:
    """Return a JSON text in one line: line ends are only ever between its tokens."""
    return text.replace("\r", " ").replace("\n", " ")
