"""The CRDs describe every field, bound it, and say the same as the operator's models."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from runtime_operator.api import names
from runtime_operator.api.conditions import MESSAGE_CHARACTERS, ConditionType, Reason
from runtime_operator.api.v1alpha1 import BackendSpec, JobSpec, Phase, ProgramSpec, RunnerPoolSpec
from runtime_operator.build.outputs import CHUNK_BYTES, output_chunks
from runtime_operator.config import Limits, Pools
from runtime_operator.decide.status import FAILURE_MESSAGE_CHARACTERS
from support import crd

if TYPE_CHECKING:
    from collections.abc import Iterator

CRDS = Path(__file__).resolve().parents[2] / "crds"
ALL = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(CRDS.glob("*.yaml"))}
SHORT_NAMES = {
    names.PROGRAMS: ("RuntimeProgram", "rtp", "Namespaced"),
    names.CLUSTER_PROGRAMS: ("ClusterRuntimeProgram", "crtp", "Cluster"),
    names.JOBS: ("RuntimeJob", "rtj", "Namespaced"),
    names.OUTPUTS: ("RuntimeJobOutput", "rto", "Namespaced"),
    names.BACKENDS: ("RuntimeBackend", "rtb", "Cluster"),
    names.POOLS: ("RunnerPool", "rpool", "Namespaced"),
}


def version(plural: str) -> dict[str, Any]:
    served: dict[str, Any] = ALL[plural]["spec"]["versions"][0]
    return served


def part(plural: str, name: str) -> dict[str, Any]:
    schema: dict[str, Any] = version(plural)["schema"]["openAPIV3Schema"]["properties"][name]
    return schema


def every_schema(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from every_schema(field, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if key in schema:
            yield from every_schema(schema[key], path + mark)


FIELDS = [
    pytest.param(schema, id=f"{plural}{path}")
    for plural in ALL
    for path, schema in every_schema(version(plural)["schema"]["openAPIV3Schema"], "")
]


def test_there_is_one_file_per_kind_named_after_it() -> None:
    assert {plural: crd["metadata"]["name"] for plural, crd in ALL.items()} == {
        plural: f"{plural}.{names.GROUP}" for plural in SHORT_NAMES
    }


@pytest.mark.parametrize("plural", ALL)
def test_every_kind_has_its_short_name_scope_and_the_category_quantum(plural: str) -> None:
    spec = ALL[plural]["spec"]
    kind, short, scope = SHORT_NAMES[plural]
    assert (spec["names"]["kind"], spec["names"]["shortNames"], spec["scope"]) == (kind, [short], scope)
    assert spec["names"]["categories"] == ["quantum"]
    assert [v["name"] for v in spec["versions"]] == [names.VERSION]


def test_what_the_operator_reports_on_has_a_status_of_its_own() -> None:
    assert {plural for plural in ALL if "status" in version(plural).get("subresources", {})} == {
        names.JOBS,
        names.PROGRAMS,
        names.CLUSTER_PROGRAMS,
        names.POOLS,
    }


@pytest.mark.parametrize("schema", FIELDS)
def test_every_field_is_described_in_a_sentence(schema: dict[str, Any]) -> None:
    text = schema.get("description", "")
    assert text.rstrip("`")[-1:] in (".", ")"), text
    assert text[0].isupper() or text[0] == "`", text


@pytest.mark.parametrize("schema", FIELDS)
def test_every_field_has_a_type_and_bounds(schema: dict[str, Any]) -> None:
    match schema["type"]:
        case "string":
            assert "enum" in schema or "maxLength" in schema
        case "array":
            assert "maxItems" in schema
        case "integer" | "number":
            assert "minimum" in schema
        case "object":
            free = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
            assert not free or "maxProperties" in schema
        case other:
            assert other == "boolean"


@pytest.mark.parametrize("schema", FIELDS)
def test_every_rule_says_what_it_refuses(schema: dict[str, Any]) -> None:
    assert all(rule["message"] for rule in schema.get("x-kubernetes-validations", []))


@pytest.mark.parametrize("plural", ALL)
def test_every_column_shows_a_field_that_exists(plural: str) -> None:
    known = {path for path, _ in every_schema(version(plural)["schema"]["openAPIV3Schema"], "")}
    for column in version(plural)["additionalPrinterColumns"]:
        path = re.sub(r"\[\?\(.*?\)\]", "[]", column["jsonPath"])
        assert path in known | {".metadata.creationTimestamp"}


MODELS = [
    (names.JOBS, JobSpec),
    (names.PROGRAMS, ProgramSpec),
    (names.BACKENDS, BackendSpec),
    (names.POOLS, RunnerPoolSpec),
]


@pytest.mark.parametrize(("plural", "model"), MODELS)
def test_the_models_have_exactly_the_fields_and_defaults_of_the_crd(plural: str, model: type[BaseModel]) -> None:
    assert _fields_of(model) == _fields_in(part(plural, "spec"), model)


def _fields_of(model: type[BaseModel]) -> dict[str, Any]:
    """Field -> (required, default, nested fields). An absent default and an empty value are the same to us."""
    return {
        str(field.alias): (
            field.is_required(),
            None if field.is_required() else _plain(field.get_default(call_default_factory=True)),
            _fields_of(nested) if (nested := _nested(field.annotation)) else None,
        )
        for field in model.model_fields.values()
    }


def _fields_in(schema: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    nested = {str(field.alias): _nested(field.annotation) for field in model.model_fields.values()}
    return {
        name: (
            name in schema.get("required", ()),
            field.get("default") or None,
            _fields_in(field.get("items", field), inner) if (inner := nested.get(name)) else None,
        )
        for name, field in schema["properties"].items()
    }


def _nested(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _plain(default: Any) -> Any:
    if isinstance(default, BaseModel):
        return None  # compared field by field
    return default.value if isinstance(default, StrEnum) else default or None


def test_a_public_program_is_a_program_without_config_map() -> None:
    private, public = part(names.PROGRAMS, "spec"), part(names.CLUSTER_PROGRAMS, "spec")
    private["properties"]["source"]["properties"].pop("configMapRef")
    private["x-kubernetes-validations"] = [
        rule for rule in private["x-kubernetes-validations"] if "configMapRef" not in rule["rule"]
    ]
    for spec in (private, public):
        for key in ("description", "x-kubernetes-validations"):
            spec["properties"]["source"].pop(key)
    assert public == private


def test_phases_and_condition_types_are_those_of_the_operator() -> None:
    status = part(names.JOBS, "status")
    assert status["properties"]["phase"]["enum"] == [phase.value for phase in Phase]
    described = status["properties"]["conditions"]["items"]["properties"]["type"]["description"]
    of_programs = {ConditionType.READY, ConditionType.SCHEMAS_VALID}
    assert set(re.findall(r"[A-Z]\w+", described)) - {"Which"} == {
        t.value for t in ConditionType if t not in of_programs
    }


def test_a_pool_can_be_scaled_by_whatever_scales_deployments() -> None:
    known = {path for path, _ in every_schema(version(names.POOLS)["schema"]["openAPIV3Schema"], "")}
    scale = version(names.POOLS)["subresources"]["scale"]
    assert set(scale.values()) <= known
    assert scale["specReplicasPath"] == ".spec.replicas"


def test_the_page_about_pools_shows_pools_that_the_crd_takes_and_names_every_field() -> None:
    page = (CRDS.parent / "docs" / "pools.md").read_text()
    shown = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)]
    pools = [body for body in shown if body["kind"] == "RunnerPool"]
    assert pools
    assert not [problem for body in pools for problem in crd.problems(names.POOLS, body)]
    scaled = [body["spec"]["scaleTargetRef"] for body in shown if "scaleTargetRef" in body["spec"]]
    assert scaled
    assert all((ref["apiVersion"], ref["kind"]) == (names.API_VERSION, "RunnerPool") for ref in scaled)
    settings = {str(field.alias) for field in (*RunnerPoolSpec.model_fields.values(), *Pools.model_fields.values())}
    reasons = part(names.POOLS, "status")["properties"]["conditions"]["items"]["properties"]["reason"]["description"]
    wanted = settings | set(re.findall(r"[A-Z]\w+[a-z][A-Z]\w+", reasons)) - {"NameConflict"}
    assert {word for word in wanted if f"`{word}`" not in page} == set()


def test_a_pools_condition_types_are_those_of_the_operator() -> None:
    described = part(names.POOLS, "status")["properties"]["conditions"]["items"]["properties"]["type"]["description"]
    words = set(re.findall(r"[A-Z]\w+", described)) - {"Which"}
    assert words == {ConditionType.READY.value, ConditionType.RECONCILING.value, ConditionType.STALLED.value}


def test_a_new_job_is_queued_before_anybody_has_written_its_status() -> None:
    assert part(names.JOBS, "status")["default"] == {"phase": Phase.QUEUED.value}


def test_every_reason_of_the_operator_is_in_the_reference() -> None:
    text = " ".join(
        part(plural, "status")["properties"]["conditions"]["items"]["properties"]["reason"]["description"]
        for plural in (names.JOBS, names.PROGRAMS, names.POOLS)
    )
    missing = {reason.value for reason in Reason} - set(re.findall(r"\w+", text))
    assert not missing


def test_a_status_may_be_as_large_as_the_operators_configuration_allows() -> None:
    status = part(names.JOBS, "status")["properties"]
    assert status["result"]["maxLength"] >= _ceiling("inline_result_bytes")
    assert status["interimResults"]["properties"]["latest"]["maxItems"] >= _ceiling("status_interims")
    assert status["conditions"]["items"]["properties"]["message"]["maxLength"] >= MESSAGE_CHARACTERS
    assert status["failure"]["properties"]["message"]["maxLength"] >= FAILURE_MESSAGE_CHARACTERS


def _ceiling(setting: str) -> int:
    return next(int(bound.le) for bound in Limits.model_fields[setting].metadata if hasattr(bound, "le"))


def test_an_output_as_the_operator_builds_it_fits_the_crd() -> None:
    spec = part(names.OUTPUTS, "spec")
    objects, ref = output_chunks("Result", "ü" * CHUNK_BYTES, namespace="n", job_name="j", job_uid="u")
    assert len(objects) == len(ref.names) == 2
    for chunk in objects:
        assert chunk["spec"].keys() == spec["properties"].keys() == {*spec["required"], "count"}
        assert len(chunk["spec"]["text"]) <= spec["properties"]["text"]["maxLength"]
        assert chunk["spec"]["size"] <= spec["properties"]["size"]["maximum"]
        assert chunk["spec"]["content"] in spec["properties"]["content"]["enum"]


@pytest.mark.aer
@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (
            "generic",
            {
                "numQubits": 3,
                "basisGates": ["cx", "id", "rz", "sx", "x"],
                "couplingMap": [[0, 1], [1, 2]],
                "controlFlow": True,
                "noiseInfo": True,
                "seed": 7,
            },
        ),
        ("aer", {"method": "statevector", "device": "CPU", "precision": "single", "options": {"seed_simulator": 7}}),
    ],
)
def test_the_runner_can_build_a_backend_with_every_field_of_the_crd(kind: str, spec: dict[str, Any]) -> None:
    from runtime_runner import backends

    described = part(names.BACKENDS, "spec")["properties"][kind]["properties"].keys()
    assert spec.keys() == described - {"noiseModelFrom"}  # needs the package with the fake devices
    assert backends.build("mine", {kind: spec}).name == "mine"


@pytest.mark.aer
def test_every_simulation_method_of_the_crd_is_one_of_aers() -> None:
    from qiskit_aer import AerSimulator

    methods = part(names.BACKENDS, "spec")["properties"]["aer"]["properties"]["method"]["enum"]
    assert set(methods) == {*AerSimulator().available_methods(), "tensor_network"}  # the last one is for GPUs
