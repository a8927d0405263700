"""The operator as a process of its own, started as in its image."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from support.simulated.processes import Process, free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from support.simulated.control_plane import ControlPlane


def start(plane: ControlPlane, name: str, *, profile_to: Path | None = None) -> Process:
    """Return an operator that has just been started; with ``profile_to`` it writes a profile there when it stops."""
    (port,) = free_ports(1)
    config = {
        "profiles": {"default": {"image": "simulated"}},
        "livenessPort": port,
        "limits": {"podStartSeconds": 600, "startDeadlineSeconds": 3600},
    }
    file = plane.folder / f"{name}.json"
    file.write_text(json.dumps(config))
    profiling = ["-m", "cProfile", "-o", str(profile_to)] if profile_to else []
    command = [sys.executable, *profiling, "-m", "runtime_operator", "--config", str(file)]
    return Process(name, command, plane.folder / f"{name}.log", {**os.environ, "KUBECONFIG": str(plane.operator)})


def writes(process: Process) -> dict[str, int]:
    """Return what an operator that was stopped has written, as its last words say; nothing if it was killed."""
    for line in reversed(process.log.read_text(errors="replace").splitlines()):
        if '"operator stopped"' in line:
            return {str(what): int(count) for what, count in json.loads(line)["writes"].items()}
    return {}
