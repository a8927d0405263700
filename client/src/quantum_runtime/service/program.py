"""A program of the cluster, as a value: what its RuntimeProgram or ClusterRuntimeProgram said when it was read."""

from __future__ import annotations

import contextlib
import copy
import re
from typing import TYPE_CHECKING, Any

from quantum_runtime import manifest, schemas
from quantum_runtime.exceptions import IBMNotAuthorizedError
from quantum_runtime.service.parameters import ParameterNamespace, properties, required

if TYPE_CHECKING:
    from quantum_runtime.cluster.api import Object


class RuntimeProgram:
    """A program that jobs can run. ``print(program)`` shows what it takes and returns.

    It is a copy of what the cluster had: read it again with ``service.program(program_id)``.
    """

    def __init__(self, body: Object) -> None:
        """Take what the cluster has.

        Args:
            body: The RuntimeProgram or ClusterRuntimeProgram.
        """
        self._body = body
        self._spec: dict[str, Any] = body.get("spec", {})
        self._document = metadata_document(body)

    @property
    def program_id(self) -> str:
        """The name of its resource, which ``run`` takes."""
        return str(self._body["metadata"]["name"])

    @property
    def name(self) -> str:
        """What its author called it: differs from `program_id` if that is no name for a resource."""
        return str(self._document.get("name", self.program_id))

    @property
    def kind(self) -> str:
        """``RuntimeProgram`` (private) or ``ClusterRuntimeProgram`` (public)."""
        return str(self._body.get("kind", manifest.PRIVATE))

    @property
    def is_public(self) -> bool:
        """Whether it is in the cluster's catalogue, where every namespace can run it."""
        return self.kind == manifest.PUBLIC

    @property
    def description(self) -> str:
        """What it does; empty if nobody has said."""
        return str(self._spec.get("description", ""))

    @property
    def max_execution_time(self) -> int:
        """Seconds its jobs may run."""
        return int(self._spec["maxExecutionTimeSeconds"])

    @property
    def backend_requirements(self) -> dict[str, Any]:
        """What it needs of a backend, for example ``{"min_num_qubits": 5}``."""
        said = self._document.get("spec", {}).get("backend_requirements", self._document.get("backend_requirements"))
        return copy.deepcopy(said) if isinstance(said, dict) else {}

    @property
    def return_values(self) -> dict[str, Any]:
        """JSON Schema of its result; empty if there is none."""
        return self._schema("returnValues")

    @property
    def interim_results(self) -> dict[str, Any]:
        """JSON Schema of each of its interim results; empty if there is none."""
        return self._schema("interimResults")

    @property
    def creation_date(self) -> str:
        """When it was created, in UTC, for example ``2021-09-13T17:27:42Z``."""
        return str(self._body["metadata"].get("creationTimestamp", ""))

    @property
    def update_date(self) -> str:
        """When somebody last changed it, in the same form; not when the operator last wrote its status."""
        managed = self._body["metadata"].get("managedFields", [])
        times = [str(entry["time"]) for entry in managed if "time" in entry and not entry.get("subresource")]
        return max([self.creation_date, *times])

    @property
    def ready(self) -> bool:
        """Whether jobs can run it; False, with no `reason`, for a moment after it has been created or changed."""
        return self._ready_condition.get("status") == "True"

    @property
    def reason(self) -> str:
        """Why it is ready or not, in one word: ``Accepted``, ``ProfileNotFound``, ...; empty: not yet looked at."""
        return str(self._ready_condition.get("reason", ""))

    @property
    def message(self) -> str:
        """The same as a sentence."""
        return str(self._ready_condition.get("message", ""))

    @property
    def data(self) -> str | dict[str, str]:
        """Its source: the text of its one file, or path -> text if it has several.

        Raises:
            IBMNotAuthorizedError: the source is in a ConfigMap, which takes other rights to read.
        """
        source = self._spec.get("source", {})
        if "inline" in source:
            return str(source["inline"])
        if "files" in source:
            files: dict[str, str] = dict(source["files"])
            return next(iter(files.values())) if len(files) == 1 else files
        name = source.get("configMapRef", {}).get("name", "")
        advice = f"it is in the ConfigMap {name!r} of its namespace: kubectl get configmap {name} -o yaml"
        raise IBMNotAuthorizedError(f"the source of {self.kind} {self.program_id!r} cannot be read here; {advice}")

    @property
    def body(self) -> Object:
        """The resource itself, as the API server returned it."""
        return self._body

    def parameters(self) -> ParameterNamespace:
        """Return its inputs as attributes to be set, a fresh object each time."""
        return ParameterNamespace(self._schema("parameters"))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as one dictionary of plain values.

        ``data`` is None where the source is in a ConfigMap.
        """
        data: str | dict[str, str] | None = None
        with contextlib.suppress(IBMNotAuthorizedError):
            data = self.data
        return {
            "program_id": self.program_id,
            "name": self.name,
            "description": self.description,
            "max_execution_time": self.max_execution_time,
            "creation_date": self.creation_date,
            "update_date": self.update_date,
            "is_public": self.is_public,
            "data": data,
            "parameters": self._schema("parameters"),
            "backend_requirements": self.backend_requirements,
            "interim_results": self.interim_results,
            "return_values": self.return_values,
            "ready": self.ready,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        lines = [
            f"{self.program_id}:",
            f"  Name: {self.name}",
            f"  Description: {self.description}",
            f"  Creation date: {self.creation_date}",
            f"  Update date: {self.update_date}",
            f"  Max execution time: {self.max_execution_time}",
        ]
        for title, field in _SCHEMAS.items():
            lines += [f"  {title}:", *(_described(self._spec.get(field) or {}) or ["    none"])]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.program_id!r} ({'public' if self.is_public else 'private'})>"

    def _repr_html_(self) -> str:
        from quantum_runtime import rendering

        return rendering.program_html(self)

    @property
    def _ready_condition(self) -> dict[str, Any]:
        conditions = self._body.get("status", {}).get("conditions", [])
        return next((one for one in conditions if one.get("type") == "Ready"), {})

    def _schema(self, field: str) -> dict[str, Any]:
        return copy.deepcopy(self._spec.get(field) or {})


_SCHEMAS = {"Input parameters": "parameters", "Interim results": "interimResults", "Returns": "returnValues"}


def metadata_document(body: Object) -> dict[str, Any]:
    """Return the metadata file of a program's resource; without what only its annotation has, where that is damaged."""
    try:
        return manifest.metadata_document(body)
    except (ValueError, TypeError):
        head = {key: value for key, value in body["metadata"].items() if key != "annotations"}
        return manifest.metadata_document({**body, "metadata": head})


def _described(schema: dict[str, Any]) -> list[str]:
    """Return the lines about one schema. Keys are sorted: an API server keeps no order of them."""
    lines = [f"    {key.capitalize()}: {schema[key]}" for key in ("description", "type") if key in schema]
    if schemas.X_TYPE in schema:
        lines.append(f"    Type: {schema[schemas.X_TYPE]}")
    if described := properties(schema):
        lines.append("    Properties:")
    needed = required(schema)
    for name, about in sorted(described.items()):
        about = about if isinstance(about, dict) else {}
        named = {_sentence_case(key): value for key, value in about.items() if key != "x-required"}
        lines.append(f"        - {name}:")
        lines += [f"            {key}: {value}" for key, value in sorted(named.items())]
        lines.append(f"            Required: {name in needed or about.get('x-required') is True}")
    return lines


def _sentence_case(key: str) -> str:
    """Return ``minItems`` as ``Min items``, and ``x-type`` as ``Type``."""
    words = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f" {match[1].lower()}", key.removeprefix(schemas.X_PREFIX))
    return words[:1].upper() + words[1:]
