"""Which values a schema accepts, and the words for those it does not. Pure, and unbounded: see `bounded`.

A schema without ``$schema`` is Draft 2019-09, as the metadata of Qiskit Runtime programs has it; a known ``$schema`` is
honoured. References are followed within the schema alone. ``format``, ``contentEncoding`` and ``default`` are notes for
people: nothing is checked or filled in.

Tagged objects (``{"__type__": ..., "__value__": ...}``) are what RuntimeEncoder writes for values that JSON has no form
for. A schema speaks of the value, not of its wire format, so a tagged object has every type that its tag can stand for,
and keywords that look inside a value (``properties``, ``items``, ``minLength``, ...) pass over it.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema import validators
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from runtime_runner.schema import words
from runtime_runner.schema.verdicts import VIOLATIONS, Request, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Keyword = Callable[[Any, Any, Any, Any], Iterable[jsonschema.ValidationError] | None]

DEFAULT_DRAFT = jsonschema.Draft201909Validator

_UNKNOWN: Any = object()

TAG = "__type__"

_NUMBER, _TEXT, _ARRAY = frozenset({"number"}), frozenset({"string"}), frozenset({"array"})

_TYPES_OF_TAGS = {
    "float": _NUMBER,  # NaN and the infinities
    "int": frozenset({"integer", "number"}),  # beyond 64 bits
    "complex": _NUMBER | _ARRAY,
    "Decimal": _NUMBER | _TEXT,
    "Fraction": _NUMBER | _TEXT,
    "timedelta": _NUMBER | _TEXT,
    "datetime": _TEXT,
    "time": _TEXT,
    "UUID": _TEXT,
    "bytes": _TEXT,
    "bytearray": _TEXT,
    "to_json": _TEXT,
    "ndarray": _ARRAY,
    "array": _ARRAY,
    "spmatrix": _ARRAY,
    "set": _ARRAY,
    "frozenset": _ARRAY,
    "range": _ARRAY,
    "ParameterVector": _ARRAY,
    "QuantumCircuit": _ARRAY,  # published schemas say so
    "Instruction": frozenset[str](),
    "NoiseModel": frozenset[str](),
    "Result": frozenset[str](),
}
"""What a value of this tag may be declared as, beside ``object``. Of any other tag nothing is known: it may be all."""

SCALAR = "__scalar__"
"""On an ``ndarray`` that stands for one item of it, which may be anything."""


class NotApplicableError(ValueError):
    """The schema cannot be applied to any value; the message says why."""


def check(requests: Iterable[Request]) -> Iterator[Verdict]:
    """Give a verdict on each request, in order. Requests with the same schema object have it prepared once.

    Raises:
        MemoryError: there was not enough of it.
    """
    prepared: dict[int, Any] = {}
    for request in requests:
        key = id(request.schema)
        if key not in prepared:
            prepared[key] = _validator_or_problem(request.schema)
        validator = prepared[key]
        yield Verdict(problem=validator) if isinstance(validator, str) else _verdict(validator, request)


def _validator_or_problem(schema: object) -> Any:
    try:
        return _validator(schema)
    except NotApplicableError as problem:
        return str(problem)
    except RecursionError:
        return "the schema is nested too deeply"
    except MemoryError:
        raise
    except Exception as error:  # whatever a library makes of a schema that nobody foresaw
        return f"the schema cannot be applied: {words.shorten(f'{type(error).__name__}: {error}')}"


def _verdict(validator: Any, request: Request) -> Verdict:
    if not request.text:
        return Verdict()
    try:
        value = json.loads(request.text)
    except (ValueError, RecursionError) as error:
        return Verdict(problem=f"{request.what} is not JSON that can be read: {words.shorten(str(error))}")
    found = []
    try:
        for violated in validator.iter_errors(value):
            found.append(words.violation(violated, request.what))
            if len(found) == VIOLATIONS:
                break
    except Unresolvable as error:
        return Verdict(problem=_unresolvable(error.ref))
    except RecursionError:
        return Verdict(problem="the schema refers to itself without end, or the value is nested too deeply for it")
    except MemoryError:
        raise
    except Exception as error:  # an infinity that is to be a multiple of something, for example
        return Verdict(problem=f"the schema cannot be applied: {words.shorten(f'{type(error).__name__}: {error}')}")
    return Verdict(violations=tuple(found))


def _validator(schema: object) -> Any:
    """Return what checks values against this schema.

    Raises:
        NotApplicableError: it is not a JSON Schema, or refers to something outside of itself.
    """
    if isinstance(schema, list):
        raise NotApplicableError("the schema is a list, the older way to describe parameters, and not a JSON Schema")
    if not isinstance(schema, dict | bool):
        raise NotApplicableError(f"the schema is not an object but {words.shown(schema)}")
    draft = _draft(schema)
    try:
        draft.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise NotApplicableError(f"the schema is not valid: {words.schema_error(error)}") from error
    _look_up_references(draft, schema)
    return _tolerant(draft)(schema, registry=Registry())


def _draft(schema: Any) -> Any:
    dialect = schema.get("$schema", "") if isinstance(schema, dict) else ""
    if dialect in ("", None):
        return DEFAULT_DRAFT
    if not isinstance(dialect, str):
        raise NotApplicableError(f"$schema is not text but {words.shown(dialect)}")
    for spelling in (dialect, "http://" + dialect.removeprefix("https://")):
        draft: Any = validators.validator_for({"$schema": spelling}, default=_UNKNOWN)
        if draft is not _UNKNOWN:
            return draft
    raise NotApplicableError(f"$schema names a dialect that is not known: {words.shown(dialect)}")


def _look_up_references(draft: Any, schema: Any) -> None:
    """Find what no value may ever find: a reference that leads out of the schema, or nowhere."""
    root = specification_with(draft.ID_OF(draft.META_SCHEMA)).create_resource(schema)
    left = [(SPECIFICATIONS.resolver_with_root(root), root)]
    while left:
        resolver, resource = left.pop()
        for keyword in ("$ref", "$dynamicRef"):
            reference = resource.contents.get(keyword) if isinstance(resource.contents, dict) else None
            if isinstance(reference, str):
                try:
                    resolver.lookup(reference)
                except Unresolvable as error:
                    raise NotApplicableError(_unresolvable(reference)) from error
        left += [(resolver.in_subresource(inner), inner) for inner in resource.subresources()]


def _unresolvable(reference: str) -> str:
    if reference.startswith("#"):
        return f"the schema refers to {words.shown(reference)}, which is not in it"
    return f"the schema refers to {words.shown(reference)}; only references within the schema itself are followed"


# Tagged objects


def tag_of(value: object) -> str | None:
    """Return the tag of a tagged object, None for any other value."""
    tag = value.get(TAG) if isinstance(value, dict) else None
    return tag if isinstance(tag, str) else None


_LEADING_ON = ("$ref", "$recursiveRef", "$dynamicRef", "allOf", "extends")
"""Keywords that are about the same value in another schema."""


@functools.cache
def _tolerant(draft: Any) -> Any:
    """Return the draft with our treatment of tagged objects, and with errors that say what is missing."""
    keywords = {name: _passing_over_tags(keyword) for name, keyword in draft.VALIDATORS.items()}
    keywords |= {name: draft.VALIDATORS[name] for name in _LEADING_ON if name in draft.VALIDATORS}
    if draft is not jsonschema.Draft3Validator:  # there, `required` is a boolean and `type` may hold schemas
        keywords |= {"type": _type, "required": _required, "anyOf": _any_of, "oneOf": _one_of}
    extend: Any = validators.extend
    return extend(draft, keywords)


def _passing_over_tags(keyword: Keyword) -> Keyword:
    def look(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterable[jsonschema.ValidationError] | None:
        return None if tag_of(value) is not None else keyword(validator, wanted, value, schema)

    return look


def _type(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    types = [wanted] if isinstance(wanted, str) else wanted
    tag = tag_of(value)
    if tag is None:
        right = any(validator.is_type(value, name) for name in types)
    elif tag in _TYPES_OF_TAGS and not value.get(SCALAR):
        right = not {"object", *_TYPES_OF_TAGS[tag]}.isdisjoint(types)
    else:
        right = True
    if not right:
        yield jsonschema.ValidationError("type")


def _required(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    if validator.is_type(value, "object") and tag_of(value) is None:
        for name in wanted:
            if name not in value:
                yield jsonschema.ValidationError("required", path=[name])


def _any_of(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    """As the library's, but it stops at an alternative's first error: a long value would make millions of them."""
    if not any(_is_valid(validator, value, alternative) for alternative in wanted):
        yield jsonschema.ValidationError("anyOf")


def _one_of(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    """Like `_any_of`; that a tagged object fits several alternatives does not say that its value does."""
    fitting = sum(_is_valid(validator, value, alternative) for alternative in wanted)
    if fitting == 0 or (fitting > 1 and tag_of(value) is None):
        yield jsonschema.ValidationError("oneOf", validator_value=wanted if fitting == 0 else fitting)


def _is_valid(validator: Any, value: Any, schema: Any) -> bool:
    return next(iter(validator.descend(value, schema)), None) is None
