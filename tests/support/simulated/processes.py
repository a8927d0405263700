"""Processes that a measurement starts, and what they use: CPU seconds and memory, read from ``/proc``."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STOP_SECONDS = 15.0
"""Between SIGTERM and SIGKILL."""

FILES = 65536
"""Of an API server, every attach stream takes two."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_seconds: float
    resident_bytes: int
    peak_bytes: int


class Process:
    """One child process whose output goes to a file."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.log = name, log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def usage(self) -> Usage:
        """Return what it has used so far.

        Raises:
            ProcessLookupError: it has ended.
        """
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            memory = Path(f"/proc/{self.pid}/status").read_text()
        except FileNotFoundError as error:
            raise ProcessLookupError(self.name) from error
        kibibytes = {line.split(":")[0]: line.split()[1] for line in memory.splitlines() if line.startswith("Vm")}
        return Usage(
            cpu_seconds=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            resident_bytes=int(kibibytes.get("VmRSS", 0)) * 1024,
            peak_bytes=int(kibibytes.get("VmHWM", 0)) * 1024,
        )

    def check(self) -> None:
        """Do nothing while it runs.

        Raises:
            RuntimeError: it has ended; the message has the end of its output.
        """
        if not self.running:
            raise RuntimeError(f"{self.name} ended with {self._process.returncode}:\n{self.tail()}")

    def tail(self, characters: int = 3000) -> str:
        """Return the end of its output."""
        return self.log.read_text(errors="replace")[-characters:]

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._process.kill()
        self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, SIGKILL if that does not help, and wait for its end."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(self._process.wait, STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        await asyncio.to_thread(self._process.wait)


def allow_many_files() -> None:
    """Raise the limit of open files of this process and of its future children to `FILES`, or as far as it may go."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, max(FILES, most)))
    except (ValueError, PermissionError):  # only root may go beyond the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))


def free_ports(count: int) -> list[int]:
    """Return so many ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
