"""What turns one JSON document into another: a subset of JSON Patch (RFC 6902), ``add`` and ``remove`` inside objects.

A program's resource keeps, in an annotation, the patch from what its fields say to what its metadata file said.
"""

from __future__ import annotations

import json
from typing import Any

Operation = dict[str, Any]


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[Operation]:
    """Return the operations that turn ``old`` into ``new``; none if they are the same JSON."""
    return _difference(old, new, "")


def apply(document: dict[str, Any], operations: list[Operation]) -> dict[str, Any]:
    """Return the document after these operations; it is not changed itself.

    Raises:
        ValueError: an operation is none that `difference` makes, or does not fit the document.
    """
    for operation in operations:
        try:
            names = [_unescaped(part) for part in operation["path"].split("/")[1:]]
            removed = operation["op"] == "remove"
            document = _replaced(document, names, {} if removed else {names[-1]: operation["value"]})
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"{json.dumps(operation)[:200]} does not fit the document") from error
    return document


def _difference(old: dict[str, Any], new: dict[str, Any], path: str) -> list[Operation]:
    operations: list[Operation] = []
    for key, value in old.items():
        below = f"{path}/{_escaped(key)}"
        if key not in new:
            operations.append({"op": "remove", "path": below})
        elif isinstance(value, dict) and isinstance(new[key], dict):
            operations += _difference(value, new[key], below)
        elif json.dumps(value, sort_keys=True) != json.dumps(new[key], sort_keys=True):
            operations.append({"op": "add", "path": below, "value": new[key]})
    added = [key for key in new if key not in old]
    return operations + [{"op": "add", "path": f"{path}/{_escaped(key)}", "value": new[key]} for key in added]


def _replaced(document: dict[str, Any], names: list[str], value: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the member at this place gone and what is in ``value``, if anything, in its stead."""
    name, *below = names
    if below:
        return {**document, name: _replaced(document[name], below, value)}
    if not value and name not in document:
        raise KeyError(name)
    return {key: item for key, item in document.items() if key != name} | value


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
