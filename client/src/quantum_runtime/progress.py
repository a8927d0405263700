"""How a job is doing, in one line: as a text, and as a line that keeps itself up to date while somebody waits.

`describe` is pure and knows no terminal; `show` draws what it says with tqdm, which is imported when there is a line to
rewrite.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quantum_runtime.service.view import JobView

QUIET_SECONDS = 10.0
"""The operator writes nothing about a start that takes less than half of this; silence for longer is worth a word."""

TICK_SECONDS = 1.0
"""How often the time in the line is brought up to date between two states of the job."""

_UNREACHABLE = "RunnerUnreachable"


def describe(view: JobView, now: datetime, *, time_limit: int | None = None) -> str:
    """Return how the job is doing in one line of printable characters.

    For example ``queued 12 s: pod toss-0 is starting: ContainerCreating``, ``running 12 s of at most 300 s, 7 interim
    results`` or ``failed after 0.4 s: ProgramFailed: NameError: name 'shot' is not defined``.

    Args:
        view: The job.
        now: The time, aware of its zone.
        time_limit: Seconds the program may run, for a job that has no limit of its own.
    """
    if view.final:
        text = _outcome(view)
    elif view.cancel_requested:
        text = "being cancelled" + _comma(_interims(view))
    elif view.phase != "Running":
        text = _queued(view, now)
    else:
        trouble = f": {view.message}" if view.reason == _UNREACHABLE and view.message else ""
        text = _running(view, now, view.time_limit or time_limit) + trouble
    return one_line(text)


def show(states: Iterable[JobView], *, file: TextIO | None = None) -> JobView:
    """Show the states of a job as they come, and return the last one.

    On a terminal and in a notebook this is one line that rewrites itself, with a widget where ipywidgets is installed.
    Elsewhere, in a log file for example, each change of what the job is doing becomes a line; interim results alone do
    not.

    Args:
        states: Of one job, oldest first, until it has ended; see `RuntimeJob.states`.
        file: Where to write; stderr by default.

    Raises:
        ValueError: there is no state.
    """
    out = sys.stderr if file is None else file
    rewritten = out.isatty() or (file is None and _in_notebook())
    line: _Line = _RewrittenLine(file) if rewritten else _PlainLines(out)
    view = None
    try:
        for view in states:
            line.update(view)
    finally:
        line.close(view)
    if view is None:
        raise ValueError("no state of the job was given")
    return view


def _outcome(view: JobView) -> str:
    took = "" if view.execution_seconds is None else f"{view.execution_seconds:.1f} s"
    if view.succeeded:
        return f"completed{took and ' in '}{took}" + _comma(_interims(view))
    if view.cancelled:
        return f"cancelled{took and ' after '}{took}" + _comma(_interims(view))
    why = ": ".join(filter(None, (view.reason, view.message)))
    return f"failed{took and ' after '}{took}{why and ': '}{why}"


def _queued(view: JobView, now: datetime) -> str:
    waited = _seconds_since(view.created, now)
    time = f" {waited} s" if waited else ""
    if view.message:
        return f"queued{time}: {view.message}"
    if view.suspended:
        return f"queued{time}: suspended"
    return f"queued{time}: " + ("waiting for a runner" if waited < QUIET_SECONDS else "no word from the operator yet")


def _running(view: JobView, now: datetime, limit: int | None) -> str:
    if view.started is None:
        return "starting"
    time = f"running {_seconds_since(view.started, now)} s" + (f" of at most {limit} s" if limit else "")
    return time + _comma(_interims(view))


def _interims(view: JobView) -> str:
    if not view.published:
        return ""
    dropped = f" ({view.dropped} not kept)" if view.dropped else ""
    return f"{view.published} interim result{'s' if view.published != 1 else ''}{dropped}"


def _comma(text: str) -> str:
    return text and f", {text}"


def _seconds_since(moment: datetime | None, now: datetime) -> int:
    """Return whole seconds; the clocks of node and user may differ, so never fewer than none."""
    return 0 if moment is None else max(0, int((now - moment).total_seconds()))


def one_line(text: str) -> str:
    """Return the text without line breaks, and without what a program might tell a terminal to do."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


class _Line(Protocol):
    """Somewhere to say how a job is doing."""

    def update(self, view: JobView) -> None:
        """Say what is new."""

    def close(self, view: JobView | None) -> None:
        """Say no more; this was the last state."""


class _PlainLines:
    """Lines of a file, one for each change worth keeping."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._told: tuple[Any, ...] = ()

    def update(self, view: JobView) -> None:
        """Write a line, unless the last one says the same."""
        telling = (view.phase, view.reason, view.message, view.cancel_requested, view.started is None)
        if telling != self._told:
            self._told = telling
            self._file.write(describe(view, datetime.now(UTC)) + "\n")
            self._file.flush()

    def close(self, view: JobView | None) -> None:
        """Nothing is open."""


class _RewrittenLine:
    """A line of tqdm, rewritten with each state and by a thread between them."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = sys.stderr if file is None else file
        self._view: JobView | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="quantum-runtime progress", daemon=True)
        self._bar = _tqdm()(file=file, bar_format="{desc}", initial=1)  # one of unknown many: a widget that is full
        self._bar.ncols = self._bar.nrows = None  # lines are cut here; of a terminal of unknown size tqdm thinks -1

    def update(self, view: JobView) -> None:
        """Rewrite the line."""
        with self._lock:
            self._view = view
            self._draw()
        if not view.final and not self._clock.is_alive():
            self._clock.start()

    def close(self, view: JobView | None) -> None:
        """Leave the line as it is, and the next one to others."""
        self._closed.set()
        if self._clock.is_alive():
            self._clock.join()
        if view is None or not view.succeeded:
            self._bar.total = 2  # of which one is done: the widget turns red
        self._bar.close()

    def _tick(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        from tqdm.utils import disp_trim

        assert self._view is not None
        text = describe(self._view, datetime.now(UTC))
        columns = _columns(self._file)
        self._bar.set_description_str(disp_trim(text, columns - 1) if columns else text)


def _tqdm() -> Any:
    """Return tqdm's class for where we are, without its threads and without its warning about missing widgets."""
    if importlib.util.find_spec("ipywidgets"):
        from tqdm.auto import tqdm
    else:
        from tqdm.std import tqdm

    class Line(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # or a thread that nobody ends would look after us

    # tqdm's own lock would be one of multiprocessing, which settles for the whole program how processes are started.
    Line.set_lock(getattr(tqdm, "_lock", None) or threading.RLock())
    return Line


def _columns(file: TextIO) -> int:
    """Return the width of a terminal, in which a longer line could not be rewritten; 0 for what is none."""
    try:
        return os.get_terminal_size(file.fileno()).columns
    except (OSError, ValueError):
        return 0


def _in_notebook() -> bool:
    """Say whether a Jupyter kernel runs this: its stderr is no terminal, but rewrites lines like one."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
