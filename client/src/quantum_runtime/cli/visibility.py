"""``quantum-runtime visibility``: programs for one namespace, and for all."""

from __future__ import annotations

import click

from quantum_runtime import manifest
from quantum_runtime.cli import candidates, objects, session


@click.command(short_help="Publish a program to the cluster's catalogue, or take it back.")
@click.argument("program", shell_complete=candidates.programs)
@click.argument("who", metavar="public|private", type=click.Choice(["public", "private"]))
@session.cluster_options
def visibility(program: str, who: str) -> None:
    """Move PROGRAM into the cluster's catalogue, where every namespace can run it, or from there into this namespace.

    Publishing takes the right to create ClusterRuntimePrograms. Jobs that have started are not touched.

    \b
    Examples:
      quantum-runtime visibility vqe public
      quantum-runtime visibility vqe private --namespace chemistry
    """  # noqa: D301 - click wants the character itself
    service = session.service()
    service.set_program_visibility(program, public=who == "public")
    name = service.program(program).program_id
    click.echo(f"{objects.named(manifest.PUBLIC if who == 'public' else manifest.PRIVATE, name)} is {who}")
