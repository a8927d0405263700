"""What the API server spends its time on while a load goes on: its own profile, read by ``go tool pprof``.

A row counts everything that was called from there, so one may be part of another: collecting garbage is part of none.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import aiohttp
from support.simulated import connecting

if TYPE_CHECKING:
    from pathlib import Path

    from support.simulated.control_plane import ControlPlane

PARTS = {
    "status of RuntimeJobs": "customresource.(*StatusREST).Update",
    "... of it, the rules of the CRD": "schema/cel.(*Validator).Validate",
    "status of Jobs": "batch/job/storage.(*StatusREST).Update",
    "status of pods": "core/pod/storage.(*StatusREST).Update",
    "creating objects": "generic/registry.(*Store).Create",
    "applying patches": "handlers.(*patcher).applyPatch",
    "opening attach streams": "handlers.ConnectResource.func1",
    "watches": "handlers.(*WatchServer).HandleHTTP",
    "TLS handshakes": "tls.(*Conn).HandshakeContext",
    "keeping track of who set which field": "managedfields/internal.(*FieldManager).UpdateNoErrors",
    "collecting garbage": "runtime.gcBgMarkWorker",
}
"""Parts by the end of the functions' names that stand for them; one that this version does not have is not listed."""

_ROW = re.compile(r"^\s*\S+\s+\S+%\s+\S+%\s+\S+\s+(?P<share>[\d.]+)%\s+(?P<name>\S+)")


async def profile(plane: ControlPlane, seconds: float, out: Path) -> dict[str, float]:
    """Return the shares (percent of its CPU time) of the parts over so many seconds; nothing where there is no Go."""
    if shutil.which("go") is None:
        return {}
    connection = connecting.connect(plane.admin)
    patience = aiohttp.ClientTimeout(total=seconds + 60)
    query = {"seconds": f"{seconds:.0f}"}
    async with (
        connection.session() as session,
        session.get("debug/pprof/profile", params=query, timeout=patience) as response,
    ):
        response.raise_for_status()
        sampled = await response.read()
    await connection.close()
    return shares(await asyncio.to_thread(_top, sampled, out))


def _top(sampled: bytes, out: Path) -> str:
    out.write_bytes(sampled)
    command = ["go", "tool", "pprof", "-top", "-cum", "-nodefraction=0", "-nodecount=1000000", str(out)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def shares(top: str) -> dict[str, float]:
    """Return the share of each part that this table of pprof's has."""
    rows = [(row["name"], float(row["share"])) for line in top.splitlines() if (row := _ROW.match(line))]
    found = {part: [share for name, share in rows if name.endswith(end)] for part, end in PARTS.items()}
    return {part: max(values) for part, values in found.items() if values}
