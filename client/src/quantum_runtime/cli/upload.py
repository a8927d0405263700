"""``quantum-runtime upload``: a program from this machine onto the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_runtime import manifest
from quantum_runtime.cli import arguments, errors, exits, objects, session
from quantum_runtime.exceptions import RuntimeDuplicateProgramError

if TYPE_CHECKING:
    from quantum_runtime.folder import ProgramFolder


@click.command(short_help="Put a program on the cluster.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--public", is_flag=True, help="Put it into the cluster's catalogue, where every namespace can run it.")
@click.option("--replace", is_flag=True, help="Replace the program of this name, if there is one.")
@arguments.output_option("text", "json", "yaml", "name", default="text")
@session.cluster_options
@arguments.plain_errors
def upload(path: Path, public: bool, replace: bool, output: str) -> None:
    """Put the program at PATH, a Python file or a program's folder, on the cluster.

    It is private to the namespace, unless --public is given or its metadata say is_public. Jobs that have started are
    not touched when a program is replaced.

    \b
    Examples:
      quantum-runtime upload my_program
      quantum-runtime upload bell.py --replace
      quantum-runtime upload vqe --public
    """  # noqa: D301 - click wants the character itself
    program = arguments.read_program(path)
    public = public or program.metadata.is_public
    kind = manifest.PUBLIC if public else manifest.PRIVATE
    metadata = _metadata(program, public=public)
    service, done = session.service(), "created"
    try:
        service.upload_program(str(path), metadata)
    except RuntimeDuplicateProgramError:
        if not replace:
            message = f"there is a {kind} {program.name!r} already; --replace replaces it"
            raise errors.CommandError(message, exits.FAILED) from None
        service.upload_program(str(path), metadata, replace=True)
        done = "replaced"
    if output == "text":
        click.echo(f"{objects.named(kind, program.name)} {done}")
    elif output == "name":
        click.echo(objects.named(kind, program.name))
    else:
        click.echo(objects.text([service.program(program.name).body], output, single=True), nl=False)


def _metadata(program: ProgramFolder, *, public: bool) -> dict[str, Any]:
    """Return the metadata besides what comes with the program: its time limit, if it has no metadata file."""
    limit = {} if program.metadata_file else {"max_execution_time": program.metadata.max_execution_time}
    return {**limit, "is_public": True} if public else limit
