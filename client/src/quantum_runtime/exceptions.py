"""What may go wrong, as exceptions: the tree that programs written for the retired service name in ``except`` clauses.

::

    IBMError
      IBMRuntimeError, also called QiskitRuntimeError
        RuntimeDuplicateProgramError
        RuntimeProgramNotFound
        RuntimeJobNotFound
        RuntimeInvalidStateError
        RuntimeJobFailureError            and Qiskit's JobError
          RuntimeJobMaxTimeoutError       the job ran longer than it may
        RuntimeJobTimeoutError            and Qiskit's JobTimeoutError: the caller waited long enough
      IBMInputValueError
      IBMNotAuthorizedError
      IBMApiError
      IBMBackendError
        IBMBackendApiError, IBMBackendValueError, IBMBackendApiProtocolError

Three of them have a base class in Qiskit, where Qiskit is installed. They are made when they are first asked for, so
that importing this module does not import Qiskit.

`from_api` and `translated` make these of what an API server answered.
"""

from __future__ import annotations

import contextlib
import re
import threading
from typing import TYPE_CHECKING, Any

from quantum_runtime.cluster import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "IBMError",
    "IBMRuntimeError",
    "QiskitRuntimeError",
    "RuntimeDuplicateProgramError",
    "RuntimeProgramNotFound",
    "RuntimeJobNotFound",
    "RuntimeInvalidStateError",
    "RuntimeJobFailureError",
    "RuntimeJobMaxTimeoutError",
    "RuntimeJobTimeoutError",
    "IBMInputValueError",
    "IBMNotAuthorizedError",
    "IBMApiError",
    "IBMBackendError",
    "IBMBackendApiError",
    "IBMBackendValueError",
    "IBMBackendApiProtocolError",
    "from_api",
    "translated",
]


class IBMError(Exception):
    """Base class of everything this package raises on purpose.

    Attributes:
        message: What is wrong, and what to do about it; ``str(error)`` is the same.
        reason: The word that the cluster has for it; empty if it has none.
    """

    reason: str = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:  # Qiskit's errors, which some of ours are, would show tracebacks with escaped line ends
        return self.message


class IBMRuntimeError(IBMError):
    """Something about a program or a job."""


QiskitRuntimeError = IBMRuntimeError
"""The name of `IBMRuntimeError` in qiskit-ibmq-provider."""


class RuntimeDuplicateProgramError(IBMRuntimeError):
    """There is a program of this name."""


class RuntimeProgramNotFound(IBMRuntimeError):  # noqa: N818 - the name programs know
    """There is no such program."""


class RuntimeJobNotFound(IBMRuntimeError):  # noqa: N818 - the name programs know
    """There is no such job, or not any more."""


class RuntimeInvalidStateError(IBMRuntimeError):
    """The job is not in a state for this."""


class IBMInputValueError(IBMError):
    """An argument is wrong, or was refused by the cluster."""


class IBMNotAuthorizedError(IBMError):
    """The user has no right to do this, or the cluster does not know who this is."""


class IBMApiError(IBMError):
    """The API server could not be reached, or gave an answer that is of no use."""


class IBMBackendError(IBMError):
    """Something about a backend."""


class IBMBackendApiError(IBMBackendError):
    """A backend could not be read."""


class IBMBackendValueError(IBMBackendError, ValueError):
    """An argument about backends is wrong."""


class IBMBackendApiProtocolError(IBMBackendApiError):
    """What was read is no backend."""


class _JobFailureError(IBMRuntimeError):
    """What `RuntimeJobFailureError` is without Qiskit."""

    def __init__(self, message: str = "", *, job_id: str = "", reason: str = "", traceback: str = "") -> None:
        super().__init__(message)
        self.job_id = job_id
        self.reason = reason
        self.traceback = traceback


if TYPE_CHECKING:

    class RuntimeJobFailureError(_JobFailureError):
        """The job failed. At run time also a `qiskit.providers.JobError`.

        Attributes:
            job_id: The job's name.
            reason: Why, in one word, as the job's conditions have it: ``ProgramFailed``, ``OOMKilled``, ...
            traceback: The frames of the program's own code; empty if no exception ended it.
        """

    class RuntimeJobMaxTimeoutError(RuntimeJobFailureError):
        """The job ran longer than it may, and was stopped."""

    class RuntimeJobTimeoutError(IBMRuntimeError):
        """The caller waited long enough; the job goes on. At run time also a `qiskit.providers.JobTimeoutError`."""


_MAKING = threading.Lock()


def __getattr__(name: str) -> Any:
    if name not in ("RuntimeJobFailureError", "RuntimeJobMaxTimeoutError", "RuntimeJobTimeoutError"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _MAKING:  # once: a class that is made twice is two classes
        if name not in globals():
            globals().update(_with_bases_in_qiskit())
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)


def _with_bases_in_qiskit() -> dict[str, type[IBMRuntimeError]]:
    """Return the three classes, by name."""
    try:
        from qiskit.providers import JobError, JobTimeoutError
    except ImportError:
        of_failures: tuple[Any, ...] = ()
        of_timeouts: tuple[Any, ...] = ()
    else:
        of_failures, of_timeouts = (JobError,), (JobTimeoutError,)

    def make(name: str, says: str, *bases: Any) -> Any:
        return type(name, bases, {"__module__": __name__, "__doc__": says})

    failure = make("RuntimeJobFailureError", "The job failed.", _JobFailureError, *of_failures)
    too_long = make("RuntimeJobMaxTimeoutError", "The job ran longer than it may, and was stopped.", failure)
    says = "The caller waited long enough; the job goes on."
    timeout = make("RuntimeJobTimeoutError", says, IBMRuntimeError, *of_timeouts)
    return {cls.__name__: cls for cls in (failure, too_long, timeout)}


_INSTALL = "install the product on it (helm install), or choose another cluster"
_SENTENCE = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<plural>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)'
)
"""What RBAC says. Quotas and admission policies forbid with sentences of their own."""


def from_api(
    error: errors.ApiError | errors.ConnectionSettingsError,
    doing: str,
    *,
    not_found: type[IBMError] = IBMApiError,
) -> IBMError:
    """Return the exception a user gets for an API server's answer.

    Args:
        error: The answer.
        doing: What was asked for, as the message's first words: ``cannot cancel job 'toss'``.
        not_found: What it is if there is no such object.
    """
    match error:
        case errors.Forbidden():
            return IBMNotAuthorizedError(f"{doing}: {_missing_right(str(error))}")
        case errors.Unauthorized():
            advice = "the credentials are missing or have expired; log in again, as for kubectl"
            return IBMNotAuthorizedError(f"{doing}: {advice} ({error})")
        case errors.NotFound(kind_is_missing=True):
            return IBMApiError(f"{doing}: the cluster does not know Quantum Runtime's resources; {_INSTALL} ({error})")
        case errors.NotFound():
            return not_found(f"{doing}: {error}")
        case errors.Invalid() | errors.TooLarge():
            return IBMInputValueError(f"{doing}: {error}")
        case _:
            return IBMApiError(f"{doing}: {error}")


@contextlib.contextmanager
def translated(doing: str, *, not_found: type[IBMError] = IBMApiError) -> Iterator[None]:
    """Raise, instead of what an API server answers in this block, what users catch; see `from_api`."""
    try:
        yield
    except (errors.ApiError, errors.ConnectionSettingsError) as error:
        raise from_api(error, doing, not_found=not_found) from error


def _missing_right(sentence: str) -> str:
    """Return who may not do what, and how to get the right to."""
    refusal = _SENTENCE.search(sentence)
    if refusal is None:
        return sentence
    user, verb, plural, group, namespace = refusal.group("user", "verb", "plural", "group", "namespace")
    resource = f"{plural}.{group}" if group else plural
    reads = verb in ("get", "list", "watch")
    if namespace is None:
        role = "quantum-runtime-catalogue" if reads else "quantum-runtime-publish"  # of the chart, by its usual name
        where, how = (
            "in the whole cluster",
            f"kubectl create clusterrolebinding NAME --clusterrole={role} --user={user}",
        )
    else:
        role = "view" if reads else "edit"
        where = f"in the namespace {namespace}"
        how = f"kubectl create rolebinding NAME --clusterrole={role} --user={user} --namespace={namespace}"
    return f'user {user} may not {verb} {resource} {where}; ask for the verb {verb} on it, for example by "{how}"'
