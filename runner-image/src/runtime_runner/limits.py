"""What the worker's processes may use, and what the container they run in gives them.

The output caps of a job are in the contract (`Limits`), because the operator chooses them; what is here is the same for
every job. A limit is only ever lowered: the container may have set a tighter one.
"""

from __future__ import annotations

import math
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

from runtime_runner import contract

if TYPE_CHECKING:
    from collections.abc import Mapping

PROCESSES = 4096
"""The kernel counts threads too, and counts per user on the whole *node* where pods have no user namespace of their
own: low enough that a fork bomb leaves the node usable, high enough for the threads of all runners on one node."""

OPEN_FILES = 4096
"""Per process. Qiskit with a process pool needs a few hundred."""

FILE_BYTES = 1024 * 1024 * 1024
"""Largest file the program may write; the scratch volume's own size limit is usually far below."""

CORE_BYTES = 0
"""A core dump would fill the scratch volume with a gigabyte nobody can fetch."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
"""Aer, NumPy and Qiskit size their thread pools by the node's CPUs unless told how many the container may use."""

WAIT_POLICY = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Aer's threads spin while they wait for one another unless told otherwise. On a busy node they wait for threads that
have no CPU: an example of vqe took 10 to 18 s beside one busy process, and 2.6 s with this; alone it costs nothing."""

CGROUP_ROOT = Path("/sys/fs/cgroup")


def apply(*, count_processes: bool) -> None:
    """Limit this process and all it will start.

    Args:
        count_processes: Also limit the number of processes. Only right in a pod: on a desktop the browser counts.
    """
    _lower(resource.RLIMIT_CORE, CORE_BYTES)
    _lower(resource.RLIMIT_FSIZE, FILE_BYTES)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    if count_processes:
        _lower(resource.RLIMIT_NPROC, PROCESSES)


def thread_environment(environment: Mapping[str, str], *, root: Path = CGROUP_ROOT) -> dict[str, str]:
    """Return what thread pools are told: their size, by the container's CPU limit, and how to wait; not what is set."""
    count = str(cpu_count(root=root))
    wanted = dict.fromkeys(THREAD_VARIABLES, count) | WAIT_POLICY
    return {name: value for name, value in wanted.items() if name not in environment}


def cpu_count(*, root: Path = CGROUP_ROOT) -> int:
    """Return how many CPUs the cgroup allows, rounded up, at most those this process may be scheduled on."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _cpu_quota(root)
    if quota <= 0 or period <= 0:
        return available
    return max(1, min(available, math.ceil(quota / period)))


def out_of_memory_kills(*, root: Path = CGROUP_ROOT, cgroups: Path = Path("/proc/self/cgroup")) -> int | None:
    """Return how many processes of this cgroup were killed for lack of memory so far; None if that cannot be told."""
    for folder in _memory_folders(root, cgroups):
        for name in ("memory.events", "memory.oom_control"):
            for line in _read(folder / name).splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill" and value.isdigit():
                    return int(value)
    return None


def unusable(wanted: contract.Limits) -> str | None:
    """Say why these limits cannot be kept, or nothing."""
    if not (math.isfinite(wanted.execution_seconds) and wanted.execution_seconds > 0):
        return f"execution_seconds must be a positive number, not {wanted.execution_seconds}"
    if not (math.isfinite(wanted.grace_seconds) and wanted.grace_seconds >= 0):
        return f"grace_seconds must be a number from 0 on, not {wanted.grace_seconds}"
    sizes = (wanted.result_bytes, wanted.interim_bytes, wanted.log_bytes)
    if min(sizes) < 0 or sum(sizes) > contract.PAYLOAD_BYTES:
        return f"result, interim and log bytes are {sizes}: each from 0 on, together at most {contract.PAYLOAD_BYTES}"
    return None


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (wanted, wanted))


def _cpu_quota(root: Path) -> tuple[int, int]:
    """Return quota and period in microseconds; a quota of 0 or less means no limit."""
    quota, _, period = _read(root / "cpu.max").partition(" ")
    if not period:  # cgroup v1
        quota, period = _read(root / "cpu/cpu.cfs_quota_us"), _read(root / "cpu/cpu.cfs_period_us")
    try:
        return int(quota), int(period)
    except ValueError:  # "max", or no such files
        return 0, 0


def _memory_folders(root: Path, cgroups: Path) -> list[Path]:
    """Return where this process's memory controller may be: in a container at the root, on a host below its path."""
    folders = []
    for line in _read(cgroups).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers in ("", "memory"):
            base = root / "memory" if controllers else root
            folders += [base / path.lstrip("/"), base]
    return folders


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
