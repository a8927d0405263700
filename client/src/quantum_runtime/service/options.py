"""How a job is to be run, apart from its program and inputs: what ``run`` takes as ``options`` and as keywords."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantum_runtime.exceptions import IBMInputValueError
from quantum_runtime.service.user_warnings import warn

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_IMAGE = re.compile(r"[a-zA-Z0-9]+([/.\-_][a-zA-Z0-9]+)*:[a-zA-Z0-9]+([.\-_][a-zA-Z0-9]+)*")

NO_SESSIONS = (
    "there are no sessions here: a runner serves one job, and the next job gets another one at once where the platform "
    "team keeps runners ready (a RunnerPool); leave session_id, start_session and session_time out"
)


@dataclass
class RuntimeOptions:
    """How a job is to be run. None everywhere means: as the cluster does it by default.

    Attributes:
        backend: Name of a backend, or the backend itself. Default: the cluster's, ``aer`` unless configured otherwise.
        image: Has no effect but a warning: the image is that of the program's runner profile.
        log_level: Of the program's root logger: DEBUG, INFO (the default), WARNING, ERROR or CRITICAL, in any case.
        instance: Has no effect: there are no hubs, groups and projects here; a namespace takes their place.
        job_tags: Words to find the job by, at most 20 of 63 characters each.
        max_execution_time: Seconds the program may run; it lowers the program's limit and never raises it.
        session_time: Must be None: there are no sessions here.
        backend_name: The same as ``backend``, which it was called before.
        start_deadline: Seconds the job may wait for its start. Default: the cluster's, 600 unless configured otherwise.
    """

    backend: Any = None
    image: str | None = None
    log_level: str | None = None
    instance: str | None = None
    job_tags: list[str] | None = None
    max_execution_time: int | None = None
    session_time: Any = None
    backend_name: Any = None
    start_deadline: int | None = None

    def validate(self, channel: str | None = None) -> None:
        """Check what can be checked without a cluster.

        Args:
            channel: Has no effect; it had one in qiskit-ibm-runtime.

        Raises:
            IBMInputValueError: an option cannot be used; the message says why.
        """
        checked(self)


def merged(options: Any = None, **keywords: Any) -> RuntimeOptions:
    """Return what ``options`` and the keywords say together, in their usual form; a keyword wins.

    Args:
        options: None, a mapping, a `RuntimeOptions`, or another data class with (some of) its attributes.
        **keywords: Attributes of `RuntimeOptions`; None and an empty text say nothing.

    Raises:
        IBMInputValueError: an option cannot be used.
        TypeError: there is no option of a name that was given.
    """
    said = {key: value for key, value in _as_mapping(options).items() if value is not None and value != ""}
    closer = {key: value for key, value in keywords.items() if value is not None and value != ""}
    if {"backend", "backend_name"} & closer.keys():
        said = {key: value for key, value in said.items() if key not in ("backend", "backend_name")}
    result = checked(RuntimeOptions(**_known(said | closer)))
    if result.image:
        warn(f"the image {result.image!r} is not used: a program runs in the image of its runner profile")
    return result


def checked(options: RuntimeOptions) -> RuntimeOptions:
    """Return the options in their usual form: the backend's name in ``backend``, the log level in capitals.

    Raises:
        IBMInputValueError: one cannot be used.
    """
    if options.session_time is not None:
        raise IBMInputValueError(NO_SESSIONS)
    if options.image and not (isinstance(options.image, str) and _IMAGE.fullmatch(options.image)):
        raise IBMInputValueError(f'"image" needs to be in form of image_name:tag, got {options.image!r}')
    level = options.log_level
    if level is not None and (not isinstance(level, str) or level.upper() not in LOG_LEVELS):
        raise IBMInputValueError(f"log_level is {level!r}, expected one of {', '.join(LOG_LEVELS)}")
    tags = options.job_tags
    if tags is not None and not (isinstance(tags, list | tuple) and all(isinstance(tag, str) for tag in tags)):
        raise IBMInputValueError("job_tags needs to be a list of strings.")
    return dataclasses.replace(
        options,
        backend=_backend(options),
        backend_name=None,
        log_level=None if level is None else level.upper(),
        job_tags=None if tags is None else list(tags),
        max_execution_time=_seconds("max_execution_time", options.max_execution_time),
        start_deadline=_seconds("start_deadline", options.start_deadline),
    )


def _backend(options: RuntimeOptions) -> str | None:
    names = list(dict.fromkeys(_name(one) for one in (options.backend, options.backend_name) if one))
    if len(names) > 1:
        raise IBMInputValueError(f"backend is {names[0]!r} and backend_name is {names[1]!r}: give one of them")
    return names[0] if names else None


def _name(backend: Any) -> str:
    """Return a backend's name: of itself, or of what calls itself by it, as a property or a method."""
    name = backend if isinstance(backend, str) else getattr(backend, "name", None)
    name = name() if callable(name) and not isinstance(name, str) else name
    if not isinstance(name, str):
        raise IBMInputValueError(f"expected a backend or its name, got {type(backend).__name__}")
    return str(name)


def _seconds(option: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 1 or not float(value).is_integer():
        raise IBMInputValueError(f"{option} is {value!r}, expected a whole number of seconds from 1 on")
    return int(value)


def _as_mapping(options: Any) -> Mapping[str, Any]:
    if options is None:
        return {}
    if isinstance(options, Mapping):
        return options
    if dataclasses.is_dataclass(options) and not isinstance(options, type):
        return {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    raise TypeError(f"options must be a dictionary or RuntimeOptions, not {type(options).__name__}")


def _known(said: dict[str, Any]) -> dict[str, Any]:
    known = [field.name for field in dataclasses.fields(RuntimeOptions)]
    for key in said:
        if key not in known:
            raise TypeError(f"there is no option {key!r}; there are: {', '.join(known)}")
    return said
