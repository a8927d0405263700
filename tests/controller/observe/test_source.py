"""A program's files in a ConfigMap: which keys are files, and what is said of those that are not there."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from runtime_operator.api.v1alpha1 import ConfigMapRef
from runtime_operator.observe.snapshots import Source
from runtime_operator.observe.source import source_of

EVERYTHING = ConfigMapRef(name="source")


def ref(**paths: str) -> ConfigMapRef:
    items = [{"key": key.replace("_", "."), "path": path} for key, path in paths.items()]
    return ConfigMapRef.model_validate({"name": "source", "items": items})


def binary(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("body", "wanted", "files"),
    [
        pytest.param({"data": {"main.py": "1", "b": "2"}}, EVERYTHING, {"main.py": "1", "b": "2"}, id="every key"),
        pytest.param({"data": {"main.py": "1", "b.py": "2"}}, ref(main_py="lib/main.py"), {"lib/main.py": "1"},
                     id="what is listed, where it is wanted"),
        pytest.param({"data": {"init": ""}}, ref(init="a/__init__.py"), {"a/__init__.py": ""}, id="an empty file"),
        pytest.param({"data": {"a": "1"}}, ConfigMapRef.model_validate(
            {"name": "s", "items": [{"key": "a", "path": "x/a"}, {"key": "a", "path": "y/a"}]}
        ), {"x/a": "1", "y/a": "1"}, id="one key in two places"),
        pytest.param({"binaryData": {"main.py": binary("é = 1".encode())}}, EVERYTHING, {"main.py": "é = 1"},
                     id="text among the binary data"),
        pytest.param({"data": {"a": "1"}, "binaryData": {"b": binary(b"\xff")}}, ref(a="main.py"), {"main.py": "1"},
                     id="binary data that nobody asks for"),
        pytest.param({}, EVERYTHING, {}, id="nothing at all"),
    ],
)  # fmt: skip
def test_a_config_maps_keys_are_the_programs_files(
    body: dict[str, Any], wanted: ConfigMapRef, files: dict[str, str]
) -> None:
    assert source_of(body, wanted) == Source(files=files)


@pytest.mark.parametrize(
    ("body", "wanted", "says"),
    [
        (None, EVERYTHING, ("no ConfigMap 'source'",)),
        ({"data": {"a": "1"}}, ref(a="main.py", b_py="b.py"), ("'source'", "no key 'b.py'", "its keys: a")),
        ({}, ref(a="main.py"), ("no key 'a'", "none at all")),
        ({"binaryData": {"m.npz": binary(b"\xff\x00")}}, EVERYTHING, ("'m.npz'", "'source'", "not UTF-8 text")),
        ({"binaryData": {"m": "not base64!"}}, ref(m="main.py"), ("'m'", "not UTF-8 text")),
    ],
)
def test_what_is_missing_is_named(body: dict[str, Any] | None, wanted: ConfigMapRef, says: tuple[str, ...]) -> None:
    source = source_of(body, wanted)
    assert source.files is None
    assert all(part in source.problem for part in says), source.problem
