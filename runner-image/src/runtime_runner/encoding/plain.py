"""From any value to plain JSON that every reader reads alike, or to the place of what cannot be written."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from runtime_runner.encoding.errors import EncodingError, short, type_name
from runtime_runner.encoding.kinds import TYPE, VALUE, Elements, Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""Integers that are written as they are: Kubernetes makes floats of others in a job's inputs."""

DECIMAL_BITS = 4096
"""Longer integers are written in hexadecimal digits: of decimal ones, Python reads 4300 at most."""

OURS = ("json", __name__.partition(".")[0])
"""Packages whose exceptions say nothing about the user's code."""


class Plain:
    """Makes plain JSON of one value; `default` gives the form of what is not plain, as `json.JSONEncoder.default`."""

    def __init__(self, default: Callable[[Any], Any], *, skip_keys: bool = False) -> None:
        self._default = default
        self._skip_keys = skip_keys
        self._above: set[int] = set()  # identities of the values that the one being looked at is in

    def of(self, value: Any) -> Any:
        """Return str, bool, None, a finite float, an integer of 64 bits, a list, or a dict with keys that JSON has.

        Raises:
            EncodingError: names the first place that has no form.
        """
        if type(value) is str or value is None or value is True or value is False:
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {TYPE: "float", VALUE: float.__repr__(value)}
        if isinstance(value, int):
            return value if SMALLEST <= value <= LARGEST else {TYPE: "int", VALUE: _digits(value)}
        if isinstance(value, str):
            return value
        if id(value) in self._above:
            raise EncodingError("contains itself, which JSON cannot express")
        self._above.add(id(value))
        try:
            if isinstance(value, dict):
                return self._entries(value)
            if isinstance(value, (list, tuple)):
                return self._items(value)
            return self.of(self._form(value))
        finally:
            self._above.discard(id(value))

    def _items(self, items: Iterable[Any]) -> list[Any]:
        plain: list[Any] = []
        try:
            for item in items:
                plain.append(self.of(item))  # noqa: PERF401 - its length is the place when this raises
        except EncodingError as error:
            error.inside("{...}" if isinstance(items, Elements) else f"[{len(plain)}]")
            raise
        return plain

    def _entries(self, entries: dict[Any, Any]) -> dict[Any, Any]:
        plain: dict[Any, Any] = {}
        step, only_text = "", True
        try:
            for original, item in entries.items():
                key, step = original, ""
                if type(key) is not str:
                    only_text = False
                    key = _key(key)
                    if not (key is None or isinstance(key, (str, int, float))):
                        if self._skip_keys:
                            continue
                        raise EncodingError(f"has the key {short(key)}: JSON has no keys of type {type_name(key)}")
                if TYPE not in entries:  # the form of a value: its place is that of the value
                    step = f".{key}" if isinstance(entries, Fields) else f"[{short(key)}]"
                plain[key] = self.of(item)
            step = ""
            if not only_text:
                _check_names(plain)
        except EncodingError as error:
            if step:
                error.inside(step)
            raise
        return plain

    def _form(self, value: Any) -> Any:
        try:
            return self._default(value)
        except EncodingError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            reason = "" if "is not JSON serializable" in str(error) else f" ({error})"
            message = f"is of type {type_name(value)}, which cannot be written as JSON{reason}"
            raise EncodingError(message) from (error if came_from_elsewhere(error) else None)


def came_from_elsewhere(error: BaseException) -> bool:
    """Tell whether an exception was raised by neither json nor this package: by a method of the user's, then."""
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in OURS:
            return True
        step = step.tb_next
    return False


def _digits(value: int) -> str:
    return int.__repr__(value) if value.bit_length() <= DECIMAL_BITS else hex(value)


def _key(key: Any) -> Any:
    """Return Python's number for one of NumPy's, which make keys, too: counts by qubit, say."""
    numpy = sys.modules.get("numpy")
    return key.item() if numpy is not None and isinstance(key, numpy.generic) else key


def _check_names(entries: dict[Any, Any]) -> None:
    """Refuse two keys that JSON writes alike, such as 1 and "1": a reader would see one of them only."""
    names: dict[str, Any] = {}
    for key in entries:
        name = {None: "null", True: "true", False: "false"}[key] if key is None or isinstance(key, bool) else str(key)
        if name in names:
            raise EncodingError(f"has the keys {short(names[name])} and {short(key)}, which are one key in JSON")
        names[name] = key
