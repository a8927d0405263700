"""The custom resources' specs as types. The CRDs in ``crds/`` are the source of truth; a contract test compares both.

Unknown fields are ignored here: the API server has already refused or pruned them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Phase(StrEnum):
    """Where a job is. The last three are terminal and final."""

    QUEUED = "Queued"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def terminal(self) -> bool:
        """Whether a job in this phase never changes again."""
        return self in (Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED)


class ProgramKind(StrEnum):
    """Where a job's program is: in the job's namespace, or in the public catalogue."""

    NAMESPACED = "RuntimeProgram"
    CLUSTER = "ClusterRuntimeProgram"


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class ValidateResults(StrEnum):
    """What becomes of a result that violates its program's schema."""

    IGNORE = "Ignore"
    WARN = "Warn"
    ENFORCE = "Enforce"


class Compatibility(StrEnum):
    """Which earlier Qiskit's names are restored for a program."""

    NONE = "None"
    QISKIT_0 = "Qiskit0"


class KeyToPath(_Model):
    """Which file a key of a ConfigMap is."""

    key: str
    path: str


class ConfigMapRef(_Model):
    """A ConfigMap in the program's own namespace; each key is a file, or those that are listed."""

    name: str
    items: tuple[KeyToPath, ...] = ()


class ProgramSource(_Model):
    """Exactly one of three ways to give a program's files."""

    inline: str | None = None
    files: dict[str, str] | None = None
    config_map_ref: ConfigMapRef | None = None


class BackendRequirements(_Model):
    """What a program needs of its backend."""

    min_num_qubits: int | None = None


class ProgramSpec(_Model):
    """Of RuntimeProgram and ClusterRuntimeProgram."""

    description: str = ""
    max_execution_time_seconds: int
    source: ProgramSource
    entrypoint: str = "main.py"
    profile: str | None = None
    compatibility: Compatibility = Compatibility.NONE
    backend_requirements: BackendRequirements = BackendRequirements()
    parameters: dict[str, Any] = Field(default_factory=dict)
    return_values: dict[str, Any] = Field(default_factory=dict)
    interim_results: dict[str, Any] = Field(default_factory=dict)
    validate_results: ValidateResults = ValidateResults.WARN

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The JSON Schemas that say anything, by the field they are in."""
        named = {
            "parameters": self.parameters,
            "returnValues": self.return_values,
            "interimResults": self.interim_results,
        }
        return {name: schema for name, schema in named.items() if schema}


class ProgramRef(_Model):
    """Which program a job runs; never one of another namespace."""

    kind: ProgramKind = ProgramKind.NAMESPACED
    name: str


class Ttl(_Model):
    """How long things are kept after a job's end, in seconds; None keeps them."""

    pod_seconds: int = 60
    job_seconds: int | None = None


class JobSpec(_Model):
    """Of RuntimeJob."""

    program_ref: ProgramRef
    inputs: dict[str, Any] = Field(default_factory=dict)
    backend: str | None = None
    max_execution_time_seconds: int | None = None
    start_deadline_seconds: int | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    tags: tuple[str, ...] = ()
    suspend: bool = False
    cancel: bool = False
    ttl: Ttl = Ttl()


class RunnerPoolSpec(_Model):
    """Of RunnerPool."""

    profile: str | None = None
    replicas: int = 1
    low_watermark: int | None = None
    """Below so many pods, started or starting, they are replaced also while jobs start; None: half of ``replicas``."""
    max_age_seconds: int = 86400
    scale_to_zero_after_seconds: int | None = None


class BackendSpec(_Model):
    """Of RuntimeBackend: exactly one way to build a backend, passed to the runner as it stands."""

    aer: dict[str, Any] | None = None
    fake: dict[str, Any] | None = None
    generic: dict[str, Any] | None = None
    custom: dict[str, Any] | None = None
