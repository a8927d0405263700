from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHILD = """
import json, sys, traceback, warnings
from runtime_runner import compatibility, on_demand, old_imports, simulator
on_demand.make_available()
old_imports.make_available()
compatibility.apply("Qiskit0")
compatibility.apply("Qiskit0")
answers = sys.stdout
for line in sys.stdin:
    code = json.loads(line)
    names = {}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            exec(compile(code, "<test>", "exec"), names)
            answer = {"value": names.get("value"), "told": [str(one.message) for one in told]}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
    answers.write(json.dumps(answer, default=lambda number: number.item()) + "\\n")
    answers.flush()
"""


@pytest.fixture(scope="session")
def layered_process() -> Iterator[subprocess.Popen[str]]:
    """An interpreter with the layer: applied for good, it must not be that of the tests."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


class Answer(dict[str, Any]):
    """What became of a piece of code: `value`, what it has `told` in warnings, or its `error`."""

    @property
    def value(self) -> Any:
        assert "error" not in self, self["trace"]
        return self["value"]


@pytest.fixture
def layered(layered_process: subprocess.Popen[str]) -> Callable[[str], Answer]:
    """Runs code as a program with the layer would, and returns what it has left in `value`."""

    def run(code: str) -> Answer:
        assert layered_process.stdin is not None
        assert layered_process.stdout is not None
        layered_process.stdin.write(json.dumps(textwrap.dedent(code)) + "\n")
        layered_process.stdin.flush()
        line = layered_process.stdout.readline()
        assert line, "the interpreter ended"
        return Answer(json.loads(line))

    return run
