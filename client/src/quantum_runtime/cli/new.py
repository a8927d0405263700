"""``quantum-runtime new``: a complete program to start from."""

from __future__ import annotations

from pathlib import Path

import click

from quantum_runtime import template
from quantum_runtime.cli import arguments
from quantum_runtime.metadata import LONGEST_NAME, module_name, resource_name


@click.command(short_help="Make the folder of a new program.")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to make it; the current folder if not given.",
)
def new(name: str, folder: Path) -> None:
    """Make the folder of a new program called NAME: source, metadata, examples and a test.

    What is in it runs as it stands. Nothing is ever overwritten.

    \b
    Example:
      quantum-runtime new my-program
      quantum-runtime test my_program
    """  # noqa: D301 - click wants the character itself
    usable = resource_name(name)
    if not usable or usable[0].isdigit() or len(usable) > LONGEST_NAME:
        limit = f"at most {LONGEST_NAME} characters, beginning with a letter"
        raise click.UsageError(f"{name!r} is no name of a program: letters, digits and hyphens, {limit}")
    path = folder / module_name(usable)
    try:
        made = template.write(path, usable)
    except FileExistsError:
        raise click.UsageError(f"{path} exists already") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be made: {error.strerror}") from None
    for file in made:
        click.echo(f"made {file}")
    place = path if arguments.is_path(str(path)) else f"./{path}"  # a bare word would be the name of one on a cluster
    click.echo(f"next: quantum-runtime validate {place}; quantum-runtime test {place}; pytest {place}")
