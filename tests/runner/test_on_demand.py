from __future__ import annotations

import json
import subprocess
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

import pytest
from runtime_runner import on_demand

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {
    "devices/__init__.py": "import helper\nVALUE = helper.VALUE",
    "devices/inside.py": "",
    "helper.py": "VALUE = 7",
    "json.py": "raise RuntimeError('the standard library comes first')",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("import json", [None, False], id="not for what is there without them"),
        pytest.param("import devices.inside\nvalue = devices.VALUE", [7, True], id="with what they need themselves"),
        pytest.param(
            "import importlib.util\nvalue = importlib.util.find_spec('nowhere')", [None, False], id="not for a stranger"
        ),
    ],
)
def test_packages_are_put_on_the_path_when_one_is_imported(tmp_path: Path, code: str, expected: list[object]) -> None:
    for name, text in PACKAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    program = f"""
import sys
from pathlib import Path
from runtime_runner import on_demand
folder = {str(tmp_path)!r}
on_demand.make_available(Path(folder))
value = None
{code}
import json
print(json.dumps([value, folder in sys.path]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize("name", sorted(on_demand.NOT_FOR))
def test_what_other_packages_try_and_do_without_is_no_reason_to_open_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "devices.py").write_text("")
    finder = on_demand.OnDemandFinder(tmp_path)
    before = list(sys.path)
    try:
        assert finder.find_spec(name) is None
        assert sys.path == before
        assert finder.find_spec("devices") is not None
        assert PathFinder.find_spec(name) is not None  # once the folder is open
    finally:
        sys.path[:] = before


def test_without_such_a_folder_nothing_changes(tmp_path: Path) -> None:
    before = list(sys.meta_path)
    on_demand.make_available(tmp_path / "missing")
    assert sys.meta_path == before


def test_of_several_folders_only_the_one_that_is_needed_is_put_on_the_path(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text("")
    program = f"""
import json, sys
from pathlib import Path
from runtime_runner import on_demand
folders = [{str(tmp_path / "one")!r}, {str(tmp_path / "two")!r}]
on_demand.make_available(*map(Path, folders), Path("missing"))
import two
print(json.dumps([folder in sys.path for folder in folders]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, True]
