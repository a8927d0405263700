"""Pictures of results: how a number converges over interim results, also while they come, and histograms of counts.

Matplotlib and Qiskit are imported when something is drawn; both come with ``quantum-runtime[plots]``.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from quantum_runtime.plots import axes
from quantum_runtime.plots.live import LiveConvergence
from quantum_runtime.plots.values import counts_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quantum_runtime.plots.values import Value
    from quantum_runtime.service.job import RuntimeJob

__all__ = ["convergence", "live_convergence", "histogram", "LiveConvergence"]


def convergence(
    job_or_values: RuntimeJob | Iterable[Any],
    *,
    value: Value | None = None,
    ax: Axes | None = None,
    exact: float | None = None,
) -> Axes:
    """Draw a number of each interim result against the result's place in the sequence, and return the axes.

    Args:
        job_or_values: A job, whose interim results are fetched, or the interim results themselves.
        value: Which number: ``"energy"`` of a dict, ``2`` of a list, or a function that takes an interim result and
            returns the number, or None to leave the result out. Default: the interim result itself, or its only number.
        ax: Where to draw, for example another job; by default in a new figure of pyplot.
        exact: The value it should converge to, drawn as a horizontal line.

    Raises:
        ImportError: Matplotlib is not installed.
        ValueError: there is nothing to draw, or it is not clear which number is meant: the message names those there
            are.
    """
    plt = axes.pyplot()
    found = (number_of(item, value) for item in _interim_results(job_or_values))
    numbers = [number for number in found if number is not None]
    if not numbers:
        raise ValueError("there are no interim results to draw")
    if ax is None:
        ax = cast("Axes", plt.subplots()[1])
    axes.label_axes(ax, value, exact)
    axes.line(ax, numbers, str(getattr(job_or_values, "job_id", "interim results")))
    if len(ax.lines) > 1:
        ax.legend()
    return ax


def live_convergence(
    *, value: Value | None = None, ax: Axes | None = None, exact: float | None = None
) -> LiveConvergence:
    """Return a callback for ``run(callback=...)`` that draws a number of each interim result as it comes.

    In a notebook the picture appears at once, below the cell in which this is called, and is replaced as results come.
    A window of Matplotlib is drawn by its own event loop: call ``plt.show()`` after ``run``, and ask for the result
    when the window is closed. With a backend that shows nothing, ``savefig`` of the axes' figure has the newest state.

    Args:
        value: As for `convergence`.
        ax: As for `convergence`. In a notebook with pictures in line, its figure is taken from pyplot, which would show
            it a second time.
        exact: As for `convergence`.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    return LiveConvergence(value, ax, exact)


def histogram(result_or_counts: Any, **options: Any) -> Figure:
    """Draw a histogram of counts or of probabilities with Qiskit, and return the figure.

    Args:
        result_or_counts: Counts as a dict, or a list of them; an interim result of sample-program or hello-world, or a
            list of them; the result of sampler or circuit-runner; a Qiskit ``Result`` or ``PrimitiveResult``.
        options: For `qiskit.visualization.plot_histogram`: ``title``, ``legend``, ``figsize``, ``number_to_keep``, ...
            Several histograms get a legend with their numbers unless another one is given.

    Raises:
        ImportError: Qiskit or Matplotlib is not installed.
        ValueError: there is nothing to draw in what is given.
    """
    axes.pyplot()
    try:
        from qiskit.visualization import plot_histogram
    except ImportError as error:
        raise axes.missing("qiskit") from error
    found = counts_of(result_or_counts)
    if len(found) > 1:
        options = {"legend": [str(number) for number in range(1, len(found) + 1)]} | options
    return cast("Figure", plot_histogram(found if len(found) > 1 else found[0], **options))


def _interim_results(job_or_values: Any) -> Iterable[Any]:
    fetch = getattr(job_or_values, "interim_results", None)
    if fetch is None:
        return cast("Iterable[Any]", job_or_values)
    if inspect.iscoroutinefunction(fetch):
        raise TypeError("an asynchronous job cannot be waited for here: give `await job.interim_results()`")
    return cast("Iterable[Any]", fetch())
