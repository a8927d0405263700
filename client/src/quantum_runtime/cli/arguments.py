"""What several commands have in common: how programs, inputs and backends are given, and what is wrong with them."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from quantum_runtime import folder, inputs
from quantum_runtime.findings import FolderError, Level
from quantum_runtime.metadata import COMPATIBILITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.backends import Backend
    from quantum_runtime.findings import Finding

F = TypeVar("F", bound="Callable[..., Any]")

program_argument = click.argument("path", metavar="PROGRAM", type=click.Path(path_type=Path))


def is_path(word: str) -> bool:
    """Return whether a word means a program on this machine, and not the name of one on a cluster.

    As pip does: it has a path separator, ends in ``.py``, or is ``.``.
    """
    separators = {os.sep, os.altsep or os.sep}
    return word in (".", "..") or word.endswith(".py") or not separators.isdisjoint(word)


class Named(NamedTuple):
    """An object of the cluster, as people name it."""

    kind: str
    """``job``, or ``program`` with either visibility, or one of them: ``runtimeprogram``, ``clusterruntimeprogram``."""
    name: str


_KINDS = {
    "job": "job",
    "jobs": "job",
    "rtj": "job",
    "runtimejob": "job",
    "runtimejobs": "job",
    "program": "program",
    "programs": "program",
    "rtp": "runtimeprogram",
    "runtimeprogram": "runtimeprogram",
    "runtimeprograms": "runtimeprogram",
    "crtp": "clusterruntimeprogram",
    "clusterruntimeprogram": "clusterruntimeprogram",
    "clusterruntimeprograms": "clusterruntimeprogram",
}


def named(word: str) -> Named:
    """Return what a word means: ``NAME``, a job; ``job/NAME``, ``program/NAME``, or as ``-o name`` prints it.

    Raises:
        click.BadParameter: it is none of these.
    """
    kind, slash, name = word.rpartition("/")
    plain = kind.lower().removesuffix(".quantumruntime.dev")
    if (slash and plain not in _KINDS) or not name:
        raise click.BadParameter(f"{word!r} is neither NAME nor job/NAME nor program/NAME")
    return Named(_KINDS[plain] if slash else "job", name)


def job_name(_context: click.Context, _parameter: click.Parameter, word: Any) -> Any:
    """Return the name of the job that a word means; click's callback of an argument.

    Raises:
        click.BadParameter: it means something else.
    """
    if isinstance(word, tuple):
        return tuple(job_name(_context, _parameter, one) for one in word)
    found = named(word)
    if found.kind != "job":
        raise click.BadParameter(f"{word!r} is a program, expected a job")
    return found.name


def hint_of_path(word: str) -> str:
    """Return what to add to an error about a name that the cluster does not have, if there is such a file or folder."""
    if not Path(word).exists():
        return ""
    what = "folder" if Path(word).is_dir() else "file"
    return f"; for the {what} of this name on this machine write ./{word}"


def refuse(given: dict[str, object], why: str) -> None:
    """Refuse options that have no meaning here.

    Args:
        given: Option -> its value; None, False and an empty tuple: it was not given.
        why: The rest of the sentence.

    Raises:
        click.UsageError: one was given.
    """
    for option, value in given.items():
        if value is not None and value is not False and value != ():
            raise click.UsageError(f"{option} {why}")


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


def input_options(command: F) -> F:
    """Add the options for a run's inputs; `read_inputs` takes their values."""
    command = click.option(
        "--inputs",
        "documents",
        metavar="FILE",
        multiple=True,
        help="A JSON or YAML file of inputs; - reads stdin. May be repeated; later files, and --input, win.",
    )(command)
    return click.option(
        "-i",
        "--input",
        "single",
        metavar="NAME=VALUE",
        multiple=True,
        help="One input: the value is JSON if it is any, otherwise text. May be repeated.",
    )(command)


def read_inputs(documents: tuple[str, ...], single: tuple[str, ...]) -> dict[str, Any]:
    """Return the inputs that were given.

    Raises:
        InputError: a file or an option holds none.
    """
    values: dict[str, Any] = {}
    for name in documents:
        if name == "-":
            values |= inputs.from_file_text(sys.stdin.read(), what="stdin")
        else:
            values |= inputs.read(Path(name))
    return values | dict(map(inputs.from_option, single))


def output_option(*forms: str, default: str = "table") -> Callable[[F], F]:
    """Return the option ``-o``.

    Args:
        *forms: What it may be; ``json``, ``yaml`` and ``name`` are for scripts.
        default: Which of them, for people.
    """
    return click.option(
        "-o", "--output", type=click.Choice(forms), default=default, show_default=True, help="Format of the output."
    )


def backend_options(command: F) -> F:
    """Add the options that choose a backend on this machine."""
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
