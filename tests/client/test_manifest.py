from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from client.test_metadata import LIST_STYLE, SCHEMA
from hypothesis import given
from hypothesis import strategies as st
from quantum_runtime import folder, manifest, metadata
from quantum_runtime.findings import MetadataError
from support import crd

MAIN = "def main(backend, user_messenger, **kwargs):\n    return 1\n"

OFFICIAL = {
    "name": "sample-vqe",
    "description": "Finds the ground state.",
    "max_execution_time": 100000,
    "is_public": True,
    "spec": {
        "backend_requirements": {"min_num_qubits": 4},
        "parameters": {
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "properties": {
                "ansatz": {"type": ["array", "object"]},
                "x0": {"type": "array", "default": None},
                "layout": {"type": "List[int]"},
            },
            "required": ["ansatz"],
        },
        "return_values": {"type": "object"},
        "interim_results": {"type": "object"},
    },
}

DOCUMENTS = {
    "official": OFFICIAL,
    "list style": LIST_STYLE,
    "another name": {"name": "Sample_Program", "max_execution_time": 300},
    "unknown keys": {"name": "a", "max_execution_time": 1, "cost": None, "spec": {"x": {"y": [1]}}},
    "requirements nobody checks": {
        "name": "a",
        "max_execution_time": 1,
        "spec": {"backend_requirements": {"input_allowed": "hamiltonian", "min_num_qubits": 0}},
    },
    "empty parts": {"name": "a", "description": "", "max_execution_time": 1.0, "is_public": False, "spec": {}},
    "schema on the top level": {"name": "a", "max_execution_time": 1, "parameters": SCHEMA},
    "schema in both places": {"name": "a", "max_execution_time": 1, "parameters": {}, "spec": {"parameters": SCHEMA}},
    "lists under spec": {"name": "a", "max_execution_time": 1, "spec": {"parameters": [{"name": "x"}]}},
    "our additions": {
        "name": "a",
        "max_execution_time": 1,
        "spec": {"profile": "science", "compatibility": "Qiskit0", "validate_results": "Enforce"},
    },
    "nulls": {"name": "a", "description": None, "max_execution_time": 1, "spec": {"return_values": None}},
}


def make(document: dict[str, Any], files: dict[str, str] | None = None) -> folder.ProgramFolder:
    about = metadata.from_document(document, file="a.json")
    files = files or {"main.py": MAIN}
    return folder.ProgramFolder(path=Path(), name=about.name, metadata=about, files=files, entrypoint="main.py")


def same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def through_a_file(body: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(manifest.to_yaml(body))
    return read


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_manifest_holds_the_whole_metadata_file(document: dict[str, Any]) -> None:
    body = through_a_file(manifest.program_manifest(make(document)))
    assert same(manifest.metadata_document(body), document)


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_cluster_takes_every_field_of_the_manifest(document: dict[str, Any], public: bool) -> None:
    body = manifest.program_manifest(make(document), public=public)
    assert crd.problems("clusterruntimeprograms" if public else "runtimeprograms", body) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc/~", max_size=4),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("type~/x-", max_size=5), below, max_size=3),
    max_leaves=8,
)
schemas = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["object", "int", "List[int]", ["integer", "null"], 3, None]),
        "x-type": st.sampled_from(["int", "object"]),
        "properties": st.dictionaries(st.sampled_from(["a", "type", "items"]), json_values, max_size=3),
        "items": json_values,
        "anyOf": json_values,
        "description": st.text(max_size=5),
    },
)
parts = schemas | st.lists(json_values, max_size=3) | st.none()
documents = st.fixed_dictionaries(
    {"name": st.text("abZ_. -", min_size=1, max_size=8), "max_execution_time": st.integers(1, 50_000)},
    optional={
        "description": st.text(max_size=5),
        "is_public": st.booleans(),
        "version": json_values,
        "a/b~": json_values,
        "parameters": parts,
        "return_values": parts,
        "backend_requirements": st.dictionaries(st.sampled_from(["min_num_qubits", "x"]), st.integers(0, 5)),
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "parameters": parts,
                "interim_results": parts,
                "backend_requirements": st.dictionaries(st.sampled_from(["min_num_qubits", "x"]), st.integers(0, 5)),
                "profile": st.sampled_from(["science", None]),
                "other": json_values,
            },
        ),
    },
)


@given(documents)
def test_whatever_a_metadata_file_says_comes_back(document: dict[str, Any]) -> None:
    try:
        program = make(document)
    except MetadataError:
        return
    body = through_a_file(manifest.program_manifest(program))
    assert same(manifest.metadata_document(body), document)
    assert crd.problems("clusterruntimeprograms" if document.get("is_public") else "runtimeprograms", body) == []


@pytest.mark.parametrize(
    ("said", "asked", "kind"),
    [
        (True, None, "ClusterRuntimeProgram"),
        (True, True, "ClusterRuntimeProgram"),
        (True, False, "RuntimeProgram"),
        (None, None, "RuntimeProgram"),
        (None, True, "ClusterRuntimeProgram"),
        (None, False, "RuntimeProgram"),
    ],
)
def test_visibility_is_the_files_unless_said_otherwise(said: bool | None, asked: bool | None, kind: str) -> None:
    document = {"name": "a", "max_execution_time": 1} | ({} if said is None else {"is_public": said})
    body = manifest.program_manifest(make(document), public=asked)
    assert body["kind"] == kind
    assert "annotations" not in body["metadata"]
    assert manifest.metadata_document(body).get("is_public", False) == (kind == "ClusterRuntimeProgram")


def test_a_namespace_is_written_into_a_private_program_and_refused_for_a_public_one() -> None:
    program = make({"name": "a", "max_execution_time": 1})
    assert manifest.program_manifest(program, namespace="team")["metadata"] == {"name": "a", "namespace": "team"}
    with pytest.raises(ValueError, match="a ClusterRuntimeProgram has no namespace, 'team' was given"):
        manifest.program_manifest(program, namespace="team", public=True)


def test_a_resource_that_was_never_a_file_has_metadata_in_the_official_form() -> None:
    spec = {"maxExecutionTimeSeconds": 60, "backendRequirements": {"minNumQubits": 2}, "parameters": SCHEMA}
    body = {"kind": "RuntimeProgram", "metadata": {"name": "a"}, "spec": spec}
    assert manifest.metadata_document(body) == {
        "name": "a",
        "max_execution_time": 60,
        "spec": {"backend_requirements": {"min_num_qubits": 2}, "parameters": SCHEMA},
    }


def test_several_files_keep_their_names() -> None:
    files = {"helpers/ansatz.py": "x = 1\n", "main.py": MAIN}
    body = through_a_file(manifest.program_manifest(make({"name": "a", "max_execution_time": 1}, files)))
    assert body["spec"]["source"] == {"files": files}


TEXTS = {
    "plain": MAIN,
    "no line end": "x = 1",
    "blank lines at the end": "x = 1\n\n\n",
    "indented first line": "    # a comment\nx = 1\n",
    "carriage returns": "x = 1\r\ny = 2\r\n",
    "tabs and trailing spaces": "if x:\n\ty = 2  \n",
    "other languages": "# Größe, 量子, \U0001f600\nx = 1\n",
    "separators that YAML breaks lines at": "a = '\x85\u2028'\n",
    "a document mark": "---\nx = 1\n...\n",
    "a control character": "a = '\x00\x1b'\n",
    "a byte order mark": "\ufeffx = 1\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_source_arrives_character_by_character(text: str) -> None:
    body = through_a_file(manifest.program_manifest(make({"name": "a", "max_execution_time": 1}, {"main.py": text})))
    assert body["spec"]["source"] == {"inline": text}


def test_an_empty_file_is_not_written_inline_which_a_cluster_would_refuse() -> None:
    body = manifest.program_manifest(make({"name": "a", "max_execution_time": 1}, {"main.py": ""}))
    assert body["spec"]["source"] == {"files": {"main.py": ""}}
    assert crd.problems("runtimeprograms", body) == []


def test_a_manifest_reads_as_a_person_would_write_it() -> None:
    document = {"name": "Hello", "description": "Says hello.", "max_execution_time": 60, "version": "1.0"}
    text = manifest.to_yaml(manifest.program_manifest(make(document | {"spec": {"return_values": {"type": "string"}}})))
    assert text == GOLDEN


@pytest.mark.parametrize("text", ["y", "N", "1e3", "0o7", "1.5.2", "-1", "+.5", "yes", "null", "0x1F"])
def test_a_text_that_another_reader_of_yaml_takes_for_something_else_is_quoted(text: str) -> None:
    document = {"name": "a", "max_execution_time": 1, "spec": {"parameters": {"enum": [text]}}}
    assert f"'{text}'" in manifest.to_yaml(manifest.program_manifest(make(document)))


GOLDEN = """\
apiVersion: quantumruntime.dev/v1alpha1
kind: RuntimeProgram
metadata:
  name: hello
  annotations:
    quantumruntime.dev/metadata: '[{"op": "add", "path": "/name", "value": "Hello"}, {"op": "add", "path": "/version",
      "value": "1.0"}]'
spec:
  description: Says hello.
  maxExecutionTimeSeconds: 60
  returnValues:
    type: string
  entrypoint: main.py
  source:
    inline: |
      def main(backend, user_messenger, **kwargs):
          return 1
"""
