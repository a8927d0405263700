"""A plot that grows while a job runs: numbers come on one thread, and each kind of screen is drawn by another."""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol, cast

from quantum_runtime.plots import axes
from quantum_runtime.plots.values import number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from quantum_runtime.plots.values import Value

REDRAW_SECONDS = 0.25
"""A live plot is drawn no more often: a picture takes a tenth of a second, and results may come in hundreds."""


class LiveConvergence:
    """A callback that draws. Each job it is used for gets a line of its own.

    Attributes:
        ax: Where it draws, for a title and the like.
    """

    def __init__(self, value: Value | None, ax: Axes | None, exact: float | None) -> None:
        plt = axes.pyplot()
        in_line = "ipykernel" in sys.modules and "inline" in plt.get_backend().lower()
        if ax is None:
            ax = _unknown_to_pyplot().subplots() if in_line else cast("Axes", plt.subplots()[1])
        elif in_line:
            plt.close(_figure(ax))
        self.ax = ax
        self._value = value
        self._lock = threading.Lock()
        self._numbers: dict[str, list[float]] = {}
        self._lines: dict[str, Line2D] = {}
        axes.label_axes(ax, value, exact)
        self._screen = _screen(_figure(ax), in_line, self._draw)

    def __call__(self, job_id: str, interim_result: Any) -> None:
        """Add a number to the picture.

        Raises:
            ValueError: it is not clear which number is meant.
        """
        number = number_of(interim_result, self._value)
        if number is not None:
            with self._lock:
                self._numbers.setdefault(job_id, []).append(number)
            self._screen.has_news()

    def _draw(self) -> None:
        with self._lock:
            for job_id, numbers in self._numbers.items():
                if job_id not in self._lines:
                    self._lines[job_id] = axes.line(self.ax, [], label=job_id)
                self._lines[job_id].set_data(range(1, len(numbers) + 1), numbers)
            self.ax.relim()
            self.ax.autoscale_view()
            if len(self.ax.lines) > 1:
                self.ax.legend()


class _Screen(Protocol):
    """Where a figure is seen, and by which thread it may be drawn."""

    def has_news(self) -> None:
        """Draw it again, some time soon. Called on any thread."""


class _Nowhere:
    """A figure that nobody sees before it is saved."""

    def __init__(self, draw: Callable[[], None]) -> None:
        self.has_news = draw


class _Window:
    """A window, drawn by the thread that runs its event loop: no toolkit may be told from another one."""

    def __init__(self, figure: Figure, draw: Callable[[], None]) -> None:
        self._canvas = figure.canvas
        self._draw = draw
        self._news = False
        self._timer = self._canvas.new_timer(interval=int(REDRAW_SECONDS * 1000))
        self._timer.add_callback(self._look)
        self._timer.start()

    def has_news(self) -> None:
        """Leave a note."""
        self._news = True

    def _look(self) -> None:
        if self._news:
            self._news = False
            self._draw()
            self._canvas.draw_idle()


class _Notebook:
    """An image in a notebook's output, replaced by a thread that lives as long as there is something to draw."""

    def __init__(self, figure: Figure, draw: Callable[[], None]) -> None:
        from IPython.display import display

        self._figure = figure
        self._draw = draw
        self._one_at_a_time = threading.Lock()
        self._news = False
        self._handle: Any = display(self._image(), display_id=True)  # type: ignore[no-untyped-call]

    def has_news(self) -> None:
        """Draw after a moment, all that has come until then."""
        if not self._news:
            self._news = True
            later = threading.Timer(REDRAW_SECONDS, self._replace)
            later.daemon = True
            later.start()

    def _replace(self) -> None:
        with self._one_at_a_time:
            self._news = False
            self._draw()
            self._handle.update(self._image())

    def _image(self) -> Any:
        from IPython.display import Image

        picture = io.BytesIO()
        self._figure.savefig(picture, format="png", bbox_inches="tight")
        return Image(picture.getvalue())  # type: ignore[no-untyped-call]


def _screen(figure: Figure, in_line: bool, draw: Callable[[], None]) -> _Screen:
    if in_line:
        return _Notebook(figure, draw)
    if figure.canvas.required_interactive_framework:
        return _Window(figure, draw)
    return _Nowhere(draw)


def _unknown_to_pyplot() -> Figure:
    """Return a figure that is not shown once more when the cell ends."""
    from matplotlib.figure import Figure

    return Figure()


def _figure(ax: Axes) -> Figure:
    return cast("Figure", ax.get_figure(root=True))
