"""What a job is doing while somebody waits for it: one line of stderr that rewrites itself, or a line for each change.

Everything else that is printed meanwhile goes through the same `Waiting`, which keeps it apart from that line.
"""

from __future__ import annotations

import shutil
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from quantum_runtime import progress
from quantum_runtime.cli import remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from quantum_runtime.service.view import JobView

_CLEAR = "\r\x1b[K"
"""Back to the line's beginning, and nothing behind it: written to terminals alone."""

_TICK_SECONDS = 1.0


class Waiting:
    """The line, and what is printed above it. Its methods may be called from several threads."""

    def __init__(
        self, now: Callable[[], datetime], *, time_limit: int | None = None, terminal: bool | None = None
    ) -> None:
        """Begin with no line.

        Args:
            now: The clock.
            time_limit: Seconds the program may run, where the job itself does not say.
            terminal: Whether stderr rewrites lines; None: find out.
        """
        self._now = now
        self._time_limit = time_limit
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._lock = threading.RLock()
        self._view: JobView | None = None
        self._told: tuple[Any, ...] = ()
        self._shown = False
        self._line_is_open = False

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Bring the time in the line up to date every second; at the end the line is gone."""
        ended = threading.Event()

        def tick() -> None:
            while not ended.wait(_TICK_SECONDS):
                self.refresh()

        clock = threading.Thread(target=tick, name="quantum-runtime waiting", daemon=True)
        if self._terminal:
            clock.start()
        try:
            with remarks.through(self.echo):
                yield
        finally:
            ended.set()
            self.close()

    def close(self) -> None:
        """Take the line away."""
        with self._lock:
            self._view = None
            self._clear()

    def show(self, view: JobView) -> None:
        """Say what the job is doing now; that it has ended is left to whoever prints the outcome."""
        with self._lock:
            self._view = None if view.final else view
            telling = (view.phase, view.reason, view.message, view.cancel_requested, view.started is None)
            changed, self._told = telling != self._told, telling
            if self._terminal:
                self.refresh()
            elif changed and not view.final:
                click.echo(progress.describe(view, self._now(), time_limit=self._time_limit), err=True)

    def refresh(self) -> None:
        """Write the line again, with the time it is now."""
        with self._lock:
            if not self._terminal:
                return
            self._clear()
            if self._view is None or self._line_is_open:
                return
            text = progress.describe(self._view, self._now(), time_limit=self._time_limit)
            columns = shutil.get_terminal_size().columns
            click.echo(text[: columns - 1], err=True, nl=False)
            self._shown = True

    def echo(self, text: str, *, err: bool = False, nl: bool = True) -> None:
        """Print something that stays."""
        with self._lock:
            self._clear()
            click.echo(text, err=err, nl=nl)
            if text or nl:
                self._line_is_open = not nl and not text.endswith("\n")
            self.refresh()

    def end_line(self) -> None:
        """End the line that a text without an end has left open on stdout."""
        with self._lock:
            if self._line_is_open:
                self.echo("")

    def _clear(self) -> None:
        if self._shown:
            click.echo(_CLEAR, err=True, nl=False, color=True)
            self._shown = False
