"""The command line, ``quantum-runtime`` and ``kubectl runtime``: one module per command, loaded when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from quantum_runtime.cli import exits, remarks, session

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAMS = "Programs"
JOBS = "Jobs"
HERE = "On this machine"

COMMANDS = {
    "programs": PROGRAMS,
    "upload": PROGRAMS,
    "visibility": PROGRAMS,
    "run": JOBS,
    "validate": JOBS,
    "jobs": JOBS,
    "status": JOBS,
    "logs": JOBS,
    "interim": JOBS,
    "result": JOBS,
    "cancel": JOBS,
    "delete": JOBS,
    "backends": JOBS,
    "new": HERE,
    "test": HERE,
    "render": HERE,
    "completion": HERE,
}
"""Command -> its section of the help. The module of the same name in this package has it under the same name, too."""

COMPLETE_VARIABLE = "_QUANTUM_RUNTIME_COMPLETE"
"""By which a shell asks for completions, under both names of the program."""

_KUBECTL = "kubectl-runtime"


class _Commands(click.Group):
    """Loads a command's module when the command is wanted: the fast ones stay fast."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return cast("click.Command", getattr(importlib.import_module(f"{__name__}.{name}"), name))

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(context, args)
        if command is not None and not context.resilient_parsing:
            session.refuse_settings_for(command, context)
        return name, command, rest

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, COMMANDS))
        for section in dict.fromkeys(COMMANDS.values()):
            commands = [(name, self.get_command(context, name)) for name in COMMANDS if COMMANDS[name] == section]
            limit = formatter.width - 6 - widest
            rows = [(f"{name:{widest}}", command.get_short_help_str(limit)) for name, command in commands if command]
            with formatter.section(section):
                formatter.write_dl(rows)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run the program, under the name by which it was called."""
        name = prog_name or ("kubectl runtime" if Path(sys.argv[0]).stem == _KUBECTL else None)
        settings: dict[str, Any] = {"complete_var": COMPLETE_VARIABLE}
        if os.environ.get("NO_COLOR"):  # a convention that click does not know
            settings["color"] = False
        return super().main(args, name, **(settings | extra))

    def invoke(self, context: click.Context) -> Any:
        """Run the command; what goes wrong becomes a sentence and an exit code."""
        try:
            with remarks.shown():
                return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            context.exit(exits.INTERRUPTED)
        except OSError as error:  # a full disk, a file that cannot be written
            raise click.ClickException(str(error)) from None
        except Exception as error:
            from quantum_runtime.cli import errors

            raise errors.in_words(error) from None


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"\b\nExit codes:\n{exits.table()}",
)
@session.cluster_options
@click.version_option(package_name="quantum-runtime")
def main() -> None:
    """Write, test and run Qiskit Runtime programs, here and on a cluster.

    A program is a Python file with a function main(backend, user_messenger, **kwargs), alone or in a folder with its
    metadata and examples. On a cluster it has a name, and a job is one run of it.
    """
