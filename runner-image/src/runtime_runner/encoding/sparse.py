"""Sparse matrices and arrays of SciPy, in its own files (npz)."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import scipy.sparse as sp

from runtime_runner.encoding import arrays, packing
from runtime_runner.encoding.errors import DecodingError

if TYPE_CHECKING:
    import numpy as np

_COMPRESSED = {"data", "indices", "indptr"}
MEMBERS = {
    "csr": _COMPRESSED,
    "csc": _COMPRESSED,
    "bsr": _COMPRESSED,
    "dia": {"data", "offsets"},
    "coo": {"data", "row", "col"},
    "coo of other dimensions": {"data", "coords"},
}
"""Members of a file beside format, shape and _is_array."""


def write_sparse(value: Any) -> str:
    """An npz file. What that has no form for, lil, is written as csr; a dok matrix is a dict, refused for its keys."""
    if value.format not in ("csr", "csc", "bsr", "dia", "coo"):
        value = value.tocsr()
    buffer = io.BytesIO()
    sp.save_npz(buffer, value)
    return packing.pack(buffer.getvalue(), compress=False)


def read_sparse(content: Any, _: Any) -> Any:
    """Return the matrix, or the array if it was one; its indices are checked, as SciPy's compiled code trusts them."""
    parts = _members(packing.unpack(content, compressed=False))
    try:
        name, shape = bytes(parts.pop("format").item()).decode("ascii"), parts.pop("shape").tolist()
    except KeyError as error:
        raise DecodingError(f"it has no {error}") from None
    is_array = bool(parts.pop("_is_array", False))
    expected = MEMBERS.get(name if "coords" not in parts else "coo of other dimensions")
    if expected is None or set(parts) != expected or ("coords" in parts and name != "coo"):
        raise DecodingError(f"it holds {sorted(parts)}, which make no sparse matrix of format {name!r}")
    if name in ("csr", "csc", "bsr"):
        made_of: Any = (parts["data"], parts["indices"], parts["indptr"])
    elif name == "dia":
        made_of = (parts["data"], parts["offsets"])
    elif "coords" in parts:
        made_of = (parts["data"], tuple(parts["coords"]))
    else:
        made_of = (parts["data"], (parts["row"], parts["col"]))
    matrix = getattr(sp, f"{name}_{'array' if is_array else 'matrix'}")(made_of, shape=tuple(shape))
    if name in ("csr", "csc", "bsr"):
        matrix.check_format(full_check=True)
    return matrix


def _members(raw: bytes) -> dict[str, np.ndarray[Any, Any]]:
    known = {"format", "shape", "_is_array"}.union(*MEMBERS.values())
    parts = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        for member in file.infolist():
            name = member.filename.removesuffix(".npy")
            if name not in known or name in parts:
                raise DecodingError(f"it has a member {member.filename[:60]!r}")
            packing.spend(member.file_size)
            with file.open(member) as stream:
                parts[name] = arrays.from_file(stream.read(member.file_size))
    return parts
