"""What was measured on, and whether it has the time."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
from pathlib import Path


def description() -> str:
    """Return one line: cores, memory, kernel, and Kubernetes where a cluster answers."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    parts = [f"{os.cpu_count()} cores ({model})", f"{memory:.0f} GiB", f"Linux {platform.release()}"]
    return ", ".join([*parts, *_kubernetes()])


async def quiet(*, share: float = 0.75, seconds: float = 30.0) -> None:
    """Return when this share of the processors has been idle for half a second, or after so long anyway.

    Pods that have just started go on warming up, and those of earlier jobs are still being cleared away.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while await _idle(0.5) < share and loop.time() < end:
        pass


async def _idle(seconds: float) -> float:
    before = _processor_times()
    await asyncio.sleep(seconds)
    passed = [late - early for early, late in zip(before, _processor_times(), strict=True)]
    return passed[3] / max(1, sum(passed))


def _processor_times() -> list[int]:
    """Return what all processors have done since the start, in ticks: user, nice, system, idle, ..."""
    return [int(number) for number in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]


def _kubernetes() -> list[str]:
    if not os.environ.get("KUBECONFIG"):
        return []
    command = ["kubectl", "version", "--output=json", "--request-timeout=5s"]
    try:
        answer = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        return [f"Kubernetes {json.loads(answer)['serverVersion']['gitVersion']} in kind"]
    except (OSError, subprocess.CalledProcessError, LookupError):
        return []
