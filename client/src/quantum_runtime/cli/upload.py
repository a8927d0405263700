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
    from quantum_runtime.service.service import RuntimeService

_ABOUT_SPEC = ("backend_requirements", "parameters", "return_values", "interim_results")
_ONLY_SPEC = ("profile", "compatibility", "validate_results")
"""Keys of a metadata file that become fields of the resource: in the list style the first stand on the top level."""


@click.command(short_help="Put a program on the cluster.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--public", is_flag=True, help="Into the cluster's catalogue, where every namespace can run it.")
@click.option("--replace", is_flag=True, help="Change the program if there is one of this name.")
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
    service = session.service()
    done = "created"
    try:
        service.upload_program(str(path), _metadata(program, public=public))
    except RuntimeDuplicateProgramError:
        kind = manifest.PUBLIC if public else manifest.PRIVATE
        if not replace:
            message = f"there is a {kind} {program.name!r} already; --replace changes it"
            raise errors.CommandError(message, exits.FAILED) from None
        _replace(service, program, path, public=public)
        done = "replaced"
    if output == "text":
        click.echo(f"{objects.named(manifest.PUBLIC if public else manifest.PRIVATE, program.name)} {done}")
    else:
        click.echo(objects.text([service.program(program.name).body], output, single=True), nl=False)


def _metadata(program: ProgramFolder, *, public: bool) -> dict[str, Any]:
    """Return the metadata besides what comes with the program: its time limit, if it has no metadata file."""
    limit = {} if program.metadata_file else {"max_execution_time": program.metadata.max_execution_time}
    return {**limit, "is_public": True} if public else limit


def _replace(service: RuntimeService, program: ProgramFolder, path: Path, *, public: bool) -> None:
    there = service.program(program.name)
    if there.is_public is not public:
        message = f"a {there.kind} of this name in namespace {service.namespace} hides the public program"
        raise errors.CommandError(f"{message} {program.name!r}: delete it, or choose another namespace", exits.FAILED)
    service.update_program(program.name, str(path), complete(program, manifest.metadata_document(there.body)))


def complete(program: ProgramFolder, old: dict[str, Any]) -> dict[str, Any]:
    """Return a program's metadata such that nothing of the old ones is left: what it does not say, it says is null."""
    metadata = program.metadata
    new = {key: value for key, value in metadata.document.items() if key != "is_public"}
    new |= {"name": metadata.document.get("name", program.name), "max_execution_time": metadata.max_execution_time}
    if "description" in old:
        new.setdefault("description", None)
    old_spec, new_spec = old.get("spec", {}), dict(new.get("spec", {}))
    for key in (*_ABOUT_SPEC, *_ONLY_SPEC):
        if key not in new_spec and key not in new and (key in old_spec or key in old):
            new_spec[key] = None
    return new | ({"spec": new_spec} if new_spec else {})
