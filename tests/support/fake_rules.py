"""What the API server does with a custom resource besides storing it: defaults, immutable fields, selectors."""

from __future__ import annotations

import copy
import functools
import json
from typing import TYPE_CHECKING, Any

import yaml
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, GROUP, JOBS, OUTPUTS

from support import crd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quantum_runtime.cluster.api import Object, Resource

WITHOUT_STATUS = frozenset({OUTPUTS, BACKENDS})
"""Kinds without a status subresource."""
ETCD_BYTES = 1536 * 1024
"""Largest object, about."""
MUTABLE = frozenset({"cancel", "suspend", "tags"})
"""What of a job's spec may be changed."""


def described(resource: Resource, name: str) -> str:
    """Return how the API server's sentences name an object."""
    return f'{resource.plural}.{GROUP} "{name}"'


def is_known(resource: Resource) -> bool:
    """Return whether there is a CRD of this kind."""
    return (crd.CRDS / f"{resource.plural}.yaml").exists()


def with_defaults(resource: Resource, body: Object) -> Object:
    """Return this object with the CRD's defaults filled in, status included."""
    return _defaulted(_definition(resource.plural)["schema"]["openAPIV3Schema"], body)  # type: ignore[no-any-return]


def refuse_invalid(resource: Resource, name: str, body: Mapping[str, Any]) -> None:
    """Check an object against the CRD's schema, unknown fields included, and against what etcd takes.

    Raises:
        Invalid: it is refused.
        TooLarge: it is.
    """
    if len(json.dumps(body)) > ETCD_BYTES:
        raise errors.TooLarge("etcdserver: request is too large")
    if problems := crd.problems(resource.plural, body):
        message = f"{resource.kind}.{GROUP} {name!r} is invalid: {'; '.join(problems)}"
        raise errors.Invalid(message, fields=tuple(problem.split(":")[0].removeprefix("$.") for problem in problems))


def refuse_change(resource: Resource, old: Object, new: Object) -> None:
    """Check that nothing immutable is changed.

    Raises:
        Invalid: it is.
    """
    was, wanted = old.get("spec", {}), new.get("spec", {})
    if resource == JOBS:
        changed = [k for k in sorted(was.keys() | wanted.keys()) if k not in MUTABLE and was.get(k) != wanted.get(k)]
        if changed:
            _refuse(resource, old, changed[0], "cannot be changed, a job is one run; create another job instead")
        if was.get("cancel") and not wanted.get("cancel"):
            _refuse(resource, old, "cancel", "cannot be taken back")
    elif resource == OUTPUTS and was != wanted:
        _refuse(resource, old, "", "cannot be changed")


def selected(resource: Resource, obj: Object | None, field_selector: str, label_selector: str = "") -> bool:
    """Return whether an object meets both selectors.

    Raises:
        Invalid: a field of this kind cannot be selected.
    """
    known = {"metadata.name", "metadata.namespace"}
    known |= {field["jsonPath"].lstrip(".") for field in _definition(resource.plural).get("selectableFields", ())}
    for requirement in filter(None, field_selector.split(",")):
        path, value, equal = _split(requirement)
        if path not in known:
            raise errors.Invalid(f"field label not supported: {path}")
        if obj is not None and (_at(obj, path) == value) is not equal:
            return False
    if obj is None:
        return False
    labels: dict[str, str] = obj["metadata"].get("labels") or {}
    return all(_labelled(labels, requirement.strip()) for requirement in filter(None, label_selector.split(",")))


@functools.cache
def _definition(plural: str) -> dict[str, Any]:
    version: dict[str, Any] = yaml.safe_load((crd.CRDS / f"{plural}.yaml").read_text())["spec"]["versions"][0]
    return version


def _defaulted(schema: dict[str, Any], value: Any) -> Any:
    if not isinstance(value, dict):
        return copy.deepcopy(value)
    full = copy.deepcopy(value)
    for name, part in schema.get("properties", {}).items():
        if name not in full and "default" in part:
            full[name] = copy.deepcopy(part["default"])
        if name in full:
            full[name] = _defaulted(part, full[name])
    return full


def _refuse(resource: Resource, obj: Object, field: str, why: str) -> None:
    path = f"spec.{field}" if field else "spec"
    name = obj["metadata"]["name"]
    message = f'{resource.kind}.{GROUP} "{name}" is invalid: {path}: Invalid value: {why}'
    raise errors.Invalid(message, fields=(path,))


def _split(requirement: str) -> tuple[str, str, bool]:
    """Return path, value, and whether they shall be equal."""
    if "!=" in requirement:
        path, value = requirement.split("!=", 1)
        return path, value, False
    path, value = requirement.replace("==", "=", 1).split("=", 1)
    return path, value, True


def _at(obj: Any, path: str) -> str:
    for key in path.split("."):
        obj = obj.get(key, {}) if isinstance(obj, dict) else {}
    return str(obj) if obj != {} else ""


def _labelled(labels: dict[str, str], requirement: str) -> bool:
    if "=" in requirement:
        name, value, equal = _split(requirement)
        return (labels.get(name) == value) is equal
    return requirement.removeprefix("!") not in labels if requirement.startswith("!") else requirement in labels
