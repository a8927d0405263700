"""Circuits as files in Qiskit's format (QPY): which version to write, and what is looked at before one is read.

Qiskit reads every version up to its own newest, and writes from some version on: so the lowest version that says all
about a circuit is the one that most readers can read. Version 13 is read from Qiskit 1.3 on.
"""

from __future__ import annotations

import functools
import io
import re
import struct
from typing import Any

from qiskit import QuantumCircuit, qpy
from qiskit import __version__ as qiskit_version
from qiskit.circuit.library import get_standard_gate_name_mapping

from runtime_runner.encoding import packing
from runtime_runner.encoding.decoder import RuntimeDecoder
from runtime_runner.encoding.encoder import RuntimeEncoder
from runtime_runner.encoding.errors import DecodingError, EncodingError

VERSIONS = range(13, 18)
"""Versions to write: below 13, parameters are text that Qiskit before 1.4.2 evaluates; 18 is read by Qiskit 2.6 on."""

BITS = 100_000
"""Most qubits and clbits, together, of a circuit that is read. Bits take no space in a file: a header of 60 bytes can
ask for four thousand million. Measured with Qiskit 2.6: a million take 370 MB and a second."""

SAFE_SINCE = (1, 4, 2)
"""First Qiskit that does not evaluate the text of parameters in files below version 13 as Python (CVE-2025-2000)."""

_WITH_SYMENGINE = range(10, 13)
_FILE = struct.Struct("!6sBBBBQ")
_ENCODING = _FILE.size  # the place of the byte that says who wrote expressions, from version 10 on
_CIRCUIT = struct.Struct("!H1cHIIQIQ")  # version 2 on; more fields follow in later ones
_CIRCUIT_1 = struct.Struct("!HdIIQIQ")
_MANY_BITS = re.compile(
    rb"(?=[^\0]|.[^\0]|.{4}[^\0]|.{5}[^\0])(?=.{8}\0{4}[\0-\x10].{3}[\0-\x10].{3}\0{4}[\0-\x10].{3})", re.DOTALL
)
"""The end of a header (IIQIQ): 65,536 qubits or clbits or more; sizes of metadata, registers and instructions that a
text of at most 256 MiB may have."""
_COUNTS_BYTES = struct.calcsize("!IIQIQ")
_PHASES = b"ifcdRnpvesxzm"
_PHASE_BYTES = {b"i": 8, b"f": 8, b"c": 16, b"z": 0}


def write(circuit: QuantumCircuit) -> str:
    """Return a circuit as text: base64 of a compressed file.

    Raises:
        EncodingError: it holds something that has no form in QPY, or in JSON if that is in its metadata.
    """
    versions = [version for version in VERSIONS if oldest() <= version <= qpy.QPY_VERSION] or [qpy.QPY_VERSION]
    found, problem = None, None
    for version in versions:
        try:
            raw = _dump(circuit, version)
            if version == versions[0] and is_plain(circuit):
                found = raw
                break
            back = _load(raw)
        except EncodingError:
            raise
        except Exception as error:
            problem = error
            continue
        found = raw
        if back == circuit:  # never so for a few gates: of what can be read, the highest version says most
            break
    if found is None:
        reason = f"{type(problem).__name__}: {problem}"
        raise EncodingError(f"is a circuit that cannot be written as QPY ({reason})") from problem
    return packing.pack(found)


def read(content: Any) -> QuantumCircuit:
    """Return the first circuit of a file.

    Raises:
        DecodingError: it is none, or one that may not be read.
    """
    raw = packing.unpack(content)
    check(raw)
    if raw[6] not in _WITH_SYMENGINE or raw[_ENCODING] != ord("e"):
        return _load(raw)
    try:  # as if its expressions were text: most circuits have none, and symengine must not get at the data
        return _load(raw[:_ENCODING] + b"p" + raw[_ENCODING + 1 :])
    except Exception as error:
        raise DecodingError(
            "its parameters seem to be in expressions written with symengine, whose compiled reader trusts its input "
            f"and is not used ({type(error).__name__})"
        ) from error


def check(raw: bytes) -> None:
    """Look at the header of a file before Qiskit allocates what it says.

    Raises:
        DecodingError: the file is not in QPY, too new for this Qiskit, too old for this Qiskit to read safely, or asks
            for more bits than are read.
    """
    if raw[:1] == b"\x80":
        raise DecodingError(
            "it is a pickled circuit, of a client older than QPY (2021): pickles can run code and are never read"
        )
    if raw[:6] != b"QISKIT" or len(raw) < _FILE.size:
        raise DecodingError("it is not in QPY")
    _, version, *written_by, count = _FILE.unpack_from(raw)
    if version > qpy.QPY_VERSION:
        raise DecodingError(
            f"it is in QPY {version}, written by Qiskit {'.'.join(map(str, written_by))}; "
            f"Qiskit {qiskit_version} here reads up to {qpy.QPY_VERSION}"
        )
    if version < VERSIONS.start and _installed() < SAFE_SINCE:
        raise DecodingError(
            f"it is in QPY {version}, which Qiskit {qiskit_version} cannot read safely; "
            f"{'.'.join(map(str, SAFE_SINCE))} and later can"
        )
    if count != 1:
        raise DecodingError(f"it holds {count} circuits instead of one")
    _check_bits(raw, version)


def oldest() -> int:
    """Return the lowest version that this Qiskit writes."""
    from qiskit.qpy import common

    return int(getattr(common, "QPY_COMPATIBILITY_VERSION", qpy.QPY_VERSION))


def _check_bits(raw: bytes, version: int) -> None:
    begin = _FILE.size + (version >= 10) + (version >= 5)
    if version >= 16:
        (begin,) = struct.unpack_from("!Q", raw, begin)
    header = _CIRCUIT if version >= 2 else _CIRCUIT_1
    if len(raw) < begin + header.size:
        raise DecodingError("it is cut off")
    _check_header(header.unpack_from(raw, begin))
    # Blocks and definitions are circuits, too, somewhere in the file. They are looked for and not parsed: hardly any
    # other bytes look like a header and like many bits.
    for found in _MANY_BITS.finditer(raw, begin + header.size):
        place = found.start() - (header.size - _COUNTS_BYTES)
        fields = header.unpack_from(raw, place)
        if _may_be_header(fields, raw, place + header.size, version):
            _check_header(fields)


def _check_header(fields: tuple[Any, ...]) -> None:
    qubits, clbits = fields[-5:-3]
    if qubits + clbits > BITS:
        raise DecodingError(f"it has a circuit of {qubits} qubits and {clbits} clbits, of which {BITS} are read")


def _may_be_header(fields: tuple[Any, ...], raw: bytes, end: int, version: int) -> bool:
    """Return whether Qiskit would get as far as to allocate: sizes that fit what follows, a phase, a readable name."""
    name_bytes, phase_bytes = fields[0], fields[2] if version >= 2 else 0
    if name_bytes + phase_bytes + sum(fields[-3:]) > len(raw) - end:
        return False
    if version >= 2 and not (fields[1] in _PHASES and phase_bytes == _PHASE_BYTES.get(fields[1], phase_bytes)):
        return False
    begin = end + (4 if version >= 12 else 0)  # the number of variables comes in between
    try:
        raw[begin : begin + name_bytes].decode()
    except UnicodeDecodeError:
        return False
    return True


def _dump(circuit: QuantumCircuit, version: int) -> bytes:
    buffer = io.BytesIO()
    try:
        text = {"use_symengine": False} if version < VERSIONS.start else {}  # Qiskit 1.2 and older write none above
        qpy.dump(circuit, buffer, metadata_serializer=RuntimeEncoder, version=version, **text)
    except EncodingError as error:
        error.inside(".metadata")
        raise
    return buffer.getvalue()


def _load(raw: bytes) -> QuantumCircuit:
    return qpy.load(io.BytesIO(raw), metadata_deserializer=RuntimeDecoder)[0]


def is_plain(circuit: QuantumCircuit) -> bool:
    """Return whether all instructions are ones that every version keeps (measured): no need to read back and compare.

    Others are written without complaint by versions that do not keep all about them.
    """
    return standard_names().issuperset(circuit.count_ops())


@functools.cache
def standard_names() -> frozenset[str]:
    """Return the names of Qiskit's own gates."""
    return frozenset(get_standard_gate_name_mapping()) | {"barrier", "measure", "reset", "delay"}


@functools.cache
def _installed() -> tuple[int, ...]:
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in qiskit_version.split(".")[:3])
