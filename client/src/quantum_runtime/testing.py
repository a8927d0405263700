"""What the fixtures of `pytest_plugin` give to the tests of programs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from quantum_runtime import backends, folder, local
from quantum_runtime.judgement import ENFORCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from quantum_runtime.backends import Backend
    from quantum_runtime.folder import ProgramFolder
    from quantum_runtime.outcome import Outcome

    Runs = Callable[[ProgramFolder, Mapping[str, Any], Backend | str], Outcome]
    Outcomes = dict[tuple[Path, str, str], Outcome]


def on_this_machine(program: ProgramFolder, inputs: Mapping[str, Any], backend: Backend | str) -> Outcome:
    """Run a program once, here; a result its metadata do not declare is a failure."""
    return local.run(program, inputs, backend=backend, validate_results=ENFORCE)


class Program:
    """A program that a test can run. Its results have to be as its metadata say."""

    def __init__(
        self,
        path: Path,
        *,
        backend: Backend | str = backends.DEFAULT,
        runs: Runs = on_this_machine,
        outcomes: Outcomes | None = None,
    ) -> None:
        self._read = folder.read(path)
        self._backend = backend
        self._runs = runs
        self._outcomes: Outcomes = {} if outcomes is None else outcomes

    def on(self, backend: Backend | str) -> Program:
        """Return the same program on another backend."""
        return Program(self._read.path, backend=backend, runs=self._runs, outcomes=self._outcomes)

    def run(self, **inputs: Any) -> Outcome:
        """Run the program once."""
        return self._runs(self._read, inputs, self._backend)

    def example(self, name: str) -> tuple[dict[str, Any], Outcome]:
        """Return the inputs of one of its examples, and how they went: they run once for all tests of a session.

        Raises:
            KeyError: it has no such example.
        """
        inputs = copy.deepcopy(self._read.examples[name])
        key = (self._read.path, name, str(self._backend))
        if key not in self._outcomes:
            self._outcomes[key] = self.run(**inputs)
        return inputs, self._outcomes[key]


class RunProgram:
    """Runs programs; relative paths start at one folder."""

    def __init__(self, start: Path) -> None:
        self._start = start

    def __call__(
        self,
        path: Path | str,
        inputs: Mapping[str, Any] | None = None,
        *,
        backend: Backend | str = backends.DEFAULT,
        max_execution_time: int | None = None,
        compatibility: str = "",
    ) -> Outcome:
        """Run the program, a file or a folder, once, and return how it went."""
        return local.run(
            self._start / path,
            inputs,
            backend=backend,
            max_execution_time=max_execution_time,
            compatibility=compatibility,
        )
