"""``quantum-runtime result``: what a job gave."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from quantum_runtime.cli import arguments, candidates, errors, exits, follow, printer, session, show
from quantum_runtime.cli.waiting import Waiting

if TYPE_CHECKING:
    from quantum_runtime.service.job import RuntimeJob


@click.command(short_help="Print a job's result.")
@click.argument("job", callback=arguments.job_name, shell_complete=candidates.jobs)
@click.option("--wait", is_flag=True, help="Wait until the job has ended.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait no longer; implies --wait.")
@arguments.output_option("text", "json", default="text")
@session.cluster_options
def result(job: str, wait: bool, timeout: float | None, output: str) -> None:
    """Print the result of JOB, laid out for reading; or why it has none, with the program's traceback.

    With -o json it is the JSON text as the program's encoder wrote it, byte for byte. The exit code tells how the job
    went, see `quantum-runtime --help`.

    \b
    Examples:
      quantum-runtime result vqe-4vq0x2m8nd --wait
      quantum-runtime result vqe-4vq0x2m8nd --timeout 60 -o json | jq .energy
    """  # noqa: D301 - click wants the character itself
    service = session.service()
    found = service.job(job)
    if not found.view.final:
        if not wait and timeout is None:
            message = f"job {job} has not ended, it is {found.view.phase}; --wait waits for its result"
            raise errors.CommandError(message, exits.NOT_ENDED)
        waiting = Waiting(session.clock(), time_limit=follow.time_limit(service, found))
        with follow.interruptible(found):
            _wait(found, waiting, timeout)
    outcome = follow.outcome(found)
    if outcome.result_text is not None:
        _print(outcome.result_text, output)
    if not outcome.succeeded:
        printer.Printer().failure(outcome)
    sys.exit(exits.of_reason(outcome.reason))


def _wait(job: RuntimeJob, waiting: Waiting, timeout: float | None) -> None:
    try:
        follow.to_the_end(job, waiting, timeout=timeout)
    except Exception as error:
        if errors.code_of(error) != exits.NOT_ENDED:
            raise
        message = f"job {job.job_id} has not ended within {timeout:g} s, it is {job.view.phase} and goes on"
        raise errors.CommandError(message, exits.NOT_ENDED) from None


def _print(text: str, output: str) -> None:
    if output == "json":
        click.echo(text.encode(), nl=False)
    else:
        click.echo(show.value(text))
