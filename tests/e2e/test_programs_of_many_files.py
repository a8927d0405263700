"""Programs of several files: packages, data beside the entrypoint, and a ConfigMap that holds a tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e2e.support.cluster import Space

FILES = {
    "main.py": (
        "import json\nfrom pathlib import Path\nfrom tools.double import double\n"
        "def main(backend, user_messenger):\n"
        "    return double(json.loads((Path(__file__).parent / 'data' / 'numbers.json').read_text()))\n"
    ),
    "tools/__init__.py": "",
    "tools/double.py": "from .factor import FACTOR\ndef double(numbers):\n    return [FACTOR * n for n in numbers]\n",
    "tools/factor.py": "FACTOR = 2\n",
    "data/numbers.json": "[1, 2]",
}


def test_a_program_of_packages_and_data_runs(space: Space) -> None:
    status = space.job(space.program({"files": FILES})).ended()
    assert (status["phase"], json.loads(status["result"])) == ("Completed", [2, 4]), status


def test_a_config_map_holds_a_tree_of_files(space: Space) -> None:
    keys = {path.replace("/", "."): path for path in FILES}
    body = {"metadata": {"name": "tree"}, "data": {key: FILES[path] for key, path in keys.items()}}
    space.create("configmaps", body)
    items = [{"key": key, "path": path} for key, path in keys.items()]
    status = space.job(space.program({"configMapRef": {"name": "tree", "items": items}})).ended()
    assert (status["phase"], json.loads(status["result"])) == ("Completed", [2, 4]), status


def test_a_missing_module_is_named_with_the_profile_that_has_it(space: Space) -> None:
    failure = space.run("import pandas\ndef main(backend, user_messenger):\n    return 1").ended()["failure"]
    assert failure["reason"] == "MissingModule"
    assert "'pandas'" in failure["message"]
    assert "'science'" in failure["message"]


def test_the_science_profile_has_what_published_programs_import(space: Space) -> None:
    source = (
        "import mthree, networkx, pandas, sklearn\n"
        "def main(backend, user_messenger):\n    return networkx.path_graph(3).number_of_edges()"
    )
    status = space.run(source, profile="science").ended(seconds=120)
    assert (status["phase"], status["result"]) == ("Completed", "2"), status
