"""The wire format of programs' inputs and results."""

from __future__ import annotations

import base64
import datetime
import json
import math
import subprocess
import sys
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime_runner import encoding
from runtime_runner.encoding import DecodingError, EncodingError, RuntimeDecoder, RuntimeEncoder

MOMENT = datetime.datetime(2021, 7, 2, 13, 45, tzinfo=datetime.UTC)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**100), 10**100) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != encoding.TYPE), inner),
)


@given(JSON)
def test_plain_json_is_written_as_json_writes_it_and_read_back(value: Any) -> None:
    text = encoding.to_text(value)
    assert text == json.dumps(value)
    assert encoding.from_text(text) == value


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1 + 2j, {"__type__": "complex", "__value__": [1.0, 2.0]}),
        ({3}, {"__type__": "set", "__value__": [3]}),
        (MOMENT, {"__type__": "datetime", "__value__": "2021-07-02T13:45:00+00:00"}),
        (datetime.date(2021, 7, 2), {"__type__": "datetime", "__value__": "2021-07-02"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_the_standard_library_have_their_tagged_form(value: Any, form: dict[str, Any]) -> None:
    assert json.loads(json.dumps(value, cls=RuntimeEncoder)) == form
    back = json.loads(json.dumps([value], cls=RuntimeEncoder), cls=RuntimeDecoder)[0]
    assert (back.date() if type(value) is datetime.date else back) == value  # a date comes back as a datetime


def test_tagged_values_may_be_nested() -> None:
    value = {"a": [{1j, 2}, {"b": (1 + 1j, "x")}]}
    assert encoding.from_text(encoding.to_text(value)) == {"a": [{1j, 2}, {"b": [1 + 1j, "x"]}]}


def test_numbers_that_are_no_json_survive_as_python_writes_them() -> None:
    assert encoding.to_text([math.nan, math.inf, -math.inf]) == "[NaN, Infinity, -Infinity]"
    back = encoding.from_text("[NaN, -Infinity]")
    assert math.isnan(back[0])
    assert back[1] == -math.inf


def test_an_object_that_writes_itself_arrives_as_its_text() -> None:
    class Mine:
        def to_json(self) -> str:
            return '{"foo": 1}'

    text = encoding.to_text({"x": Mine()})
    assert json.loads(text) == {"x": {"__type__": "to_json", "__value__": '{"foo": 1}'}}
    assert encoding.from_text(text) == {"x": '{"foo": 1}'}


@pytest.mark.parametrize(
    "form",
    [
        {"__type__": "settings", "__module__": "os", "__class__": "system", "__value__": {"command": "true"}},
        {"__type__": "unheard of", "__value__": 1},
        {"__type__": "complex"},
        {"__type__": ["complex"], "__value__": [1, 2]},
        {"__type__": 1, "__value__": 1},
    ],
    ids=str,
)
def test_a_tag_that_is_not_on_the_list_leaves_the_object_as_it_is(form: dict[str, Any]) -> None:
    assert encoding.from_text(json.dumps({"x": form})) == {"x": form}


@pytest.mark.parametrize(
    ("tag", "content"),
    [
        ("complex", "x"),
        ("complex", [1, 2, 3]),
        ("datetime", 5),
        ("datetime", "yesterday"),
        ("set", 5),
        ("set", [[]]),
        ("ndarray", "%%%"),
        ("ndarray", base64.b64encode(b"not zlib").decode()),
        ("QuantumCircuit", base64.b64encode(zlib.compress(b"not QPY")).decode()),
        ("Result", 1),
    ],
)
def test_content_that_does_not_fit_its_tag_is_refused_by_name(tag: str, content: Any) -> None:
    with pytest.raises(DecodingError, match=f"what is tagged '{tag}' cannot be read: "):
        encoding.from_text(json.dumps({"__type__": tag, "__value__": content}))


def test_the_module_needs_neither_numpy_nor_qiskit() -> None:
    code = """
import sys
sys.modules["numpy"] = sys.modules["qiskit"] = None
from runtime_runner import encoding
assert encoding.from_text(encoding.to_text([1j])) == [1j]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


class TestWhatCannotBeWritten:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"history": [0, 1, 2, {"solver": object()}]}, "result['history'][3]['solver'] is of type object, which"),
            ([{frozenset()}], "result[0][0] is of type frozenset"),
            ({"a": (1, b"")}, "result['a'][1] is of type bytes"),
            ({(1, 2): 0}, "result has the key (1, 2): JSON has no keys of type tuple"),
            ({"k" * 1000: object()}, "..."),
            ([10**5000], "result[0] is an integer of more than 4300 digits, which JSON readers refuse"),
            (range(3), "result is of type range"),
            (ValueError(), "result is of type ValueError"),
        ],
        ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
    )
    def test_is_named_with_its_place(self, value: Any, message: str) -> None:
        with pytest.raises(EncodingError) as caught:
            encoding.to_text(value)
        found = str(caught.value)
        assert message in found
        assert found.startswith("result")

    def test_a_cycle_is_named_and_the_same_value_twice_is_none(self) -> None:
        shared: list[int] = [1]
        assert encoding.to_text([shared, shared]) == "[[1], [1]]"
        cycle: dict[str, Any] = {"shared": [shared, shared]}
        cycle["self"] = [cycle]
        with pytest.raises(EncodingError, match=r"result\['self'\]\[0\] contains itself"):
            encoding.to_text(cycle)

    def test_nesting_without_end_is_refused(self) -> None:
        deep: list[Any] = []
        for _ in range(10**6):
            deep = [deep]
        with pytest.raises(EncodingError, match="nested too deeply"):
            encoding.to_text(deep)

    def test_it_is_a_type_error_and_a_value_error_as_of_json(self) -> None:
        with pytest.raises(TypeError):
            encoding.to_text(object())
        with pytest.raises(ValueError, match="object"):
            encoding.to_text(object())


@pytest.mark.aer
class TestNumpyAndQiskit:
    def test_numbers_of_numpy_become_numbers(self) -> None:
        import numpy as np

        values = [np.int64(1), np.uint8(2), np.float32(0.5), np.float64(0.1), np.bool_(True), {np.int32(3)}]
        assert encoding.to_text(values) == '[1, 2, 0.5, 0.1, true, {"__type__": "set", "__value__": [3]}]'
        assert encoding.from_text(encoding.to_text([np.complex64(1j), np.complex128(2j)])) == [1j, 2j]

    @pytest.mark.parametrize("dtype", ["float64", "complex128", "int8", "bool", "<U3"])
    def test_arrays_are_read_back_as_they_were(self, dtype: str) -> None:
        import numpy as np

        array = np.array([[0, 1], [1, 0]]).astype(dtype)
        back = encoding.from_text(encoding.to_text({"x": array}))["x"]
        assert back.dtype == array.dtype
        assert (back == array).all()

    def test_an_array_of_objects_becomes_a_nested_list(self) -> None:
        import numpy as np

        back = encoding.from_text(encoding.to_text(np.array([[1, "a"], [2j, None]], dtype=object)))
        assert back.tolist() == [[1, "a"], [2j, None]]

    def test_an_array_of_the_earliest_clients_is_read(self) -> None:
        assert encoding.from_text('{"__type__": "array", "__value__": [1, 2]}').tolist() == [1, 2]

    def test_pickled_arrays_are_refused(self) -> None:
        import io

        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, np.array([object()], dtype=object), allow_pickle=True)
        content = base64.b64encode(zlib.compress(buffer.getvalue())).decode()
        with pytest.raises(DecodingError, match="allow_pickle=False"):
            encoding.from_text(json.dumps({"__type__": "ndarray", "__value__": content}))

    @pytest.mark.parametrize("tag", ["ndarray", "QuantumCircuit"])
    def test_content_that_expands_without_measure_is_refused(self, tag: str) -> None:
        content = base64.b64encode(zlib.compress(bytes(200 * 1024 * 1024))).decode()
        with pytest.raises(DecodingError, match="expands to more than"):
            encoding.from_text(json.dumps({"__type__": tag, "__value__": content}))

    def test_circuits_are_read_back_as_they_were(self) -> None:
        from qiskit import QuantumCircuit
        from qiskit.circuit import Parameter

        circuit = QuantumCircuit(2, 2, name="bell", metadata={"when": 1j})
        circuit.h(0)
        circuit.rx(Parameter("θ"), 1)
        circuit.cx(0, 1)
        circuit.measure([0, 1], [0, 1])
        text = encoding.to_text({"circuits": [circuit]})
        back = encoding.from_text(text)["circuits"][0]
        assert back == circuit
        assert (back.name, back.metadata) == ("bell", {"when": 1j})
        qpy = zlib.decompress(base64.b64decode(json.loads(text)["circuits"][0]["__value__"]))
        assert qpy[:7] == b"QISKIT" + bytes([encoding.QPY_VERSION])

    def test_results_are_read_back_with_their_counts(self) -> None:
        from qiskit import QuantumCircuit
        from qiskit_aer import AerSimulator

        circuit = QuantumCircuit(1)
        circuit.x(0)
        circuit.measure_all()
        result = AerSimulator().run(circuit, shots=10).result()
        back = encoding.from_text(encoding.to_text(result))
        assert back.get_counts() == {"1": 10}
        assert type(back) is type(result)
