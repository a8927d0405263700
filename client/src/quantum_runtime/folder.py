"""A program as its author keeps it: one Python file, or a folder.

A folder is ``<program_name>/`` with ``<program_name>.py`` (the entrypoint, which has ``main``), ``<program_name>.json``
(metadata), ``examples/*.json`` (each the inputs of one run) and tests. Every other text file in it or below it belongs
to the program and travels with it; examples, tests, caches, hidden files and manifests (YAML) stay at home.

A Python file given by itself brings the metadata file of the same name beside it, if there is one. The entrypoint of a
folder stands for the folder.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantum_runtime import findings
from quantum_runtime.findings import Finding, FolderError, MetadataError
from quantum_runtime.inputs import INPUT_BYTES
from quantum_runtime.metadata import FILE_BYTES, Metadata, from_document, module_name, read_json, resource_name

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE_BYTES = 750 * 1024
"""All files together: the operator's ``limits.sourceBytes``, unless the platform team has changed it."""

MOST_FILES = 128
LONGEST_PATH = 253

EXAMPLES = "examples"
_LEFT_OUT_FOLDERS = frozenset({EXAMPLES, "tests", "test", "__pycache__", "build", "dist", "node_modules", "venv"})
_LEFT_OUT_SUFFIXES = (".yaml", ".yml", ".pyc", ".pyo", ".egg-info", "~", ".swp", ".orig")
_TEST = re.compile(r"(test_.*|.*_test|conftest)\.py")
_PATH = re.compile(r"([.]?[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[.]?[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class ProgramFolder:
    """A program that has been read."""

    path: Path
    """The file or folder."""
    name: str
    """Of its resource."""
    metadata: Metadata
    files: dict[str, str]
    """Relative POSIX path -> text, sorted; the entrypoint among them."""
    entrypoint: str
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name of the example (its file's, without ``.json``) -> inputs, as (tagged) JSON; sorted."""
    metadata_file: str = ""
    """Its name, for findings; empty if there is none."""
    warnings: tuple[Finding, ...] = ()
    """The metadata's among them."""


def read(path: Path | str) -> ProgramFolder:
    """Return the program in a file or a folder.

    Raises:
        FolderError: it cannot be used; everything found is in there.
    """
    program, found = inspect(path)
    if program is None or findings.errors(found):
        raise FolderError(found)
    return program


def inspect(path: Path | str) -> tuple[ProgramFolder | None, list[Finding]]:
    """Return the program as far as it can be read, None if there is too little, and everything found."""
    path = Path(path)
    reader = _Reader(path)
    try:
        return reader.read(), reader.findings
    except FolderError as error:
        return None, [*reader.findings, *error.findings]
    except OSError as error:
        return None, [
            *reader.findings,
            findings.error(str(error.filename or path), f"cannot be read: {error.strerror}"),
        ]


class _Reader:
    """Reads one program, noting what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.findings: list[Finding] = []
        self._given = path
        self._bytes = 0

    def read(self) -> ProgramFolder:
        """Return the program.

        Raises:
            FolderError: there is no program here.
        """
        path = self._given
        if path.is_file():
            if path.suffix != ".py":
                raise FolderError(
                    [findings.error(str(path), "a program is a folder or a file that ends in .py", reason="")]
                )
            if module_name(path.resolve().parent.name) != path.stem:
                return self._one_file(path)
            path = path.parent
        if not path.is_dir():
            raise FolderError([findings.error(str(path), "there is no such file or folder", reason="")])
        return self._folder(path)

    def _one_file(self, path: Path) -> ProgramFolder:
        files: dict[str, str] = {}
        self._add(files, path, path.name)
        beside = path.with_suffix(".json")
        return self._program(path, path.name, files, beside if beside.is_file() else None)

    def _folder(self, path: Path) -> ProgramFolder:
        entrypoint, metadata_file = self._find_entrypoint(path)
        files: dict[str, str] = {}
        own = (file for file in self._walk(path) if file != metadata_file)
        for number, file in enumerate(own):
            if number == MOST_FILES:
                self._error(str(path), f"it has more files than the {MOST_FILES} a program can have")
                break
            if self._bytes > SOURCE_BYTES:
                break
            self._add(files, file, file.relative_to(path).as_posix())
        return self._program(path, entrypoint, files, metadata_file)

    def _program(self, path: Path, entrypoint: str, files: dict[str, str], metadata_file: Path | None) -> ProgramFolder:
        if self._bytes > SOURCE_BYTES:
            message = f"the source is {self._bytes} bytes or more, the limit is {SOURCE_BYTES}"
            self.findings.append(findings.error(str(path), message, reason=findings.SOURCE_TOO_LARGE))
        metadata = self._metadata(path, entrypoint, metadata_file)
        examples = self._examples(path / EXAMPLES) if path.is_dir() else {}
        return ProgramFolder(
            path=path,
            name=metadata.name,
            metadata=metadata,
            files=dict(sorted(files.items())),
            entrypoint=entrypoint,
            examples=examples,
            metadata_file=metadata_file.name if metadata_file else "",
            warnings=tuple(f for f in self.findings if f.level is findings.Level.WARNING),
        )

    def _find_entrypoint(self, path: Path) -> tuple[str, Path | None]:
        """Return the entrypoint's name and the metadata file, by the folder's name or because there is but one."""
        sources = sorted(file.name for file in path.glob("*.py") if not _TEST.fullmatch(file.name))
        wanted = f"{module_name(path.resolve().name)}.py"
        fallback = ["main.py"] if "main.py" in sources else sources if len(sources) == 1 else []
        found = [wanted] if wanted in sources else fallback
        if not found:
            there = ", ".join(sources[:10]) or "no Python file at all"
            message = f"there is neither {wanted} nor main.py among its files: {there}"
            raise FolderError([findings.error(str(path), message, reason=findings.ENTRYPOINT_NOT_FOUND)])
        by_name = [path / f"{Path(wanted).stem}.json", path / f"{Path(found[0]).stem}.json", path / "metadata.json"]
        return found[0], next((file for file in by_name if file.is_file()), None)

    def _walk(self, folder: Path) -> Iterator[Path]:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path = Path(entry.path)
            name = entry.name
            if name.startswith(".") or name.endswith(_LEFT_OUT_SUFFIXES):
                continue
            shown = path.relative_to(self._root).as_posix()
            if entry.is_symlink() and self._leads_away(path, shown):
                continue
            if entry.is_dir():
                if name not in _LEFT_OUT_FOLDERS and not (path / "pyvenv.cfg").exists():
                    yield from self._walk(path)
            elif not entry.is_file():
                self._error(shown, "it is neither a file nor a folder")
            elif not _TEST.fullmatch(name):
                yield path

    def _leads_away(self, path: Path, shown: str) -> bool:
        """Refuse links that would put something of the machine into the program, or a folder into itself."""
        if not path.exists():
            self._error(shown, "it is a symbolic link to nothing")
        elif not path.resolve().is_relative_to(self._root.resolve()):
            self._error(shown, "it is a symbolic link to a place outside the program's folder")
        elif path.is_dir():
            self._error(shown, "it is a symbolic link to a folder; link single files instead")
        else:
            return False
        return True

    @property
    def _root(self) -> Path:
        return self._given if self._given.is_dir() else self._given.parent

    def _add(self, files: dict[str, str], path: Path, shown: str) -> None:
        """Read one file, if it can be part of a program."""
        if len(shown) > LONGEST_PATH or not _PATH.fullmatch(shown):
            allowed = f"letters, digits, '_', '-' and '.' between '/', at most {LONGEST_PATH} characters"
            self._error(shown, f"its path has to be of {allowed}")
            return
        self._bytes += path.stat().st_size
        if self._bytes > SOURCE_BYTES:
            return
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError as error:
            problem = f"it is not UTF-8 text ({error.reason} at byte {error.start}); a program has text files only"
            self._error(shown, problem)
            return
        files[shown] = text

    def _metadata(self, path: Path, entrypoint: str, metadata_file: Path | None) -> Metadata:
        name = path.stem if path.is_file() else path.resolve().name
        name = resource_name(name) or resource_name(Path(entrypoint).stem) or "program"
        if metadata_file is None:
            if path.is_dir():
                missing = f"there is no metadata file {module_name(name)}.json; defaults are used"
                self.findings.append(findings.warning(str(path), missing))
            return Metadata(name=name)
        file = metadata_file.name
        try:
            metadata = from_document(read_json(metadata_file, file, limit=FILE_BYTES), file=file)
        except MetadataError as error:
            self.findings += error.findings
            return Metadata(name=name)
        self.findings += metadata.warnings
        return metadata

    def _examples(self, folder: Path) -> dict[str, dict[str, Any]]:
        examples: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.glob("*.json")):
            shown = f"{EXAMPLES}/{path.name}"
            try:
                inputs = read_json(path, shown, limit=4 * INPUT_BYTES)
            except MetadataError as error:
                self.findings += error.findings
                continue
            if isinstance(inputs, dict):
                examples[path.stem] = inputs
            else:
                self._error(shown, "expected an object: input name -> value")
        return examples

    def _error(self, file: str, message: str) -> None:
        self.findings.append(findings.error(file, message))
