"""What went wrong, as one sentence and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from quantum_runtime.cli import exits, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

_CODES = {
    "RuntimeProgramNotFound": exits.NOT_FOUND,
    "RuntimeJobNotFound": exits.NOT_FOUND,
    "RuntimeJobTimeoutError": exits.NOT_ENDED,
    "IBMNotAuthorizedError": exits.NOT_ALLOWED,
    "IBMApiError": exits.NO_CLUSTER,
    "ConnectionSettingsError": exits.NO_CLUSTER,
    "IBMInputValueError": exits.REFUSED,
    "IBMBackendError": exits.BACKEND,
    "IBMError": exits.FAILED,
}
"""By the names of exceptions, the special ones first: some are made only when they are needed, together with Qiskit."""

_OF_A_NAME = {exits.NOT_FOUND, exits.NO_CLUSTER}
"""Codes of errors that may come from taking the path of a program for a name."""


class CommandError(click.ClickException):
    """Ends a command with a sentence on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int, *, reason: str = "Error") -> None:
        super().__init__(show.printable(message))
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance
        self._reason = reason

    def show(self, file: Any = None) -> None:
        """Print the sentence."""
        click.echo(f"{self._reason}: {self.message}", file=file, err=file is None)


def for_each(items: Iterable[T], do: Callable[[T], str]) -> int:
    """Do something with each, print what it returns, and return the exit code: 0, or that of the first that failed.

    What fails is said on stderr, and does not keep the others from being done.
    """
    code = 0
    for item in items:
        try:
            click.echo(do(item))
        except Exception as error:
            said = error if isinstance(error, click.ClickException) else in_words(error)
            if not isinstance(said, click.ClickException):
                raise
            said.show()
            code = code or said.exit_code
    return code


def in_words(error: Exception, *, where: str = "", hint: str = "", by_reason: bool = False) -> Exception:
    """Return what to raise instead of an exception: itself, if it is none that users are meant to see.

    Args:
        error: What has happened.
        where: Said before the sentence.
        hint: Added to the sentence if there is no program of the name that was given, or no cluster to ask.
        by_reason: Begin with the word that a cluster has for it, if it has one: ``InvalidInput: ...``.
    """
    code = code_of(error)
    if code is None:
        return error
    reason = getattr(error, "reason", "") if by_reason else ""
    return CommandError(f"{where}{error}{hint if code in _OF_A_NAME else ''}", code, reason=reason or "Error")


def code_of(error: Exception) -> int | None:
    """Return an exception's exit code; None if it is none that users are meant to see."""
    names = [cls.__name__ for cls in type(error).__mro__]
    if "IBMError" in names and (reason := getattr(error, "reason", "")):  # a job's, why it failed or would
        return exits.of_reason(str(reason))
    return next((code for name, code in _CODES.items() if name in names), None)
