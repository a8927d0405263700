"""Packages of the image that are put on the path only when a program or a backend imports one of them.

``qiskit-ibm-runtime`` brings the fake devices, and plugins that Qiskit would load in every first ``transpile``: more
than a second for every runner, wanted by few. In the image it is therefore in a folder of its own (see ``build.sh``).
What the profile ``science`` adds is in another: a runner of it is ready as soon as any other. Elsewhere there are no
such folders, and nothing here has an effect.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

FOLDERS = (Path(sys.prefix) / "on-demand", Path(sys.prefix) / "science")


NOT_FOR = frozenset({"charset_normalizer"})
"""Packages in these folders that are no reason to open them: `numpy.f2py`, and with it SciPy, looks for this one and
does without. It would open the folder in every job with SciPy, and the next ``transpile`` would load the plugins."""


class OnDemandFinder:
    """Consulted for modules that were found nowhere else; the first hit puts the whole folder on the path."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module is, if it is one of these."""
        if path is not None or name in NOT_FOR or self._folder in sys.path:
            return None
        spec = PathFinder.find_spec(name, [self._folder])
        if spec is not None:
            sys.path.append(self._folder)
        return spec


def make_available(*folders: Path) -> None:
    """Let everything that is imported from now on find the packages in these folders, by default the image's."""
    sys.meta_path.extend(OnDemandFinder(folder) for folder in folders or FOLDERS if folder.is_dir())


def require_closed() -> None:
    """Make sure that nothing has put such a folder on the path: asked when an image is built, after the warm-up.

    Raises:
        RuntimeError: one is on the path.
    """
    if opened := [str(folder) for folder in FOLDERS if str(folder) in sys.path]:
        raise RuntimeError(f"the warm-up has imported something of {', '.join(opened)}")
