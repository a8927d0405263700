from __future__ import annotations

from typing import Any

import pytest
from quantum_runtime.exceptions import IBMInputValueError, IBMNotAuthorizedError
from quantum_runtime.service import parameters
from quantum_runtime.service.parameters import ParameterNamespace
from quantum_runtime.service.program import RuntimeProgram

SAMPLE = {
    "description": "A sample runtime program.",
    "maxExecutionTimeSeconds": 300,
    "backendRequirements": {"minNumQubits": 5},
    "parameters": {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "properties": {
            "iterations": {
                "type": "integer",
                "minimum": 0,
                "description": "Number of iterations to run. Each iteration generates a runs a random circuit.",
            }
        },
        "required": ["iterations"],
    },
    "returnValues": {"type": "string", "description": "A string that says 'All done!'."},
    "interimResults": {
        "properties": {
            "iteration": {"type": "integer", "description": "Iteration number."},
            "counts": {"description": "Histogram data of the circuit result.", "type": "object"},
        }
    },
    "source": {"inline": "def main(backend, user_messenger, **kwargs): ..."},
}

PRINTED = """\
sample-program:
  Name: sample-program
  Description: A sample runtime program.
  Creation date: 2021-07-02T13:45:13Z
  Update date: 2021-07-02T13:45:13Z
  Max execution time: 300
  Input parameters:
    Properties:
        - iterations:
            Description: Number of iterations to run. Each iteration generates a runs a random circuit.
            Minimum: 0
            Type: integer
            Required: True
  Interim results:
    Properties:
        - counts:
            Description: Histogram data of the circuit result.
            Type: object
            Required: False
        - iteration:
            Description: Iteration number.
            Type: integer
            Required: False
  Returns:
    Description: A string that says 'All done!'.
    Type: string"""


def body(spec: dict[str, Any], *, kind: str = "RuntimeProgram", **metadata: Any) -> dict[str, Any]:
    head = {"name": "sample-program", "creationTimestamp": "2021-07-02T13:45:13Z"} | metadata
    return {"kind": kind, "metadata": head, "spec": spec}


def test_a_program_prints_as_notebooks_show_it() -> None:
    assert str(RuntimeProgram(body(SAMPLE))) == PRINTED


def test_a_program_that_describes_nothing_prints_none_for_each_schema() -> None:
    lines = str(RuntimeProgram(body({"maxExecutionTimeSeconds": 1, "source": {"inline": "x"}}))).splitlines()
    assert lines[-6:] == ["  Input parameters:", "    none", "  Interim results:", "    none", "  Returns:", "    none"]


def test_the_list_style_prints_its_types_and_what_is_required() -> None:
    listed = {"x-list-style": True, "properties": {"angles": {"x-type": "numpy.ndarray", "x-required": True}}}
    lines = str(RuntimeProgram(body(SAMPLE | {"parameters": listed}))).splitlines()
    assert lines[6:11] == [
        "  Input parameters:",
        "    Properties:",
        "        - angles:",
        "            Type: numpy.ndarray",
        "            Required: True",
    ]


def test_keywords_of_two_words_print_as_a_sentence_begins() -> None:
    schema = {"properties": {"x0": {"minItems": 2, "additionalProperties": False}}}
    text = str(RuntimeProgram(body(SAMPLE | {"parameters": schema})))
    assert "            Additional properties: False\n            Min items: 2\n            Required: False" in text


def test_schemas_that_are_none_can_be_printed() -> None:
    schema = {"properties": {"a": True, "b": {}}, "required": "a"}
    assert "- a:\n            Required: False" in str(RuntimeProgram(body(SAMPLE | {"parameters": schema})))
    assert str(RuntimeProgram(body(SAMPLE | {"parameters": {"properties": [1]}})))


def test_what_a_program_says_of_itself() -> None:
    program = RuntimeProgram(body(SAMPLE, kind="ClusterRuntimeProgram"))
    assert program.program_id == program.name == "sample-program"
    assert program.is_public
    assert program.backend_requirements == {"min_num_qubits": 5}
    assert program.data == "def main(backend, user_messenger, **kwargs): ..."
    assert program.return_values == SAMPLE["returnValues"]
    assert program.interim_results == SAMPLE["interimResults"]
    assert repr(program) == "<RuntimeProgram 'sample-program' (public)>"


def test_the_name_its_author_gave_differs_from_its_id() -> None:
    kept = '[{"op": "add", "path": "/name", "value": "Sample_Program"}]'
    program = RuntimeProgram(body(SAMPLE, annotations={"quantumruntime.dev/metadata": kept}))
    assert (program.name, program.program_id) == ("Sample_Program", "sample-program")


@pytest.mark.parametrize("damaged", ["{", "null", "[5]", '[{"op": "remove", "path": "/none"}]'])
def test_a_damaged_annotation_does_not_hide_the_program(damaged: str) -> None:
    program = RuntimeProgram(body(SAMPLE, annotations={"quantumruntime.dev/metadata": damaged}))
    assert program.name == "sample-program"
    assert program.backend_requirements == {"min_num_qubits": 5}


def test_the_update_date_is_that_of_the_last_change_and_not_of_the_operators_status() -> None:
    managed = [
        {"manager": "client", "time": "2021-08-01T00:00:00Z"},
        {"manager": "kubectl", "time": "2021-09-13T17:27:42Z"},
        {"manager": "operator", "subresource": "status", "time": "2022-01-01T00:00:00Z"},
    ]
    assert RuntimeProgram(body(SAMPLE, managedFields=managed)).update_date == "2021-09-13T17:27:42Z"


def test_a_program_of_several_files_has_them_all_as_its_data() -> None:
    files = {"main.py": "import helpers", "helpers.py": ""}
    assert RuntimeProgram(body(SAMPLE | {"source": {"files": files}})).data == files
    assert RuntimeProgram(body(SAMPLE | {"source": {"files": {"main.py": "x"}}})).data == "x"


def test_a_source_in_a_config_map_says_where_it_is() -> None:
    program = RuntimeProgram(body(SAMPLE | {"source": {"configMapRef": {"name": "sources"}}}))
    with pytest.raises(IBMNotAuthorizedError, match="in the ConfigMap 'sources'"):
        _ = program.data
    assert program.to_dict()["data"] is None


def test_a_program_is_ready_when_the_operator_has_said_so() -> None:
    new = body(SAMPLE)
    assert (RuntimeProgram(new).ready, RuntimeProgram(new).reason) == (False, "")
    refused = {"type": "Ready", "status": "False", "reason": "ProfileNotFound", "message": "there is none"}
    program = RuntimeProgram(new | {"status": {"conditions": [{"type": "SchemasValid", "status": "True"}, refused]}})
    assert (program.ready, program.reason, program.message) == (False, "ProfileNotFound", "there is none")
    accepted = {"type": "Ready", "status": "True", "reason": "Accepted"}
    assert RuntimeProgram(new | {"status": {"conditions": [accepted]}}).ready


def test_a_dictionary_of_a_program_has_everything_in_plain_values() -> None:
    said = RuntimeProgram(body(SAMPLE)).to_dict()
    assert said["program_id"] == "sample-program"
    assert said["parameters"] == SAMPLE["parameters"]
    assert said["is_public"] is False
    assert said["max_execution_time"] == 300


def test_parameters_are_fresh_each_time_and_none_until_set() -> None:
    program = RuntimeProgram(body(SAMPLE))
    inputs = program.parameters()
    assert vars(inputs) == {"iterations": None}
    inputs.iterations = 3
    assert program.parameters().iterations is None
    assert inputs.metadata == SAMPLE["parameters"]


def test_a_required_parameter_without_a_value_is_named() -> None:
    inputs = RuntimeProgram(body(SAMPLE)).parameters()
    with pytest.raises(IBMInputValueError, match=r"^Param \(iterations\) missing required value!$"):
        inputs.validate()
    inputs.iterations = 0
    inputs.validate()


def test_what_is_none_is_not_sent_and_what_was_added_is() -> None:
    inputs = ParameterNamespace({"properties": {"a": {}, "b": {}}, "required": ["a"]})
    inputs.a, inputs.extra = 1, [2]
    assert parameters.given(inputs) == {"a": 1, "extra": [2]}


def test_the_list_style_requires_nothing() -> None:
    ParameterNamespace({"x-list-style": True, "properties": {"a": {"x-required": True}}}).validate()


def test_parameters_print_as_a_table() -> None:
    schema = {"properties": {"shots": {"type": "integer", "description": "How often."}, "x0": {}}, "required": ["x0"]}
    inputs = ParameterNamespace(schema)
    inputs.x0, inputs.extra = [1.5], "yes"
    assert str(inputs).splitlines() == [
        "Name   Value  Type     Required  Description",
        "-----  -----  -------  --------  -----------",
        "shots  None   integer  no        How often.",
        "x0     [1.5]           yes",
        "extra  'yes'           no",
    ]


def test_a_copy_of_parameters_still_knows_what_is_required() -> None:
    import copy

    inputs = ParameterNamespace({"properties": {"a": {}}, "required": ["a"]})
    inputs.b = 2
    other = copy.deepcopy(inputs)
    assert vars(other) == {"a": None, "b": 2}
    with pytest.raises(IBMInputValueError):
        other.validate()
