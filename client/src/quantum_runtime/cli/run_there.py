"""A run of a program on a cluster: a job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from quantum_runtime.cli import arguments, errors, exits, objects, printer, session, show
from quantum_runtime.cli import follow as following
from quantum_runtime.cli.waiting import Waiting

if TYPE_CHECKING:
    from quantum_runtime.service.job import RuntimeJob
    from quantum_runtime.service.service import RuntimeService


def run(
    program: str,
    values: dict[str, Any],
    *,
    backend: str | None,
    max_execution_time: int | None,
    log_level: str | None,
    tags: tuple[str, ...],
    name: str | None,
    start_deadline: int | None,
    follow: bool,
    output: str,
) -> None:
    """Make a job, and print its name; or stay with it, print what it says and exit by its outcome."""
    try:
        service = session.service()
        job = service.run(
            program,
            values,
            backend=backend,
            max_execution_time=max_execution_time,
            log_level=log_level,
            job_tags=list(tags) or None,
            name=name,
            start_deadline=start_deadline,
        )
    except Exception as error:
        raise errors.in_words(error, hint=arguments.hint_of_path(program)) from None
    if follow:
        _stay(service, job, output)
    elif output == "text":
        click.echo(f"{objects.name(job.view.body)} created")
    else:
        click.echo(objects.text([job.view.body], output, single=True), nl=False)


def _stay(service: RuntimeService, job: RuntimeJob, output: str) -> None:
    view = job.view
    if output == "name":
        click.echo(objects.name(view.body))
    else:
        click.echo(f"{objects.name(view.body)} created", err=True)
    waiting = Waiting(session.clock(), time_limit=following.time_limit(service, job))
    with following.interruptible(job):
        if output == "text":
            _print(job, waiting)
        else:
            _print_document(job, waiting, output)
    sys.exit(exits.of_reason(following.reason(job.view)))


def _print(job: RuntimeJob, waiting: Waiting) -> None:
    shown = printer.Printer(waiting.echo)
    log = following.LogReader(lambda text: shown.log(show.written(text, sys.stderr)), shown.remark)
    following.to_the_end(job, waiting, interim=shown.interim, log=log)
    shown.end(following.outcome(job))


def _print_document(job: RuntimeJob, waiting: Waiting, output: str) -> None:
    interims: list[str] = []
    view = following.to_the_end(job, waiting, interim=interims.append if output == "json" else None)
    if output == "json":
        outcome = following.outcome(job, interim_texts=tuple(interims), logs=job.logs())
        facts = {"job": view.name, "program": view.program_name, "backend": view.backend}
        click.echo(printer.as_json(outcome, **facts))
    elif output == "yaml":
        click.echo(objects.text([view.body], output, single=True), nl=False)
