"""Starts simulated nodes beside a control plane."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.simulated import connecting
from support.simulated.kubelet import NODES, Pace
from support.simulated.processes import Process, free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.simulated.control_plane import ControlPlane

TESTS = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0


class Nodes:
    """Nodes that run as one process."""

    def __init__(self, process: Process, trace: Path) -> None:
        self.process, self.trace = process, trace

    def finish_programs(self) -> None:
        """Have all programs that run return."""
        os.kill(self.process.pid, signal.SIGUSR1)


@asynccontextmanager
async def running(
    plane: ControlPlane, count: int, *, pods_per_node: int = 4000, pace: Pace | None = None
) -> AsyncIterator[Nodes]:
    """Yield so many nodes that the scheduler uses.

    Raises:
        TimeoutError: they did not become ready within a minute.
    """
    (port,) = free_ports(1)
    pace, trace = pace or Pace(), plane.folder / "nodes.trace"
    command = [sys.executable, "-m", "support.simulated", "--kubeconfig", str(plane.admin)]
    command += ["--certificate", str(plane.serving.certificate), "--key", str(plane.serving.key)]
    command += ["--authority", str(plane.authority), "--trace", str(trace), "--port", str(port)]
    command += ["--nodes", str(count), "--pods-per-node", str(pods_per_node), "--start", str(pace.start)]
    command += ["--warmup", str(pace.warmup), "--relist", str(pace.relist), "--spread", str(pace.spread)]
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    process = Process("kubelets", command, plane.folder / "kubelets.log", {**os.environ, "PYTHONPATH": path})
    try:
        async with connecting.client(plane.admin) as kube, asyncio.timeout(READY_SECONDS):
            while True:
                process.check()
                nodes, _ = await kube.list(NODES)
                if len(nodes) == count and not any(node["spec"].get("taints") for node in nodes):
                    break
                await asyncio.sleep(0.1)
        yield Nodes(process, trace)
    finally:
        await process.stop()
