"""What operator and runner say to each other: the one definition both sides import.

The operator writes *requests* to the runner's stdin, the runner writes *events* to its stdout; both are JSON, one
object per line, UTF-8. Journal events are numbered from 1 without gaps (``seq``) and stamped with the node's clock
(``time``): together they are the journal, which the kubelet keeps as the container log. Answers (`Resumed`, `Refused`)
are not part of the journal: they repeat the newest number.

One runner serves one job. The journal is the only history: a reader that missed something asks with `Resume` how far it
goes and reads the rest from the container log.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cache
from typing import Any, ClassVar, get_type_hints

PROTOCOL = 2

JOURNAL_BYTES = 9 * 1024 * 1024
"""Most bytes a runner writes to stdout in all: below the size at which a kubelet rotates a container log (10 MiB)."""

PAYLOAD_BYTES = 8 * 1024 * 1024
"""Most that a job's limits for result, interim results and log may add up to; the rest is for frames and answers."""

RESULT_CHUNK_CHARACTERS = 128 * 1024
"""Longest piece of a result in one event: short enough that other events are never held up for long."""

TERMINATION_MESSAGE_BYTES = 4096
"""What a kubelet keeps of a termination message."""


class ProtocolError(ValueError):
    """A line is not a request or event of this protocol; the message says why."""


class FailureReason(StrEnum):
    """Why a job did not succeed, as far as the runner can tell. Each value has one author, named beside it."""

    INVALID_PROGRAM = "InvalidProgram"  # program: does not compile, has no main(), or its entrypoint is missing
    PROGRAM_FAILED = "ProgramFailed"  # program: raised an exception
    PROGRAM_EXITED = "ProgramExited"  # program: ended its process (sys.exit, os._exit, a signal) instead of returning
    MISSING_MODULE = "MissingModule"  # program: imports a module that the runner profile's image does not have
    INVALID_INPUT = "InvalidInput"  # user: an input is not what its tag says, or main() does not take it
    INVALID_RESULT = "InvalidResult"  # program: returned or published something that cannot be written as JSON
    RESULT_TOO_LARGE = "ResultTooLarge"  # program: result above the limit
    MAX_EXECUTION_TIME_EXCEEDED = "MaxExecutionTimeExceeded"  # program: ran longer than it may
    OUT_OF_MEMORY = "OOMKilled"  # program: used more memory than the runner profile gives
    BACKEND_TOO_SMALL = "BackendTooSmall"  # user: the backend has fewer qubits than the program needs
    INVALID_BACKEND = "InvalidBackend"  # platform: the backend could not be built
    CANCELLED = "Cancelled"  # user: asked for it
    RUNNER_ERROR = "RunnerError"  # ours: a bug or a broken image


class ExitCode(IntEnum):
    """What the runner's process ends with. The journal says more; a program cannot choose these."""

    SUCCEEDED = 0  # the whole result has been written
    FAILED = 1  # the job did not succeed; the journal ends with Failed and Exit
    NO_JOB = 2  # ended without a job: stdin ended first, told to stop first, or Qiskit could not be imported


class RunnerState(StrEnum):
    """How far a runner is with its one job."""

    STARTING = "starting"  # importing
    READY = "ready"  # a job may be handed over (it may be handed over earlier, too: it then waits)
    HELD = "held"  # it has a job, whose program is not entered before `Enter`
    RUNNING = "running"  # the program has been entered
    ENDED = "ended"  # the last event has been written


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one job may use. Byte counts are of UTF-8 JSON as it stands in the journal."""

    execution_seconds: float
    grace_seconds: float = 1.0
    """Between SIGTERM and SIGKILL when time is up or the job is cancelled."""
    result_bytes: int = 4 * 1024 * 1024
    interim_bytes: int = 3 * 1024 * 1024
    """All interim results together; beyond it the oldest not yet written are dropped, the newest are kept."""
    log_bytes: int = 1024 * 1024
    """The whole log; beyond it the middle is dropped: its beginning and its newest lines are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Run this program. The same ``job_uid`` twice is answered like `Resume`; another uid is refused.

    With ``hold``, everything is prepared, but the program is not entered before `Enter`, or the same job without it.
    """

    kind: ClassVar[str] = "job"
    job_uid: str
    job_name: str
    attempt: int
    files: dict[str, str]
    """Path relative to the program's folder -> text. Paths are POSIX, relative, without ``..``."""
    entrypoint: str
    """The path in ``files`` that holds ``main``."""
    inputs: dict[str, Any]
    """Keyword arguments of ``main``, as (tagged) JSON."""
    backend_name: str
    backend: dict[str, Any]
    """The spec of the RuntimeBackend, for example ``{"aer": {"method": "statevector"}}``."""
    limits: Limits
    log_level: str = "INFO"
    compatibility: str = ""
    """Which earlier Qiskit's names are restored for the program: empty for none, or ``Qiskit0``."""
    min_num_qubits: int = 0
    """Qubits the backend must have, checked before the program is entered."""
    hold: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Enter:
    """Enter the program of the job that was handed over with ``hold``. Refused for another job; twice is once."""

    kind: ClassVar[str] = "enter"
    job_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """Ask where the runner is; the answer is `Resumed`."""

    kind: ClassVar[str] = "resume"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """Stop the program; the journal then ends with `Failed` (reason Cancelled) and `Exit`."""

    kind: ClassVar[str] = "cancel"


Request = Job | Enter | Resume | Cancel


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What every event has: its number and the moment it was written, in seconds since the epoch (node's clock)."""

    kind: ClassVar[str]
    seq: int
    time: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready(Event):
    """Qiskit is imported; a job may be handed over. Until one comes, the runner goes on warming up, unseen."""

    kind: ClassVar[str] = "ready"
    protocol: int
    versions: dict[str, str]
    """Of ``python``, ``runner`` and, where installed, ``qiskit`` and ``qiskit-aer``."""
    warmup_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Started(Event):
    """The next thing executed is the program's first line; the execution time counts from here."""

    kind: ClassVar[str] = "started"
    job_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Log(Event):
    """Text the program wrote to stdout or stderr: whole lines where possible."""

    kind: ClassVar[str] = "log"
    stream: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Interim(Event):
    """One published interim result, as the JSON text its encoder wrote."""

    kind: ClassVar[str] = "interim"
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Result(Event):
    """Piece ``index`` of ``count`` of the result's JSON text; ``size`` (bytes) and ``sha256`` are of the whole text."""

    kind: ClassVar[str] = "result"
    index: int
    count: int
    text: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed(Event):
    """The job did not succeed. ``traceback`` holds the program's own frames, or is empty."""

    kind: ClassVar[str] = "failed"
    reason: FailureReason
    message: str
    traceback: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit(Event):
    """The last event: nothing follows, everything in the pod but the supervisor has ended."""

    kind: ClassVar[str] = "exit"
    succeeded: bool
    execution_seconds: float
    """From `Started` to the end of the program; 0 if it was never entered."""
    interim_published: int
    interim_dropped: int
    log_bytes: int
    """Bytes the program wrote in all, kept or not."""
    log_dropped_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed(Event):
    """The answer to `Resume`: the newest number in the journal, and whose job this runner has (empty: none yet)."""

    kind: ClassVar[str] = "resumed"
    state: RunnerState
    job_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused(Event):
    """A request was not carried out; nothing has changed."""

    kind: ClassVar[str] = "refused"
    message: str


JournalEvent = Ready | Started | Log | Interim | Result | Failed | Exit
Answer = Resumed | Refused
AnyEvent = JournalEvent | Answer

_REQUESTS: dict[str, type[Request]] = {cls.kind: cls for cls in (Job, Enter, Resume, Cancel)}
_EVENTS: dict[str, type[AnyEvent]] = {
    cls.kind: cls for cls in (Ready, Started, Log, Interim, Result, Failed, Exit, Resumed, Refused)
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TerminationMessage:
    """The outcome in short, kept by the kubelet in the pod's status: the last fallback when the journal is gone."""

    job_uid: str
    succeeded: bool
    execution_seconds: float
    reason: str = ""
    message: str = ""
    result: str | None = field(default=None)
    """The whole result, if it is short enough; a cut one is never written."""


def encode(message: Request | AnyEvent) -> bytes:
    """Return the message as one line, newline included."""
    body = {"kind": message.kind, **dataclasses.asdict(message)}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def parse_request(line: bytes | str) -> Request:
    """Return the request on this line.

    Raises:
        ProtocolError: not JSON, an unknown kind, or a field that is missing, unknown or of the wrong type.
    """
    message: Request = _parse(line, _REQUESTS)
    return message


def parse_event(line: bytes | str) -> AnyEvent:
    """Return the event on this line.

    Raises:
        ProtocolError: not JSON, an unknown kind, or a field that is missing, unknown or of the wrong type.
    """
    event: AnyEvent = _parse(line, _EVENTS)
    return event


def encode_termination(message: TerminationMessage) -> str:
    """Return JSON of at most `TERMINATION_MESSAGE_BYTES`: a result that does not fit goes first, then text is cut."""
    for candidate in (message, dataclasses.replace(message, result=None)):
        text = json.dumps(dataclasses.asdict(candidate))
        if len(text) <= TERMINATION_MESSAGE_BYTES:
            return text
    cut = dataclasses.replace(message, result=None, message=message.message[: TERMINATION_MESSAGE_BYTES // 16])
    return json.dumps(dataclasses.asdict(cut))


def parse_termination(text: str) -> TerminationMessage:
    """Return what `encode_termination` wrote.

    Raises:
        ProtocolError: it did not write this.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from error
    message: TerminationMessage = _build(TerminationMessage, body)
    return message


def prepare() -> None:
    """Do once what the first message of each kind would wait for, and the first result."""
    kinds: list[Any] = [*_REQUESTS.values(), *_EVENTS.values(), Limits]
    for cls in kinds:
        _fields(cls)
    digest("")


def digest(text: str) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 (hexadecimal) of the text's UTF-8 form."""
    import hashlib  # loads OpenSSL, which would delay the start

    raw = text.encode()
    return len(raw), hashlib.sha256(raw).hexdigest()


def _parse(line: bytes | str, kinds: dict[str, Any]) -> Any:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ProtocolError(f"not an object: {type(body).__name__}")
    kind = body.pop("kind", None)
    if not isinstance(kind, str) or kind not in kinds:
        raise ProtocolError(f"unknown kind {kind!r}")
    return _build(kinds[kind], body)


def _build(cls: Any, body: Any) -> Any:
    if not isinstance(body, dict):
        raise ProtocolError(f"{cls.__name__}: not an object")
    values = {}
    for name, (wanted, required) in _fields(cls).items():
        if name in body:
            values[name] = _convert(f"{cls.__name__}.{name}", wanted, body.pop(name))
        elif required:
            raise ProtocolError(f"{cls.__name__}.{name} is missing")
    if body:
        raise ProtocolError(f"{cls.__name__} has no field {sorted(body)[0]!r}")
    return cls(**values)


@cache
def _fields(cls: Any) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(cls)
    return {f.name: (hints[f.name], f.default is dataclasses.MISSING) for f in dataclasses.fields(cls)}


def _convert(name: str, wanted: Any, value: Any) -> Any:
    """Check a value against the few shapes used above: scalars, enums, dicts with string keys, dataclasses."""
    if dataclasses.is_dataclass(wanted):
        return _build(wanted, value)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        try:
            return wanted(value)
        except ValueError:
            raise ProtocolError(f"{name}: {value!r} is not one of {', '.join(wanted)}") from None
    shapes = _SHAPES[wanted]
    if type(value) not in shapes:
        raise ProtocolError(f"{name}: expected {wanted}, got {type(value).__name__}")
    if wanted == dict[str, str] and not all(isinstance(text, str) for text in value.values()):
        raise ProtocolError(f"{name}: expected text values")
    return float(value) if wanted is float else value


_SHAPES: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    bool: (bool,),
    float: (int, float),
    dict[str, str]: (dict,),
    dict[str, Any]: (dict,),
    str | None: (str, type(None)),
}
