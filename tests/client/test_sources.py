from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import folder, local, sources
from quantum_runtime.backends import Backend
from runner.harness import BARE_BACKEND, program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BARE = Backend(name="bare", spec=BARE_BACKEND)


def seen(text: str) -> tuple[sources.Main | None, list[str]]:
    tree, found = sources.parse("main.py", program(text))
    if tree is None:
        return None, [finding.message for finding in found]
    main, found = sources.find_main("main.py", tree)
    return main, [finding.message for finding in found]


UNUSABLE = {
    "no main": "x = 1",
    "main in a class": "class Program:\n    def main(self): pass",
    "no arguments": "def main(): pass",
    "one argument": "def main(backend, *, user_messenger): pass",
    "a default": "def main(backend=None, **kwargs): pass",
    "async": "async def main(backend, user_messenger): pass",
    "a NUL": "def main(backend, user_messenger): return '\0'",
}


@pytest.mark.usefixtures("bare_runner")
@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_source_is_refused_in_the_runners_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.py").write_text(text)
    outcome = local.run(folder.read(tmp_path), backend=BARE)
    assert outcome.reason == "InvalidProgram"
    assert seen(text) == (None, [outcome.message])


@pytest.mark.usefixtures("bare_runner")
@pytest.mark.parametrize(
    "text", ["def main(:", "x = 'unfinished", "if x:\nreturn", "return 1", "\tx\n  y", "def f():\n  nonlocal x"]
)
def test_a_source_that_does_not_compile_is_refused_in_the_runners_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.py").write_text(text)
    outcome = local.run(folder.read(tmp_path), backend=BARE)
    _, (finding,) = sources.parse("main.py", text)
    line = finding.field.removeprefix("line ")
    assert (outcome.reason, outcome.message) == ("InvalidProgram", f"main.py:{line}: {finding.message}")


@pytest.mark.parametrize("text", ["(" * 1000 + ")" * 1000, "-" * 100_000 + "1", "x = " + "1+" * 50_000 + "1"])
def test_a_source_beyond_what_python_can_compile_is_refused(text: str) -> None:
    tree, found = sources.parse("main.py", text)
    assert tree is None
    assert found[0].reason == "InvalidProgram"


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "an unknown input": ("def main(backend, user_messenger, shots, *, seed=None): pass", {"shots": 1, "shot": 2}),
    "an input too many": ("def main(backend, user_messenger): pass", {"shots": 1}),
    "a missing input": ("def main(backend, user_messenger, shots, *, seed): pass", {"shots": 1}),
    "both": ("def main(backend, user_messenger, shots): pass", {"shot": 1}),
    "an input of the runner's": ("def main(backend, user_messenger, **kwargs): pass", {"backend": 1}),
}


@pytest.mark.usefixtures("bare_runner")
@pytest.mark.parametrize(("text", "inputs"), CALLS.values(), ids=CALLS.keys())
def test_inputs_main_does_not_take_are_refused_in_the_runners_words(
    tmp_path: Path, text: str, inputs: dict[str, Any]
) -> None:
    (tmp_path / "main.py").write_text(text)
    outcome = local.run(folder.read(tmp_path), inputs, backend=BARE)
    main, _ = seen(text)
    assert main is not None
    assert (outcome.reason, outcome.message) == ("InvalidInput", main.complaints(inputs))


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("def main(backend, user_messenger, **kwargs): pass", {"anything": 1}),
        ("def main(backend, user_messenger, shots=1): pass", {}),
        ("def main(b, m, /, backend): pass", {"backend": 1}),
        ("def main(backend, user_messenger, *args, seed): pass", {"seed": 1}),
    ],
)
def test_inputs_main_takes_are_no_complaint(text: str, inputs: dict[str, Any]) -> None:
    main, found = seen(text)
    assert main is not None
    assert (main.complaints(inputs), found) == ("", [])


@pytest.mark.parametrize(
    "text",
    [
        "from helpers import main",
        "from helpers import run as main",
        "main = lambda backend, user_messenger: 1",
        "main, other = make()",
        "class main: pass",
        "@decorated\ndef main(): pass",
        "try:\n    import qiskit\nexcept ImportError:\n    pass\nelse:\n    main = qiskit.main",
        "if True:\n    main = 1",
    ],
)
def test_a_main_whose_signature_cannot_be_told_is_left_to_the_runner(text: str) -> None:
    assert seen(text) == (None, [])


def test_a_main_that_may_come_with_an_import_of_everything_is_a_warning() -> None:
    assert seen("from helpers import *")[1] == [
        "whether main() is among the names imported with * shows only when it runs"
    ]


def test_the_last_main_counts() -> None:
    main, _ = seen("def main(): pass\ndef main(backend, user_messenger, x): pass")
    assert str(main) == "main(backend, user_messenger, x)"


def imported(**files: str) -> list[sources.Import]:
    trees = {}
    for name, text in files.items():
        tree, _ = sources.parse(f"{name}.py", program(text))
        assert tree is not None
        trees[f"{name}.py"] = tree
    return list(sources.imports(trees))


def test_imports_are_told_with_their_place() -> None:
    found = imported(
        main="""
            import numpy as np, scipy.optimize
            from qiskit.circuit import library
            from . import helpers
            from helpers import x

            def main(backend, user_messenger):
                import mthree
        """,
        helpers="import pandas",
    )
    assert found == [
        ("main.py", 1, "numpy"),
        ("main.py", 1, "scipy.optimize"),
        ("main.py", 2, "qiskit.circuit.library"),
        ("main.py", 7, "mthree"),
        ("helpers.py", 1, "pandas"),
    ]


def test_imports_a_program_can_do_without_are_left_out() -> None:
    found = imported(
        main="""
            try:
                import mthree
            except ImportError:
                import fallback
            else:
                import after
            try:
                import needed
            except ValueError:
                pass
        """
    )
    assert [one.module for one in found] == ["after", "needed"]


def test_nothing_of_the_program_is_executed(write: Callable[..., Path], tmp_path: Path) -> None:
    from quantum_runtime import validation

    mark = tmp_path / "mark"
    path = write(f"open({str(mark)!r}, 'w')\ndef main(backend, user_messenger): pass")
    _, found = validation.validate(path)
    assert found == []
    assert not mark.exists()
