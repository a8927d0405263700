"""``quantum-runtime render``: manifests out of programs."""

from __future__ import annotations

from pathlib import Path

import click

from quantum_runtime import catalog, folder
from quantum_runtime.findings import ProgramError
from quantum_runtime.manifest import program_manifest, to_yaml


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 and name the files that are not up to date.")
@click.option("--public", is_flag=True, help="A program's manifest is a ClusterRuntimeProgram. Of one program only.")
@click.option("--namespace", "-n", help="Namespace of a private program's manifest. Of one program only.")
def render(path: Path, *, check: bool, public: bool, namespace: str | None) -> None:
    """Render programs to manifests.

    PATH is a program, whose manifest is printed (a RuntimeProgram, private to a namespace, unless its metadata say
    is_public), or a folder of programs, which are written to its folder `manifests`: one file per program and catalogue
    of its `catalog.yaml`, each folder ready for `kubectl apply --kustomize`, Argo CD and Flux.

    \b
    Examples:
      quantum-runtime render my_program --namespace chemistry | kubectl apply --server-side -f -
      quantum-runtime render programs --check
    """  # noqa: D301 - click takes the backspace itself for "do not wrap"
    if not _is_folder_of_programs(path):
        if check:
            raise click.UsageError("--check is for a folder of programs")
        if public and namespace:
            raise click.UsageError("a public program has no namespace: give --public or --namespace")
        visibility = True if public else False if namespace else None  # None: as the metadata say
        click.echo(to_yaml(program_manifest(_read(path), public=visibility, namespace=namespace)), nl=False)
        return
    if public or namespace:
        raise click.UsageError(f"--public and --namespace are for one program, {path} is a folder of programs")
    try:
        rendered = catalog.render(path)
        differences = catalog.compare(path, rendered)
    except ProgramError as error:
        raise click.ClickException(f"{path} cannot be rendered\n{error}") from None
    if not check:
        catalog.write(path, rendered, differences)
    for difference in differences:
        click.echo(f"{path / difference.path}: {difference.what if check else _DONE[difference.what]}", err=check)
    if check and differences:
        raise click.ClickException(f"not up to date: run `quantum-runtime render {path}`")


_DONE = {"missing": "added", "different": "changed", "stale": "removed"}


def _is_folder_of_programs(path: Path) -> bool:
    if not path.is_dir():
        return False
    return (path / catalog.CATALOG_FILE).exists() or (not catalog.has_source(path) and bool(catalog.programs_in(path)))


def _read(path: Path) -> folder.ProgramFolder:
    try:
        return folder.read(path)
    except ProgramError as error:
        raise click.ClickException(f"{path} cannot be rendered\n{error}") from None
