"""Values to and from tagged JSON: the wire format of Qiskit Runtime, ``{"__type__": tag, "__value__": ...}``.

A table lists the types. A type is looked up in the modules that are already loaded, so that this module imports neither
NumPy nor Qiskit: a value of a type exists only where its module is loaded. Decoding goes by the same table and knows
nothing else: no tag makes it import a module by name, and nothing is ever unpickled.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPE, VALUE = "__type__", "__value__"

DECODED_BYTES = 64 * 1024 * 1024
"""Most that one compressed value may expand to: a few kilobytes of zeros could otherwise fill the memory."""

QPY_VERSION = 17
"""Newest circuit format to write, so that clients with an older Qiskit can read it."""

LONGEST_SEARCH = 1_000_000
"""Values looked at when searching what in a result cannot be written; the message is less exact beyond."""


class EncodingError(TypeError, ValueError):
    """A value cannot be written as JSON; the message names the place inside it., as json's do."""


class DecodingError(ValueError):
    """A tagged value does not hold what its tag says."""


@dataclass(frozen=True, slots=True)
class _Type:
    """How values of one type are written and read."""

    module: str
    name: str
    tag: str | None
    encode: Callable[[Any], Any]

    def matches(self, value: Any) -> bool:
        cls = getattr(sys.modules.get(self.module), self.name, None)
        return cls is not None and isinstance(value, cls)

    def write(self, value: Any) -> Any:
        content = self.encode(value)
        return content if self.tag is None else {TYPE: self.tag, VALUE: content}


class RuntimeEncoder(json.JSONEncoder):
    """Writes what programs exchange beyond plain JSON: numbers of NumPy, arrays, dates, circuits, results."""

    def default(self, o: Any) -> Any:
        """Return the tagged form of a value JSON has no form for."""
        for kind in _BEFORE_TO_JSON:
            if kind.matches(o):
                return kind.write(o)
        if hasattr(o, "to_json") and not isinstance(o, type):
            return {TYPE: "to_json", VALUE: o.to_json()}
        for kind in _AFTER_TO_JSON:
            if kind.matches(o):
                return kind.write(o)
        return super().default(o)


class RuntimeDecoder(json.JSONDecoder):
    """Reads what `RuntimeEncoder` wrote; a tag it does not know leaves the object as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, object_hook=self.object_hook, **kwargs)

    def object_hook(self, obj: dict[str, Any]) -> Any:
        """Return the value an object stands for."""
        tag = obj.get(TYPE)
        decode = _DECODERS.get(tag) if isinstance(tag, str) and VALUE in obj else None
        if decode is None:
            return obj
        try:
            return decode(obj[VALUE])
        except Exception as error:
            raise DecodingError(f"what is tagged {tag!r} cannot be read: {type(error).__name__}: {error}") from error


def to_text(value: Any, *, encoder: type[json.JSONEncoder] = RuntimeEncoder, what: str = "result") -> str:
    """Return the value as JSON text, byte for byte what the encoder writes.

    Raises:
        EncodingError: it cannot be written, or not so that others can read it. (A custom encoder may raise anything.)
    """
    try:
        text = json.dumps(value, cls=encoder)
    except RecursionError:
        raise EncodingError(f"{what} is nested too deeply to be written as JSON") from None
    except (TypeError, ValueError, OverflowError) as error:
        message = _culprit(value, encoder, what) or f"{what} cannot be written as JSON: {error}"
        raise EncodingError(message) from (error if _came_from_elsewhere(error) else None)
    if encoder is not RuntimeEncoder:
        _check_text(text, encoder, what)
    return text


def from_text(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: not JSON, or a tagged value that cannot be read (`DecodingError`).
    """
    return json.loads(text, cls=RuntimeDecoder)


def _came_from_elsewhere(error: BaseException) -> bool:
    """Tell whether an exception was raised by neither json nor this module: by a method of the user's, then."""
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in ("json", __name__.partition(".")[0]):
            return True
        step = step.tb_next
    return False


def _check_text(text: Any, encoder: type, what: str) -> None:
    try:
        text.encode()
        json.loads(text)
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise EncodingError(f"what {encoder.__name__} wrote for {what} is not JSON: {error}") from error


def _array_content(value: Any) -> Any:
    if value.dtype.hasobject:
        return value.tolist()
    buffer = io.BytesIO()
    sys.modules["numpy"].save(buffer, value, allow_pickle=False)
    return _packed(buffer.getvalue())


def _array(content: Any) -> Any:
    import numpy as np

    if isinstance(content, list):
        return np.array(content)
    return np.load(io.BytesIO(_unpacked(content)), allow_pickle=False)


def _circuit_content(value: Any) -> str:
    from qiskit import qpy

    buffer = io.BytesIO()
    version = min(QPY_VERSION, qpy.QPY_VERSION)
    qpy.dump(value, buffer, metadata_serializer=RuntimeEncoder, version=version)
    return _packed(buffer.getvalue())


def _circuit(content: str) -> Any:
    from qiskit import qpy

    return qpy.load(io.BytesIO(_unpacked(content)), metadata_deserializer=RuntimeDecoder)[0]


def _result(content: dict[str, Any]) -> Any:
    from qiskit.result import Result

    return Result.from_dict(content)


def _packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode("ascii")


def _unpacked(content: str) -> bytes:
    inflate = zlib.decompressobj()
    raw = inflate.decompress(base64.b64decode(content, validate=True), DECODED_BYTES)
    if inflate.unconsumed_tail:
        raise DecodingError(f"it expands to more than {DECODED_BYTES} bytes")
    return raw


# In the order in which they are tried.
_BEFORE_TO_JSON = (
    _Type("datetime", "date", "datetime", lambda value: value.isoformat()),  # a datetime is a date, too
    _Type("builtins", "complex", "complex", lambda value: [value.real, value.imag]),
    _Type("numpy", "complexfloating", "complex", lambda value: [float(value.real), float(value.imag)]),
    _Type("numpy", "ndarray", "ndarray", _array_content),
    _Type("numpy", "bool_", None, bool),
    _Type("numpy", "integer", None, int),
    _Type("numpy", "floating", None, float),
    _Type("builtins", "set", "set", list),
    _Type("qiskit.result", "Result", "Result", lambda value: value.to_dict()),
)
_AFTER_TO_JSON = (_Type("qiskit", "QuantumCircuit", "QuantumCircuit", _circuit_content),)

_DECODERS: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.datetime.fromisoformat,
    "complex": lambda content: complex(*content),
    "ndarray": _array,
    "array": _array,  # written by the earliest clients
    "set": set,
    "Result": _result,
    "to_json": lambda content: content,  # the class is the user's, who turns the text into an object
    "QuantumCircuit": _circuit,
}


def _culprit(value: Any, encoder: type[json.JSONEncoder], what: str) -> str | None:
    """Return a sentence that names the first place JSON cannot express, or None if none is found."""
    default = encoder().default
    above: dict[int, int] = {}  # identity -> how many of the values above this one it is
    steps: list[tuple[str, Any, bool]] = [(what, value, True)]
    for _ in range(LONGEST_SEARCH):
        if not steps:
            return None
        path, node, entering = steps.pop()
        if not entering:
            above[id(node)] -= 1
            continue
        if isinstance(node, int) and not isinstance(node, bool):
            limit = sys.get_int_max_str_digits()
            if limit and abs(node) >= 10**limit:
                return f"{path} is an integer of more than {limit} digits, which JSON readers refuse"
            continue
        if node is None or isinstance(node, (str, float)):
            continue
        if above.get(id(node)):
            return f"{path} contains itself, which JSON cannot express"
        above[id(node)] = above.get(id(node), 0) + 1
        steps.append((path, node, False))
        if isinstance(node, dict):
            for key in node:
                if not (key is None or isinstance(key, (str, int, float))):
                    return f"{path} has the key {_short(key)}: JSON has no keys of type {_type_name(key)}"
        inside = _inside(path, node)
        if inside is not None:
            steps.extend(reversed([(at, item, True) for at, item in inside]))
            continue
        try:
            steps.append((path, default(node), True))
        except (TypeError, ValueError) as error:
            reason = "" if "is not JSON serializable" in str(error) else f" ({error})"
            return f"{path} is of type {_type_name(node)}, which cannot be written as JSON{reason}"
    return None


def _inside(path: str, node: Any) -> Iterator[tuple[str, Any]] | None:
    if isinstance(node, dict):
        if TYPE in node:  # the form of a value: its place is that of the value
            return ((path, item) for item in node.values())
        return ((f"{path}[{_short(key)}]", item) for key, item in node.items())
    if isinstance(node, (list, tuple)):
        return ((f"{path}[{index}]", item) for index, item in enumerate(node))
    return None


def _short(key: Any) -> str:
    text = repr(key)
    return text if len(text) <= 60 else text[:57] + "..."


def _type_name(value: Any) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ in ("builtins", "__main__") else f"{cls.__module__}.{cls.__qualname__}"
