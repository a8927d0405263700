"""docs/benchmarks.md: made of docs/benchmarks/*.json, one file per part, and of nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench import parts

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "docs" / "benchmarks"
PAGE = ROOT / "docs" / "benchmarks.md"


def keep(part: str, *, machine: str, date: str, data: dict[str, Any]) -> None:
    """Write what was measured."""
    DATA.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine, "date": date, "data": data}, indent=1, sort_keys=True)
    (DATA / f"{part}.json").write_text(text + "\n")


def page() -> str:
    """Return the page that the files make.

    Raises:
        ValueError: a file is there that no part has written.
    """
    measured = {path.stem: json.loads(path.read_text()) for path in sorted(DATA.glob("*.json"))}
    if unknown := measured.keys() - parts.MODULES.keys():
        raise ValueError(f"{DATA.relative_to(ROOT)} has {', '.join(sorted(unknown))}, and there is no such part")
    order = [name for name in parts.MODULES if name in measured]
    sections = "\n".join(parts.load(name).section(measured[name]["data"]) for name in order)
    return f"""\
# Benchmarks

Made by `make bench` of the figures in [benchmarks/](benchmarks); do not edit. Milliseconds, unless it says otherwise.
Machines differ and are noisy: the ratios, of things measured in turn in the same run, are what counts.

{_origins({name: measured[name] for name in order})}

{sections}"""


def _origins(measured: dict[str, dict[str, Any]]) -> str:
    machines = sorted({one["machine"] for one in measured.values()})
    if len(machines) == 1:
        dates = ", ".join(f"`{name}` {one['date']}" for name, one in measured.items())
        return f"Measured on {machines[0]}: {dates}."
    rows = [f"| `{name}` | {one['date']} | {one['machine']} |" for name, one in measured.items()]
    return "\n".join(["| part | measured | on |", "|---|---|---|", *rows])
