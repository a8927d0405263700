"""The notebook in ``docs/`` still does what it shows, with the rights of an ordinary user."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from e2e.support import users
from e2e.support.programs import publish

if TYPE_CHECKING:
    from e2e.support.cluster import Cluster, Space

FOLDER = Path(__file__).parents[3] / "docs" / "notebooks"


def command() -> Any:
    """Return what `python docs/notebooks/execute.py` consists of."""
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_notebook_has_the_outputs_it_is_stored_with(cluster: Cluster, space: Space, tmp_path: Path) -> None:
    notebooks = command()
    publish(cluster, notebooks.CATALOG)
    stored = notebooks.read()
    executed = notebooks.execute(stored, users.kubeconfig(space, tmp_path, "reader-of-the-notebook", may="edit"))
    difference = notebooks.differences(stored, executed)
    assert not difference, f"python docs/notebooks/execute.py brings it up to date:\n{difference}"
    assert space.list("runtimejobs") == [], "it clears up"
