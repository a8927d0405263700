"""The child that evaluates schemas: requests come as lines on stdin, a verdict for each goes as a line to stdout.

It limits itself before it reads the first line, lives until stdin ends, and is ended by the kernel when it uses more
CPU time than one line is worth. A schema cannot make it do anything but compute: it has nothing to read or write with
but its two pipes.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import signal
import sys
import time

from runtime_runner.schema.verdicts import Bounds, encode_verdict, parse_requests

EXIT_MEMORY = 3
"""The exit code that says: not enough memory."""

OPEN_FILES = 16

_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}
"""How others end a process: the kernel when a whole machine or container is out of memory, or a person."""


def command(bounds: Bounds) -> list[str]:
    """Return how to start a child: isolated from environment variables, the working directory and user packages."""
    flags = [f"--cpu-seconds={bounds.cpu_seconds}", f"--memory-bytes={bounds.memory_bytes}"]
    return [sys.executable, "-I", "-B", "-W", "ignore", "-m", "runtime_runner.schema", *flags]


def cause_of_death(code: int | None, bounds: Bounds) -> tuple[str, bool]:
    """Return why a child ended before it had answered, and whether time or memory were the reason.

    Args:
        code: its exit code, negative for a signal; None if it had to be killed because it took too long.
        bounds: those it had.
    """
    if code is None:
        return f"the schema could not be applied within {bounds.wall_seconds:g} s", True
    if code == -signal.SIGXCPU:
        return f"the schema needs more than {bounds.cpu_seconds} s of CPU time to be applied", True
    if code == EXIT_MEMORY:
        return f"the schema needs more than {bounds.memory_bytes >> 20} MiB of memory to be applied", True
    if code in _FROM_OUTSIDE:
        return f"the schema could not be applied: its evaluation was ended from outside ({_signal(-code)})", False
    if code < 0:  # an allocation that a library did not expect to fail, or a stack that was too short
        return f"the schema could not be applied: its evaluation was ended by {_signal(-code)}", True
    return f"the schema could not be applied: its evaluation ended with exit code {code}", False


def main() -> None:
    """Serve requests until stdin ends."""
    from runtime_runner.schema import rules  # only the child needs the library: its parents import this module, too

    parser = argparse.ArgumentParser(prog="runtime_runner.schema")
    parser.add_argument("--cpu-seconds", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    arguments = parser.parse_args()
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_AS, arguments.memory_bytes),
    ):
        _limit(kind, limit)
    try:
        for line in sys.stdin.buffer:
            _limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + arguments.cpu_seconds), final=False)
            for verdict in rules.check(parse_requests(line)):
                sys.stdout.buffer.write(encode_verdict(verdict))
                sys.stdout.buffer.flush()
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)  # nobody is interested any more


def _limit(kind: int, limit: int, *, final: bool = True) -> None:
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    resource.setrlimit(kind, (limit, limit if final else most))


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
