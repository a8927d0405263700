"""NumPy: arrays as its own files (npy), numbers as Python's.

The header of a file is read and checked here, before anything is allocated, and `numpy.load` is not used: it would
allocate what the header says, and knows pickles.
"""

from __future__ import annotations

import ast
import io
import math
import struct
from typing import Any

import numpy as np

from runtime_runner.encoding import packing
from runtime_runner.encoding.errors import DecodingError, EncodingError
from runtime_runner.encoding.kinds import TYPE, VALUE, Form

MAGIC = b"\x93NUMPY"
HEADER_BYTES = 64 * 1024
"""Longest description of an array: one with very many fields."""

_LENGTHS = {1: ("<H", "latin1"), 2: ("<I", "latin1"), 3: ("<I", "utf8")}


def write_number(value: Any) -> Any:
    """The nearest number of Python's: exact but for `numpy.longdouble`."""
    return value.item() if not isinstance(value, np.floating) else float(value)


def write_array(value: np.ndarray[Any, Any]) -> Any:
    """Base64 of a compressed npy file; a nested list with the array's shape if its items are Python objects."""
    if value.dtype.hasobject:
        items = value.tolist() if value.ndim else [value.item()]
        return Form({TYPE: "ndarray", VALUE: items, "__shape__": list(value.shape)})
    return packing.pack(_file(value))


def write_scalar(value: np.generic) -> Form:
    """As an array without dimensions, which is what old readers make of it."""
    if value.dtype.hasobject:
        raise EncodingError("is a record of NumPy that holds Python objects, which cannot be written as JSON")
    return Form({TYPE: "ndarray", VALUE: packing.pack(_file(np.asarray(value))), "__scalar__": True})


def refuse_masked(_: Any) -> None:
    """Refuse an array whose mask would be lost without a word."""
    raise EncodingError("is a masked array, whose mask would be lost: send its data and its mask, or fill it")


def read_array(content: Any, whole: dict[str, Any]) -> Any:
    """From a file, or from a nested list of objects."""
    if isinstance(content, list):
        return _objects(content, whole.get("__shape__"))
    array = from_file(packing.unpack(content))
    return array[()] if whole.get("__scalar__") is True and array.ndim == 0 else array


def read_old_array(content: Any, _: Any) -> np.ndarray[Any, Any]:
    """What the earliest clients wrote: numbers in nested lists."""
    if not isinstance(content, list):
        raise DecodingError(f"it holds a {type(content).__name__} where a list belongs")
    return np.array(content)


def from_file(raw: bytes) -> np.ndarray[Any, Any]:
    """Return the array of an npy file.

    Raises:
        DecodingError: it is none, or its header and its size do not agree.
    """
    if raw[: len(MAGIC)] != MAGIC or raw[6:7] not in (b"\1", b"\2", b"\3"):
        raise DecodingError("it is no array in NumPy's format")
    code, charset = _LENGTHS[raw[6]]
    begin = 8 + struct.calcsize(code)
    (length,) = struct.unpack_from(code, raw, 8)
    if length > HEADER_BYTES:
        raise DecodingError(f"its header is {length} bytes long, of which {HEADER_BYTES} are accepted")
    shape, fortran, dtype = _header(raw[begin : begin + length].decode(charset))
    needed, there = math.prod(shape) * dtype.itemsize, len(raw) - begin - length
    if needed != there:
        raise DecodingError(f"its header says {needed} bytes, {there} follow")
    view: np.ndarray[Any, Any] = np.ndarray(
        shape, dtype, buffer=raw[begin + length :] or None, order="F" if fortran else "C"
    )
    return view.copy(order="K")


def _header(text: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        header = ast.literal_eval(text.strip())
        shape, fortran, description = header["shape"], header["fortran_order"], header["descr"]
        dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(description)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError) as error:
        raise DecodingError(f"its header is none of an array: {type(error).__name__}: {error}") from None
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise DecodingError(f"its shape {shape!r} is none")
    if dtype.hasobject:
        raise DecodingError("it holds pickled objects, which are never read")
    if dtype.itemsize == 0:  # as many as one likes of these take no bytes
        packing.spend(math.prod(shape))
    return shape, bool(fortran), dtype


def _file(value: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=False)
    return buffer.getvalue()


def _objects(content: list[Any], shape: Any) -> np.ndarray[Any, Any]:
    """Return an array of Python objects, with the shape it had if that was written."""
    if shape is None:
        return np.array(content, dtype=object)
    sizes = [size for size in shape if type(size) is int and size >= 0] if isinstance(shape, list) else None
    if sizes is None or len(sizes) != len(shape):
        raise DecodingError(f"its shape {shape!r} is none")
    items: list[Any] = [content] if sizes else content
    for size in sizes:
        if any(not isinstance(item, list) or len(item) != size for item in items):
            raise DecodingError(f"its items do not have the shape {shape!r}")
        items = [part for item in items for part in item]
    packing.spend(math.prod(sizes))  # as many as one likes of size 0 take no items
    array: np.ndarray[Any, Any] = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):  # an assignment of them all would look into those that are lists
        array[index] = item
    return array.reshape(sizes)
