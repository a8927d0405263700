"""Parameters of circuits: single ones in the form of the old service, all else inside a circuit (QPY).

A parameter alone has always been 18 bytes and its name. An expression was what a private function of Qiskit wrote,
whose form changed with its version; here it is the global phase of an empty circuit. Of the old forms, those with a
text are read: Qiskit parses it (from 1.4.2 on) when it is put into a file of that time. Those by symengine are not.
"""

from __future__ import annotations

import base64
import struct
import uuid
import zlib
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression, ParameterVector
from qiskit.circuit.parametervector import ParameterVectorElement

from runtime_runner.encoding import packing, qpy_files
from runtime_runner.encoding.errors import DecodingError
from runtime_runner.encoding.kinds import TYPE, VALUE, Form

_PARAMETER = struct.Struct("!H16s")
_EXPRESSION = struct.Struct("!QQ")


def write_parameter(value: Parameter) -> Any:
    """As ever; one of a vector brings its vector along, which old readers ignore."""
    name = value.name.encode()
    content = base64.b64encode(_PARAMETER.pack(len(name), value.uuid.bytes) + name).decode("ascii")
    if isinstance(value, ParameterVectorElement):
        return Form({TYPE: "Parameter", VALUE: content, "__vector__": _write_phase(value)})
    return content


def read_parameter(content: Any, whole: dict[str, Any]) -> Parameter:
    """From its name and identity, or from its vector if that is there."""
    if "__vector__" in whole:
        element = _read_phase(whole["__vector__"])
        if not isinstance(element, Parameter):
            raise DecodingError("its vector has no such element")
        return element
    raw = packing.unpack(content, compressed=False)
    size, number = _PARAMETER.unpack_from(raw)
    if len(raw) != _PARAMETER.size + size:
        raise DecodingError(f"its name takes {len(raw) - _PARAMETER.size} bytes instead of {size}")
    return Parameter(raw[_PARAMETER.size :].decode(), uuid=uuid.UUID(bytes=number))


def write_expression(value: ParameterExpression) -> str:
    """The global phase of a circuit."""
    return _write_phase(value)


def read_expression(content: Any, _: Any) -> Any:
    """From the global phase of a circuit, or from an old form with a text."""
    raw = packing.unpack(content, compressed=False)
    if raw[:1] == b"\x78":  # zlib's, where an old form begins with the zeros of a count
        return _read_phase(content)
    return _read_phase(base64.b64encode(zlib.compress(_file_of_that_time(raw))).decode("ascii"))


def write_view(value: Any) -> list[Parameter]:
    """The parameters, as a list."""
    return list(value)


def write_vector(value: ParameterVector) -> dict[str, Any]:
    """Its name and one element, which knows it; a vector of none is but a name."""
    return {"name": value.name, "element": value[0] if len(value) else None}


def read_vector(content: Any, _: Any) -> ParameterVector:
    """From one of its elements."""
    element = content["element"]
    if element is None:
        return ParameterVector(content["name"], 0)
    return element.vector


def _write_phase(value: ParameterExpression) -> str:
    return qpy_files.write(QuantumCircuit(global_phase=value))


def _read_phase(content: Any) -> Any:
    return qpy_files.read(content).global_phase


def _file_of_that_time(raw: bytes) -> bytes:
    """Return a QPY file with an empty circuit whose global phase is an expression of an old client."""
    if len(raw) < _EXPRESSION.size:
        raise DecodingError("it is cut off")
    count, size = _EXPRESSION.unpack_from(raw)
    text = raw[_EXPRESSION.size : _EXPRESSION.size + size]
    if size and not text[:1].isalpha():
        raise DecodingError("it was written with symengine, whose form is not read; without it, it would be")
    # Two letters, for symbol and value, precede the first symbol from version 3 on; one letter and a zero before.
    symbols = raw[_EXPRESSION.size + size :]
    version = 2 if count and symbols[1:2] == b"\0" else 10
    circuit = struct.pack("!H1cHIIQIQ", 0, b"e", len(raw), 0, 0, 2, 0, 0) + raw + b"{}" + struct.pack("!Q", 0)
    if version == 2:
        return struct.pack("!6sBBBBQ", b"QISKIT", 2, 0, 19, 0, 1) + circuit
    layout = struct.pack("!H?iiiIi", 0, False, -1, -1, -1, 0, 0)  # no calibrations, no layout
    return struct.pack("!6sBBBBQ1c1c", b"QISKIT", version, 0, 45, 0, 1, b"p", b"q") + circuit + layout
