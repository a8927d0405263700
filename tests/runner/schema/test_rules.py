"""What schemas accept and refuse, and in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from runtime_runner.schema import rules
from runtime_runner.schema.verdicts import VIOLATIONS, Request, Verdict, Violation, encode_requests, parse_requests

QUBITS = {"properties": {"qubits": {"type": "integer", "minimum": 1}}, "required": ["qubits"]}


def tagged(tag: str) -> dict[str, Any]:
    return {
        "__type__": tag,
        "__value__": "eJyb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC",
    }


def judge(schema: Any, value: Any, what: str = "inputs") -> Verdict:
    (verdict,) = rules.check([Request(schema=schema, text=json.dumps(value), what=what)])
    return verdict


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(QUBITS, {"qubits": 3}, id="a value as the schema says"),
        pytest.param(QUBITS, {"qubits": 3, "shots": 1}, id="properties nobody declared"),
        pytest.param(QUBITS, [3], id="a list, where no type of the whole is declared"),
        pytest.param({"type": "integer"}, 3.0, id="a whole number with a point is an integer"),
        pytest.param({"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}, [1], id="a reference"),
        pytest.param({"definitions": {"n": {}}, "$ref": "#/definitions/n"}, 1, id="an older place for them"),
        pytest.param({"properties": {"a": {"$ref": "#"}}}, {"a": {"a": {}}}, id="a schema that refers to itself"),
        pytest.param({"format": "date-time", "type": "string"}, "tomorrow", id="a format is a note"),
        pytest.param({"contentEncoding": "base64", "type": "string"}, "?", id="an encoding is a note"),
        pytest.param({"properties": {"n": {"default": False, "type": "integer"}}}, {}, id="a default of a wrong type"),
        pytest.param({"properties": {"n": {"default": 3}}, "minProperties": 0}, {}, id="a default is not filled in"),
        pytest.param({"properties": {"const": {"const": {"$ref": "nowhere"}}}}, {}, id="a constant"),
        pytest.param({"properties": {"$ref": {"type": "integer"}}}, {"$ref": 1}, id="a property called $ref"),
        pytest.param({"properties": {"x": {"type": "array"}}}, {"x": tagged("ndarray")}, id="an ndarray as array"),
        pytest.param({"type": "object"}, tagged("ndarray"), id="an ndarray as object"),
        pytest.param({"type": ["array", "object"]}, tagged("QuantumCircuit"), id="a circuit as array or object"),
        pytest.param({"type": "array", "minItems": 3, "items": {"type": "number"}}, tagged("ndarray"), id="its items"),
        pytest.param({"type": "object", "required": ["shape"], "additionalProperties": False}, tagged("ndarray"),
                     id="its properties"),
        pytest.param({"type": "number", "minimum": 0}, tagged("complex"), id="a complex number"),
        pytest.param({"type": "string", "minLength": 9, "pattern": "^2"}, tagged("datetime"), id="a date"),
        pytest.param({"type": "number"}, tagged("float"), id="an infinity"),
        pytest.param({"type": "integer"}, tagged("int"), id="a large integer"),
        pytest.param({"type": "string"}, tagged("ndarray") | {"__scalar__": True}, id="an item of an array"),
        pytest.param({"type": "string"}, tagged("a tag of the future"), id="an unknown tag as anything"),
        pytest.param({"oneOf": [{"type": "array"}, {"type": "object"}]}, tagged("ndarray"), id="a tag that fits twice"),
        pytest.param({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"type": "array"}}}, tagged("set"), id="a set"),
        pytest.param({"not": {"type": "object"}}, tagged("ndarray"), id="a tag is not held against its value"),
        pytest.param({"enum": [1, 2]}, tagged("ndarray"), id="a tagged value is not compared"),
    ],
)  # fmt: skip
def test_values_that_are_accepted(schema: Any, value: Any) -> None:
    assert judge(schema, value) == Verdict()


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        (QUBITS, {"qubits": "three"}, "inputs.qubits: expected integer (type), given 'three'"),
        (QUBITS, {"qubits": True}, "inputs.qubits: expected integer (type), given true"),
        (QUBITS, {"qubits": None}, "inputs.qubits: expected integer (type), given null"),
        (QUBITS, {"qubits": 0}, "inputs.qubits: expected at least 1 (minimum), given 0"),
        (QUBITS, {}, "inputs.qubits: expected a value (required), given nothing"),
        ({"type": "object"}, [], "inputs: expected object (type), given []"),
        ({"items": {"items": {"type": "number"}}}, [[], [0, {}]], "inputs[1][1]: expected number (type), given {}"),
        ({"properties": {"a b": {"type": "null"}}}, {"a b": 1}, "inputs['a b']: expected null (type), given 1"),
        ({"type": ["array", "null"]}, 1, "inputs: expected array or null (type), given 1"),
        ({"enum": ["a", 1]}, "b", "inputs: expected one of 'a', 1 (enum), given 'b'"),
        ({"const": 1}, 2, "inputs: expected 1 (const), given 2"),
        ({"exclusiveMaximum": 2}, 2, "inputs: expected less than 2 (exclusiveMaximum), given 2"),
        ({"exclusiveMinimum": 2}, 2, "inputs: expected more than 2 (exclusiveMinimum), given 2"),
        ({"maximum": 2}, 3, "inputs: expected at most 2 (maximum), given 3"),
        ({"multipleOf": 2}, 3, "inputs: expected a multiple of 2 (multipleOf), given 3"),
        ({"minItems": 2}, [1], "inputs: expected at least 2 items (minItems), given 1 item"),
        ({"maxItems": 1}, [1, 2], "inputs: expected at most 1 item (maxItems), given 2 items"),
        ({"minLength": 2}, "a", "inputs: expected at least 2 characters (minLength), given 1 character"),
        ({"maxProperties": 1}, {"a": 1, "b": 2},
         "inputs: expected at most 1 property (maxProperties), given 2 properties"),
        ({"uniqueItems": True}, [1, 1], "inputs: expected no item twice (uniqueItems), given [1, 1]"),
        ({"pattern": "^a"}, "b", "inputs: expected text that matches '^a' (pattern), given 'b'"),
        ({"properties": {"a": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False}, {"a": 1, "c": 2,
         "x1": 0}, "inputs: expected no other properties (additionalProperties), given 'c'"),
        (False, {"a": 1}, "inputs: expected no value at all (false), given {'a': 1}"),
        ({"anyOf": [{"type": "integer"}, {"type": ["null", "string"]}]}, [],
         "inputs: expected integer or null or string (anyOf), given []"),
        ({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "const": "exact"}]}, 0,
         "inputs: expected integer of at least 1 or 'exact' (anyOf), given 0"),
        ({"anyOf": [{"minimum": 3}, {"type": "null"}]}, 1,
         "inputs: expected a match of one of 2 alternatives (anyOf), given 1"),
        ({"oneOf": [{"type": "integer"}, {"minimum": 3}]}, 4,
         "inputs: expected a match of one alternative, not of 2 (oneOf), given 4"),
        ({"not": {"type": "integer"}}, 4, "inputs: expected anything but {'type': 'integer'} (not), given 4"),
        ({"contains": {"type": "integer"}}, [], "inputs: expected an item that matches (contains), given []"),
        ({"type": "string"}, tagged("ndarray"), "inputs: expected string (type), given a tagged ndarray"),
        ({"items": {"type": "integer"}}, [tagged("QuantumCircuit")],
         "inputs[0]: expected integer (type), given a tagged QuantumCircuit"),
        ({"type": "integer"}, [[1], {"a": 1}, 3, 4], "inputs: expected integer (type), given [[...], {...}, 3, ...] "
         "(4 items)"),
        ({"type": "integer"}, "a\nb\x1b[31m", r"inputs: expected integer (type), given 'a\nb\x1b[31m'"),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": True, "minimum": 3}, 3,
         "inputs: expected at least 3 (minimum), given 3"),
        ({"$schema": "https://json-schema.org/draft-07/schema", "items": [{"type": "null"}]}, [1],
         "inputs[0]: expected null (type), given 1"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{"type": "null"}]}, [1],
         "inputs[0]: expected null (type), given 1"),
        ({"$schema": "http://json-schema.org/draft-03/schema#", "properties": {"n": {"type": "any", "required": True}}},
         {}, "inputs.n: expected a value (required), given nothing"),
    ],
)  # fmt: skip
def test_a_violation_names_path_keyword_expected_and_given(schema: Any, value: Any, sentence: str) -> None:
    verdict = judge(schema, value)
    assert [str(violation) for violation in verdict.violations] == [sentence]
    assert not verdict.problem


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"properties": {"m": {"type": "List[List[int]]"}}}, ("properties.m.type", "'List[List[int]]'", "array")),
        ({"type": "int"}, ("type is 'int'", "integer")),
        ({"type": ["int", "array"]}, ("type is ['int', 'array']",)),
        ({"properties": {"type": 3}}, ("properties.type is 3",)),
        ({"minimum": "1"}, ("minimum is '1'", "number is expected")),
        ({"required": "n"}, ("required is 'n'", "array is expected")),
        ({"pattern": r"\p{L}"}, (r"'\\p{L}'", "not a regex")),
        ([{"name": "n", "type": "int"}], ("is a list", "older")),
        ("integer", ("not an object", "'integer'")),
        (None, ("not an object", "null")),
        ({"$ref": "https://example.com/schema.json"}, ("example.com", "only references within the schema")),
        ({"properties": {"a": {"items": {"$ref": "other.json#/a"}}}}, ("other.json", "only references within")),
        ({"$ref": "file:///etc/passwd"}, ("file:///etc/passwd", "only references within")),
        ({"$ref": "#/$defs/absent"}, ("#/$defs/absent", "not in it")),
        ({"$schema": "https://example.com/my-dialect"}, ("my-dialect", "not known")),
        ({"$schema": 7}, ("$schema is not text",)),
        ({"$ref": "#"}, ("refers to itself without end",)),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, ("without end",)),
        ({"$recursiveRef": "#", "$recursiveAnchor": True}, ("without end",)),
        ({"$id": "http://[", "$ref": "a"}, ("cannot be applied",)),
    ],
)
def test_a_schema_that_cannot_be_applied_is_a_problem_in_a_sentence(schema: Any, says: tuple[str, ...]) -> None:
    verdict = judge(schema, {})
    assert not verdict.violations
    assert not verdict.too_expensive
    assert all(part in verdict.problem for part in says), verdict.problem


def test_a_schema_with_a_python_type_is_found_out_before_there_is_a_value() -> None:
    good, bad = rules.check([Request(schema=schema, text="", what="inputs") for schema in (QUBITS, {"type": "int"})])
    assert good == Verdict()
    assert "'int'" in bad.problem


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "Expecting"), ("[" * 100_000, "recursion"), ("1" * 5_000, "digits")],
    ids=["cut", "deep", "long"],
)
def test_a_value_that_is_not_readable_json_is_a_problem(text: str, says: str) -> None:
    (verdict,) = rules.check([Request(schema={"type": "object"}, text=text, what="result")])
    assert "result is not JSON that can be read" in verdict.problem
    assert says in verdict.problem


def test_a_deeply_nested_schema_is_a_problem() -> None:
    schema: dict[str, Any] = {}
    for _ in range(400):
        schema = {"properties": {"a": schema}}
    assert judge(schema, {}).problem


def test_not_a_number_is_a_number() -> None:
    (verdict,) = rules.check([Request(schema={"type": "number"}, text="NaN", what="result")])
    assert verdict == Verdict()


def test_of_many_violations_the_first_are_reported() -> None:
    violations = judge({"items": {"type": "integer"}}, ["x"] * 1000).violations
    assert [v.path for v in violations] == [f"inputs[{n}]" for n in range(VIOLATIONS)]


def test_every_text_of_a_violation_is_short_whatever_schema_and_value_are() -> None:
    long = "long " * 10_000
    schema = {"additionalProperties": {"enum": [long + "!"] * 500}, "type": "object"}
    (found,) = judge(schema, {long: long}).violations
    assert len(str(found)) < 1000
    assert "50000 characters" in found.given


def test_a_demand_is_a_violation_without_the_value() -> None:
    violation = Violation("inputs.a", "type", "integer", "'secret'")
    assert violation.demand == "inputs.a: expected integer (type)"


def test_requests_with_one_schema_send_it_once_and_arrive_as_they_were() -> None:
    asked = [Request(schema=QUBITS, text=f'"\\ud800{n}"', what=f"interim result {n}") for n in range(100)]
    line = encode_requests(asked)
    assert line.count(b"minimum") == 1
    assert parse_requests(line) == asked


def test_a_schema_that_json_cannot_say_is_a_problem() -> None:
    circular: dict[str, Any] = {}
    circular["properties"] = {"a": circular}
    asked = [Request(schema=schema, text="1", what="inputs") for schema in (circular, {"default": {1, 2}})]
    problems = [verdict.problem for verdict in rules.check(parse_requests(encode_requests(asked)))]
    assert all("not JSON" in problem for problem in problems), problems
