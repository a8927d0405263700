"""Matplotlib, as far as all plots need it. It is imported when something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from quantum_runtime.plots.values import Value


def pyplot() -> Any:
    """Return Matplotlib's pyplot.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise missing("matplotlib") from error
    return pyplot


def missing(package: str) -> ImportError:
    """Return the error for a package that is not installed, which says how to install it."""
    return ImportError(f"plots need {package}: pip install 'quantum-runtime[plots]'", name=package)


def label_axes(ax: Axes, value: Value | None, exact: float | None) -> None:
    """Name the axes of a convergence plot, and draw what it should converge to."""
    ax.set_xlabel("interim result")
    ax.set_ylabel(value if isinstance(value, str) else "value")
    if exact is not None:
        ax.axhline(exact, color="gray", linestyle="--", linewidth=1, label=f"exact: {exact:g}")


def line(ax: Axes, numbers: Sequence[float], label: str) -> Line2D:
    """Add a line through these numbers, the first of them at 1."""
    return ax.plot(range(1, len(numbers) + 1), numbers, marker="o", markersize=3, linewidth=1, label=label)[0]
