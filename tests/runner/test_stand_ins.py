"""Modules that stand in for others: lazy, and never in the way of real ones."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest
from runtime_runner import stand_ins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLLECTIONS = {
    "gone": {"dumps": "json:dumps", "dec": "json.decoder", "missing": "json:nothing"},
    "gone.inside": {"loads": "json:loads"},
    "real_one": {"there": "json:dumps", "not_there": "json:loads"},
    "real_one.sub": {"loads": "json:loads"},
}
ALIASES = {"renamed": "package", "renamed_to_nothing": "no_such_module"}


@pytest.fixture(autouse=True)
def finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "package" / "deep").mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").write_text("X = []\n_private = 1")
    (tmp_path / "package" / "deep" / "__init__.py").write_text("class Thing: pass")
    (tmp_path / "real_one.py").write_text("there = 'real'")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, stand_ins.Finder(COLLECTIONS, ALIASES)])
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_collection_has_the_things_themselves() -> None:
    import json

    gone = importlib.import_module("gone")
    inside = importlib.import_module("gone.inside")
    assert gone.dumps is json.dumps
    assert gone.dec is json.decoder
    assert inside.loads is json.loads
    assert gone.inside is inside
    assert dir(gone) == ["dec", "dumps", "missing"]


def test_what_a_collection_does_not_have_is_told_as_by_any_module() -> None:
    with pytest.raises(ImportError, match="cannot import name 'nothing' from 'gone'"):
        exec("from gone import nothing")
    with pytest.raises(AttributeError):
        exec("import gone; gone.missing")
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("gone.nothing")
    assert caught.value.name == "gone.nothing"


def test_an_alias_is_the_same_module_all_the_way_down() -> None:
    names: dict[str, object] = {}
    exec("import renamed.deep\nfrom renamed import *\nimport package.deep", names)
    assert sys.modules["renamed"].X is sys.modules["package"].X
    assert sys.modules["renamed.deep"].Thing is sys.modules["package.deep"].Thing
    assert names["X"] is sys.modules["package"].X
    assert "_private" not in names


def test_an_alias_imports_nothing_before_a_name_is_used() -> None:
    importlib.import_module("renamed")
    assert "package" not in sys.modules


@pytest.mark.parametrize("name", ["renamed_to_nothing", "renamed.nowhere"])
def test_an_alias_of_what_is_not_there_is_not_there(name: str) -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(name)
    assert caught.value.name == name


def test_a_real_module_is_never_shadowed(tmp_path: Path) -> None:
    assert importlib.import_module("real_one").there == "real"
    (tmp_path / "gone.py").write_text("dumps = 'real'")
    importlib.invalidate_caches()
    assert importlib.import_module("gone").dumps == "real"


def test_a_real_package_is_completed_with_names_it_lacks(tmp_path: Path) -> None:
    import json

    (tmp_path / "real_one.py").unlink()
    (tmp_path / "real_one").mkdir()
    (tmp_path / "real_one" / "__init__.py").write_text("there = 'real'")
    importlib.invalidate_caches()
    names: dict[str, object] = {}
    exec("from real_one import there, not_there\nfrom real_one.sub import loads", names)
    assert names["there"] == "real"
    assert names["not_there"] is names["loads"] is json.loads
