"""The operator's configuration: one YAML file, written by the platform team through the chart.

Everything a job must not choose for itself is here: images, resources, ceilings. A file with an unknown or impossible
setting stops the operator at start-up with the setting's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from runtime_runner.contract import PAYLOAD_BYTES

if TYPE_CHECKING:
    from pathlib import Path


class ConfigError(ValueError):
    """The configuration file cannot be used; the message names the settings."""


class _Settings(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class Profile(_Settings):
    """What a runner pod is made of: the only source of pod fields. Programs name a profile, jobs cannot."""

    image: str
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    """Instead of the image's entrypoint; empty: the image's own."""
    cpu: str = "2"
    """CPU limit, as a Kubernetes quantity. Supervisor and worker start side by side: with one CPU a start takes 0.1 s
    longer."""
    cpu_request: str = "100m"
    """Lower than the limit: a runner that waits for its job needs next to nothing."""
    memory: str = "1Gi"
    """Request and limit alike: memory cannot be taken back from a program that has it."""
    ephemeral_storage: str = "256Mi"
    """Limit of the container log and everything else on the node's disk; the journal needs at most 10 MiB of it."""
    scratch: str = "64Mi"
    """Size limit of the writable /tmp."""
    runtime_class_name: str | None = None
    priority_class_name: str | None = None
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[dict[str, Any], ...] = ()
    host_users: bool | None = None
    """False asks for a user namespace; None leaves the field out, for clusters that do not support it."""


class Limits(_Settings):
    """Ceilings and sizes that hold for every job."""

    max_execution_seconds: int = Field(default=28800, ge=1)
    """No program runs longer, whatever it asks for: 8 h, the retired service's limit."""
    start_deadline_seconds: int = Field(default=600, ge=1)
    """For jobs that do not say how long they may wait for their start."""
    pod_start_seconds: int = Field(default=300, ge=1)
    """How long a scheduled pod may take to bring up its runner (image pull included) before it counts as failed."""
    start_attempts: int = Field(default=3, ge=1)
    """Pods tried before a job whose program was never entered is given up."""
    reference_grace_seconds: int = Field(default=10, ge=0)
    """How long a job waits for a program or backend that does not exist (yet): covers ``kubectl apply -f folder/``."""
    stop_grace_seconds: float = Field(default=1.0, ge=0)
    """Between SIGTERM and SIGKILL for a program whose time is up."""
    backstop_seconds: int = Field(default=10, ge=5)
    """Added to a job's limit for the pod's own deadline: only reached when the supervisor has failed."""
    lost_node_seconds: int = Field(default=120, ge=1)
    """How long a pod may be unreachable before its job counts as lost."""
    result_bytes: int = Field(default=4 * 1024 * 1024, ge=1)
    """Largest result."""
    interim_bytes: int = Field(default=3 * 1024 * 1024, ge=0)
    """All interim results of a job together."""
    log_bytes: int = Field(default=1024 * 1024, ge=0)
    """The whole log of a job."""
    inline_result_bytes: int = Field(default=64 * 1024, ge=0, le=512 * 1024)
    """A larger result goes to RuntimeJobOutput objects. Sized for etcd: every status write carries the result."""
    status_interims: int = Field(default=20, ge=1, le=100)
    """Newest interim results kept in the status."""
    status_interim_bytes: int = Field(default=64 * 1024, ge=0, le=512 * 1024)
    """... and their total size: older ones make room."""
    status_log_bytes: int = Field(default=16 * 1024, ge=0, le=512 * 1024)
    """Newest log text kept in the status."""
    input_bytes: int = Field(default=1024 * 1024, ge=0)
    """Largest inputs, as JSON: with them and the status in one object, etcd's 1.5 MiB are not exceeded."""
    source_bytes: int = Field(default=750 * 1024, ge=1)
    """Largest program: the retired service's limit."""
    schema_bytes: int = Field(default=64 * 1024, ge=0)
    """Largest JSON Schemas of a program, all three together as JSON; those of known programs have 1 to 3 KiB."""
    schema_cpu_seconds: int = Field(default=2, ge=1, le=60)
    """CPU time in which inputs, or result and interim results, are checked. A sane schema needs milliseconds; one that
    looks at each of the 200,000 numbers of the largest result, 1.2 s."""
    schema_memory_bytes: int = Field(default=128 * 1024 * 1024, ge=64 * 1024 * 1024)
    """Memory of a child that checks: the operator's own limit has to leave room for ``schemaCheckers`` of them."""

    @model_validator(mode="after")
    def _fit_the_journal(self) -> Limits:
        total = self.result_bytes + self.interim_bytes + self.log_bytes
        if total > PAYLOAD_BYTES:
            raise ValueError(
                f"resultBytes + interimBytes + logBytes is {total}, more than the {PAYLOAD_BYTES} a container log holds"
            )
        return self


class Pools(_Settings):
    """How runner pools are kept full, beside the jobs: `decide.pool` says why."""

    max_starting: int = Field(default=4, ge=1, le=100)
    """Pods of one pool that start at the same time: a start takes about one CPU for a second."""
    quiet_seconds: float = Field(default=5.0, ge=0, le=60)
    """How long no job may have asked a pool before it is filled up to the top: a burst has the nodes for itself. Longer
    than the gaps between jobs that arrive at random, or the starts fall between them."""
    status_seconds: float = Field(default=5.0, ge=1, le=300)
    """A pool's counters are written at most this often; what changes its Ready condition, at once."""


class OperatorConfig(_Settings):
    """The whole file."""

    watch_namespaces: tuple[str, ...] = ()
    """Empty: all namespaces."""
    default_profile: str = "default"
    default_backend: str = "aer"
    builtin_backends: bool = True
    """Whether well-known names (``aer-statevector``, ``generic-5``, ``fake-montreal``, ``ibmq_montreal``) are backends
    without a RuntimeBackend. A RuntimeBackend of such a name goes first."""
    profiles: dict[str, Profile]
    limits: Limits = Limits()
    pools: Pools = Pools()
    workers: int = Field(default=32, ge=1)
    """Jobs reconciled at the same time: each mostly waits for the API server."""
    streams: int = Field(default=2000, ge=1)
    """Attach streams open at the same time. Beyond it the running program that has been silent for longest gives its
    stream up for a minute or more, or until its pod has ended: see ``docs/pools.md``."""
    schema_checkers: int = Field(default=2, ge=1, le=32)
    """Child processes that check values against programs' schemas at the same time; started when first needed. With two
    or more, no namespace has all of them."""
    liveness_port: int = Field(default=8080, ge=1, le=65535)
    metrics_port: int = Field(default=9090, ge=0, le=65535)
    """Where Prometheus reads the operator's figures, under ``/metrics``; 0: nowhere."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _default_profile_exists(self) -> OperatorConfig:
        if self.default_profile not in self.profiles:
            raise ValueError(f"defaultProfile {self.default_profile!r} is not one of the profiles")
        return self


def load(path: Path) -> OperatorConfig:
    """Return the configuration in this file.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or a setting is missing, unknown or out of range.
    """
    try:
        return OperatorConfig.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path}: {wrong}") from error
