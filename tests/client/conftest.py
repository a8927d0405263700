from __future__ import annotations

import functools
import json
import signal
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import local
from runner.conftest import make_bare_install
from runner.harness import BARE_BACKEND, program
from runtime_runner.local import LocalRunner
from runtime_runner.schema import bounded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> None:
    """A shell that started the tests in the background has had it ignored, here and in all children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with the bare install of the runner, which starts in a tenth of the time."""
    return make_bare_install(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def bare_runner(bare_python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local runs happen without Qiskit; they need the backend `bare`."""
    monkeypatch.setattr(local, "LocalRunner", functools.partial(LocalRunner, python=bare_python))


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema that would take for ever has half of its CPU time to show it."""
    bounds = bounded.Bounds(cpu_seconds=1)
    monkeypatch.setattr(bounded, "check", functools.partial(bounded.check, limits=bounds))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes the folder of a program and returns its path."""

    def write(
        main: str,
        *,
        spec: dict[str, Any] | None = None,
        examples: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        **metadata: Any,
    ) -> Path:
        folder = tmp_path / "my_program"
        (folder / "examples").mkdir(parents=True)
        document = {"name": "my-program", "max_execution_time": 60, "spec": spec or {}} | metadata
        texts = {"my_program.py": program(main), "my_program.json": json.dumps(document)} | (files or {})
        texts |= {f"examples/{name}.json": json.dumps(inputs) for name, inputs in (examples or {}).items()}
        for name, text in texts.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return write


@pytest.fixture
def backend_file(tmp_path: Path) -> Path:
    """A RuntimeBackend that can be built without Qiskit."""
    path = tmp_path / "bare.yaml"
    body = {"kind": "RuntimeBackend", "metadata": {"name": "bare"}, "spec": BARE_BACKEND}
    path.write_text(json.dumps(body))
    return path
