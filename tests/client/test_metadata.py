from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import metadata
from quantum_runtime.findings import MetadataError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = {"type": "object", "properties": {"shots": {"type": "integer"}}, "required": ["shots"]}
MINIMAL = {"name": "sampler", "max_execution_time": 300}


def read(**changes: Any) -> metadata.Metadata:
    document = {key: value for key, value in (MINIMAL | changes).items() if value is not ...}
    return metadata.from_document(document, file="sampler.json")


def warnings(about: metadata.Metadata) -> list[str]:
    return [str(finding) for finding in about.warnings]


def test_the_official_form_is_read_field_by_field(tmp_path: Path) -> None:
    path = tmp_path / "sampler.json"
    spec = {
        "backend_requirements": {"min_num_qubits": 5},
        "parameters": SCHEMA,
        "return_values": {"type": "string"},
        "interim_results": {"type": "object"},
        "profile": "science",
        "compatibility": "Qiskit0",
        "validate_results": "Enforce",
    }
    path.write_text(json.dumps(MINIMAL | {"description": "Samples.", "is_public": True, "spec": spec}))
    about = metadata.load(path)
    assert (about.name, about.description, about.max_execution_time, about.is_public) == (
        "sampler",
        "Samples.",
        300,
        True,
    )
    assert about.min_num_qubits == 5
    assert about.parameters == SCHEMA
    assert (about.return_values, about.interim_results) == ({"type": "string"}, {"type": "object"})
    assert (about.profile, about.compatibility, about.validate_results) == ("science", "Qiskit0", "Enforce")
    assert not about.warnings


def test_a_file_with_nothing_but_name_and_time_limit_is_enough() -> None:
    about = read()
    assert not about.warnings
    assert (about.description, about.parameters, about.min_num_qubits, about.is_public) == ("", {}, 0, False)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": ...}, "name: is missing"),
        ({"name": 7}, "name: expected text, got 7"),
        ({"name": "___"}, "name: '___' has neither a letter nor a digit to make a resource's name of"),
        ({"name": "a" * 254}, "name: it has 254 characters, the limit is 253"),
        ({"max_execution_time": ...}, "max_execution_time: is missing: the program's time limit in seconds"),
        (
            {"max_execution_time": 0},
            "max_execution_time: expected a whole number of seconds from 1 on, got 0",
        ),
        (
            {"max_execution_time": "300"},
            'max_execution_time: expected a whole number of seconds from 1 on, got "300"',
        ),
        (
            {"max_execution_time": True},
            "max_execution_time: expected a whole number of seconds from 1 on, got true",
        ),
        ({"max_execution_time": 1.5}, "max_execution_time: expected a whole number of seconds from 1 on, got 1.5"),
        ({"description": ["Samples."]}, "description: expected text, got a list"),
        ({"is_public": "yes"}, 'is_public: expected true or false, got "yes"'),
        ({"spec": []}, "spec: expected an object, got a list"),
        ({"spec": {"parameters": "none"}}, 'spec.parameters: expected a JSON Schema (an object) or a list, got "none"'),
        (
            {"spec": {"backend_requirements": {"min_num_qubits": -1}}},
            "spec.backend_requirements.min_num_qubits: expected a whole number from 0 to 100000, got -1",
        ),
        ({"spec": {"backend_requirements": 5}}, "spec.backend_requirements: expected an object, got 5"),
        (
            {"spec": {"profile": "Science!"}},
            'spec.profile: expected lower-case letters, digits and hyphens, got "Science!"',
        ),
        ({"spec": {"compatibility": "qiskit0"}}, 'spec.compatibility: expected one of None, Qiskit0, got "qiskit0"'),
        (
            {"spec": {"validate_results": True}},
            "spec.validate_results: expected one of Ignore, Warn, Enforce, got true",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_field(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(MetadataError) as caught:
        read(**changes)
    assert f"error: sampler.json: {complaint} (InvalidSpec)" in str(caught.value).splitlines()


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(MetadataError) as caught:
        read(name=..., max_execution_time=..., is_public=3)
    assert [finding.field for finding in caught.value.findings] == ["name", "max_execution_time", "is_public"]


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"{", "it is not JSON: "),
        (b"[]", "expected an object, got a list"),
        (b"\xff\xfe", "it is not UTF-8: invalid start byte at byte 0"),
        (b'{"max_execution_time": NaN}', "it is not JSON: NaN is no number of JSON"),
        (b'{"name": "\\ud800"}', "it holds half a surrogate pair, which is no text"),
        (b"[" * 100_000, "it is not JSON: "),
        (b" " * (metadata.FILE_BYTES + 1), f"it is larger than the limit of {metadata.FILE_BYTES} bytes"),
    ],
    ids=["cut", "list", "binary", "NaN", "surrogate", "deep", "huge"],
)
def test_a_file_that_holds_no_metadata_is_refused(tmp_path: Path, raw: bytes, complaint: str) -> None:
    path = tmp_path / "sampler.json"
    path.write_bytes(raw)
    with pytest.raises(MetadataError) as caught:
        metadata.load(path)
    assert complaint in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"sampler\.json: there is no such file"):
        metadata.load(tmp_path / "sampler.json")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "sampler.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(MINIMAL).encode())
    assert metadata.load(path).name == "sampler"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("sample-program", "sample-program"),
        ("sample_program", "sample-program"),
        ("Sample Program", "sample-program"),
        ("qiskit-test_1f2a", "qiskit-test-1f2a"),
        ("_private_", "private"),
        ("VQE (LiH)", "vqe-lih"),
        ("team.sampler", "team.sampler"),
        ("a..b", "a-b"),
    ],
)
def test_any_name_becomes_one_that_a_cluster_takes(written: str, name: str) -> None:
    about = read(name=written)
    assert about.name == name
    expected = [] if written == name else [f"warning: sampler.json: name: {written!r} is called {name!r} in a cluster"]
    assert warnings(about) == expected


def test_a_time_limit_above_the_clusters_is_lowered() -> None:
    about = read(max_execution_time=100000)
    assert about.max_execution_time == metadata.LONGEST_SECONDS
    assert warnings(about) == [
        "warning: sampler.json: max_execution_time: 100000 s is lowered to a cluster's limit of 28800 s"
    ]


def test_a_whole_number_written_with_a_point_is_one() -> None:
    assert read(max_execution_time=300.0).max_execution_time == 300


def test_a_description_longer_than_a_cluster_shows_is_cut_and_kept() -> None:
    about = read(description="d" * 5000)
    assert len(about.description) == metadata.LONGEST_DESCRIPTION
    assert {"op": "add", "path": "/description", "value": "d" * 5000} in about.kept()


LIST_STYLE = {
    "name": "circuit-runner",
    "description": "Runs circuits.",
    "version": "1.0",
    "max_execution_time": 14400,
    "backend_requirements": {"min_num_qubits": 2},
    "parameters": [
        {"name": "circuits", "description": "What to run.", "type": "A QuantumCircuit or a list", "required": True},
        {"name": "shots", "description": "How often.", "type": "int", "required": False},
    ],
    "return_values": [{"name": "-", "description": "Counts.", "type": "Result"}],
    "interim_results": [],
}


def test_the_list_style_becomes_documentation_that_enforces_nothing() -> None:
    about = metadata.from_document(LIST_STYLE, file="circuit_runner.json")
    assert about.parameters == {
        "x-list-style": True,
        "properties": {
            "circuits": {
                "description": "What to run.",
                "x-type": "A QuantumCircuit or a list",
                "x-required": True,
            },
            "shots": {"description": "How often.", "x-type": "int", "x-required": False},
        },
    }
    assert about.return_values["properties"] == {"-": {"description": "Counts.", "x-type": "Result"}}
    assert about.interim_results == {}
    assert about.min_num_qubits == 2
    assert warnings(about) == [
        f"warning: circuit_runner.json: {field}: the list style is documentation: nothing in it is enforced"
        for field in ("parameters", "return_values")
    ]


@pytest.mark.parametrize("entry", ["shots", None, 3])
def test_an_entry_of_a_list_that_says_nothing_is_a_warning(entry: Any) -> None:
    about = read(parameters=[entry])
    assert about.parameters["properties"] == {}
    assert "parameters[0]: expected an object with name and description" in warnings(about)[1]


def test_two_entries_of_one_name_are_both_kept() -> None:
    about = read(parameters=[{"name": "x", "type": "int"}, {"name": "x", "type": "str"}])
    assert about.parameters["properties"] == {"x": {"x-type": "int"}, "1": {"x-type": "str"}}


def test_python_types_are_documentation_and_the_rest_of_the_schema_counts() -> None:
    parameters = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "layout": {"type": "List[List[int]]", "description": "Qubits."},
            "grid": {"type": "array", "items": {"type": "int"}},
            "mixed": {"anyOf": [{"type": ["integer", "null"]}, {"type": ["integer", "None"]}]},
        },
        "required": ["layout"],
    }
    about = read(spec={"parameters": parameters})
    changed = about.parameters["properties"]
    assert changed["type"] == {"type": "string"}
    assert changed["layout"] == {"x-type": "List[List[int]]", "description": "Qubits."}
    assert changed["grid"]["items"] == {"x-type": "int"}
    assert changed["mixed"]["anyOf"] == [{"type": ["integer", "null"]}, {"x-type": ["integer", "None"]}]
    assert about.parameters["required"] == ["layout"]
    assert warnings(about) == [
        f"warning: sampler.json: spec.parameters.properties.{path}.type: {what} is no type of JSON Schema; "
        "it is not enforced"
        for path, what in (
            ("layout", "'List[List[int]]'"),
            ("grid.items", "'int'"),
            ("mixed.anyOf[1]", "['integer', 'None']"),
        )
    ]


def test_metadata_nested_beyond_reason_are_refused() -> None:
    schema: dict[str, Any] = {"type": "int"}
    for _ in range(190):
        schema = {"not": schema}
    assert len(read(spec={"parameters": schema}).warnings) == 1
    for _ in range(20):
        schema = {"not": schema}
    with pytest.raises(MetadataError, match="it is nested more than 200 levels deep"):
        read(spec={"parameters": schema})


def test_an_unknown_key_is_told_and_kept() -> None:
    about = read(author="Ada", spec={"cost": 3, "backend_requirements": {"input_allowed": "hamiltonian"}})
    assert [finding.field for finding in about.warnings] == [
        "author",
        "spec.cost",
        "spec.backend_requirements.input_allowed",
    ]
    assert {"op": "add", "path": "/author", "value": "Ada"} in about.kept()


def test_a_key_given_in_both_forms_counts_under_spec() -> None:
    about = read(parameters=[{"name": "x"}], spec={"parameters": SCHEMA})
    assert about.parameters == SCHEMA
    assert warnings(about) == ["warning: sampler.json: parameters: it is given under spec, too; spec.parameters counts"]
