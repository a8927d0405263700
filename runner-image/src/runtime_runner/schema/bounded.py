"""Schemas applied in a child process with CPU, memory and time limits, for callers that may wait.

The operator, which may not, keeps children of its own; they are the same `child`.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from runtime_runner.schema import child, words
from runtime_runner.schema.verdicts import (
    Bounds,
    Request,
    Verdict,
    Violation,
    completed,
    encode_requests,
    parse_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Bounds", "Request", "Verdict", "Violation", "check"]


def check(requests: Sequence[Request], *, limits: Bounds = Bounds()) -> list[Verdict]:  # noqa: B008 - a constant
    """Return a verdict for each request, in order.

    Whatever schema and value are, this ends within the limits, which hold for all requests together: a request that
    exceeds them, and those after it, are answered with a problem.

    Raises:
        OSError: no child could be started.
    """
    if not requests:
        return []
    with subprocess.Popen(
        child.command(limits), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        code: int | None
        try:
            out, complaint = process.communicate(encode_requests(requests), timeout=limits.wall_seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            out, complaint = process.communicate()
            code = None
        except BaseException:
            process.kill()
            raise
    verdicts = [parse_verdict(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
    if len(verdicts) == len(requests):
        return verdicts
    problem, too_expensive = child.cause_of_death(code, limits)
    if not too_expensive and (last := complaint.decode(errors="replace").strip().splitlines()[-1:]):
        problem = f"{problem} ({words.shorten(last[0])})"
    return completed(verdicts, len(requests), problem, too_expensive=too_expensive)
