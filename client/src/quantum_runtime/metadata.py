"""A program's metadata file: what it says, and what it says about the program's resource in a cluster.

Read are the official form (``name, description, max_execution_time, is_public, spec{backend_requirements, parameters,
return_values, interim_results}``, with our additions ``spec.profile``, ``spec.compatibility`` and
``spec.validate_results``), and the *list style* of earlier files (``parameters``, ``return_values`` and
``interim_results`` as lists of ``{name, description, type, required}``, everything on the top level). Nothing gets
lost: what the resource has no field for is kept (`Metadata.kept`) and goes into an annotation.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantum_runtime import findings, patches, schemas
from quantum_runtime.findings import Finding, MetadataError
from quantum_runtime.inputs import DEEPEST, too_deep

LONGEST_SECONDS = 28800
"""Largest ``maxExecutionTimeSeconds`` a cluster takes, 8 h: the longest the retired service allowed to any job."""

LONGEST_DESCRIPTION = 4096
LONGEST_NAME = 253
MOST_QUBITS = 100_000
"""More than any simulator or device; a larger number is a mistake."""

FILE_BYTES = 1024 * 1024
"""Largest metadata file that is read. It becomes part of an object in etcd, which takes 1.5 MiB in all."""

SCHEMA_BYTES = 64 * 1024
"""The three schemas as JSON: the operator's ``limits.schemaBytes``, unless the platform team has changed it."""

VALIDATION = ("Ignore", "Warn", "Enforce")
COMPATIBILITY = ("None", "Qiskit0")

SCHEMAS = ("parameters", "return_values", "interim_results")
_PROFILE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_TOP_LEVEL = ("name", "description", "max_execution_time", "is_public", "spec")
_SPEC = ("backend_requirements", *SCHEMAS, "profile", "compatibility", "validate_results")
_IN_EITHER = ("backend_requirements", *SCHEMAS)
"""On the top level in the list style, under ``spec`` in the official form."""
_KNOWN_BUT_KEPT = ("version",)
"""Of the list style: means nothing to a cluster, and is no mistake."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a program's resource is made of."""

    name: str
    """As the resource will be called: a DNS-1123 name."""
    description: str = ""
    max_execution_time: int = LONGEST_SECONDS
    """Seconds, from 1 to `LONGEST_SECONDS`."""
    is_public: bool = False
    min_num_qubits: int = 0
    """0: any backend will do."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """JSON Schema (2019-09) of the inputs; empty: none. Likewise the next two."""
    return_values: dict[str, Any] = field(default_factory=dict)
    interim_results: dict[str, Any] = field(default_factory=dict)
    profile: str = ""
    """Runner profile; empty: the cluster's default."""
    compatibility: str = ""
    """``None``, ``Qiskit0``, or empty where the file says nothing (which means None)."""
    validate_results: str = ""
    """``Ignore``, ``Warn``, ``Enforce``, or empty where the file says nothing (which means Warn)."""
    document: dict[str, Any] = field(default_factory=dict)
    """The file as it stands."""
    warnings: tuple[Finding, ...] = ()

    def published(self, *, public: bool) -> Metadata:
        """Return the metadata of the same program with this visibility, in the file, too."""
        if public == self.is_public:
            return self
        document = {key: value for key, value in self.document.items() if key != "is_public"}
        if public and document:
            document["is_public"] = True
        return dataclasses.replace(self, is_public=public, document=document)

    def kept(self) -> list[patches.Operation]:
        """Return what turns the metadata, as a resource's fields say it, into the file as it stands."""
        return patches.difference(as_document(self), self.document) if self.document else []


def load(path: Path | str) -> Metadata:
    """Return what a metadata file says.

    Raises:
        MetadataError: it cannot be read, or the program could not be used with it; every finding is in there.
    """
    path = Path(path)
    return from_document(read_json(path, str(path), limit=FILE_BYTES), file=str(path))


def read_json(path: Path, file: str, *, limit: int) -> Any:
    """Return the JSON in a file of at most ``limit`` bytes.

    Raises:
        MetadataError: there is no such file, it is too large, or it holds no JSON.
    """
    try:
        if not path.is_file():
            raise MetadataError([findings.error(file, "there is no such file")])
        with path.open("rb") as stream:
            raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise MetadataError([findings.error(file, f"it is larger than the limit of {limit} bytes")])
        text = raw.decode("utf-8-sig")  # editors of Windows write a byte order mark
        return json.loads(text, parse_constant=_refuse_constant)
    except UnicodeDecodeError as problem:
        raise MetadataError(
            [findings.error(file, f"it is not UTF-8: {problem.reason} at byte {problem.start}")]
        ) from None
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise MetadataError([findings.error(file, f"it is not JSON: {problem.msg}", field=place)]) from None
    except (ValueError, RecursionError) as problem:
        raise MetadataError([findings.error(file, f"it is not JSON: {problem}")]) from None
    except OSError as problem:
        raise MetadataError([findings.error(file, f"it cannot be read: {problem.strerror}")]) from None


def from_document(document: Any, *, file: str) -> Metadata:
    """Return what a metadata document says; ``file`` is its name in findings.

    Raises:
        MetadataError: the program could not be used with it; every finding is in there.
    """
    if not isinstance(document, dict):
        raise MetadataError([findings.error(file, f"expected an object, got {_named(document)}")])
    if too_deep(document):
        raise MetadataError([findings.error(file, f"it is nested more than {DEEPEST} levels deep")])
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MetadataError([findings.error(file, "it holds half a surrogate pair, which is no text")]) from None
    reader = _Reader(document, file)
    metadata = reader.read()
    if findings.errors(reader.findings):
        raise MetadataError(reader.findings)
    return metadata


def resource_name(name: str) -> str:
    """Return the DNS-1123 name for a program's name: lower case, everything between letters and digits a hyphen.

    A name that is one already stays as it is. The result is empty if the name has neither letter nor digit.
    """
    if _NAME.fullmatch(name):
        return name
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def module_name(name: str) -> str:
    """Return how the program's folder and file are called: its resource's name as a Python module's."""
    return re.sub(r"[-.]", "_", resource_name(name))


def as_document(metadata: Metadata) -> dict[str, Any]:
    """Return the metadata in the official form, as far as the resource has fields for it."""
    spec: dict[str, Any] = {}
    if metadata.min_num_qubits:
        spec["backend_requirements"] = {"min_num_qubits": metadata.min_num_qubits}
    for key in SCHEMAS:
        schema = getattr(metadata, key)
        if schema and not schema.get(schemas.LIST_STYLE):
            spec[key] = schemas.with_foreign_types(schema)
    for key in ("profile", "compatibility", "validate_results"):
        if value := getattr(metadata, key):
            spec[key] = value
    document: dict[str, Any] = {"name": metadata.name}
    if metadata.description:
        document["description"] = metadata.description
    document["max_execution_time"] = metadata.max_execution_time
    if metadata.is_public:
        document["is_public"] = True
    return document | ({"spec": spec} if spec else {})


class _Reader:
    """Reads one document, noting what is wrong with it."""

    def __init__(self, document: dict[str, Any], file: str) -> None:
        self.findings: list[Finding] = []
        self._document = document
        self._file = file
        spec = document.get("spec", {})
        if not isinstance(spec, dict):
            self._error("spec", f"expected an object, got {_named(spec)}")
            spec = {}
        self._spec: dict[str, Any] = spec

    def read(self) -> Metadata:
        """Return what the document says; where that is unusable, a default beside an error."""
        self._note_unknown_keys()
        schemas_by_key = {key: self._schema(key) for key in SCHEMAS}
        self._check_size(schemas_by_key)
        return Metadata(
            name=self._name(),
            description=self._description(),
            max_execution_time=self._seconds(),
            is_public=self._is_public(),
            min_num_qubits=self._qubits(),
            **schemas_by_key,
            profile=self._profile(),
            compatibility=self._choice("compatibility", COMPATIBILITY),
            validate_results=self._choice("validate_results", VALIDATION),
            document=self._document,
            warnings=tuple(f for f in self.findings if f.level is findings.Level.WARNING),
        )

    def _error(self, field: str, message: str) -> None:
        self.findings.append(findings.error(self._file, message, field=field))

    def _warning(self, field: str, message: str) -> None:
        self.findings.append(findings.warning(self._file, message, field=field))

    def _note_unknown_keys(self) -> None:
        known_on_top = (*_TOP_LEVEL, *_IN_EITHER, *_KNOWN_BUT_KEPT)
        unknown = [key for key in self._document if key not in known_on_top]
        unknown += [f"spec.{key}" for key in self._spec if key not in _SPEC]
        for key in unknown:
            self._warning(key, "a cluster has no field for this; it is kept as an annotation")

    def _name(self) -> str:
        name = self._document.get("name")
        if name is None:
            self._error("name", "is missing")
            return ""
        if not isinstance(name, str):
            self._error("name", f"expected text, got {_named(name)}")
            return ""
        usable = resource_name(name)
        if not usable:
            self._error("name", f"{name!r} has neither a letter nor a digit to make a resource's name of")
        elif len(usable) > LONGEST_NAME:
            self._error("name", f"it has {len(usable)} characters, the limit is {LONGEST_NAME}")
        elif usable != name:
            self._warning("name", f"{name!r} is called {usable!r} in a cluster")
        return usable

    def _description(self) -> str:
        text = self._document.get("description", "")
        if text is None:
            return ""
        if not isinstance(text, str):
            self._error("description", f"expected text, got {_named(text)}")
            return ""
        if len(text) > LONGEST_DESCRIPTION:
            self._warning(
                "description",
                f"it has {len(text)} characters, a cluster shows {LONGEST_DESCRIPTION}; all are kept as an annotation",
            )
        return text[:LONGEST_DESCRIPTION]

    def _seconds(self) -> int:
        value = self._document.get("max_execution_time")
        if value is None:
            self._error("max_execution_time", "is missing: the program's time limit in seconds")
            return LONGEST_SECONDS
        seconds = _whole(value)
        if seconds is None or seconds < 1:
            self._error("max_execution_time", f"expected a whole number of seconds from 1 on, got {_shown(value)}")
            return LONGEST_SECONDS
        if seconds > LONGEST_SECONDS:
            self._warning("max_execution_time", f"{seconds} s is lowered to a cluster's limit of {LONGEST_SECONDS} s")
        return min(seconds, LONGEST_SECONDS)

    def _is_public(self) -> bool:
        value = self._document.get("is_public", False)
        if not isinstance(value, bool):
            self._error("is_public", f"expected true or false, got {_shown(value)}")
        return value is True

    def _either(self, key: str) -> tuple[str, Any]:
        """Return where a key of both forms is, and its value; None if it is nowhere."""
        if key in self._spec:
            if key in self._document:
                self._warning(key, f"it is given under spec, too; spec.{key} counts")
            return f"spec.{key}", self._spec[key]
        return key, self._document.get(key)

    def _qubits(self) -> int:
        place, requirements = self._either("backend_requirements")
        if requirements is None:
            return 0
        if not isinstance(requirements, dict):
            self._error(place, f"expected an object, got {_named(requirements)}")
            return 0
        for key in requirements.keys() - {"min_num_qubits"}:
            self._warning(f"{place}.{key}", "a cluster does not check this; it is kept as an annotation")
        value = requirements.get("min_num_qubits")
        if value is None:
            return 0
        qubits = _whole(value)
        if qubits is None or not 0 <= qubits <= MOST_QUBITS:
            expected = f"expected a whole number from 0 to {MOST_QUBITS}"
            self._error(f"{place}.min_num_qubits", f"{expected}, got {_shown(value)}")
            return 0
        return qubits

    def _schema(self, key: str) -> dict[str, Any]:
        place, value = self._either(key)
        if value is None:
            return {}
        if isinstance(value, list):
            if value:
                self._warning(place, "the list style is documentation: nothing in it is enforced")
            schema, notes = schemas.from_list(value) if value else ({}, [])
            for path, message in notes:
                self._warning(f"{place}{path}", message)
            return schema
        if not isinstance(value, dict):
            self._error(place, f"expected a JSON Schema (an object) or a list, got {_shown(value)}")
            return {}
        schema, notes = schemas.without_foreign_types(value)
        for path, message in notes:
            self._warning(f"{place}.{path}", message)
        return schema

    def _check_size(self, by_key: dict[str, dict[str, Any]]) -> None:
        size = sum(len(json.dumps(schema, sort_keys=True)) for schema in by_key.values() if schema)
        if size > SCHEMA_BYTES:
            message = f"the schemas are {size} bytes of JSON, the limit is {SCHEMA_BYTES}"
            self.findings.append(findings.error(self._file, message, reason=findings.SCHEMA_TOO_LARGE))

    def _profile(self) -> str:
        value = self._spec.get("profile")
        if value is None:
            return ""
        if not isinstance(value, str) or not _PROFILE.fullmatch(value):
            self._error("spec.profile", f"expected lower-case letters, digits and hyphens, got {_shown(value)}")
            return ""
        return value

    def _choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self._spec.get(key)
        if value is None:
            return ""
        if value not in choices:
            self._error(f"spec.{key}", f"expected one of {', '.join(choices)}, got {_shown(value)}")
            return ""
        return str(value)


def _whole(value: Any) -> int | None:
    """Return the number as an integer if it is one: JSON of other languages writes 300.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _named(value: Any) -> str:
    return {"NoneType": "null", "dict": "an object", "list": "a list", "str": "text"}.get(
        type(value).__name__, _shown(value)
    )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
