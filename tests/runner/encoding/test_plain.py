"""What is plain JSON stays what it is; what JSON has no form for gets one, or its place is named."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime_runner import encoding
from runtime_runner.encoding import EncodingError, RuntimeDecoder, RuntimeEncoder

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != encoding.TYPE), inner),
)


@dataclasses.dataclass
class Solver:
    name: str
    state: Any


@given(JSON)
def test_plain_json_is_written_as_json_writes_it_and_read_back(value: Any) -> None:
    text = encoding.to_text(value)
    assert text == json.dumps(value)
    assert encoding.from_text(text) == value


def read_strictly(text: str) -> Any:
    """As jq and JavaScript do: NaN and Infinity are no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


@given(st.floats() | st.integers() | st.integers(-(10**5000), 10**5000))
def test_every_number_is_written_so_that_any_reader_of_json_reads_it(number: float) -> None:
    text = encoding.to_text([number])
    (form,) = read_strictly(text)
    assert isinstance(form, dict) or abs(form) < 2**63 or isinstance(form, float)
    (back,) = encoding.from_text(text)
    assert type(back) is type(number)
    assert back == number or (math.isnan(back) and math.isnan(number))


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1 + 2j, {"__type__": "complex", "__value__": [1.0, 2.0]}),
        ({3}, {"__type__": "set", "__value__": [3]}),
        (datetime.datetime(2021, 7, 2, tzinfo=datetime.UTC), "2021-07-02T00:00:00+00:00"),
        (datetime.date(2021, 7, 2), {"__type__": "datetime", "__value__": "2021-07-02"}),
        (math.nan, {"__type__": "float", "__value__": "nan"}),
        (-math.inf, {"__type__": "float", "__value__": "-inf"}),
        (2**63 - 1, 2**63 - 1),
        (2**63, {"__type__": "int", "__value__": "9223372036854775808"}),
        (-(2**63) - 1, {"__type__": "int", "__value__": "-9223372036854775809"}),
        ((1, (2,)), [1, [2]]),
        ({2: "a", None: "b", True: 0}, {"2": "a", "null": "b", "true": 0}),
        (Solver("cobyla", {1}), {"name": "cobyla", "state": {"__type__": "set", "__value__": [1]}}),
        (len, None),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:len can be called")
def test_the_written_form_is_that_of_the_documentation(value: Any, form: Any) -> None:
    written = json.loads(json.dumps(value, cls=RuntimeEncoder))
    assert (written["__value__"] if isinstance(form, str) else written) == form


@pytest.mark.parametrize("text", ["[NaN, Infinity, -Infinity, 18446744073709551616]"])
def test_bare_numbers_of_old_writers_are_read(text: str) -> None:
    nan, *rest = encoding.from_text(text)
    assert math.isnan(nan)
    assert rest == [math.inf, -math.inf, 2**64]


def test_a_float_without_a_fraction_may_be_tagged_so_that_kubernetes_leaves_it_alone() -> None:
    back = encoding.from_text('{"__type__": "float", "__value__": "1.0"}')
    assert (type(back), back) == (float, 1.0)


def test_an_encoder_that_adds_a_type_of_its_own_keeps_all_others() -> None:
    class Mine(RuntimeEncoder):
        def default(self, o: Any) -> Any:
            return {"mine": 1j} if isinstance(o, Exception) else super().default(o)

    text = encoding.to_text({"x": [ValueError(), {1}, math.nan]}, encoder=Mine)
    back = json.loads(text, cls=RuntimeDecoder)["x"]
    assert back[:2] == [{"mine": 1j}, {1}]
    assert math.isnan(back[2])


def test_options_of_json_work_as_ever() -> None:
    value = {"b": {1}, "a": 1, (1, 2): "left out"}
    text = json.dumps(value, cls=RuntimeEncoder, sort_keys=True, skipkeys=True, separators=(",", ":"))
    assert text == '{"a":1,"b":{"__type__":"set","__value__":[1]}}'


def test_an_object_that_writes_itself_arrives_as_its_text() -> None:
    class Mine:
        def to_json(self) -> str:
            return '{"foo": 1}'

    text = encoding.to_text({"x": Mine()})
    assert json.loads(text) == {"x": {"__type__": "to_json", "__value__": '{"foo": 1}'}}
    assert encoding.from_text(text) == {"x": '{"foo": 1}'}


def test_a_function_arrives_as_none_and_a_warning_names_it() -> None:
    with pytest.warns(UserWarning, match="read_strictly can be called"):
        assert encoding.to_text({"callback": read_strictly}) == '{"callback": null}'


def test_tuples_in_a_set_come_back_as_tuples() -> None:
    edges = {(0, 1), (1, 2)}
    assert encoding.from_text(encoding.to_text({"edges": edges}))["edges"] == edges


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


def test_the_package_loads_neither_numpy_nor_qiskit() -> None:
    code = """
import sys
from runtime_runner import encoding
assert encoding.from_text(encoding.to_text([1j, {1}, b"x"])) == [1j, {1}, b"x"]
loaded = {"numpy", "qiskit", "scipy", "decimal", "uuid"} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


class TestWhatCannotBeWritten:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"history": [0, 1, 2, {"solver": object()}]}, "result['history'][3]['solver'] is of type object, which"),
            ({"history": [0, 1, 2, Solver("x", open)], "z": object()}, "result['z'] is of type object"),
            ({"history": [0, Solver("x", ValueError())]}, "result['history'][1].state is of type ValueError, which"),
            ([{1, frozenset({b"", None})}, object()], "result[1] is of type object"),
            ({"x": {("a", frozenset({1}), sys)}}, "result['x']{...}[2] is of type module"),
            ({"a": (1, iter(b""))}, "result['a'][1] is of type bytes_iterator"),
            ({(1, 2): 0}, "result has the key (1, 2): JSON has no keys of type tuple"),
            ({"x": [{1: 0, "1": 0}]}, "result['x'][0] has the keys 1 and '1', which are one key in JSON"),
            ({"k" * 1000: object()}, "..."),
            ((i for i in range(3)), "result is of type generator"),
            (ValueError(), "result is of type ValueError"),
        ],
        ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
    )
    @pytest.mark.filterwarnings("ignore:.* can be called")
    def test_is_named_with_its_place(self, value: Any, message: str) -> None:
        with pytest.raises(EncodingError) as caught:
            encoding.to_text(value)
        found = str(caught.value)
        assert message in found
        assert found.startswith("result")

    def test_is_named_with_its_place_for_an_encoder_that_is_not_ours_too(self) -> None:
        with pytest.raises(EncodingError, match=r"^message\['a'\]\[1\] is of type set, which cannot be written"):
            encoding.to_text({"a": [0, {1}]}, encoder=json.JSONEncoder, what="message")

    def test_a_cycle_is_named_and_the_same_value_twice_is_none(self) -> None:
        shared: list[int] = [1]
        assert encoding.to_text([shared, shared]) == "[[1], [1]]"
        cycle: dict[str, Any] = {"shared": [shared, shared]}
        cycle["self"] = [Solver("x", cycle)]
        with pytest.raises(EncodingError, match=r"result\['self'\]\[0\]\.state contains itself"):
            encoding.to_text(cycle)

    def test_nesting_without_end_is_refused(self) -> None:
        deep: list[Any] = []
        for _ in range(10**5):
            deep = [deep]
        with pytest.raises(EncodingError, match="nested too deeply"):
            encoding.to_text(deep)

    def test_it_is_a_type_error_and_a_value_error_as_of_json(self) -> None:
        with pytest.raises(TypeError):
            encoding.to_text(object())
        with pytest.raises(ValueError, match="object"):
            encoding.to_text(object())

    def test_more_than_a_reader_accepts_is_not_written(self) -> None:
        import numpy as np

        zeros = np.zeros(9 * 1024 * 1024)
        with pytest.raises(EncodingError, match=r"result\[3\] needs 75497600 bytes, with which .* exceeds 268435456"):
            encoding.to_text([zeros] * 4)
