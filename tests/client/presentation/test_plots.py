from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import plots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from matplotlib.axes import Axes

BELL = {"00": 480, "11": 544}
COIN = {"0": 10, "1": 30}


@pytest.fixture(autouse=True)
def _no_windows() -> Iterator[None]:
    """Matplotlib opens none, and leaves no figures behind."""
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("agg")
    yield
    pyplot.close("all")


def drawn(ax: Axes, label: str = "interim results") -> list[tuple[float, float]]:
    """Return the points of a line."""
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return [(float(x), float(y)) for x, y in line.get_xydata().tolist()]  # type: ignore[union-attr]


class Job:
    """A job, as far as a plot needs one."""

    def __init__(self, name: str, *energies: float) -> None:
        self.job_id = name
        self._energies = energies

    def interim_results(self) -> list[Any]:
        return [{"energy": energy} for energy in self._energies]


CHOICES: dict[str, tuple[list[Any], Any, list[float]]] = {
    "numbers are drawn as they are": ([-1, -1.5], None, [-1, -1.5]),
    "the only number of a dict needs no name": (
        [{"energy": -1.0, "point": [1, 2], "ok": True}, {"energy": -1.5, "point": [3, 4], "ok": True}],
        None,
        [-1.0, -1.5],
    ),
    "the only number of a list neither": ([["a", -1.0], ["b", -1.5]], None, [-1.0, -1.5]),
    "a number by its name": ([{"step": 1, "energy": -1.0}, {"step": 2, "energy": -1.5}], "energy", [-1.0, -1.5]),
    "a number by its place, as vqe publishes it": ([[1, [0.1], -1.0, 0.01], [2, [0.2], -1.5, 0.01]], 2, [-1.0, -1.5]),
    "a number that a function finds": ([{"a": {"b": -1.0}}, {"a": {"b": -1.5}}], lambda x: x["a"]["b"], [-1.0, -1.5]),
    "what a function does not want is left out": (
        [{"message": "warming up"}, {"energy": -1.0}],
        lambda x: x.get("energy"),
        [-1.0],
    ),
}


@pytest.mark.parametrize(("values", "value", "numbers"), CHOICES.values(), ids=CHOICES)
def test_convergence_draws_one_number_of_each_interim_result(values: Any, value: Any, numbers: list[float]) -> None:
    assert drawn(plots.convergence(values, value=value)) == list(enumerate(numbers, 1))


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    values = [{"energy": np.float64(-1.0)}, {"energy": np.float32(-1.5)}]
    assert drawn(plots.convergence(values)) == [(1, -1.0), (2, -1.5)]


def test_convergence_of_jobs_draws_their_interim_results_beside_each_other() -> None:
    ax = plots.convergence(Job("one", -1.5, -1.75))  # type: ignore[arg-type]
    assert ax.get_legend() is None
    plots.convergence(Job("two", -1.0), ax=ax)  # type: ignore[arg-type]
    assert drawn(ax, "one") == [(1, -1.5), (2, -1.75)]
    assert drawn(ax, "two") == [(1, -1.0)]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]


def test_an_asynchronous_job_is_waited_for_by_its_owner() -> None:
    class AsyncJob:
        async def interim_results(self) -> list[Any]:
            return []

    with pytest.raises(TypeError, match=r"await job\.interim_results"):
        plots.convergence(AsyncJob())  # type: ignore[arg-type]


def test_the_exact_value_is_a_line_across() -> None:
    ax = plots.convergence([-1.0, -1.5], exact=-1.857)
    assert {y for _, y in drawn(ax, "exact: -1.857")} == {-1.857}
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["exact: -1.857", "interim results"]


def test_the_axes_say_what_is_drawn() -> None:
    ax = plots.convergence([{"energy": -1.0}], value="energy")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("interim result", "energy")


def test_it_draws_where_it_is_told_to() -> None:
    from matplotlib import pyplot

    _, (left, right) = pyplot.subplots(ncols=2)
    assert plots.convergence([1.0, 2.0], ax=right) is right
    assert not left.lines


REFUSED: dict[str, tuple[Any, Any, str]] = {
    "several numbers and no choice": (
        {"step": 1, "energy": -1.0},
        None,
        "an interim result has several numbers: choose one with value=, of 'step', 'energy'",
    ),
    "several numbers in a list": ([1, [0.1], -1.0], None, "choose one with value=, of 0, 2"),
    "no number": ({"counts": {}}, None, "there is no number in an interim result: it is a dict with 'counts'"),
    "text": ("warming up", None, "there is no number in an interim result: it is str 'warming up'"),
    "another name": ({"energy": -1.0}, "enrgy", "an interim result has no 'enrgy': it is a dict with 'energy'"),
    "a name in a list": ([1.0], "energy", r"an interim result has no 'energy': it is list \[1.0\]"),
    "a place after the end": ([1.0], 2, "an interim result has no 2"),
    "something else under that name": ({"energy": "low"}, "energy", "'energy' of an interim result is no number: str"),
    "a function that returns something else": (1, lambda _: "", "what the function returned is no number: str ''"),
}


@pytest.mark.parametrize(("item", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_drawn_is_told(item: Any, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.convergence([item], value=value)


def test_a_job_without_interim_results_has_no_plot() -> None:
    with pytest.raises(ValueError, match="no interim results"):
        plots.convergence([])


def test_a_live_plot_has_what_came_until_now() -> None:
    live = plots.live_convergence(value="energy", exact=-2.0)
    assert drawn(live.ax, "exact: -2")
    live("toss", {"energy": -1.0})
    assert drawn(live.ax, "toss") == [(1, -1.0)]
    live("toss", {"energy": -1.5})
    assert drawn(live.ax, "toss") == [(1, -1.0), (2, -1.5)]
    low, high = live.ax.get_ylim()
    assert low < -1.5 < -1.0 < high


def test_a_live_plot_takes_results_from_any_thread_and_draws_a_line_for_each_job() -> None:
    live = plots.live_convergence()

    def publish(job: str) -> None:
        for number in range(20):
            live(job, number)

    threads = [threading.Thread(target=publish, args=(job,)) for job in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in ("one", "two"):
        assert [y for _, y in drawn(live.ax, job)] == list(range(20))
    legend = live.ax.get_legend()
    assert legend is not None
    assert {text.get_text() for text in legend.get_texts()} == {"one", "two"}


def test_a_live_plot_says_which_numbers_there_are() -> None:
    live = plots.live_convergence()
    with pytest.raises(ValueError, match="of 'step', 'energy'"):
        live("toss", {"step": 1, "energy": -1.0})


def test_a_window_is_drawn_by_its_own_event_loop() -> None:
    from matplotlib.backend_bases import TimerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    timer = TimerBase()

    class Window(FigureCanvasAgg):
        required_interactive_framework = "tk"

        def new_timer(self, *_: Any, **__: Any) -> TimerBase:
            return timer

    figure = Figure()
    Window(figure)
    live = plots.live_convergence(ax=figure.subplots())
    live("toss", -1.0)
    live("toss", -1.5)
    assert not live.ax.lines, "this is not the window's thread"
    timer._on_timer()  # type: ignore[attr-defined]  # what an event loop calls
    assert drawn(live.ax, "toss") == [(1, -1.0), (2, -1.5)]


def images(*cells: str) -> list[list[str]]:
    """Return the pictures below each cell of a notebook."""
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))  # of this Python
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    NotebookClient(notebook, km=kernel, kernel_name="python3").execute(cleanup_kc=True, env=environment)
    return [
        [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
        for cell in notebook.cells
    ]


@pytest.mark.aer
def test_a_notebook_has_one_picture_which_is_replaced() -> None:
    make = "from quantum_runtime import plots\nlive = plots.live_convergence(exact=-1.0)"
    publish = """
import threading
for number in range(5):
    live("toss", -number / 5)
for thread in threading.enumerate():
    if isinstance(thread, threading.Timer):
        thread.join()
"""
    (before,), nothing = images(make, "")
    (after,), below = images(make, publish)
    assert before != after
    assert nothing == below == []


def qiskit_result() -> Any:
    from qiskit.result import Result
    from qiskit.result.models import ExperimentResult, ExperimentResultData

    data = ExperimentResultData(counts={"0x0": 480, "0x3": 544})
    header = {"memory_slots": 2, "creg_sizes": [["meas", 2]]}
    return Result(results=[ExperimentResult(shots=1024, success=True, data=data, header=header)])


def primitive_result() -> Any:
    from qiskit import QuantumCircuit
    from qiskit.primitives import StatevectorSampler

    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    return StatevectorSampler(seed=1).run([bell], shots=100).result()


COUNTS: dict[str, tuple[Callable[[], Any], list[Mapping[str, float]]]] = {
    "counts": (lambda: BELL, [BELL]),
    "a list of counts": (lambda: [BELL, {"01": 3}], [BELL, {"01": 3}]),
    "what sample-program publishes": (lambda: {"iteration": 0, "counts": BELL}, [BELL]),
    "all it publishes": (lambda: [{"iteration": 0, "counts": BELL}, {"iteration": 1, "counts": COIN}], [BELL, COIN]),
    "what sampler returns": (
        lambda: {"quasi_dists": [{"0": 0.25, "1": 0.75}], "metadata": [{"shots": 4000}]},
        [{"0": 0.25, "1": 0.75}],
    ),
    "a Result": (qiskit_result, [BELL]),
    "what circuit-runner returns": (lambda: qiskit_result().to_dict(), [BELL]),
    "a PrimitiveResult": (primitive_result, [{"00": 53, "11": 47}]),
}


@pytest.mark.parametrize(("data", "expected"), COUNTS.values(), ids=COUNTS)
def test_a_histogram_has_a_bar_for_each_outcome(data: Callable[[], Any], expected: list[Mapping[str, float]]) -> None:
    figure = plots.histogram(data())
    (ax,) = figure.axes
    outcomes = [label.get_text() for label in ax.get_xticklabels()]
    assert outcomes == sorted({outcome for counts in expected for outcome in counts})
    heights = sorted(bar.get_height() for bar in ax.patches if bar.get_height())  # type: ignore[attr-defined]
    assert heights == pytest.approx(sorted(count for counts in expected for count in counts.values()))


def test_several_histograms_have_a_legend_and_options_go_to_qiskit() -> None:
    (ax,) = plots.histogram([BELL, COIN], title="Tosses").axes
    assert ax.get_title() == "Tosses"
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["1", "2"]


@pytest.mark.parametrize("data", ["All done!", [], {}, {"energy": [1, 2]}, 3.5])
def test_where_there_are_no_counts_there_is_no_histogram(data: Any) -> None:
    with pytest.raises(ValueError, match="there are no counts in"):
        plots.histogram(data)


@pytest.mark.parametrize("missing", ["matplotlib", "qiskit.visualization"])
def test_what_is_not_installed_is_named_with_its_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'quantum-runtime\[plots\]'"):
        plots.histogram(BELL)


def test_importing_the_module_imports_nothing_large() -> None:
    code = "import quantum_runtime.plots, sys; print({'matplotlib', 'qiskit', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
