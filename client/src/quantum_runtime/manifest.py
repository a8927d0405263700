"""A program's manifest: the RuntimeProgram or ClusterRuntimeProgram that a folder becomes, and its way back.

The same folder gives the same manifest, byte for byte, with its fields in the order a person would write them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from quantum_runtime import metadata as metadata_files
from quantum_runtime import patches

if TYPE_CHECKING:
    from quantum_runtime.folder import ProgramFolder
    from quantum_runtime.metadata import Metadata

API_VERSION = "quantumruntime.dev/v1alpha1"
PRIVATE = "RuntimeProgram"
PUBLIC = "ClusterRuntimeProgram"

METADATA_ANNOTATION = "quantumruntime.dev/metadata"
"""What the metadata file says beyond, or other than, the resource's fields: a JSON Patch from these to the file."""

_FIELDS = (
    ("parameters", "parameters"),
    ("returnValues", "return_values"),
    ("interimResults", "interim_results"),
    ("validateResults", "validate_results"),
    ("compatibility", "compatibility"),
)
"""Field of the resource, field of `Metadata`, in the order in which they are written."""


def program_manifest(
    program: ProgramFolder, *, public: bool | None = None, namespace: str | None = None
) -> dict[str, Any]:
    """Return the program's manifest.

    Args:
        program: What to make it of.
        public: Whether it goes to the cluster's catalogue; None: as its metadata say (``is_public``).
        namespace: Written into a private program's manifest; None: left to whoever applies it.

    Raises:
        ValueError: a public program is given a namespace; it has none.
    """
    about = program.metadata if public is None else program.metadata.published(public=public)
    if about.is_public and namespace:
        raise ValueError(f"a {PUBLIC} has no namespace, {namespace!r} was given")
    head: dict[str, Any] = {"name": program.name}
    if namespace:
        head["namespace"] = namespace
    if kept := about.kept():
        head["annotations"] = {METADATA_ANNOTATION: json.dumps(kept, ensure_ascii=False)}
    return {
        "apiVersion": API_VERSION,
        "kind": PUBLIC if about.is_public else PRIVATE,
        "metadata": head,
        "spec": _spec(about) | _source(program),
    }


def metadata_document(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata file that a program's manifest was made of.

    For a resource that was never a file it is the official form of what its fields say.

    Raises:
        ValueError: the annotation with the file's other parts is damaged.
    """
    spec = manifest.get("spec", {})
    about = metadata_files.Metadata(
        name=manifest["metadata"]["name"],
        description=spec.get("description", ""),
        max_execution_time=spec["maxExecutionTimeSeconds"],
        is_public=manifest.get("kind") == PUBLIC,
        min_num_qubits=spec.get("backendRequirements", {}).get("minNumQubits", 0),
        profile=spec.get("profile", ""),
        **{ours: spec[theirs] for theirs, ours in _FIELDS if theirs in spec},
    )
    kept = json.loads(manifest["metadata"].get("annotations", {}).get(METADATA_ANNOTATION, "[]"))
    return patches.apply(metadata_files.as_document(about), kept)


def to_yaml(*manifests: dict[str, Any]) -> str:
    """Return manifests as one YAML stream, with sources as literal blocks."""
    return yaml.dump_all(
        manifests, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, explicit_start=len(manifests) > 1
    )


def _spec(about: Metadata) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    if about.description:
        spec["description"] = about.description
    spec["maxExecutionTimeSeconds"] = about.max_execution_time
    if about.profile:
        spec["profile"] = about.profile
    if about.min_num_qubits:
        spec["backendRequirements"] = {"minNumQubits": about.min_num_qubits}
    for theirs, ours in _FIELDS:
        if value := getattr(about, ours):
            spec[theirs] = value
    return spec


def _source(program: ProgramFolder) -> dict[str, Any]:
    if len(program.files) == 1 and program.files[program.entrypoint]:
        source: dict[str, Any] = {"inline": program.files[program.entrypoint]}
    else:
        source = {"files": dict(program.files)}
    return {"entrypoint": program.entrypoint, "source": source}


_OTHER_LINE_ENDS = frozenset("\x85\u2028\u2029")

_READ_DIFFERENTLY = re.compile(r"[yYnN]|[-+]?[.]?[0-9].*")
"""Texts that PyYAML writes without quotes, and kubectl reads as booleans (``y``) or numbers (``1e3``, ``0o7``)."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as literal blocks, and no anchors: people read and edit this."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _READ_DIFFERENTLY.fullmatch(text) else None
    if not _OTHER_LINE_ENDS.isdisjoint(text):
        style = '"'  # in a block, a reader of YAML 1.1 would take these for the end of a line, and normalise it
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
