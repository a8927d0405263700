"""What several commands have in common: the program they are about, and errors in a user's words."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from quantum_runtime import folder
from quantum_runtime.findings import FolderError, Level
from quantum_runtime.metadata import COMPATIBILITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.backends import Backend
    from quantum_runtime.findings import Finding

F = TypeVar("F", bound="Callable[..., Any]")

program_argument = click.argument("path", metavar="PROGRAM", type=click.Path(path_type=Path))


class UnusableProgramError(click.ClickException):
    """There is no usable program; exits with 2, as for any wrong argument."""

    exit_code = 2

    def __init__(self, error: FolderError) -> None:
        super().__init__(str(error))
        self._findings = error.findings

    def show(self, file: Any = None) -> None:
        """Print a line for each finding."""
        for finding in self._findings:
            click.echo(paint(finding), file=file, err=file is None)


def read_program(path: Path) -> folder.ProgramFolder:
    """Return the program at a path.

    Raises:
        UnusableProgramError: there is none.
    """
    try:
        return folder.read(path)
    except FolderError as error:
        raise UnusableProgramError(error) from None


def paint(finding: Finding) -> str:
    """Return a finding as a line, its level in colour where the terminal has any."""
    colour = "red" if finding.level is Level.ERROR else "yellow"
    return click.style(finding.level, fg=colour) + str(finding).removeprefix(finding.level)


def backend_options(command: F) -> F:
    """Add the options that choose a backend."""
    command = click.option(
        "--backend-file",
        type=click.Path(path_type=Path),
        help="YAML file with a RuntimeBackend to run on; with several in it, --backend chooses one.",
    )(command)
    return click.option(
        "--backend",
        metavar="NAME",
        help="Backend to run on: aer (the default), aer-statevector, fake-montreal, generic-5, ibmq_montreal, ...",
    )(command)


def chosen_backend(name: str | None, file: Path | None) -> Backend | str:
    """Return what `backend_options` were given.

    Raises:
        BackendError: the file cannot be used.
    """
    from quantum_runtime import backends

    return backends.from_file(file, name) if file is not None else name or backends.DEFAULT


def compatibility_option(command: F) -> F:
    """Add the option that restores old names."""
    return click.option(
        "--compatibility",
        type=click.Choice(COMPATIBILITY),
        default=None,
        help="Qiskit0 restores names that earlier versions of Qiskit had; the default is what the metadata say.",
    )(command)


def time_limit_option(command: F) -> F:
    """Add the option that lowers the time limit."""
    return click.option(
        "--max-execution-time",
        type=click.IntRange(min=1),
        metavar="SECONDS",
        help="Time limit; it lowers the program's own and never raises it.",
    )(command)


def plain_errors(command: F) -> F:
    """Turn what may be wrong with arguments and installation into one sentence and exit code 2."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from quantum_runtime.backends import BackendError
        from quantum_runtime.inputs import InputError
        from quantum_runtime.local import MissingQiskitError
        from quantum_runtime.outcome import EXIT_CODES

        try:
            return command(*args, **kwargs)
        except FolderError as error:
            raise UnusableProgramError(error) from None
        except (BackendError, InputError, MissingQiskitError) as error:
            raise click.UsageError(str(error)) from None
        except KeyboardInterrupt:  # where it does not cancel a run
            click.echo("Cancelled", err=True)
            sys.exit(EXIT_CODES["Cancelled"])

    return wrapped  # type: ignore[return-value]
