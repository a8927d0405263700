"""``quantum-runtime delete``: jobs and programs that are not needed any more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from quantum_runtime.cli import arguments, candidates, errors, exits, objects, session

if TYPE_CHECKING:
    from quantum_runtime.service.service import RuntimeService


@click.command(short_help="Delete jobs and programs.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=candidates.objects)
@arguments.output_option("text", "name", default="text")
@session.cluster_options
def delete(names: tuple[str, ...], output: str) -> None:
    """Delete jobs, each with its results and logs, and programs. It does not ask whether you are sure.

    NAME and job/NAME are a job, program/NAME is a program. A running job is stopped. Jobs that have started are not
    touched when their program is deleted.

    \b
    Examples:
      quantum-runtime delete vqe-4vq0x2m8nd
      quantum-runtime delete program/vqe
      quantum-runtime jobs --status Failed --all -o name | xargs quantum-runtime delete
    """  # noqa: D301 - click wants the character itself
    wanted = [arguments.named(word) for word in names]
    service = session.service()

    def remove(what: arguments.Named) -> str:
        shown = _delete_job(service, what.name) if what.kind == "job" else _delete_program(service, what)
        return shown if output == "name" else f"{shown} deleted"

    sys.exit(errors.for_each(wanted, remove))


def _delete_job(service: RuntimeService, name: str) -> str:
    service.delete_job(name)
    return objects.named("runtimejob", name)


def _delete_program(service: RuntimeService, what: arguments.Named) -> str:
    program = service.program(what.name, refresh=True)
    kind = program.kind.lower()
    if what.kind not in ("program", kind):
        message = f"{what.name} in namespace {service.namespace} is a {program.kind}: delete that one first, or choose"
        raise errors.CommandError(f"{message} another namespace", exits.FAILED)
    service.delete_program(what.name)
    return objects.named(kind, what.name)
