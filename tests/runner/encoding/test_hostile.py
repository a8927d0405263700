"""Data that was made to do harm: it is refused by name, before anything of its size is allocated, and nothing runs."""

from __future__ import annotations

import base64
import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_runner import encoding
from runtime_runner.encoding import DecodingError, kinds, packing

if TYPE_CHECKING:
    from pathlib import Path


LIMIT = 4 * 1024 * 1024


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a text expand to less than it may, so that bombs are made in no time."""
    monkeypatch.setattr(packing, "EXPANDED_BYTES", LIMIT)


def packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


def tagged(tag: str, content: Any, **more: Any) -> str:
    return json.dumps({"x": [{"__type__": tag, "__value__": content, **more}]})


def npy(shape: Any, *, descr: Any = "<f8", data: bytes = b"", order: bool = False) -> bytes:
    header = repr({"descr": descr, "fortran_order": order, "shape": shape}).encode()
    return b"\x93NUMPY\2\0" + struct.pack("<I", len(header)) + header + data


def npz(members: dict[str, bytes]) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in members.items():
            file.writestr(name, raw)
    return base64.b64encode(buffer.getvalue()).decode()


def csr(indices: list[int], indptr: list[int], shape: tuple[int, ...], count: int = 2) -> str:
    def of(values: list[Any], code: str, descr: str) -> bytes:
        return npy((len(values),), descr=descr, data=struct.pack(f"<{len(values)}{code}", *values))

    return npz(
        {
            "data.npy": of([1.0] * count, "d", "<f8"),
            "indices.npy": of(indices, "i", "<i4"),
            "indptr.npy": of(indptr, "i", "<i4"),
            "shape.npy": of(list(shape), "q", "<i8"),
            "format.npy": npy((), descr="|S3", data=b"csr"),
        }
    )


def qpy(version: int = 17, *, count: int = 1, qubits: int = 0, clbits: int = 0) -> bytes:
    raw = struct.pack("!6sBBBBQ1c1c", b"QISKIT", version, 2, 3, 0, count, b"p", b"q")
    if version >= 16:
        raw += struct.pack("!Q", len(raw) + 8)
    return raw + struct.pack("!H1cHIIQIQI", 0, b"f", 8, qubits, clbits, 2, 0, 0, 0) + bytes(8) + b"{}" + bytes(64)


class Runs:
    """A pickle of this makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (tagged("complex", "x"), "ValueError"),
        (tagged("complex", [1, 2, 3]), "too many values"),
        (tagged("complex", ["1", "2"]), "two numbers"),
        (tagged("datetime", 5), "TypeError"),
        (tagged("datetime", "yesterday"), "Invalid isoformat"),
        (tagged("set", 5), "int where a list belongs"),
        (tagged("set", [{}]), "unhashable"),
        (tagged("frozenset", "abc"), "str where a list belongs"),
        (tagged("float", 1), "int where text belongs"),
        (tagged("int", "0b1"), "invalid literal"),
        (tagged("int", "9" * 5000), "4300"),
        (tagged("range", [0, 1, 0]), "must not be zero"),
        (tagged("range", [0, 1.5, 1]), "list of integers"),
        (tagged("Decimal", "1e999999999"), "exponent of at most"),
        (tagged("Fraction", "1e999999999"), "text such as"),
        (tagged("timedelta", [10**10, 0, 0]), "OverflowError"),
        (tagged("UUID", "x"), "badly formed"),
        (tagged("bytes", "a"), "base64"),
        ("[" * 100_000, "nested too deeply"),
        ('{"__type__":"set","__value__":[' * 100_000, "nested too deeply"),
    ],
    ids=lambda value: value[:40],
)
def test_a_value_of_the_standard_library_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        encoding.from_text(text)


@pytest.mark.aer
@pytest.mark.filterwarnings("ignore:from_dict has been deprecated")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (tagged("ndarray", "%%%"), "base64"),
        (tagged("ndarray", 5), "int where text in base64 belongs"),
        (tagged("ndarray", base64.b64encode(b"not zlib").decode()), "incorrect header"),
        (tagged("ndarray", base64.b64encode(zlib.compress(bytes(1000))[:10]).decode()), "cut off"),
        (tagged("ndarray", packed(b"")), "no array"),
        (tagged("ndarray", packed(b"PK\3\4" + bytes(100))), "no array"),
        (tagged("ndarray", packed(b"\x93NUMPY\4\0" + bytes(100))), "no array"),
        (tagged("ndarray", packed(b"\x93NUMPY\2\0\xff\xff\xff\xff" + bytes(100))), "header is 4294967295 bytes"),
        (tagged("ndarray", packed(npy((2**40,)))), "says 8796093022208 bytes, 0 follow"),
        (tagged("ndarray", packed(npy((2**62, 2**62)))), "bytes, 0 follow"),
        (tagged("ndarray", packed(npy((-1,)))), "its shape .* is none"),
        (tagged("ndarray", packed(npy((-1, -8), data=bytes(64)))), "its shape .* is none"),
        (tagged("ndarray", packed(npy((True,), data=bytes(8)))), "its shape .* is none"),
        (tagged("ndarray", packed(npy([1], data=bytes(8)))), "its shape .* is none"),
        (tagged("ndarray", packed(npy((1,), descr="<f999", data=bytes(8)))), "none of an array"),
        (tagged("ndarray", packed(npy((1,), descr="os.system", data=bytes(8)))), "none of an array"),
        (tagged("ndarray", packed(npy((1,), descr="|O", data=bytes(8)))), "pickled objects, which are never read"),
        (tagged("ndarray", packed(npy((1,), descr=[("a", "|O")], data=bytes(8)))), "pickled objects"),
        (tagged("ndarray", packed(npy((2**40,), descr="|V0"))), "expands to more than"),
        (tagged("ndarray", packed(npy((1,) * 65, data=bytes(8)))), "dimension"),
        (tagged("ndarray", [1, 2], __shape__=[3]), "do not have the shape"),
        (tagged("ndarray", [1, 2], __shape__=[-2]), "its shape .* is none"),
        (tagged("ndarray", [], __shape__=[0, 2**60]), "dimension|memory|large|expands"),
        (tagged("array", "x"), "str where a list belongs"),
        (tagged("spmatrix", csr([0, 2**30], [0, 1, 2], (2, 2))), "indices"),
        (tagged("spmatrix", csr([0, -5], [0, 1, 2], (2, 2))), "indices"),
        (tagged("spmatrix", csr([0, 1], [0, 2**30, 2], (2, 2))), "index pointer|indptr"),
        (tagged("spmatrix", csr([0, 1], [0, 1, 2**30], (2, 2))), "index pointer|indptr|index"),
        (tagged("spmatrix", csr([0, 1], [0, 1, 2], (2**40, 2))), "index pointer"),
        (tagged("spmatrix", csr([0, 1], [0, 1, 2], (-2, 2))), "ValueError"),
        (tagged("spmatrix", npz({"evil.npy": b""})), "a member 'evil.npy'"),
        (tagged("spmatrix", npz({"../data.npy": b""})), "a member"),
        (tagged("spmatrix", npz({"data.npy": npy((1,), data=bytes(8))})), "has no 'format'"),
        (tagged("spmatrix", npz({"data.npy": bytes(LIMIT + 1)})), "expands to more than"),
        (tagged("spmatrix", base64.b64encode(b"PK").decode()), "BadZipFile"),
        (tagged("BitArray", {"array": [0], "num_bits": 1}), "an array and a number"),
        (tagged("BitArray", {}), "KeyError"),
        (tagged("DataBin", {"fields": {"__class__": 1}, "shape": []}), "'__class__' is no name"),
        (tagged("DataBin", {"fields": {"keys": 1}, "shape": []}), "field names"),
        (tagged("PubResult", {"data": 5, "metadata": {}}), "must hold data"),
        (tagged("PrimitiveResult", {"pub_results": 5, "metadata": {}}), "a list of results"),
        (tagged("BindingsArray", {"data": {"[]]": 1}, "shape": []}), "JSONDecodeError"),
        (tagged("Parameter", base64.b64encode(bytes(17)).decode()), "18 bytes"),
        (tagged("Parameter", base64.b64encode(b"\xff\xff" + bytes(17)).decode()), "1 bytes instead of 65535"),
        (tagged("ParameterVector", {"name": "v", "element": 5}), "AttributeError"),
        (tagged("Result", 1), "int where an object belongs"),
        (tagged("Result", {"results": 5}), "cannot be read"),
        (tagged("Result", {}), "cannot be read"),
        (tagged("NoiseModel", []), "list where an object belongs"),
        (tagged("NoiseModel", {"errors": [{"type": "qerror", "operations": ["x"]}]}), "KeyError|cannot be read"),
    ],
    ids=lambda value: value[:60],
)
def test_a_container_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        encoding.from_text(text)


def settings_of(name: str, module: str = "qiskit.quantum_info", **values: Any) -> str:
    return json.dumps({"__type__": "settings", "__module__": module, "__class__": name, "__value__": values})


@pytest.mark.aer
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (settings_of("Operator", data=5), "array of 2 dimensions"),
        (settings_of("Operator", data="XX"), "array of 2 dimensions"),
        (settings_of("DensityMatrix", data=[1, 0]), "array of 2 dimensions"),
        (settings_of("Kraus", data=[]), "arrays of two dimensions"),
        (settings_of("Pauli", data=5), "must be text"),
        (settings_of("Pauli", data="nonsense"), "QiskitError"),
        (settings_of("SparsePauliOp", data="XX", coeffs=[1]), "must hold Paulis"),
        (settings_of("StabilizerState", data="XX"), "must be a Clifford"),
        (settings_of("ScalarOp"), "KeyError"),
        (settings_of("PauliSumOp", "qiskit.opflow", primitive="XX"), "must hold Paulis"),
    ],
    ids=lambda value: value[:90],
)
def test_an_operator_is_made_from_what_it_is_made_of_and_nothing_else(text: str, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        encoding.from_text(text)


@pytest.mark.aer
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("qiskit.quantum_info", "random_unitary"),
        ("qiskit.quantum_info", "__builtins__"),
        ("qiskit.quantum_info.operators", "__class__"),
        ("qiskit.quantum_infoX", "Pauli"),
        ("qiskit.circuit.library", "QuantumVolume"),
        (5, "Pauli"),
        (None, None),
    ],
)
def test_a_class_that_is_not_on_the_list_is_neither_imported_nor_called(module: Any, name: Any) -> None:
    form = {"__type__": "settings", "__module__": module, "__class__": name, "__value__": {"data": "XX"}}
    assert encoding.from_text(json.dumps(form)) == form


@pytest.mark.aer
@pytest.mark.parametrize("tag", ["QuantumCircuit", "Instruction", "ParameterExpression"])
@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"not QPY", "not in QPY"),
        (b"QISKIT", "not in QPY"),
        (qpy()[:30], "cut off|error"),
        (qpy(99), "in QPY 99, written by Qiskit 2.3.0; Qiskit .* here reads up to"),
        (qpy(count=2**63), "holds 9223372036854775808 circuits"),
        (qpy(count=0), "holds 0 circuits"),
        (qpy(qubits=2**32 - 1), "a circuit of 4294967295 qubits and 0 clbits, of which 100000 are read"),
        (qpy(13, clbits=2**32 - 1), "a circuit of 0 qubits and 4294967295 clbits"),
        (qpy(10, qubits=10**6), "a circuit of 1000000 qubits"),
        (bytes(LIMIT + 1), "expands to more than"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_circuit_is_refused_before_qiskit_reads_it(tag: str, raw: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        encoding.from_text(tagged(tag, packed(raw)))


@pytest.mark.aer
def test_many_small_bombs_count_as_one() -> None:
    bomb = {"__type__": "ndarray", "__value__": packed(npy((2**17,), data=bytes(2**20)))}
    with pytest.raises(DecodingError, match="the text expands to more than 4194304 bytes"):
        encoding.from_text(json.dumps([bomb] * 5))


@pytest.mark.aer
def test_a_bomb_in_the_metadata_of_a_circuit_counts_to_its_text() -> None:
    from qiskit import QuantumCircuit

    array = {"__type__": "ndarray", "__value__": packed(npy((3 * 2**16,), data=bytes(3 * 2**19)))}
    circuit = json.loads(encoding.to_text(QuantumCircuit(1, metadata={"x": array})))
    assert encoding.from_text(json.dumps([circuit] * 2))[1].metadata["x"].shape == (3 * 2**16,)
    with pytest.raises(DecodingError, match="expands to more than"):
        encoding.from_text(json.dumps([circuit] * 3))


@pytest.mark.aer
@pytest.mark.parametrize("tag", ["ndarray", "QuantumCircuit", "Instruction", "ParameterExpression", "Parameter"])
def test_a_pickle_is_never_read(tag: str, tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    for raw in (pickle.dumps(Runs(harm)), npy((1,), descr="|O", data=pickle.dumps([Runs(harm)]))):
        for content in (packed(raw), base64.b64encode(raw).decode()):
            with pytest.raises(DecodingError):
                encoding.from_text(tagged(tag, content))
    assert not harm.exists()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=40).map(packed),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.aer
@given(st.sampled_from(sorted(kinds.READERS)), JSON)
@settings(deadline=None, max_examples=300)
@pytest.mark.filterwarnings("ignore")
def test_any_content_of_any_tag_is_read_or_refused_and_nothing_else_happens(tag: str, content: Any) -> None:
    text = json.dumps({"__type__": tag, "__value__": content})
    try:
        encoding.from_text(text)
    except DecodingError as error:
        assert f"what is tagged {tag!r} cannot be read" in str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.aer
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 255))
@settings(deadline=None, max_examples=150)
@pytest.mark.filterwarnings("ignore")
def test_a_circuit_with_any_byte_changed_is_read_or_refused(place: float, byte: int) -> None:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter

    circuit = QuantumCircuit(2, 1, name="x", metadata={"a": 1})
    circuit.rx(Parameter("a") * 2, 0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    form = json.loads(encoding.to_text(circuit))
    raw = bytearray(zlib.decompress(base64.b64decode(form["__value__"])))
    raw[int(place * len(raw))] = byte
    try:
        encoding.from_text(json.dumps(form | {"__value__": packed(bytes(raw))}))
    except DecodingError as error:
        assert "what is tagged 'QuantumCircuit' cannot be read" in str(error)  # noqa: PT017 - either outcome is right


EVERY_BYTE = """
import base64, json, resource, warnings, zlib
from qiskit import QuantumCircuit
from runtime_runner import encoding

warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (3 * 1024**3, 3 * 1024**3))
part = QuantumCircuit(2, name="part")
part.cx(0, 1)
circuit = QuantumCircuit(2, 1, name="x", global_phase=0.5)
circuit.append(part.to_gate(), [0, 1])
circuit.measure(0, 0)
with circuit.if_test((0, 1)):
    circuit.x(1)
form = json.loads(encoding.to_text(circuit))
raw = zlib.decompress(base64.b64decode(form["__value__"]))
refused = 0
for place in range(len(raw)):
    for byte in (0x01, 0xFF):
        changed = raw[:place] + bytes([byte]) + raw[place + 1 :]
        value = base64.b64encode(zlib.compress(changed)).decode()
        try:
            encoding.from_text(json.dumps(form | {"__value__": value}))
        except encoding.DecodingError as error:
            assert "MemoryError" not in str(error), (place, byte)
            refused += "of which 100000 are read" in str(error)
print(refused)
"""


@pytest.mark.aer
def test_no_byte_of_a_circuit_or_of_one_inside_it_makes_its_reader_take_gigabytes() -> None:
    done = subprocess.run([sys.executable, "-c", EVERY_BYTE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) >= 3 * 2 * 3, "both counts of the circuit, of the definition and of the block"
