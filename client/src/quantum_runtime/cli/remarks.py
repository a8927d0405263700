"""What the client library has to say besides: its log and its warnings, as lines on stderr."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from quantum_runtime.cli import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LIBRARY = __name__.partition(".")[0]


class _Lines(logging.Handler):
    """Prints log records of the library, from warnings on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.echo: Callable[..., None] = click.echo

    def emit(self, record: logging.LogRecord) -> None:
        self.say(record.getMessage())

    def say(self, message: str) -> None:
        self.echo(click.style(f"warning: {show.printable(message)}", fg="yellow"), err=True)


_lines = _Lines()


@contextmanager
def shown() -> Iterator[None]:
    """Print them while a command runs."""
    library = logging.getLogger(_LIBRARY)

    def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
        _lines.say(str(message))

    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        library.addHandler(_lines)
        try:
            yield
        finally:
            library.removeHandler(_lines)


@contextmanager
def through(echo: Callable[..., None]) -> Iterator[None]:
    """Print them with this function, which takes what `click.echo` takes."""
    before, _lines.echo = _lines.echo, echo
    try:
        yield
    finally:
        _lines.echo = before
