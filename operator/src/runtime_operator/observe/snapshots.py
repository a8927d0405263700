"""Frozen values parsed from what the API server and the runners say. Whatever may be missing is settled here.

All moments are seconds since the epoch.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from runtime_operator.api import names
from runtime_operator.api.conditions import Reason, parse_time
from runtime_operator.api.names import JobKey
from runtime_operator.api.v1alpha1 import BackendSpec, JobSpec, Phase, ProgramKind, ProgramSpec
from runtime_operator.observe.schemas import Schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_runner.contract import Exit, Failed, RunnerState

    from runtime_operator.observe.pools import PoolPod
    from runtime_operator.observe.schemas import Checked, ResultSchemas


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputRef:
    """Where something too large for the status is: RuntimeJobOutputs in order; size and digest are of the whole."""

    names: tuple[str, ...]
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredInterims(OutputRef):
    """Where a job's interim results are, from the first up to one of them."""

    names: tuple[str, ...] = ()
    size: int = 0
    sha256: str = ""
    seq: int = 0
    """The number of that one; 0: none is stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSnapshot:
    """A RuntimeJob."""

    key: JobKey
    uid: str
    generation: int
    created: float
    deleting: bool
    spec: JobSpec | None
    spec_error: str
    """Why ``spec`` is None: something the CRD's schema let through."""
    status: Mapping[str, Any]
    stored_interims: StoredInterims = StoredInterims()
    """Where its older interim results are; its status may not say so yet."""
    inputs_bytes: int = 0
    """The inputs' size as the API server stores them."""

    @property
    def phase(self) -> Phase:
        """Where the job is; one without a status is queued."""
        return Phase(self.status.get("phase", Phase.QUEUED))

    @property
    def runner_uid(self) -> str:
        """Uid of the pod this job has been promised to, or empty. Once written, no other pod gets the job."""
        return str(self.status.get("runner", {}).get("uid", ""))

    @property
    def result_schemas(self) -> str:
        """Digest of the schemas its results are to be checked with, or empty. Written with the promise."""
        return str(self.status.get("program", {}).get("resultSchemas", ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramSnapshot:
    """A RuntimeProgram or ClusterRuntimeProgram."""

    kind: ProgramKind
    namespace: str
    name: str
    uid: str
    generation: int
    spec: ProgramSpec | None
    spec_error: str
    status: Mapping[str, Any]
    schemas: Schemas

    @property
    def source(self) -> Source | None:
        """The files, unless they are in a ConfigMap that has to be read first."""
        if self.spec is None:
            return None
        if self.spec.source.inline is not None:
            return Source(files={self.spec.entrypoint: self.spec.source.inline})
        if self.spec.source.files is not None:
            return Source(files=self.spec.source.files)
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A program's files by path; None if the ConfigMap that should hold them does not, or not all of them."""

    files: Mapping[str, str] | None
    problem: str = ""
    """Why there are none."""

    @property
    def size(self) -> int:
        """All files together, in bytes of UTF-8."""
        return sum(len(text.encode()) for text in (self.files or {}).values())


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendSnapshot:
    """A RuntimeBackend; ``spec`` goes to the runner as it stands."""

    name: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class PodSnapshot:
    """A runner pod."""

    namespace: str
    name: str
    uid: str
    job_uid: str
    """From the controlling owner reference: a label can be forged more easily."""
    job_name: str
    attempt: int
    version: str
    """Its resource version: a claim is for this state of the pod and no other."""
    pool: str
    """Name of the pool it was started for, or empty."""
    pool_uid: str
    """Uid of the pool that owns it; empty for a pod that was claimed or never was a pool's."""
    profile: str
    template: str
    """Digest of what it was made from; empty for a pod that was started for one job."""
    phase: str
    node: str
    created: float
    start_time: float | None
    """When the kubelet took it over, by the node's clock; ``activeDeadlineSeconds`` counts from here."""
    scheduled: bool
    scheduled_since: float | None
    """When the scheduler gave it a node."""
    deadline_seconds: int | None
    running: bool
    """The kubelet has said that its container runs."""
    waiting_reason: str
    waiting_message: str
    exit_code: int | None
    reason: str
    """Why the pod or its container ended, in the kubelet's words: OOMKilled, Evicted, DeadlineExceeded, ..."""
    message: str
    termination_message: str
    deleting_since: float | None
    ready_lost_since: float | None
    """Since when the node has not been heard of, if so."""

    @property
    def ended(self) -> bool:
        """Whether nothing runs in it any more."""
        return self.phase in ("Succeeded", "Failed") or self.exit_code is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class InterimResult:
    """One interim result, numbered as in the journal."""

    seq: int
    time: float
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunnerSnapshot:
    """What a runner has said so far, folded: small whatever the program does."""

    pod_uid: str
    connected: bool = False
    """The stream is open and the runner has said where it is."""
    silent_since: float = 0.0
    """While not connected: since when, by the operator's clock."""
    trouble: str = ""
    """Why the stream is not open, or what the runner said that makes no sense."""
    broken: bool = False
    """The runner does not keep to the protocol: nothing it says can be used."""
    state: RunnerState | None = None
    job_uid: str = ""
    """Whose job it has; empty: none yet."""
    node_time: float = 0.0
    """The node's clock ..."""
    node_time_at: float = 0.0
    """... at this moment of the operator's."""
    started: float | None = None
    interims: tuple[InterimResult, ...] = ()
    """The newest ones."""
    interim_published: int = 0
    spilled_bytes: int = 0
    """Of the older ones, as far as nobody has said that they are stored."""
    log_tail: str = ""
    log_bytes: int = 0
    """Of the text that came; what the program wrote has fewer where it was no UTF-8, and more where it was too much."""
    result: str | None = None
    failure: Failed | None = None
    exit: Exit | None = None
    journal_read: bool = False
    """The container log has been read to its end after the pod had ended (or could not be read at all)."""
    cancel_sent_at: float | None = None
    resting_until: float | None = None
    """Its stream was closed because others need one: when to ask it again at the latest."""
    waits_for_room: bool = False
    """It has no stream because too many are open: that is not its fault."""

    @property
    def log_is_whole(self) -> bool:
        """Whether the tail is everything the program wrote."""
        lost = self.exit is not None and self.exit.log_dropped_bytes > 0
        return not lost and self.log_bytes <= len(self.log_tail.encode())


@dataclass(frozen=True, kw_only=True, slots=True)
class Outputs:
    """What has been stored beside the job's status at its end."""

    result: OutputRef | None = None
    logs: OutputRef | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """What the API server refused last for this job, and how often in a row."""

    reason: Reason
    message: str
    at: float
    times: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """Everything a decision about one job may know."""

    key: JobKey
    job: JobSnapshot | None
    deleted_uid: str = ""
    """Uid of the job of this name whose deletion was seen last."""
    program: ProgramSnapshot | None = None
    source: Source | None = None
    """The program's files; None if they have not been read yet."""
    backend: BackendSnapshot | None = None
    reference_lost_at: float = 0.0
    """When the program or the backend was deleted last, as far as that was seen."""
    pods: tuple[PodSnapshot, ...] = ()
    """The runner pods of this job's name, whichever job's uid they carry."""
    runner: RunnerSnapshot | None = None
    """Of the newest pod of this job, or of the one it was promised to."""
    input_check: Checked | None = None
    """What the program's schema says of the job's inputs; None as long as nobody has looked."""
    result_schemas: ResultSchemas | None = None
    """What the job's results are to be checked with, if its status names any and they are still known."""
    result_check: Checked | None = None
    interims_stored_at: float = 0.0
    """When this operator did that last; 0: never."""
    outputs: Outputs | None = None
    namespace_prepared: bool = False
    refusal: Refusal | None = None
    status_written_at: float = 0.0
    idle: tuple[PoolPod, ...] = ()
    """While the job is queued and has no pod: the pods of its profile that wait in its namespace's pools."""
    unclaimed: bool = False
    """The job's status names a pod that could not be claimed for it: it has been handed over to nobody."""

    @property
    def own_pods(self) -> tuple[PodSnapshot, ...]:
        """The pods that belong to this very job, newest attempt last: a job of the same name before it had others."""
        mine = [pod for pod in self.pods if self.job and pod.job_uid == self.job.uid]
        return tuple(sorted(mine, key=lambda pod: pod.attempt))


def parse_job(body: Mapping[str, Any]) -> JobSnapshot:
    """Return the job; a spec that cannot be understood becomes ``spec_error``."""
    meta = body["metadata"]
    spec, error = parse_spec(JobSpec, body)
    return JobSnapshot(
        key=JobKey(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        generation=meta.get("generation", 1),
        created=parse_time(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=spec,
        spec_error=error,
        status=body.get("status") or {},
        stored_interims=_stored_interims(body),
        inputs_bytes=_stored_bytes(spec.inputs) if spec and spec.inputs else 0,
    )


def parse_program(body: Mapping[str, Any]) -> ProgramSnapshot:
    """Return the program; a spec that cannot be understood becomes ``spec_error``."""
    meta = body["metadata"]
    spec, error = parse_spec(ProgramSpec, body)
    try:
        schemas = Schemas.of(spec)
    except RecursionError:
        spec, error, schemas = None, "a schema is nested too deeply", Schemas()
    return ProgramSnapshot(
        kind=ProgramKind(body["kind"]),
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta["uid"],
        generation=meta.get("generation", 1),
        spec=spec,
        spec_error=error,
        status=body.get("status") or {},
        schemas=schemas,
    )


def parse_backend(body: Mapping[str, Any]) -> BackendSnapshot:
    """Return the backend."""
    spec, _ = parse_spec(BackendSpec, body)
    known = spec.model_dump(exclude_none=True) if spec else {}
    return BackendSnapshot(name=body["metadata"]["name"], spec=known)


def parse_pod(body: Mapping[str, Any]) -> PodSnapshot:
    """Return the runner pod; labels of the wrong form count as missing."""
    meta, spec, status = body["metadata"], body.get("spec", {}), body.get("status", {})
    labels = meta.get("labels", {})
    owner: Mapping[str, Any] = next((o for o in meta.get("ownerReferences", []) if o.get("controller")), {})
    conditions = {c["type"]: c for c in status.get("conditions", [])}
    container: Mapping[str, Any] = next(
        (c for c in status.get("containerStatuses", []) if c["name"] == names.RUNNER_CONTAINER), {}
    )
    state = container.get("state", {})
    ended, waiting = state.get("terminated") or {}, state.get("waiting") or {}
    scheduled, ready = conditions.get("PodScheduled", {}), conditions.get("Ready", {})
    disrupted = conditions.get("DisruptionTarget", {})
    if not waiting and scheduled.get("status") == "False":
        waiting = {"reason": scheduled.get("reason", ""), "message": scheduled.get("message", "")}
    return PodSnapshot(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        job_uid=owner.get("uid", "") if owner.get("kind") == "RuntimeJob" else "",
        job_name=owner.get("name", "") if owner.get("kind") == "RuntimeJob" else labels.get(names.JOB_NAME_LABEL, ""),
        attempt=_number(labels.get(names.ATTEMPT_LABEL)),
        version=meta.get("resourceVersion", ""),
        pool=labels.get(names.POOL_LABEL, ""),
        pool_uid=owner.get("uid", "") if owner.get("kind") == "RunnerPool" else "",
        profile=labels.get(names.PROFILE_LABEL, ""),
        template=labels.get(names.TEMPLATE_LABEL, ""),
        phase=status.get("phase", "Pending"),
        node=spec.get("nodeName", ""),
        created=parse_time(meta["creationTimestamp"]),
        start_time=parse_time(status["startTime"]) if status.get("startTime") else None,
        scheduled=bool(spec.get("nodeName")),
        scheduled_since=parse_time(scheduled["lastTransitionTime"])
        if scheduled.get("status") == "True" and "lastTransitionTime" in scheduled
        else None,
        deadline_seconds=spec.get("activeDeadlineSeconds"),
        running="running" in state,
        waiting_reason=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        exit_code=ended.get("exitCode"),
        reason=status.get("reason") or disrupted.get("reason") or ended.get("reason", ""),
        message=status.get("message") or disrupted.get("message") or "",
        termination_message=ended.get("message", ""),
        deleting_since=parse_time(meta["deletionTimestamp"]) if "deletionTimestamp" in meta else None,
        ready_lost_since=parse_time(ready["lastTransitionTime"])
        if ready.get("reason") == "NodeStatusUnknown" or ready.get("status") == "Unknown"
        else None,
    )


def program_digest(program: ProgramSnapshot, source: Source) -> str:
    """Return the SHA-256 of source and metadata: equal for what runs alike, in whatever way the source is given."""
    assert program.spec is not None
    fields = {"source", "parameters", "return_values", "interim_results"}
    metadata = program.spec.model_dump(mode="json", exclude=fields) | {"schemas": program.schemas.digest}
    canonical = json.dumps([metadata, dict(source.files or {})], sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def parse_spec(model: Any, body: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the object's spec as this model, or None and what is wrong with it."""
    try:
        return model.model_validate(body.get("spec") or {}), ""
    except ValidationError as error:
        return None, "; ".join(f"spec.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])


def _stored_interims(body: Mapping[str, Any]) -> StoredInterims:
    interims = (body.get("status") or {}).get("interimResults", {})
    if "ref" not in interims:
        return StoredInterims()
    ref = interims["ref"]
    return StoredInterims(
        names=tuple(ref["names"]), size=ref["size"], sha256=ref["sha256"], seq=interims.get("storedSeq", 0)
    )


def _stored_bytes(inputs: Mapping[str, Any]) -> int:
    r"""Return the size as JSON in Go's spelling: ``<``, ``>`` and ``&`` take six bytes (``\u003c``)."""
    text = json.dumps(inputs, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode(errors="replace")) + 5 * sum(text.count(c) for c in "<>&")


def _number(text: object) -> int:
    """Return the number in a label, 0 if it is none."""
    try:
        return int(str(text))
    except ValueError:
        return 0
