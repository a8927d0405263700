from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import inputs
from quantum_runtime.inputs import InputError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("iterations=3", "iterations", 3),
        ("x=1.5e3", "x", 1500.0),
        ("big=1180591620717411303424", "big", 2**70),
        ("flag=true", "flag", True),
        ("nothing=null", "nothing", None),
        ('list=[1, "two"]', "list", [1, "two"]),
        ('text="3"', "text", "3"),
        ("name=hello world", "name", "hello world"),
        ("formula=a=b", "formula", "a=b"),
        ("empty=", "empty", ""),
        ("python=True", "python", "True"),
        ("nan=NaN", "nan", "NaN"),
        ("broken={", "broken", "{"),
    ],
)
def test_a_value_on_the_command_line_is_json_if_it_is_any_and_text_otherwise(
    option: str, name: str, value: Any
) -> None:
    assert inputs.from_option(option) == (name, value)
    assert type(inputs.from_option(option)[1]) is type(value)


@pytest.mark.parametrize("option", ["iterations", "=3", ""])
def test_an_option_without_a_name_is_refused(option: str) -> None:
    with pytest.raises(InputError, match=f"expected NAME=VALUE, got {option!r}"):
        inputs.from_option(option)


@pytest.mark.parametrize(
    "text",
    ['{"date": "2026-11-21", "n": 1}', "date: 2026-11-21\nn: 1\n", "---\n{date: 2026-11-21, n: 1}\n"],
    ids=["JSON", "YAML", "YAML in braces"],
)
def test_a_file_of_inputs_is_json_or_yaml_and_a_date_is_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "inputs"
    path.write_text(text)
    assert inputs.read(path) == {"date": "2026-11-21", "n": 1}


def test_an_empty_file_holds_no_inputs() -> None:
    assert inputs.from_file_text("\n", what="stdin") == {}


LAUGHS = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[1, 2]", "stdin: expected an object, input name -> value, got list"),
        ("hello", "stdin: expected an object, input name -> value, got str"),
        ('{"a": 1', "stdin is not JSON"),
        ('{"a": NaN}', "stdin is not JSON: NaN is no number of JSON"),
        ("a: .nan", "nan is no number of JSON"),
        ("1: a", "the key 1 is not text; quote it"),
        ("a: !!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("a: !!binary aGVsbG8=", "bytes is no type of JSON"),
        (LAUGHS, "aliases are not supported"),
        ("a: &a {b: *a}", "aliases are not supported"),
        ("a: [b", "is neither JSON nor YAML"),
        ("[" * 5000, "is not JSON"),
        ("- " * 5000, "is neither JSON nor YAML of JSON's types"),
    ],
)
def test_what_holds_no_inputs_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        inputs.from_file_text(text, what="stdin")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff", "is not UTF-8: invalid start byte at byte 0"),
        (b" " * (4 * inputs.INPUT_BYTES + 1), "is larger than 4194304 bytes; inputs may have 1048576"),
    ],
    ids=["missing", "binary", "huge"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, raw: bytes | None, complaint: str) -> None:
    path = tmp_path / "inputs.json"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        inputs.read(path)
    assert str(caught.value) == f"{path} {complaint}"


def test_what_is_json_already_stays_as_it_is() -> None:
    values = {"a": [1, 1.5, "x", None, True], "c": {"__type__": "complex", "__value__": [1, 2]}}
    assert inputs.encode(values) == values


def test_what_cannot_be_sent_is_named_with_its_place() -> None:
    with pytest.raises(InputError, match=r"inputs\['a'\]\[1\]"):
        inputs.encode({"a": [1, object()]})


def test_what_is_nested_beyond_reason_is_refused() -> None:
    value: Any = 1
    for _ in range(inputs.DEEPEST - 1):
        value = [value]
    assert inputs.encode({"x": value}) == {"x": value}
    with pytest.raises(InputError, match="inputs are nested more than 200 levels deep"):
        inputs.encode({"x": [value]})


def test_sizes_are_counted_as_an_api_server_stores_them() -> None:
    assert inputs.stored_bytes({"a": "<ü>"}) == len('{"a":"\\u003cü\\u003e"}'.encode())
    assert inputs.stored_bytes({"a": [1, 2]}) == len(json.dumps({"a": [1, 2]}).replace(" ", ""))
