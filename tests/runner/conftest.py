from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runner.harness import Journal, Runner, make_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).parents[2] / "runner-image"


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with the bare install of the runner: the standard library and nothing else."""
    return make_bare_install(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def broken_python(tmp_path: Path) -> str:
    """The same, with a Qiskit that cannot be imported."""
    python = make_bare_install(tmp_path)
    (packages,) = tmp_path.glob("lib/python3*/site-packages")
    for module in ("qiskit.py", "qiskit_aer.py"):
        (packages / module).write_text("raise RuntimeError('broken image')")
    return python


def make_bare_install(folder: Path) -> str:
    subprocess.run([os.environ.get("RUNNER_PYTHON", sys.executable), "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "runner.pth").write_text(f"{PROJECT / 'src'}\n")
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    metadata = packages / f"runtime_runner-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: runtime-runner\nVersion: {version}\n")
    return str(folder / "bin/python")


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment that keeps what killed runners leave behind out of the machine's temporary directory."""
    return {"TMPDIR": str(tmp_path_factory.mktemp("scratch"))}


@pytest.fixture(scope="session")
def spare_runners(bare_python: str, scratch: dict[str, str]) -> Iterator[list[Runner]]:
    """One runner that warms up while the test before it runs, as in a pool."""
    spares = [Runner([bare_python], environment=scratch)]
    yield spares
    for runner in spares:
        runner.close()


@pytest.fixture
def start(bare_python: str, spare_runners: list[Runner], scratch: dict[str, str]) -> Iterator[Callable[..., Runner]]:
    """Starts runners, without Qiskit unless another command is given, and ends them after the test.

    Without arguments, it may be one that has been started before.
    """
    runners: list[Runner] = []

    def start(
        *command: str,
        fresh: bool = False,
        environment: dict[str, str] | None = None,
        before_exec: Callable[[], None] | None = None,
    ) -> Runner:
        if command or fresh or environment or before_exec:
            own = scratch | (environment or {})
            runners.append(Runner(command or [bare_python], environment=own, before_exec=before_exec))
        else:
            runners.append(spare_runners.pop())
            spare_runners.append(Runner([bare_python], environment=scratch))
        return runners[-1]

    yield start
    for runner in runners:
        runner.close()


@pytest.fixture
def run(start: Callable[..., Runner]) -> Callable[..., Journal]:
    """Runs one program in a runner without Qiskit, to its end."""
    return lambda main, inputs=None, **changes: start().run(make_job(main, inputs, **changes))
