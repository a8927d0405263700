from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from quantum_runtime import validation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

ANYTHING = "def main(backend, user_messenger, **kwargs): pass"
INTEGER = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


def said(path: Path, inputs: dict[str, Any] | None = None) -> list[str]:
    _, found = validation.validate(path, inputs)
    return [str(finding).replace(f"{path}", "FOLDER") for finding in found]


def test_a_program_that_is_as_it_should_be_gets_no_remark(write: Write) -> None:
    spec = {"parameters": INTEGER, "return_values": {"type": "string"}, "backend_requirements": {"min_num_qubits": 2}}
    assert said(write(ANYTHING, spec=spec, examples={"three": {"x": 3}}), {"x": 4}) == []


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a source that does not compile": (
        {"main": "def main(backend, user_messenger)\n    pass"},
        [
            "error: my_program.py: line 1: SyntaxError: expected ':': "
            "def main(backend, user_messenger) (InvalidProgram)",
        ],
    ),
    "a helper that does not compile": (
        {"files": {"helpers.py": "x ="}},
        ["error: helpers.py: line 1: SyntaxError: invalid syntax: x = (InvalidProgram)"],
    ),
    "no main": (
        {"main": "def run(): pass"},
        [
            "error: my_program.py: my_program.py has no function "
            "main(backend, user_messenger, **kwargs) (InvalidProgram)"
        ],
    ),
    "metadata that cannot be used": (
        {"name": None},
        ["error: my_program.json: name: is missing (InvalidSpec)"],
    ),
    "an example that the schema refuses": (
        {"spec": {"parameters": INTEGER}, "examples": {"bad": {"x": "three"}, "good": {"x": 3}}},
        ["error: examples/bad.json: inputs.x: expected integer (type), given 'three' (InvalidInput)"],
    ),
    "an example that main does not take": (
        {"main": "def main(backend, user_messenger, shots): pass", "examples": {"bad": {"shot": 3}}},
        [
            "error: examples/bad.json: the job has an input 'shot', which main() does not take (it takes shots); "
            "it lacks the input 'shots', which main() needs (InvalidInput)"
        ],
    ),
    "a parameter that main does not take": (
        {"main": "def main(backend, user_messenger, y=1): pass", "spec": {"parameters": INTEGER | {"required": []}}},
        ["warning: my_program.json: spec.parameters.properties.x: main() does not take it (it takes y)"],
    ),
    "a required parameter that is not described": (
        {"spec": {"parameters": {"properties": {}, "required": ["x"]}}},
        ["warning: my_program.json: spec.parameters.required: 'x' is required and not described in properties"],
    ),
    "a name of another folder": (
        {"name": "other-program"},
        [
            "warning: my_program.json: name: the program 'other-program' is in a folder called 'my_program', "
            "not 'other_program'"
        ],
    ),
    "a profile the chart does not have": (
        {"spec": {"profile": "gpu"}},
        [
            "warning: my_program.json: spec.profile: a cluster must have a runner profile 'gpu'; "
            "the chart defines default and science"
        ],
    ),
    "a default of the wrong type": (
        {
            "spec": {
                "parameters": {
                    "properties": {
                        "run_config": {"type": "object", "default": False},
                        "depth": {"$ref": "#/$defs/depth", "default": 0},
                        "shots": {"type": "integer", "default": 1024},
                    },
                    "$defs": {"depth": {"type": "integer", "minimum": 1}},
                }
            }
        },
        [
            "warning: my_program.json: spec.parameters.properties.run_config: "
            "default: expected object (type), given false",
            "warning: my_program.json: spec.parameters.properties.depth: "
            "default: expected at least 1 (minimum), given 0",
        ],
    ),
    "list-style metadata": (
        {"parameters": [{"name": "x", "type": "QuantumCircuit", "required": True}], "examples": {"none": {}}},
        ["warning: my_program.json: parameters: the list style is documentation: nothing in it is enforced"],
    ),
    "a Python type": (
        {"spec": {"parameters": {"properties": {"x": {"type": "List[int]"}}}}, "examples": {"text": {"x": "y"}}},
        [
            "warning: my_program.json: spec.parameters.properties.x.type: 'List[int]' is no type of JSON Schema; "
            "it is not enforced"
        ],
    ),
    "a module of another profile": (
        {
            "main": "import pandas, scipy, json\nimport helpers\n" + ANYTHING,
            "files": {"helpers.py": "try:\n    import torch\nexcept ImportError:\n    torch = None\n"},
        },
        [
            "warning: my_program.py: line 1: it imports 'pandas', which the runner profile 'default' does not have; "
            "the profile 'science' has it: set spec.profile (MissingModule)"
        ],
    ),
    "a module of that profile": ({"main": "import pandas\n" + ANYTHING, "spec": {"profile": "science"}}, []),
    "a module no profile has": (
        {"main": ANYTHING + "\nimport torch", "spec": {"profile": "science"}},
        [
            "warning: my_program.py: line 2: it imports 'torch', which the runner profile 'science' does not have "
            "(MissingModule)"
        ],
    ),
    "a name Qiskit no longer has": (
        {"main": "from qiskit import QuantumCircuit, execute\n" + ANYTHING},
        [
            "warning: my_program.py: line 1: qiskit.execute is gone since Qiskit 1.0: "
            "spec.compatibility 'Qiskit0' restores it"
        ],
    ),
    "a name that is restored": (
        {"main": "from qiskit import execute\n" + ANYTHING, "spec": {"compatibility": "Qiskit0"}},
        [],
    ),
    "a module nothing restores": (
        {"main": "import qiskit.opflow.primitive_ops\n" + ANYTHING, "spec": {"compatibility": "Qiskit0"}},
        [
            "warning: my_program.py: line 1: qiskit.opflow.primitive_ops is gone since Qiskit 1.0: "
            "operators are `SparsePauliOp` now, expectation values come from primitives"
        ],
    ),
    "what is missing from a module that is restored": (
        {"main": "import qiskit.ignis.verification\n" + ANYTHING, "spec": {"compatibility": "Qiskit0"}},
        [
            "warning: my_program.py: line 1: qiskit.ignis.verification is gone since Qiskit 0: "
            "spec.compatibility 'Qiskit0' restores qiskit.ignis without it"
        ],
    ),
    "old imports every runner has": (
        {"main": "from qiskit.providers.ibmq.runtime import UserMessenger\n" + ANYTHING},
        [],
    ),
    "a time limit no cluster allows": (
        {"max_execution_time": 100000},
        ["warning: my_program.json: max_execution_time: 100000 s is lowered to a cluster's limit of 28800 s"],
    ),
    "schemas that are too large": (
        {"spec": {"parameters": {"description": "d" * 70_000}}},
        [
            "error: my_program.json: the schemas are 70019 bytes of JSON, the limit is 65536 (SchemaTooLarge)",
        ],
    ),
}


@pytest.mark.parametrize(("changes", "remarks"), CASES.values(), ids=CASES.keys())
def test_what_a_cluster_would_say_is_said(write: Write, changes: dict[str, Any], remarks: list[str]) -> None:
    assert said(write(**({"main": ANYTHING} | changes))) == remarks


@pytest.mark.parametrize(
    ("field", "schema", "remark"),
    [
        ("parameters", {"properties": 3}, "warning: my_program.json: spec.parameters: it is not enforced: "),
        ("return_values", {"$ref": "https://example.org/x"}, "warning: my_program.json: spec.return_values: it is not"),
        ("interim_results", {"minimum": "one"}, "warning: my_program.json: spec.interim_results: it is not enforced: "),
    ],
)
def test_a_schema_that_cannot_be_applied_is_told_with_the_clusters_reason(
    write: Write, field: str, schema: dict[str, Any], remark: str
) -> None:
    (line,) = said(write(ANYTHING, spec={field: schema}))
    assert line.startswith(remark)
    assert line.endswith("(SchemaNotApplicable)")


def test_a_schema_that_would_take_for_ever_is_told_with_the_clusters_reason(write: Write, short_patience: None) -> None:
    parameters = {"properties": {"x": {"pattern": "^(a+)+$"}}}
    (line,) = said(write(ANYTHING, spec={"parameters": parameters}, examples={"evil": {"x": "a" * 60 + "!"}}))
    assert line.startswith(
        "error: examples/evil.json: the parameters of RuntimeProgram 'my-program' cannot be checked: "
    )
    assert line.endswith("(SchemaTooExpensive)")


def test_inputs_on_the_command_line_are_checked_like_an_example(write: Write) -> None:
    assert said(write(ANYTHING, spec={"parameters": INTEGER}), {}) == [
        "error: --inputs: inputs.x: expected a value (required), given nothing (InvalidInput)"
    ]


def test_inputs_that_no_cluster_takes_are_told_with_both_figures(write: Write) -> None:
    (line,) = said(write(ANYTHING), {"x": "y" * 1024 * 1024})
    assert line == "error: --inputs: spec.inputs is 1048584 bytes of JSON, the limit is 1048576 (InvalidInput)"


def test_the_modules_of_the_default_profile_come_with_qiskit_and_aer() -> None:
    extras: dict[str, set[str]] = {"runtime-runner": {"aer"}}
    for name in (queue := ["runtime-runner"]):
        for wanted in map(Requirement, importlib.metadata.requires(name) or []):
            key = canonicalize_name(wanted.name)
            conditions = extras[name] or {""}
            applies = wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in conditions)
            if applies and key not in extras:
                extras[key] = wanted.extras
                queue.append(key)
    modules = {
        module
        for module, distributions in importlib.metadata.packages_distributions().items()
        if any(canonicalize_name(name) in extras for name in distributions)
    }
    assert modules | {"runtime_runner"} >= validation.DEFAULT_MODULES
    assert {"qiskit", "qiskit_aer", "numpy", "scipy"} <= validation.DEFAULT_MODULES


def test_one_file_without_metadata_is_fit_for_a_cluster(tmp_path: Path) -> None:
    path = tmp_path / "quick_try.py"
    path.write_text(ANYTHING)
    assert said(path) == []


def test_what_is_wrong_with_files_and_with_sources_is_told_together(write: Write) -> None:
    path = write("def main(): pass", examples={"good": {}})
    (path / "examples/bad.json").write_text("[]")
    (path / "data.bin").write_bytes(b"\xff")
    assert [line.split(": ")[1] for line in said(path)] == ["data.bin", "examples/bad.json", "my_program.py"]


def test_the_programs_metadata_may_be_hostile(write: Write) -> None:
    schema: dict[str, Any] = {}
    for _ in range(190):
        schema = {"not": schema}
    path = write(ANYTHING, spec={"parameters": schema})
    assert all("error" not in line for line in said(path))
    (path / "my_program.json").write_text('{"a":' * 20_000 + "1" + "}" * 20_000)
    assert said(path)[0].startswith("error: my_program.json: it is not JSON: ")
    (path / "my_program.json").write_text(json.dumps({"name": "x" * 100_000, "max_execution_time": 1}))
    assert said(path)[0] == "error: my_program.json: name: it has 100000 characters, the limit is 253 (InvalidSpec)"
