"""What is wrong with a program's files: each finding names the file, the field, and what the cluster would call it.

An error stops the program from being used; a warning says what will not be as its author may expect.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


INVALID_SPEC = "InvalidSpec"
INVALID_PROGRAM = "InvalidProgram"
INVALID_INPUT = "InvalidInput"
INVALID_RESULT = "InvalidResult"
MISSING_MODULE = "MissingModule"
ENTRYPOINT_NOT_FOUND = "EntrypointNotFound"
SOURCE_TOO_LARGE = "SourceTooLarge"
SCHEMA_TOO_LARGE = "SchemaTooLarge"
SCHEMA_NOT_APPLICABLE = "SchemaNotApplicable"
SCHEMA_TOO_EXPENSIVE = "SchemaTooExpensive"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong, in one sentence."""

    level: Level
    file: str
    """Path as the user knows it: relative to the program's folder, or the path that was given."""
    message: str
    field: str = ""
    """Where in the file, for example ``spec.parameters.properties.seed.default`` or a line number; empty: all of it."""
    reason: str = ""
    """The reason a cluster would give (`InvalidSpec`, ...); empty where it would say nothing."""

    def __str__(self) -> str:
        place = f"{self.file}: {self.field}" if self.field else self.file
        return f"{self.level}: {place}: {self.message}" + (f" ({self.reason})" if self.reason else "")


def error(file: str, message: str, *, field: str = "", reason: str = INVALID_SPEC) -> Finding:
    """Return a finding that stops the program from being used."""
    return Finding(level=Level.ERROR, file=file, message=message, field=field, reason=reason)


def warning(file: str, message: str, *, field: str = "", reason: str = "") -> Finding:
    """Return a finding about something that will not be as its author may expect."""
    return Finding(level=Level.WARNING, file=file, message=message, field=field, reason=reason)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that stop the program from being used."""
    return [finding for finding in findings if finding.level is Level.ERROR]


class ProgramError(Exception):
    """A program's files cannot be used. The tree of this package's exceptions for bad files and wrong usage ends here.

    Attributes:
        findings: Everything found, warnings included; at least one is an error.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class MetadataError(ProgramError):
    """The metadata file cannot be used."""


class FolderError(ProgramError):
    """The program file or folder cannot be used."""
