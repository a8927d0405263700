"""What a decision about a job gives back: actions in order, the status it should have, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_runner.contract import Job
    from runtime_runner.schema.verdicts import Request

    from runtime_operator.api.conditions import Reason
    from runtime_operator.api.v1alpha1 import ConfigMapRef
    from runtime_operator.observe.snapshots import PodSnapshot, StoredInterims


class Waste(StrEnum):
    """Why a pool's pod is deleted without having had a job."""

    SURPLUS = "surplus"
    """There are more than the pool wants."""
    OUTDATED = "outdated"
    """Its profile, or its image, has changed."""
    OLD = "old"
    """It has waited for longer than the pool allows."""
    FAILED = "failed"
    """Its container has ended, could not be started in time, or its runner makes no sense."""
    LOST = "lost"
    """Its node has not been heard of."""
    UNKNOWN = "unknown"
    """It is not known that an operator has made it."""
    YIELDED = "yielded"
    """The namespace's quota has no room for a job."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareNamespace:
    """Make sure that the runners' NetworkPolicy and service account exist before the first pod does."""

    namespace: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadSource:
    """Read a program's files from a ConfigMap in the job's namespace."""

    namespace: str
    ref: ConfigMapRef
    job_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplySchemas:
    """Have values checked by a child; nothing happens if that is under way. The verdicts bring the job back."""

    job_uid: str
    subject: Literal["inputs", "results"]
    digest: str
    """Of the schemas."""
    requests: tuple[Request, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CreatePod:
    """Create a runner's pod. One of this name and owner may exist already: that is success."""

    manifest: Mapping[str, Any]
    owner_uid: str
    """Of the job or the pool."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Converse:
    """Attach to a runner and fold what it says; nothing happens if that is under way."""

    namespace: str
    pod: str
    pod_uid: str
    hurry: bool = True
    """False: its program runs already, and those that wait for theirs go first."""
    runs: bool = True
    """The kubelet says that the container runs; before, there may be nobody to speak to yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimPod:
    """Make the pod this job's, with a deadline that the program cannot touch, and promise the job to it.

    Both writes are under way at the same time, while the runner prepares the job; its program is entered when both are
    there.
    """

    namespace: str
    pod: str
    pod_uid: str
    patch: Mapping[str, Any]
    """Of the pod."""
    promise: Mapping[str, Any]
    """The whole status of the job."""
    request: Job
    """Handed over to be prepared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HandOver:
    """Write the job on the runner's stdin. Repeating it is safe: the runner knows the job's uid."""

    pod_uid: str
    request: Job


@dataclass(frozen=True, kw_only=True, slots=True)
class SendCancel:
    """Ask the runner to stop its program."""

    pod_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadJournal:
    """Read the container log of a pod that has ended, and fold what the stream did not bring."""

    namespace: str
    pod: str
    pod_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreInterims:
    """Store interim results beyond those that are stored. A chunk's name says which are in it: repeating is safe."""

    job_uid: str
    namespace: str
    job_name: str
    pod_uid: str
    stored: StoredInterims
    everything: bool
    """Also those that the status holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreOutputs:
    """Store result and log if the status is too small. Chunk names are fixed: repeating it changes nothing."""

    job_uid: str
    namespace: str
    job_name: str
    pod: str
    pod_uid: str
    result: str | None
    logs: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletePod:
    """Delete this pod and no other of its name."""

    namespace: str
    pod: str
    pod_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscardPod:
    """Delete this pod of a pool, unless a job has claimed it meanwhile: then it has another version."""

    namespace: str
    pod: str
    pod_uid: str
    version: str
    why: Waste


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteJob:
    """Delete the job itself: only ever because its ``ttl.jobSeconds`` says so."""

    namespace: str
    name: str
    uid: str


Action = (
    PrepareNamespace
    | ReadSource
    | ApplySchemas
    | CreatePod
    | Converse
    | ClaimPod
    | HandOver
    | SendCancel
    | ReadJournal
    | StoreInterims
    | StoreOutputs
    | DeletePod
    | DiscardPod
    | DeleteJob
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A Kubernetes Event of type Warning about the job. Success needs none: the status says it."""

    reason: Reason
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Carry out the actions in order, then write the status if there is one, then the notice."""

    actions: tuple[Action, ...] = ()
    status: Mapping[str, Any] | None = None
    """The whole status as it should be; None leaves it as it is."""
    requeue_after: float | None = None
    """Seconds until time alone may change the decision; None: only an event can."""
    notice: Notice | None = None


def delete(*pods: PodSnapshot) -> tuple[DeletePod, ...]:
    """Return the deletion of these pods, but for those that are being deleted already."""
    return tuple(
        DeletePod(namespace=pod.namespace, pod=pod.name, pod_uid=pod.uid) for pod in pods if pod.deleting_since is None
    )
