"""The three schemas of a program's metadata, made fit for a cluster without losing a word.

What cannot be enforced becomes an annotation, a keyword that begins with ``x-`` and that validators ignore: the list
style of early metadata files, and Python types where JSON Schema wants the name of a JSON type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

JSON_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

LIST_STYLE = "x-list-style"
"""Marks a schema that was made from a list: documentation, with nothing in it that a value could violate."""

X_TYPE = "x-type"
"""Holds what a schema's ``type`` said, where that was no type of JSON Schema."""

X_PREFIX = "x-"

# Where a schema holds further schemas, in JSON Schema 2019-09 and the drafts before it.
_ONE = ("additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties")  # fmt: skip
_SEVERAL = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_BY_NAME = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")

Note = tuple[str, str]
"""Path below the schema, and a sentence."""


def from_list(entries: list[Any]) -> tuple[dict[str, Any], list[Note]]:
    """Return the documentation in a list-style description: ``[{name, description, type, required}, ...]``.

    Nothing in the returned schema is enforced: type and required become ``x-type`` and ``x-required``, as does
    everything else the entries say. Entries without a name (return values often have none) are numbered.
    """
    properties: dict[str, Any] = {}
    notes: list[Note] = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            notes.append((f"[{index}]", f"expected an object with name and description, got {_named(entry)}"))
            continue
        name = entry.get("name")
        name = name if isinstance(name, str) and name and name not in properties else str(index)
        described = {key: value for key, value in entry.items() if key not in ("name", "description")}
        properties[name] = {f"{X_PREFIX}{key}": value for key, value in described.items()}
        if isinstance(entry.get("description"), str):
            properties[name] = {"description": entry["description"], **properties[name]}
    return {LIST_STYLE: True, "properties": properties}, notes


def without_foreign_types(schema: dict[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """Return the schema with every ``type`` that JSON Schema does not know moved to ``x-type``, and a note of each."""
    notes: list[Note] = []

    def change(here: dict[str, Any], path: str) -> dict[str, Any]:
        if "type" not in here or _is_type(here["type"]) or X_TYPE in here:
            return here
        notes.append((_dotted(path, "type"), f"{here['type']!r} is no type of JSON Schema; it is not enforced"))
        return {X_TYPE if key == "type" else key: value for key, value in here.items()}

    changed: dict[str, Any] = _walk(schema, change, "")
    return changed, notes


def with_foreign_types(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what `without_foreign_types` was given."""

    def change(here: dict[str, Any], _path: str) -> dict[str, Any]:
        if X_TYPE not in here or "type" in here or _is_type(here[X_TYPE]):
            return here
        return {"type" if key == X_TYPE else key: value for key, value in here.items()}

    changed: dict[str, Any] = _walk(schema, change, "")
    return changed


def defaults(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the schemas that have a ``default``, each with its path."""
    found: list[tuple[str, dict[str, Any]]] = []

    def note(here: dict[str, Any], path: str) -> dict[str, Any]:
        if "default" in here:
            found.append((path, here))
        return here

    _walk(schema, note, "")
    return found


def _walk(schema: Any, change: Callable[[dict[str, Any], str], dict[str, Any]], path: str) -> Any:
    """Return the schema with every schema in it changed; a value that is no schema stays as it is."""
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    for key, value in schema.items():
        below = _dotted(path, key)
        if key in _BY_NAME and isinstance(value, dict):
            result[key] = {name: _walk(v, change, _dotted(below, name)) for name, v in value.items()}
        elif key in _SEVERAL and isinstance(value, list):
            result[key] = [_walk(item, change, f"{below}[{i}]") for i, item in enumerate(value)]
        elif key in _ONE:
            result[key] = _walk(value, change, below)
    return change(result, path)


def _is_type(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) and item in JSON_TYPES for item in value)
    return isinstance(value, str) and value in JSON_TYPES


def _dotted(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _named(value: Any) -> str:
    return "null" if value is None else type(value).__name__
