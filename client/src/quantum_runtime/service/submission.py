"""From what a user asks for to a RuntimeJob. Nothing here speaks to a cluster."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from quantum_runtime import inputs as input_values
from quantum_runtime import judgement, manifest
from quantum_runtime.exceptions import IBMInputValueError
from quantum_runtime.service import options as option_values
from quantum_runtime.service import parameters, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from quantum_runtime.cluster.api import Object
    from quantum_runtime.service.options import RuntimeOptions

LONGEST_NAME = 63
"""Of a job: its name becomes a label of its pod."""

RANDOM_CHARACTERS = 10
_ALPHABET = string.ascii_lowercase + string.digits

SUBMISSION = "quantumruntime.dev/submission"
"""Annotation: when, by the client's clock, the job was submitted, and a random text that no other submission has. It
tells our own job from a namesake if the answer to its creation gets lost, and puts jobs of one second in order."""


class JobKeywords(TypedDict, total=False):
    """What ``run`` takes by keyword alone; see `RuntimeService.run`."""

    job_tags: Sequence[str] | None
    tags: Sequence[str] | None
    log_level: str | None
    max_execution_time: int | None
    start_deadline: int | None
    backend: Any
    backend_name: Any
    name: str | None
    image: str | None
    instance: str | None
    session_id: str | None
    start_session: bool


class ProgramRef(NamedTuple):
    """Which program a job runs."""

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """A job that a user asks for, looked through as far as that goes without a cluster."""

    program_id: str
    inputs: dict[str, Any]
    """(Tagged) JSON."""
    options: RuntimeOptions
    name: str = ""
    """Empty: it gets one."""


def request(
    program_id: str,
    inputs: Any = None,
    options: Any = None,
    *,
    name: str | None = None,
    tags: Any = None,
    session_id: Any = None,
    start_session: Any = False,
    **keywords: Any,
) -> Request:
    """Return what is asked for.

    Args:
        program_id: The program's name.
        inputs: A mapping, or a `ParameterNamespace`; None: none.
        options: See `options.merged`.
        name: Of the job; None or empty: one is made up.
        tags: The same as ``job_tags``.
        session_id: Must not be given, nor ``start_session``: there are no sessions.
        start_session: See there.
        **keywords: Attributes of `RuntimeOptions`; they win over ``options``.

    Raises:
        IBMInputValueError: an argument cannot be used; the message says why.
        TypeError: there is no option of a name that was given.
    """
    if session_id or start_session:
        raise IBMInputValueError(option_values.NO_SESSIONS)
    if not isinstance(program_id, str) or not program_id:
        raise IBMInputValueError(f"program_id is {program_id!r}, expected the name of a program")
    keywords["job_tags"] = tags if keywords.get("job_tags") is None else keywords["job_tags"]
    chosen = option_values.merged(options, **keywords)
    return Request(program_id=program_id, inputs=encoded(inputs), options=chosen, name=name or "")


def encoded(inputs: Any) -> dict[str, Any]:
    """Return inputs as the (tagged) JSON that a job has.

    Raises:
        IBMInputValueError: they are no inputs, cannot be written, or are too large.
    """
    if isinstance(inputs, parameters.ParameterNamespace):
        inputs = parameters.given(inputs)
    if inputs is not None and not isinstance(inputs, Mapping):
        expected = "expected a dictionary, input name -> value, or what program.parameters() returns"
        raise IBMInputValueError(f"inputs is of type {type(inputs).__name__}, {expected}")
    try:
        tagged = input_values.encode(inputs or {})
    except input_values.InputError as error:
        raise IBMInputValueError(str(error)) from None
    if refusal := judgement.inputs_are_too_large(tagged):
        raise refusals.refused(refusal)
    return tagged


def job_manifest(request: Request, program: ProgramRef, *, now: datetime) -> Object:
    """Return the RuntimeJob. Every call makes another submission, under another name if the request has none."""
    options = request.options
    spec: dict[str, Any] = {"programRef": {"kind": program.kind, "name": program.name}, "inputs": request.inputs}
    optional = {
        "backend": options.backend,
        "maxExecutionTimeSeconds": options.max_execution_time,
        "startDeadlineSeconds": options.start_deadline,
        "logLevel": options.log_level,
        "tags": options.job_tags,
    }
    spec |= {field: value for field, value in optional.items() if value is not None}
    marker = f"{now.isoformat(timespec='microseconds')}-{secrets.token_hex(8)}"
    return {
        "apiVersion": manifest.API_VERSION,
        "kind": "RuntimeJob",
        "metadata": {"name": request.name or new_name(program.name), "annotations": {SUBMISSION: marker}},
        "spec": spec,
    }


def new_name(program: str) -> str:
    """Return a name for a job of this program: ``sample-program-4vq0x2m8nd``."""
    stem = re.sub(r"[^a-z0-9]+$", "", program[: LONGEST_NAME - RANDOM_CHARACTERS - 1])
    return f"{stem}-{''.join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARACTERS))}"


def submitted(body: Object) -> str:
    """Return the marker of the job's submission; empty if it was created by other means."""
    return str((body["metadata"].get("annotations") or {}).get(SUBMISSION, ""))


def same_submission(body: Object) -> Callable[[Object], bool]:
    """Return what recognises this job among namesakes."""
    marker = submitted(body)
    return lambda there: submitted(there) == marker
