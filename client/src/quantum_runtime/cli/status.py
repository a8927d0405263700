"""``quantum-runtime status``: how one job is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quantum_runtime import progress
from quantum_runtime.cli import arguments, candidates, follow, objects, session, show, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from quantum_runtime.service.view import JobView

WIDTH = 12


@click.command(short_help="Show how a job is doing.")
@click.argument("job", callback=arguments.job_name, shell_complete=candidates.jobs)
@arguments.output_option("text", "json", "yaml", "name", default="text")
@session.cluster_options
def status(job: str, output: str) -> None:
    """Show how JOB is doing, and why.

    Exits with 0 if there is such a job, however it went.

    \b
    Examples:
      quantum-runtime status vqe-4vq0x2m8nd
      quantum-runtime status vqe-4vq0x2m8nd -o json | jq -r .status.phase
    """  # noqa: D301 - click wants the character itself
    service = session.service()
    found = service.job(job)
    if output == "text":
        limit = None if found.view.final else follow.time_limit(service, found)
        for line in lines(found.view, session.now(), limit):
            click.echo(line)
    else:
        click.echo(objects.text([found.view.body], output, single=True), nl=False)


def lines(view: JobView, now: datetime, time_limit: int | None = None) -> Iterator[str]:
    """Yield what people want to know of a job.

    Args:
        view: The job.
        now: The time, aware of its zone.
        time_limit: Seconds it may run, if the job itself does not say.
    """
    yield _line("Job", view.name)
    yield _line("Program", f"{view.program_name} ({_visibility(view)})")
    yield _line("Backend", view.backend or "the cluster's default")
    yield f"{'Phase:':{WIDTH}}{table.coloured(view.phase)}"
    yield _line("State", progress.describe(view, now, time_limit=time_limit))
    yield _line("Created", _moment(view.created, now))
    if view.started is not None:
        queued = f", after {view.queued_seconds:g} s" if view.queued_seconds is not None else ""
        yield _line("Started", _moment(view.started, now) + queued)
    if view.ended is not None:
        ran = f", after running {view.execution_seconds:g} s" if view.execution_seconds is not None else ""
        yield _line("Ended", _moment(view.ended, now) + ran)
    if view.time_limit is not None:
        yield _line("Time limit", f"{view.time_limit} s")
    if view.inputs:
        yield _line("Inputs", ", ".join(view.inputs))
    if view.tags:
        yield _line("Tags", ", ".join(view.tags))
    if view.pod:
        yield _line("Runner", f"{view.pod} on {view.node or 'a node that is not known yet'}")
    yield _line("Interim", f"{view.published} published" + (f", {view.dropped} not kept" if view.dropped else ""))
    yield _line("Log", f"{view.log_bytes} bytes")
    if view.succeeded:
        size = view.result_ref.size if view.result_ref else len((view.result_text or "").encode())
        yield _line("Result", f"{size} bytes")
    if view.traceback:
        yield "Traceback:"
        yield from (f"  {line}" for line in show.printable(view.traceback).rstrip("\n").split("\n"))


def _line(title: str, text: str) -> str:
    return f"{title + ':':{WIDTH}}{show.printable(text)}"


def _visibility(view: JobView) -> str:
    return "public" if view.program_kind == "ClusterRuntimeProgram" else "private"


def _moment(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "not known"
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%SZ')} ({table.age(moment, now)} ago)"
