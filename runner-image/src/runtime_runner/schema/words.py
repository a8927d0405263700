"""What a schema's violations are called: short printable sentences, however large the value and odd the schema."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from runtime_runner.schema.verdicts import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import jsonschema

EXPECTED_CHARACTERS = 200
GIVEN_CHARACTERS = 80
PATH_CHARACTERS = 240
ITEMS_SHOWN = 3

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_JSON_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def violation(error: jsonschema.ValidationError, what: str) -> Violation:
    """Return what this error says about the value called ``what``."""
    keyword = str(error.validator) if error.validator else "false"
    return Violation(
        path=path(what, error.absolute_path),
        keyword=shorten(keyword, GIVEN_CHARACTERS),
        expected=shorten(_expected(keyword, error.validator_value), EXPECTED_CHARACTERS),
        given=_given(keyword, error),
    )


def schema_error(error: jsonschema.SchemaError) -> str:
    """Return where a schema is no schema, and why, in a few words."""
    parts = list(error.absolute_path)
    where = path("", parts).removeprefix(".") or "it"
    named_type = parts and parts[-1] == "type" and (len(parts) < 2 or parts[-2] != "properties")
    if named_type and isinstance(error.instance, str | list):
        known = ", ".join(_JSON_TYPES)
        return f"{where} is {shown(error.instance)}, which is not among the types of JSON Schema: {known}"
    if error.validator == "format":
        return f"{where} is {shown(error.instance)}, which is not a {error.validator_value}"
    expected = shorten(_expected(str(error.validator), error.validator_value), EXPECTED_CHARACTERS)
    return f"{where} is {shown(error.instance)}, where {expected} is expected"


def path(what: str, parts: Iterable[str | int]) -> str:
    """Return ``what`` and the way from there to a part of it; a long one keeps its beginning."""
    steps = [what]
    for part in parts:
        if isinstance(part, int):
            steps.append(f"[{part}]")
        elif _PLAIN_NAME.fullmatch(part):
            steps.append(f".{shorten(part, GIVEN_CHARACTERS)}")
        else:
            steps.append(f"[{shown(part)}]")
    return shorten("".join(steps), PATH_CHARACTERS)


def shown(value: object) -> str:
    """Return a value as people write it, much shortened."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case str():
            return repr(value) if len(value) <= GIVEN_CHARACTERS else f"{value[:40]!r}... ({len(value)} characters)"
        case int() | float():
            try:
                return shorten(repr(value), GIVEN_CHARACTERS)
            except ValueError:  # more digits than Python likes to write
                return "a number of thousands of digits"
        case list():
            inner = ", ".join(shown_flat(item) for item in value[:ITEMS_SHOWN])
            return f"[{inner}]" if len(value) <= ITEMS_SHOWN else f"[{inner}, ...] ({len(value)} items)"
        case dict():
            if isinstance(tag := value.get("__type__"), str):
                return f"a tagged {shorten(tag, 40)}"
            inner = ", ".join(f"{shown_flat(name)}: {shown_flat(value[name])}" for name in list(value)[:ITEMS_SHOWN])
            return f"{{{inner}}}" if len(value) <= ITEMS_SHOWN else f"{{{inner}, ...}} ({len(value)} properties)"
    return type(value).__name__


def shown_flat(value: object) -> str:
    """Like `shown`, but for what is inside of something else: lists and objects only by their brackets."""
    if isinstance(value, list):
        return "[...]" if value else "[]"
    if isinstance(value, dict):
        return "{...}" if value else "{}"
    return shorten(shown(value), 40)


def shorten(text: str, limit: int = EXPECTED_CHARACTERS) -> str:
    """Return printable text of at most ``limit`` characters."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: limit + 1])
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _expected(keyword: str, wanted: Any) -> str:
    describe = _DESCRIPTIONS.get(keyword)
    try:
        return describe(wanted) if describe else shown(wanted)
    except (TypeError, ValueError, AttributeError):  # a keyword whose argument has another form in an old draft
        return shown(wanted)


def _given(keyword: str, error: jsonschema.ValidationError) -> str:
    if keyword == "required":
        return "nothing"
    value = error.instance
    if keyword in ("minItems", "maxItems") and isinstance(value, list):
        return _count(len(value), "item")
    if keyword in ("minLength", "maxLength") and isinstance(value, str):
        return _count(len(value), "character")
    if keyword in ("minProperties", "maxProperties") and isinstance(value, dict):
        return _count(len(value), "property", "properties")
    if keyword == "additionalProperties" and error.validator_value is False:
        return _unexpected(value, error.schema)
    return shown(value)


def _unexpected(value: Any, schema: Any) -> str:
    """Return the names that make ``additionalProperties: false`` fail."""
    patterns = [re.compile(pattern) for pattern in schema.get("patternProperties", {})]
    known = schema.get("properties", {})
    names = [n for n in value if n not in known and not any(pattern.search(n) for pattern in patterns)]
    return ", ".join(shown_flat(name) for name in names[:ITEMS_SHOWN])


def _alternatives(schemas: Any) -> str:
    """Return the types and values of alternatives in one list, or how many there are if one names neither."""
    if isinstance(schemas, int):
        return f"a match of one alternative, not of {schemas}"
    wanted = [_alternative(schema) if isinstance(schema, dict) else [] for schema in schemas]
    if not all(wanted):
        return f"a match of one of {len(schemas)} alternatives"
    return " or ".join(dict.fromkeys(name for names in wanted for name in names))


def _alternative(schema: dict[str, Any]) -> list[str]:
    if "const" in schema:
        return [shown(schema["const"])]
    named = schema.get("type", [])
    least = f" of {_DESCRIPTIONS['minimum'](schema['minimum'])}" if "minimum" in schema else ""
    types = [named] if isinstance(named, str) else named
    return [name + least if name in ("integer", "number") else name for name in types]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _one_of(values: Any) -> str:
    text = ", ".join(shown_flat(value) for value in values[:10])
    return f"one of {text}" + (f", ... ({len(values)} values)" if len(values) > 10 else "")


_DESCRIPTIONS: dict[str, Callable[[Any], str]] = {
    "type": lambda wanted: wanted if isinstance(wanted, str) else " or ".join(wanted),
    "required": lambda _: "a value",
    "enum": _one_of,
    "const": shown,
    "minimum": lambda wanted: f"at least {shown(wanted)}",
    "maximum": lambda wanted: f"at most {shown(wanted)}",
    "exclusiveMinimum": lambda wanted: f"more than {shown(wanted)}",
    "exclusiveMaximum": lambda wanted: f"less than {shown(wanted)}",
    "multipleOf": lambda wanted: f"a multiple of {shown(wanted)}",
    "minLength": lambda wanted: f"at least {_count(wanted, 'character')}",
    "maxLength": lambda wanted: f"at most {_count(wanted, 'character')}",
    "minItems": lambda wanted: f"at least {_count(wanted, 'item')}",
    "maxItems": lambda wanted: f"at most {_count(wanted, 'item')}",
    "minProperties": lambda wanted: f"at least {_count(wanted, 'property', 'properties')}",
    "maxProperties": lambda wanted: f"at most {_count(wanted, 'property', 'properties')}",
    "uniqueItems": lambda _: "no item twice",
    "pattern": lambda wanted: f"text that matches {shown(wanted)}",
    "additionalProperties": lambda wanted: "no other properties" if wanted is False else shown(wanted),
    "additionalItems": lambda wanted: "no further items" if wanted is False else shown(wanted),
    "contains": lambda _: "an item that matches",
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "not": lambda wanted: f"anything but {shown(wanted)}",
    "false": lambda _: "no value at all",
}
