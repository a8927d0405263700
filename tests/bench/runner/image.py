"""An environment laid out as the runner image is (see ``runner-image/build.sh``), made of links to this one.

What matters for start-up is the same: only what the image has is on the path, and what only the fake devices need is in
a folder of its own, so that Qiskit finds no plugins but its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

_ALWAYS = ("qiskit", "qiskit-aer")
_ON_DEMAND = "qiskit-ibm-runtime"


def make(folder: Path) -> Path:
    """Make the environment in this folder; return its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    always = _needed(*_ALWAYS)
    _link(packages, {*always, "runtime-runner"})
    on_demand = folder / "on-demand"
    on_demand.mkdir()
    _link(on_demand, _needed(_ON_DEMAND) - always)
    return folder / "bin" / "python"


def _needed(*names: str) -> set[str]:
    """Return these distributions and all they need here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def _link(folder: Path, names: set[str]) -> None:
    for name in names:
        distribution = metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
        for top in tops:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(distribution.locate_file(top))))
