"""A RuntimeJob, parsed: everything the client reads of one is read here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quantum_runtime.cluster.api import Object

FINAL_PHASES = frozenset({"Completed", "Failed", "Cancelled"})


@dataclass(frozen=True, slots=True)
class InterimResult:
    """One interim result.

    Attributes:
        seq: Its number in the runner's journal: a later one has a higher number, not always the next.
        time: When it was published, by the clock of the node.
        text: JSON text, as the program's encoder wrote it.
    """

    seq: int
    time: datetime
    text: str


@dataclass(frozen=True, slots=True)
class OutputRef:
    """Where a text is that the status has no room for.

    Attributes:
        names: RuntimeJobOutputs whose texts, joined in this order, are the whole.
        size: Bytes of the whole in UTF-8.
        sha256: Of the whole in UTF-8, hexadecimal.
    """

    names: tuple[str, ...]
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobView:
    """One state of a job. Moments are aware of their time zone, durations are in seconds.

    Attributes:
        phase: Queued, Running, Completed, Failed or Cancelled.
        reason: What the job waits for, or why it ended as it did, in one word; empty if the operator said nothing yet.
        message: The same in a sentence.
        traceback: Of the program's own code, if an exception ended it.
        backend: The one the program was given; before its start the one that was asked for, empty for the default.
        inputs: As the job has them: tagged JSON.
        started: When the program was entered.
        time_limit: The job's own, None if it has the program's.
        published: Number of interim results the program published.
        dropped: Number of those that are kept nowhere, because there were too many.
        latest: The newest interim results, oldest first.
        interim_ref: Where the oldest interim results are, from the first and without a gap; in a job that ended all.
        result_text: The result as JSON text; None if there is none, or if it is in `result_ref`.
        log_tail: The newest of what the program wrote to stdout and stderr.
        log_bytes: How much it wrote in all.
        log_truncated: Whether ``log_tail`` is less than that.
        log_ref: Where the whole log is.
        body: The object itself.
    """

    name: str
    uid: str
    namespace: str
    phase: str
    reason: str
    message: str
    traceback: str
    program_kind: str
    program_name: str
    program_digest: str
    backend: str
    inputs: Mapping[str, Any]
    tags: tuple[str, ...]
    log_level: str
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    queued_seconds: float | None
    execution_seconds: float | None
    time_limit: int | None
    published: int
    dropped: int
    latest: tuple[InterimResult, ...]
    interim_ref: OutputRef | None
    result_text: str | None
    result_ref: OutputRef | None
    log_tail: str
    log_bytes: int
    log_truncated: bool
    log_ref: OutputRef | None
    cancel_requested: bool
    suspended: bool
    node: str
    pod: str
    body: Object = field(repr=False, compare=False)

    @property
    def final(self) -> bool:
        """Whether the job has ended."""
        return self.phase in FINAL_PHASES

    @property
    def succeeded(self) -> bool:
        """Whether the job has a result that counts."""
        return self.phase == "Completed"

    @property
    def failed(self) -> bool:
        """Whether the job failed; one that ran too long did."""
        return self.phase == "Failed"

    @property
    def cancelled(self) -> bool:
        """Whether the job was cancelled."""
        return self.phase == "Cancelled"

    @property
    def kept(self) -> int:
        """How many interim results there are to be had, somewhere."""
        return self.published - self.dropped

    @property
    def interim_names(self) -> tuple[str, ...]:
        """The RuntimeJobOutputs with interim results, in order."""
        return self.interim_ref.names if self.interim_ref else ()

    @property
    def result_names(self) -> tuple[str, ...]:
        """The RuntimeJobOutputs with the result, in order."""
        return self.result_ref.names if self.result_ref else ()

    @property
    def log_names(self) -> tuple[str, ...]:
        """The RuntimeJobOutputs with the log, in order."""
        return self.log_ref.names if self.log_ref else ()

    @property
    def version(self) -> str:
        """The object's resource version."""
        version: str = self.body["metadata"].get("resourceVersion", "")
        return version


def parse_job(body: Object) -> JobView:
    """Return what a RuntimeJob says."""
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    program = status.get("program") or spec["programRef"]
    conditions: list[dict[str, Any]] = status.get("conditions") or []
    why = status.get("failure") or next((c for c in conditions if c["type"] == "Succeeded"), {})
    interims, logs = status.get("interimResults") or {}, status.get("logs") or {}
    runner = status.get("runner") or {}
    return JobView(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        namespace=metadata.get("namespace", ""),
        phase=status.get("phase", "Queued"),
        reason=why.get("reason", ""),
        message=why.get("message", ""),
        traceback=why.get("traceback", ""),
        program_kind=program.get("kind", "RuntimeProgram"),
        program_name=program["name"],
        program_digest=program.get("digest", ""),
        backend=(status.get("backend") or {}).get("name") or spec.get("backend", ""),
        inputs=spec.get("inputs") or {},
        tags=tuple(spec.get("tags") or ()),
        log_level=spec.get("logLevel", "INFO"),
        created=_moment(metadata.get("creationTimestamp")),
        started=_moment(status.get("startTime")),
        ended=_moment(status.get("completionTime")),
        queued_seconds=status.get("queuedSeconds"),
        execution_seconds=status.get("executionSeconds"),
        time_limit=spec.get("maxExecutionTimeSeconds"),
        published=interims.get("published", 0),
        dropped=interims.get("dropped", 0),
        latest=tuple(parse_interim(entry) for entry in interims.get("latest") or ()),
        interim_ref=_ref(interims.get("ref")),
        result_text=status.get("result"),
        result_ref=_ref(status.get("resultRef")),
        log_tail=logs.get("tail", ""),
        log_bytes=logs.get("bytes", 0),
        log_truncated=logs.get("truncated", False),
        log_ref=_ref(logs.get("ref")),
        cancel_requested=spec.get("cancel", False),
        suspended=spec.get("suspend", False),
        node=runner.get("node", ""),
        pod=runner.get("pod", ""),
        body=body,
    )


def parse_interim(entry: Mapping[str, Any]) -> InterimResult:
    """Return an interim result of its JSON form, in a status or in a line of a RuntimeJobOutput.

    Raises:
        KeyError, ValueError, TypeError: it is none.
    """
    return InterimResult(seq=int(entry["seq"]), time=datetime.fromisoformat(entry["time"]), text=str(entry["value"]))


def metrics(view: JobView) -> dict[str, Any]:
    """Return when and where a job was what, as `RuntimeJob.metrics` describes it."""
    moments = {"created": view.created, "running": view.started, "finished": view.ended}
    return {
        "timestamps": {name: moment.isoformat() if moment else None for name, moment in moments.items()},
        "queued_seconds": view.queued_seconds,
        "execution_seconds": view.execution_seconds,
        "program_digest": view.program_digest or None,
        "node": view.node or None,
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _ref(found: Mapping[str, Any] | None) -> OutputRef | None:
    if not found:
        return None
    return OutputRef(names=tuple(found["names"]), size=found["size"], sha256=found["sha256"])
