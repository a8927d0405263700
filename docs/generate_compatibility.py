"""Write docs/compatibility-names.md from the runner's tables; with ``--check`` only say whether it is up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated import ROOT, write_or_check
from runtime_runner.compatibility import names

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = ROOT / "docs" / "compatibility-names.md"

INTRODUCTION = """\
# Names of earlier versions of Qiskit

Made from `runner-image/src/runtime_runner/compatibility/names.py` by `make crds`; do not edit. The tests of the runner
go through the same tables. What they mean, and how to switch the layer on: [compatibility.md](compatibility.md).

A name that the layer does not restore, or that a program uses without the layer, ends the job with a message that says
what is said here. "Qiskit 0": in some release before 1.0. Where a function is still there with fewer arguments, the
release is that in which the others went.
"""

DEVICES = "qiskit.providers.fake_provider."


def page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *restored(), *lost(), *works()])


def restored() -> Iterator[str]:
    """Yield the lines about what the layer restores; names of which the same is true share a row."""
    yield "## Restored by `compatibility: Qiskit0`\n"
    yield "| Name | Gone since | Now |\n|---|---|---|"
    rows: dict[tuple[str, str], list[str]] = {}
    for name, shim in names.RESTORED.items():
        rows.setdefault((shim.gone, shim.does), []).append(name)
    for (gone, does), group in rows.items():
        if all(name.startswith(DEVICES) for name in group):
            group = [f"{DEVICES}Fake<Device>", f"{DEVICES}Fake<Device>V2"]
        yield row(", ".join(f"`{name}`" for name in group), gone, does)
    yield ""


def lost() -> Iterator[str]:
    """Yield the lines about what stays away."""
    yield "## Not restored\n"
    yield "| Name | Gone since | Why, or what to use instead |\n|---|---|---|"
    yield from (row(f"`{name}`", entry.gone, entry.text) for name, entry in names.LOST.items())
    yield ""


def works() -> Iterator[str]:
    """Yield the lines about what needs no layer."""
    yield "## Works without the layer\n"
    yield "| Name | |\n|---|---|"
    yield from (row(f"`{name}`", text) for name, text in names.WORKS.items())
    yield ""


def row(*cells: str) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    write_or_check(TARGET, page())
