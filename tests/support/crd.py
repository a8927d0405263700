"""Custom resources' schemas, for checking that what the operator writes is what the API server would keep."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import jsonschema
import yaml

CRDS = Path(__file__).resolve().parents[2] / "crds"


def problems(plural: str, body: Any, *, part: str = "") -> list[str]:
    """Return what the API server would refuse or prune in this object, or in its ``status`` or ``spec`` alone."""
    return [f"{error.json_path}: {error.message}" for error in validator(plural, part).iter_errors(body)]


@functools.cache
def validator(plural: str, part: str = "") -> jsonschema.Draft202012Validator:
    definition = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    if not part:
        schema = {**schema, "properties": schema["properties"] | {"apiVersion": {}, "kind": {}, "metadata": {}}}
    return jsonschema.Draft202012Validator(
        _strict(schema["properties"][part] if part else schema), format_checker=jsonschema.FormatChecker()
    )


def _strict(schema: Any) -> Any:
    """Return the schema with unknown fields refused (the API server prunes them) and ``nullable`` spelt out."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if isinstance(strict.get("properties"), dict) and not strict.get("x-kubernetes-preserve-unknown-fields"):
        strict.setdefault("additionalProperties", False)
    if strict.get("nullable") and isinstance(strict.get("type"), str):
        strict["type"] = [strict["type"], "null"]
    return strict
