"""``quantum-runtime logs``: what a program wrote to stdout and stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from quantum_runtime.cli import arguments, candidates, follow, session, show, tail
from quantum_runtime.cli.waiting import Waiting

if TYPE_CHECKING:
    from quantum_runtime.service.job import RuntimeJob
    from quantum_runtime.service.service import RuntimeService


@click.command(short_help="Print what a job's program wrote.")
@click.argument("job", callback=arguments.job_name, shell_complete=candidates.jobs)
@click.option("-f", "--follow", "stay", is_flag=True, help="Stay until the job has ended.")
@click.option("--tail", "lines", type=click.IntRange(min=0), metavar="N", help="Begin with the newest N lines.")
@session.cluster_options
def logs(job: str, stay: bool, lines: int | None) -> None:
    """Print what the program of JOB wrote to its stdout and stderr.

    While the job runs, the cluster shows the newest part of it, 16 KiB by default, once per second; when it has ended,
    everything up to a limit. With --follow every line is printed once; what a fast program wrote in between and cannot
    be shown is counted, and the end is completed from the whole log.

    \b
    Examples:
      quantum-runtime logs vqe-4vq0x2m8nd
      quantum-runtime logs vqe-4vq0x2m8nd --tail 20 -f
    """  # noqa: D301 - click wants the character itself
    service = session.service()
    found = service.job(job)
    if stay and not found.view.final:
        with follow.interruptible(found):
            _follow(service, found, lines)
        return
    text = found.logs()
    shown = text if lines is None else tail.last_lines(text, lines)
    click.echo(show.written(shown, sys.stdout), nl=False)


def _follow(service: RuntimeService, job: RuntimeJob, lines: int | None) -> None:
    waiting = Waiting(session.clock(), time_limit=follow.time_limit(service, job))

    def remark(line: str) -> None:
        waiting.end_line()
        waiting.echo(click.style(line, fg="yellow"), err=True)

    reader = follow.LogReader(lambda text: waiting.echo(show.written(text, sys.stdout), nl=False), remark)
    if lines is not None:
        reader.begin_with_last_lines(job.view, lines)
    follow.to_the_end(job, waiting, log=reader)
    waiting.end_line()
