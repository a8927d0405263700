"""``quantum-runtime jobs``: what there is of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from quantum_runtime.cli import arguments, candidates, moments, objects, session, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from quantum_runtime.service.view import JobView

PHASES = ("Queued", "Running", "Completed", "Failed", "Cancelled")

COLUMNS = ("NAME", "PROGRAM", "BACKEND", "PHASE", "REASON", "INTERIM", "SECONDS", "AGE")
WIDE_COLUMNS = (*COLUMNS, "RUNNER", "NODE", "TAGS")

SORTED_BY: dict[str, Callable[[JobView], Any]] = {
    "name": lambda view: view.name,
    "program": lambda view: view.program_name,
    "backend": lambda view: view.backend,
    "status": lambda view: PHASES.index(view.phase),
    "seconds": lambda view: -(view.execution_seconds or 0.0),
}
"""Jobs that are equal by it stay in the order of their creation, the newest first."""


@click.command(short_help="List jobs.")
@click.option("--program", metavar="NAME", help="Only jobs of this program.", shell_complete=candidates.programs)
@click.option(
    "--status",
    "phases",
    type=click.Choice(PHASES, case_sensitive=False),
    multiple=True,
    help="Only jobs in this phase. May be repeated: in any of them.",
)
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="Only jobs with this tag. May be repeated: with all of them."
)
@click.option(
    "--since", metavar="WHEN", help="Only jobs created since then: 30m, 2h, 7d ago, or a date like 2026-01-31."
)
@click.option(
    "--backend", metavar="NAME", help="Only jobs that ask for this backend.", shell_complete=candidates.backends
)
@click.option(
    "--sort",
    type=click.Choice(["created", *SORTED_BY]),
    default="created",
    show_default=True,
    help="Order of the list; by creation the newest job comes first.",
)
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="Show N at most.")
@click.option("--all", "everything", is_flag=True, help="Show all of them.")
@arguments.output_option("table", "wide", "json", "yaml", "name")
@session.cluster_options
def jobs(
    program: str | None,
    phases: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    backend: str | None,
    sort: str,
    limit: int,
    everything: bool,
    output: str,
) -> None:
    """List the jobs of a namespace, the newest first.

    \b
    Examples:
      quantum-runtime jobs --status Running --status Queued
      quantum-runtime jobs --program vqe --since 2h --sort seconds
      quantum-runtime jobs --tag hydrogen --all -o json | jq '.items[].status.executionSeconds'
      quantum-runtime jobs --status Queued -o name | xargs quantum-runtime cancel
    """  # noqa: D301 - click wants the character itself
    now = session.now()
    newest = sort == "created" and not everything
    service = session.service()
    found = service.jobs(
        limit=limit + 1 if newest else None,
        program_id=program,
        status=list(phases) or None,
        job_tags=list(tags) or None,
        backend_name=backend,
        created_after=moments.since(since, now) if since else None,
    )
    views = [job.view for job in found]
    if sort != "created":
        views.sort(key=SORTED_BY[sort])
    shown = views if everything else views[:limit]
    if output in ("json", "yaml", "name"):
        click.echo(objects.text([view.body for view in shown], output), nl=False)
    elif shown:
        click.echo(as_table(shown, now, wide=output == "wide"), nl=False)
    else:
        which = "such jobs" if program or phases or tags or since or backend else "jobs"
        click.echo(f"No {which} in namespace {service.namespace}.", err=True)
    if len(views) > len(shown):
        click.echo("There are more: --limit and --all show them.", err=True)


def as_table(views: list[JobView], now: datetime, *, wide: bool) -> str:
    """Return the table, with the columns that ``kubectl get rtj`` has."""
    rows = [_row(view, now) for view in views]
    return table.render(WIDE_COLUMNS if wide else COLUMNS, [row if wide else row[: len(COLUMNS)] for row in rows])


def _row(view: JobView, now: datetime) -> tuple[object, ...]:
    return (
        view.name,
        view.program_name,
        view.backend,
        table.coloured(view.phase),
        view.reason,
        view.published,
        view.execution_seconds,
        table.age(view.created, now),
        view.pod,
        view.node,
        ",".join(view.tags),
    )
