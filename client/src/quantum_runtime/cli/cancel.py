"""``quantum-runtime cancel``: the end of jobs."""

from __future__ import annotations

import sys

import click

from quantum_runtime.cli import arguments, candidates, errors, objects, session


@click.command(short_help="Cancel jobs.")
@click.argument(
    "jobs", metavar="JOB...", nargs=-1, required=True, callback=arguments.job_name,
    shell_complete=candidates.unfinished_jobs,
)  # fmt: skip
@arguments.output_option("text", "name", default="text")
@session.cluster_options
def cancel(jobs: tuple[str, ...], output: str) -> None:
    """Cancel each JOB: its program is stopped, and what it has published so far is kept.

    If one cannot be cancelled, the others are all the same; the exit code is that of the first that cannot.

    \b
    Examples:
      quantum-runtime cancel vqe-4vq0x2m8nd
      quantum-runtime jobs --status Queued -o name | xargs quantum-runtime cancel
    """  # noqa: D301 - click wants the character itself
    service = session.service()

    def end(name: str) -> str:
        job = service.job(name)
        job.cancel()
        shown = objects.name(job.view.body)
        return shown if output == "name" else f"{shown} is being cancelled"

    sys.exit(errors.for_each(jobs, end))
