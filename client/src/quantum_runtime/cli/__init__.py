"""The command line, ``quantum-runtime``: one module per command, loaded when it is called."""

from __future__ import annotations

import importlib
from typing import cast

import click

COMMANDS = {
    "new": "new",
    "render": "render",
    "run": "run",
    "test": "test",
    "validate": "validate",
}
"""Command -> module of this package, which has the command under the same name."""


class _Commands(click.Group):
    """Loads a command's module when the command is wanted: the fast ones stay fast."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__name__}.{COMMANDS[name]}")
        return cast("click.Command", getattr(module, COMMANDS[name]))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quantum-runtime")
def main() -> None:
    """Write, test and run Qiskit Runtime programs.

    A program is a Python file with a function main(backend, user_messenger, **kwargs), alone or in a folder with its
    metadata and examples.
    """
