"""From a folder of programs to the manifests that a cluster follows: one file per program and catalogue.

``catalog.yaml`` in the folder says which catalogue each program is published to; programs in a catalogue are public
(`ClusterRuntimeProgram`). Without that file there are no catalogues, and programs are private (`RuntimeProgram`) unless
their metadata say ``is_public``. What is rendered goes to ``manifests/`` in the folder: the same programs give the same
files, byte for byte. Files that were rendered earlier and are no more are removed; files that others have put there are
not touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quantum_runtime import findings, folder
from quantum_runtime.findings import Finding, ProgramError
from quantum_runtime.manifest import program_manifest, to_yaml

CATALOG_FILE = "catalog.yaml"
MANIFESTS = "manifests"
CATALOG_LABEL = "quantumruntime.dev/catalog"
PART_OF_LABEL = "app.kubernetes.io/part-of"

HEADER = "# Rendered by `quantum-runtime render`: change the program, not this file.\n"
"""First line of every rendered file, by which an earlier one is known."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_FIELDS = ("partOf", "catalogs", "default", "programs")


class CatalogError(ProgramError):
    """The catalogue or one of its programs cannot be rendered; everything found is in there."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """What ``catalog.yaml`` says."""

    part_of: str = ""
    """The label ``app.kubernetes.io/part-of`` of every manifest; empty: none."""
    catalogs: tuple[str, ...]
    """Their names; each becomes a folder."""
    default: tuple[str, ...] = ()
    """Where a program goes that is not named."""
    programs: dict[str, tuple[str, ...]]
    """Name of the program -> where it goes; empty: nowhere, on purpose."""

    def of(self, program: str) -> tuple[str, ...]:
        """Return the catalogues of a program."""
        return self.programs.get(program, self.default)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One file that is not as it would be rendered."""

    path: str
    """Relative to the folder of programs."""
    what: str
    """``missing``, ``different`` or ``stale`` (rendered earlier, and no more)."""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


def load(path: Path) -> Catalog:
    """Return what a catalogue file says.

    Raises:
        CatalogError: it cannot be read or is not a catalogue.
    """
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise CatalogError([findings.error(str(path), f"cannot be read: {error.strerror}")]) from None
    except yaml.YAMLError as error:
        raise CatalogError([findings.error(str(path), f"it is not YAML: {' '.join(str(error).split())}")]) from None
    return _Reader(str(path), document).read()


def programs_in(path: Path) -> list[Path]:
    """Return the folders in this one that hold a program, by name."""
    return sorted(
        entry
        for entry in path.iterdir()
        if entry.is_dir() and entry.name != MANIFESTS and not entry.name.startswith((".", "_")) and has_source(entry)
    )


def has_source(path: Path) -> bool:
    """Return whether a folder has Python files of its own, other than tests."""
    return any(not re.fullmatch(r"(test_.*|.*_test|conftest)\.py", file.name) for file in path.glob("*.py"))


def render(path: Path) -> dict[str, str]:
    """Return the files that a folder of programs is rendered to: path relative to it -> text.

    Raises:
        CatalogError: the catalogue or a program cannot be used, or a name in the catalogue is nobody's.
    """
    file = path / CATALOG_FILE
    catalog = load(file) if file.exists() else None
    programs, found = _read_programs(path)
    if catalog is not None:
        unknown = sorted(catalog.programs.keys() - programs.keys())
        found += [
            findings.error(str(file), f"there is no program of this name in {path}", field=f"programs.{name}")
            for name in unknown
        ]
    if findings.errors(found):
        raise CatalogError(found)
    if catalog is None:
        return _one_folder(f"{MANIFESTS}/", {name: program_manifest(it) for name, it in programs.items()})
    rendered: dict[str, str] = {}
    for name in catalog.catalogs:
        labels = {CATALOG_LABEL: name} | ({PART_OF_LABEL: catalog.part_of} if catalog.part_of else {})
        members = {key: _labelled(it, labels) for key, it in programs.items() if name in catalog.of(key)}
        rendered |= _one_folder(f"{MANIFESTS}/{name}/", members)
    return rendered


def compare(path: Path, rendered: dict[str, str]) -> list[Difference]:
    """Return how the files in a folder of programs differ from what they would be rendered to.

    Raises:
        CatalogError: a file that somebody else has written is in the way.
    """
    differences, in_the_way = [], []
    for name, text in sorted(rendered.items()):
        there = _text(path / name)
        if there is None:
            differences.append(Difference(path=name, what="missing"))
        elif not there.startswith(HEADER):
            in_the_way.append(
                findings.error(name, "it was not rendered, and a rendered file would replace it: move it")
            )
        elif there != text:
            differences.append(Difference(path=name, what="different"))
    if in_the_way:
        raise CatalogError(in_the_way)
    for file in sorted((path / MANIFESTS).rglob("*.yaml")):
        name = file.relative_to(path).as_posix()
        if name not in rendered and (_text(file) or "").startswith(HEADER):
            differences.append(Difference(path=name, what="stale"))
    return differences


def write(path: Path, rendered: dict[str, str], differences: list[Difference]) -> None:
    """Make a folder's files what was rendered; only what differs is touched."""
    for difference in differences:
        file = path / difference.path
        if difference.what == "stale":
            file.unlink()
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(rendered[difference.path].encode())


def _read_programs(path: Path) -> tuple[dict[str, folder.ProgramFolder], list[Finding]]:
    programs: dict[str, folder.ProgramFolder] = {}
    found: list[Finding] = []
    for place in programs_in(path):
        program, about = folder.inspect(place)
        found += [_in_folder(finding, place.name) for finding in findings.errors(about)]
        if program is None:
            continue
        if program.name in programs:
            other = programs[program.name].path.name
            found.append(findings.error(place.name, f"its name {program.name!r} is that of {other}, too", field="name"))
        programs[program.name] = program
    if not programs and not found:
        found.append(findings.error(str(path), "there is no program in it: each is a folder with a Python file"))
    return programs, found


def _in_folder(finding: Finding, place: str) -> Finding:
    file = finding.file if place in Path(finding.file).parts else f"{place}/{finding.file}"
    return findings.error(file, finding.message, field=finding.field, reason=finding.reason)


def _labelled(program: folder.ProgramFolder, labels: dict[str, str]) -> dict[str, Any]:
    manifest = program_manifest(program, public=True)
    head = manifest["metadata"]
    head = {"name": head["name"], "labels": dict(sorted(labels.items()))} | head
    return manifest | {"metadata": head}


def _one_folder(place: str, manifests: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return a folder that kustomize, Argo CD and Flux apply as it is."""
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{name}.yaml" for name in sorted(manifests)],
    }
    files = {f"{place}{name}.yaml": HEADER + to_yaml(manifest) for name, manifest in manifests.items()}
    return files | {f"{place}kustomization.yaml": HEADER + to_yaml(kustomization)}


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None


class _Reader:
    """Reads a catalogue, noting everything that is wrong with it."""

    def __init__(self, file: str, document: Any) -> None:
        self._file, self._document = file, document
        self._found: list[Finding] = []

    def read(self) -> Catalog:
        """Return the catalogue.

        Raises:
            CatalogError: it is none.
        """
        if not isinstance(self._document, dict):
            self._error("", "expected an object with catalogs and programs")
            raise CatalogError(self._found)
        for key in self._document.keys() - set(_FIELDS):
            self._error(str(key), f"there is no such field; there are {', '.join(_FIELDS)}")
        catalogs = self._names("catalogs", self._document.get("catalogs"))
        if not catalogs and not self._found:
            self._error("catalogs", "expected at least one name")
        part_of = self._document.get("partOf", "")
        if part_of and not (isinstance(part_of, str) and _LABEL.fullmatch(part_of)):
            self._error("partOf", f"expected a label of small letters, digits and hyphens, got {part_of!r}")
        default = self._members("default", self._document.get("default", []), catalogs)
        programs = self._document.get("programs", {})
        if not isinstance(programs, dict):
            self._error("programs", "expected an object: name of a program -> list of catalogues")
            programs = {}
        members = {str(key): self._members(f"programs.{key}", value, catalogs) for key, value in programs.items()}
        if self._found:
            raise CatalogError(self._found)
        return Catalog(part_of=part_of, catalogs=catalogs, default=default, programs=members)

    def _names(self, field: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            self._error(field, f"expected a list of names, got {value!r}")
            return ()
        for index, name in enumerate(value):
            if not (isinstance(name, str) and _LABEL.fullmatch(name)):
                self._error(field, f"expected names of small letters, digits and hyphens, got {name!r}")
            elif name in value[:index]:
                self._error(field, f"{name!r} is in it twice")
        return tuple(name for name in value if isinstance(name, str))

    def _members(self, field: str, value: Any, catalogs: tuple[str, ...]) -> tuple[str, ...]:
        names = self._names(field, value)
        for name in names:
            if name not in catalogs:
                self._error(field, f"there is no catalogue {name!r}; there are {', '.join(catalogs) or 'none'}")
        return names

    def _error(self, field: str, message: str) -> None:
        self._found.append(findings.error(self._file, message, field=field))
