"""A run's inputs: from the command line, from files and from Python, to the tagged JSON a job has."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import yaml
from runtime_runner import encoding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INPUT_BYTES = 1024 * 1024
"""The inputs of one job, as JSON: the operator's ``limits.inputBytes``, unless the platform team has changed it."""


DEEPEST = 200
"""Levels of lists and objects in one another, in inputs and in metadata: far above what anybody writes, and low enough
for everything that walks through them."""


class InputError(ValueError):
    """What was given as inputs is none; the message names the place."""


def from_option(text: str) -> tuple[str, Any]:
    """Return name and value of ``name=value``: the value as JSON if it is any, otherwise as text.

    Raises:
        InputError: there is no name, or no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError(f"expected NAME=VALUE, got {text!r}")
    try:
        return name, from_json(value)
    except InputError:
        return name, value


def from_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        InputError: it is not JSON; NaN and infinities are not.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from None


def from_file_text(text: str, *, what: str, yaml_only: bool = False) -> dict[str, Any]:
    """Return the inputs in a JSON or YAML document.

    Args:
        text: The document.
        what: How errors name it.
        yaml_only: It is not JSON, by its name.

    Raises:
        InputError: it is neither, or not an object.
    """
    try:
        value = from_json(text)
    except InputError as not_json:
        if not yaml_only and text.lstrip()[:1] in ("{", "["):
            raise InputError(f"{what} is {not_json}") from None
        value = _from_yaml(text, what)
    if value is None and not text.strip():
        return {}
    if not isinstance(value, dict):
        raise InputError(f"{what}: expected an object, input name -> value, got {type(value).__name__}")
    return value


def read(path: Path) -> dict[str, Any]:
    """Return the inputs in a JSON or YAML file.

    Raises:
        InputError: it cannot be read, or does not hold inputs.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(4 * INPUT_BYTES + 1)
        if len(raw) > 4 * INPUT_BYTES:  # white space and comments may be more than the values
            raise InputError(f"{path} is larger than {4 * INPUT_BYTES} bytes; inputs may have {INPUT_BYTES}")
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    return from_file_text(text, what=str(path), yaml_only=path.suffix in (".yaml", ".yml"))


def encode(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs as (tagged) JSON; what is JSON already stays as it is.

    Raises:
        InputError: a value has no such form; the message names the place inside the inputs.
    """
    try:
        text = encoding.to_text(dict(inputs), what="inputs")
    except encoding.EncodingError as error:
        raise InputError(str(error)) from None
    encoded: dict[str, Any] = json.loads(text)
    if too_deep(encoded):
        raise InputError(f"inputs are nested more than {DEEPEST} levels deep")
    return encoded


def too_deep(value: Any) -> bool:
    """Return whether a JSON value has more levels than `DEEPEST`."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            below
            for item in level
            if isinstance(item, dict | list)
            for below in (item.values() if isinstance(item, dict) else item)
        ]
    return bool(level)


def stored_bytes(inputs: Mapping[str, Any]) -> int:
    r"""Return the inputs' size as an API server stores them: Go writes ``<``, ``>`` and ``&`` as ``\u003c``."""
    text = json.dumps(inputs, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode(errors="replace")) + 5 * sum(text.count(character) for character in "<>&")


class Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it, where a date is a text; without aliases, which can make a small file endless."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not supported")
        return super().compose_node(parent, index)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _from_yaml(text: str, what: str) -> Any:
    try:
        value = yaml.load(text, Loader=Loader)
        _check_json(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{what} is neither JSON nor YAML of JSON's types: {error}") from None
    return value


def _check_json(value: Any) -> None:
    """Refuse what YAML has and JSON has not."""
    if isinstance(value, dict):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise ValueError(f"the key {wrong[0]!r} is not text; quote it")
        for item in value.values():
            _check_json(item)
    elif isinstance(value, list):
        for item in value:
            _check_json(item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    elif not (value is None or isinstance(value, str | bool | int | float)):
        raise ValueError(f"{type(value).__name__} is no type of JSON")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
