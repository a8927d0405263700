"""Values and outcomes as people read them on a terminal; scripts take ``-o json``."""

from __future__ import annotations

import json
from typing import Any, TextIO

from runtime_runner import encoding

WIDTH = 100
"""Longer values are spread over several lines."""

ITEMS = 50
"""Most items shown of a list or an object; the rest is counted."""

ARRAY_ITEMS = 20
"""Largest array that is written out."""

INTEGER_BITS = 4096
"""Largest integer that is written out; Python writes at most 4300 digits."""

TEXT = 400
"""Longest text shown of a value that is neither JSON nor known here."""


def value(text: str) -> str:
    """Return a JSON text of a program, decoded and laid out for reading; as it stands if it cannot be decoded."""
    try:
        decoded = encoding.from_text(text)
    except (ValueError, RecursionError):
        return printable(text)
    try:
        return printable(_laid_out(decoded, 0))
    except RecursionError:
        return printable(text)


def printable(text: str) -> str:
    """Return the text with everything escaped that a terminal might act on."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def written(text: str, stream: TextIO) -> str:
    """Return what a program wrote: as it is for a file; for a terminal without what that would act on."""
    if not stream.isatty():
        return text
    with_line_ends = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\t".join(printable(part) for part in with_line_ends.split("\t"))


def _laid_out(item: Any, indent: int) -> str:
    line = _in_a_line(item)
    if len(line) + indent <= WIDTH or not isinstance(item, dict | list):
        return line
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(item, dict):
        shown = [f"{_text(str(key))}: {_laid_out(below, indent + 2)}" for key, below in list(item.items())[:ITEMS]]
        brackets = "{}"
    else:
        shown = [_laid_out(below, indent + 2) for below in item[:ITEMS]]
        brackets = "[]"
    if more := len(item) - len(shown):
        shown.append(f"... {more} more")
    lines = ",\n".join(f"{inner}{entry}" for entry in shown)
    return f"{brackets[0]}\n{lines}\n{outer}{brackets[1]}"


def _in_a_line(item: Any) -> str:
    """Return the whole item in one line, which may be too long."""
    if isinstance(item, int) and item.bit_length() > INTEGER_BITS:  # Python refuses to write it in decimal digits
        return f"<integer of {item.bit_length()} bits>"
    if item is None or isinstance(item, bool | int | float):
        return json.dumps(item)
    if isinstance(item, str):
        return _text(item)
    if isinstance(item, dict):
        return "{" + ", ".join(f"{_text(str(key))}: {_in_a_line(below)}" for key, below in item.items()) + "}"
    if isinstance(item, list):
        return "[" + ", ".join(map(_in_a_line, item)) + "]"
    kind = type(item).__name__
    summary = _SUMMARIES.get(kind, _other)
    try:
        return " ".join(summary(item).split())
    except Exception:  # a value's own methods
        return f"<{kind}>"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _array(item: Any) -> str:
    if item.size <= ARRAY_ITEMS:
        import numpy as np

        return f"array({np.array2string(item, separator=', ', max_line_width=10**6)})"
    return f"<array of {' x '.join(map(str, item.shape))}, {item.dtype}>"


def _circuit(item: Any) -> str:
    return f"<QuantumCircuit {item.name!r}: {item.num_qubits} qubits, {item.num_clbits} bits, {item.size()} operations>"


def _result(item: Any) -> str:
    return f"<Result of {len(item.results)} experiments on {item.backend_name}, success={item.success}>"


def _other(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= TEXT else f"{text[:TEXT]}... ({len(text)} characters)"


_SUMMARIES = {"ndarray": _array, "QuantumCircuit": _circuit, "Result": _result}
