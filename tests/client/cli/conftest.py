from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from quantum_runtime import cli
from quantum_runtime.cli.session import Session
from quantum_runtime.cluster.api import JOBS, PROGRAMS, PUBLIC_PROGRAMS
from quantum_runtime.service.service import RuntimeService
from support.fake_api import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.cluster.api import Object

GOLDENS = Path(__file__).resolve().parents[2] / "data" / "cli"

SOURCE = "def main(backend, user_messenger, iterations, seed=None):\n    return iterations\n"
PARAMETERS = {
    "type": "object",
    "properties": {
        "iterations": {"type": "integer", "minimum": 1, "description": "How often to toss."},
        "seed": {"type": "integer"},
    },
    "required": ["iterations"],
}


@dataclass
class Terminal:
    """Somebody at a terminal, and the cluster they speak to."""

    api: FakeApi = field(default_factory=lambda: FakeApi("chemistry"))
    settings: dict[str, Any] = field(default_factory=dict)
    """With which options the last command connected."""

    def __call__(self, line: str, *, stdin: str | None = None, color: bool = False) -> Result:
        """Type a command: what stands behind ``quantum-runtime``."""
        session = Session(connect=self._connect, now=lambda: self.api.now)
        words = shlex.split(line)
        return CliRunner().invoke(
            cli.main, words, obj=session, prog_name="quantum-runtime", input=stdin, color=color, catch_exceptions=False
        )

    def _connect(self, **settings: Any) -> RuntimeService:
        self.settings = settings
        return RuntimeService(api=self.api)

    def program(self, name: str = "toss", *, public: bool = False, ready: str = "True", **spec: Any) -> Object:
        """Have a program in the cluster."""
        reason, message = ("Accepted", "") if ready == "True" else ("ProfileNotFound", "there is no profile 'gpu'")
        condition = {"type": "Ready", "status": ready, "reason": reason, "message": message}
        given = {"maxExecutionTimeSeconds": 300, "source": {"inline": SOURCE}, "parameters": PARAMETERS} | spec
        status = {"conditions": [{**condition, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
        resource = PUBLIC_PROGRAMS if public else PROGRAMS
        metadata = {"name": name, "uid": f"uid-of-{name}"}
        return self.api.put(resource, {"metadata": metadata, "spec": given, "status": status})

    def job(self, name: str = "toss-1", *, program: str = "toss", public: bool = False, **spec: Any) -> Object:
        """Have a job in the cluster."""
        reference = {"kind": "ClusterRuntimeProgram" if public else "RuntimeProgram", "name": program}
        metadata = {"name": name, "uid": f"uid-of-{name}"}
        return self.api.put(JOBS, {"metadata": metadata, "spec": {"programRef": reference, **spec}})

    def operator(self, play: Callable[[str], object]) -> None:
        """Have this done with the name of each job that is created."""
        self.api.react("create", JOBS, lambda job: play(job["metadata"]["name"]))


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def transcript(line: str, done: Result) -> str:
    """Return a command and what it printed, as a reviewer reads it."""
    parts = [f"$ quantum-runtime {line}\n", done.stdout]
    if done.stderr:
        parts.append(f"--- stderr\n{done.stderr}")
    if done.exit_code:
        parts.append(f"--- exit code {done.exit_code}\n")
    return "".join(parts)


def compare(case: str, text: str) -> None:
    """Compare with ``tests/data/cli/<case>.txt``; ``REGENERATE=1`` writes that file anew: look at the diff."""
    path = GOLDENS / f"{case}.txt"
    if os.environ.get("REGENERATE"):
        path.write_text(text)
    assert text == path.read_text()
