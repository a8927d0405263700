"""From what a user has of a program to its resource: what is uploaded, updated and published.

It reads files and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from quantum_runtime import findings, folder, manifest
from quantum_runtime import metadata as metadata_files
from quantum_runtime.exceptions import IBMInputValueError
from quantum_runtime.findings import MetadataError
from quantum_runtime.folder import ProgramFolder
from quantum_runtime.service.program import metadata_document
from quantum_runtime.service.user_warnings import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from quantum_runtime.cluster.api import Object
    from quantum_runtime.metadata import Metadata

_IS_SOURCE = "def main("
"""What tells source text from a path."""

_REQUIRED = ("name", "max_execution_time")

_LEFT_BEHIND = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation with the object as kubectl has applied it, which it is not any more."""

_FROM_METADATA = {
    "description": "description",
    "max_execution_time": "maxExecutionTimeSeconds",
    "backend_requirements": "backendRequirements",
    "parameters": "parameters",
    "return_values": "returnValues",
    "interim_results": "interimResults",
    "profile": "profile",
    "compatibility": "compatibility",
    "validate_results": "validateResults",
}
"""Key of a metadata file, wherever it stands there -> field of the resource's spec that is made of it."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A program's files."""

    files: dict[str, str]
    entrypoint: str
    """Empty: of the text given in the place of a file."""
    document: dict[str, Any]
    """Metadata file that came with them; empty if none did."""
    shown: str
    """How messages call it."""
    name: str = ""
    """What the file or folder is called, as a program's name; empty for a text."""

    @property
    def text(self) -> str:
        """The text given in the place of a file."""
        return self.files[self.entrypoint]


class Update(NamedTuple):
    """What is to change of a program."""

    document: dict[str, Any]
    """Some keys of a metadata file."""
    shown: str
    """How messages call it."""
    source: Source | None
    """None: it stays."""


def prepare_upload(data: Any, metadata: Any, namespace: str) -> Object:
    """Return the resource of a program that is uploaded; see `RuntimeService.upload_program`.

    Raises:
        IBMInputValueError: source or metadata cannot be used.
    """
    document, shown = read_document(metadata)
    source = read_source(data, metadata_given=metadata is not None)
    return new_program(source, document, shown=shown, namespace=namespace)


def prepare_update(data: Any, metadata: Any, **values: Any) -> Update | None:
    """Return what is to change; None if nothing was given. See `RuntimeService.update_program`.

    Raises:
        IBMInputValueError: source or metadata cannot be used.
    """
    document, shown = read_document(metadata)
    document = merged(document, {key: value for key, value in values.items() if value is not None})
    if data is None and not document:
        return None
    return Update(document, shown, None if data is None else read_source(data, metadata_given=True))


def read_source(data: Any, *, metadata_given: bool) -> Source:
    """Return a program's source.

    Args:
        data: Source text, if it contains ``def main(``; otherwise the path of a file or a folder.
        metadata_given: The metadata that come with it are not the only ones: what is wrong with them does not matter.

    Raises:
        IBMInputValueError: it cannot be used; every problem is named.
    """
    if isinstance(data, str) and _IS_SOURCE in data:
        size = len(data.encode(errors="replace"))
        if size > folder.SOURCE_BYTES:
            raise IBMInputValueError(f"the source is {size} bytes, the limit is {folder.SOURCE_BYTES}")
        return Source(files={"": data}, entrypoint="", document={}, shown="metadata")
    if not isinstance(data, str | Path):
        expected = f"expected source text that contains {_IS_SOURCE!r}, or a path"
        raise IBMInputValueError(f"data is of type {type(data).__name__}, {expected}")
    program, found = folder.inspect(data)
    if program is None or (serious := _serious(found, program, metadata_given=metadata_given)):
        problems = findings.errors(found) if program is None else serious
        hint = "" if program else f" (data is taken for a path, because it does not contain {_IS_SOURCE!r})"
        raise IBMInputValueError("\n".join(str(problem) for problem in problems) + hint)
    return Source(
        files=program.files,
        entrypoint=program.entrypoint,
        document=program.metadata.document,
        shown=program.metadata_file or "metadata",
        name=metadata_files.resource_name(Path(data).resolve().stem),
    )


def read_document(metadata: Any) -> tuple[dict[str, Any], str]:
    """Return the metadata that a user has given, and how messages call them.

    Args:
        metadata: None, a mapping, or the path of a JSON file.

    Raises:
        IBMInputValueError: it is none of these, or the file cannot be read.
    """
    if metadata is None:
        return {}, "metadata"
    if isinstance(metadata, Mapping):
        return dict(metadata), "metadata"
    if not isinstance(metadata, str | Path):
        expected = "expected a dictionary or the path of a JSON file"
        raise IBMInputValueError(f"metadata is of type {type(metadata).__name__}, {expected}")
    try:
        document = metadata_files.read_json(Path(metadata), str(metadata), limit=metadata_files.FILE_BYTES)
    except MetadataError as error:
        raise IBMInputValueError(str(error)) from None
    if not isinstance(document, dict):
        raise IBMInputValueError(f"{metadata}: expected an object, got {type(document).__name__}")
    return document, str(metadata)


def new_program(source: Source, document: Mapping[str, Any], *, shown: str, namespace: str) -> Object:
    """Return the resource of a program that is uploaded.

    Args:
        source: Its files, and the metadata that came with them.
        document: The metadata given besides; a key of it wins.
        shown: How messages call them.
        namespace: Where it goes, if it is private.

    Raises:
        IBMInputValueError: the metadata cannot be used, or lack something that is required.
    """
    whole = merged(source.document, document)
    if source.name:
        whole.setdefault("name", source.name)
    for key in _REQUIRED:
        if not whole.get(key):
            raise IBMInputValueError(f"{key} is a required metadata field.")
    about = _metadata(whole, shown if document else source.shown)
    for warning in _texts(about.warnings):
        warn(warning)
    entrypoint = source.entrypoint or f"{metadata_files.module_name(about.name)}.py"
    files = source.files if source.entrypoint else {entrypoint: source.text}
    program = _folder(about, files, entrypoint)
    return manifest.program_manifest(program, namespace=None if about.is_public else namespace)


def changed_program(body: Object, update: Update) -> tuple[Object, list[str]]:
    """Return a program's resource with new metadata and a new source, and what its author should be warned of.

    What is not given stays as it is: fields that no metadata file has, labels, annotations, and the resource version,
    which guards against overwriting somebody else's change.

    Args:
        body: The resource as it is.
        update: What changes. Of its metadata those under ``spec`` count one by one; the source's own do not count.

    Raises:
        IBMInputValueError: the metadata cannot be used, or would rename the program.
    """
    document, shown, source = update
    public, name = body["kind"] == manifest.PUBLIC, body["metadata"]["name"]
    warnings = []
    if "is_public" in document and bool(document["is_public"]) is not public:
        warnings.append(f"is_public is not changed by an update; change the visibility of {name!r} instead")
    kept = {key: value for key, value in document.items() if key != "is_public"}
    about = _metadata(merged(metadata_document(body), kept), shown).published(public=public)
    if about.name != name:
        advice = "a program keeps its name: upload it under the new one, and delete the old one"
        raise IBMInputValueError(f"{name!r} cannot be renamed to {about.name!r}; {advice}")
    warnings += _texts(finding for finding in about.warnings if _top(finding.field) in kept)
    made = manifest.program_manifest(_folder(about, {"main.py": "-"}, "main.py"))
    spec = dict(body["spec"])
    for field in (_FROM_METADATA[key] for key in _keys(kept) if key in _FROM_METADATA):
        spec.pop(field, None)
        if field in made["spec"]:
            spec[field] = made["spec"][field]
    if source is not None:
        entrypoint = source.entrypoint or spec.get("entrypoint", "main.py")
        files = source.files if source.entrypoint else {entrypoint: source.text}
        made_of = manifest.program_manifest(_folder(about, files, entrypoint))["spec"]
        spec |= {"entrypoint": entrypoint, "source": made_of["source"]}
    return {**body, "metadata": _annotated(body["metadata"], made), "spec": spec}, warnings


def replaced_program(body: Object, new: Object) -> Object:
    """Return a program's resource with all that an upload makes in the place of what was there.

    What no upload makes stays: labels, annotations of others, and the resource version.

    Args:
        body: The resource as it is.
        new: The one that is uploaded.
    """
    return {**body, "metadata": _annotated(body["metadata"], new), "spec": new["spec"]}


def moved_program(body: Object, *, public: bool, namespace: str) -> Object:
    """Return a program's resource as it is with the other visibility.

    Raises:
        IBMInputValueError: its source is in a ConfigMap, and what is public can have no such source.
    """
    name = body["metadata"]["name"]
    if public and "configMapRef" in body["spec"]["source"]:
        there = body["spec"]["source"]["configMapRef"].get("name")
        advice = "a public program holds its source itself: upload it from its files, with is_public"
        raise IBMInputValueError(f"{name!r} cannot be made public, its source is in the ConfigMap {there!r}; {advice}")
    about = _metadata(metadata_document(body), "metadata").published(public=public)
    made = manifest.program_manifest(_folder(about, {"main.py": "-"}, "main.py"))
    old = body["metadata"]
    annotations = {key: value for key, value in (old.get("annotations") or {}).items() if key != _LEFT_BEHIND}
    head = {"name": name, "labels": old.get("labels"), "annotations": annotations}
    head |= {} if public else {"namespace": namespace}
    head = {key: value for key, value in head.items() if value}
    return {**made, "metadata": _annotated(head, made), "spec": body["spec"]}


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return a metadata document with the keys of another one put into it, those under ``spec`` one by one.

    A key that moves between the two styles, ``parameters`` and ``spec.parameters``, counts where it is new.
    """
    new_spec = new.get("spec", {})
    if not isinstance(new_spec, Mapping):
        return {**old, **new}  # is told to be wrong when it is read
    in_new = _keys(new)
    old_spec = old["spec"] if isinstance(old.get("spec"), Mapping) else {}
    spec = {key: value for key, value in old_spec.items() if key not in in_new} | dict(new_spec)
    top = {key: value for key, value in old.items() if key not in in_new and key != "spec"}
    return top | {key: value for key, value in new.items() if key != "spec"} | ({"spec": spec} if spec else {})


def same_program(body: Object) -> Callable[[Object], bool]:
    """Return what recognises a program that was made of this resource: it says the same, with defaults besides."""

    def is_same(there: Object) -> bool:
        return all(there.get("spec", {}).get(field) == value for field, value in body["spec"].items())

    return is_same


def _keys(document: Mapping[str, Any]) -> list[str]:
    """Return the keys of a document, those under ``spec`` among them."""
    below = document.get("spec", {})
    return [key for key in document if key != "spec"] + (list(below) if isinstance(below, Mapping) else [])


def _metadata(document: dict[str, Any], shown: str) -> Metadata:
    try:
        return metadata_files.from_document(document, file=shown)
    except MetadataError as error:
        raise IBMInputValueError("\n".join(map(str, findings.errors(error.findings)))) from None


def _folder(about: Metadata, files: dict[str, str], entrypoint: str) -> ProgramFolder:
    return ProgramFolder(path=Path(), name=about.name, metadata=about, files=files, entrypoint=entrypoint)


def _annotated(head: dict[str, Any], made: Object) -> dict[str, Any]:
    """Return a resource's metadata with another one's annotation, which keeps the rest of its metadata file."""
    old = {k: v for k, v in (head.get("annotations") or {}).items() if k != manifest.METADATA_ANNOTATION}
    annotations = old | made["metadata"].get("annotations", {})
    rest = {key: value for key, value in head.items() if key != "annotations"}
    return rest | ({"annotations": annotations} if annotations else {})


def _serious(
    found: Iterable[findings.Finding], program: ProgramFolder, *, metadata_given: bool
) -> list[findings.Finding]:
    of_no_matter = program.metadata_file if metadata_given else None
    return [one for one in findings.errors(found) if one.file != of_no_matter]


def _texts(warnings: Iterable[findings.Finding]) -> list[str]:
    return [str(warning).removeprefix("warning: ") for warning in warnings]


def _top(field: str) -> str:
    return field.partition(".")[0].partition("[")[0]
