"""Exceptions of the retired service's client, for programs that name them in an ``except`` clause.

Nothing in the runner raises them: a program has no service to talk to.
"""


class IBMError(Exception):
    """Base class of them all."""


class IBMRuntimeError(IBMError):
    """Something about a program or a job of the service."""


class RuntimeDuplicateProgramError(IBMRuntimeError):
    """There was a program of this name."""


class RuntimeProgramNotFound(IBMRuntimeError):  # noqa: N818 - its name then
    """There was no such program."""


class RuntimeJobNotFound(IBMRuntimeError):  # noqa: N818 - its name then
    """There was no such job."""


class RuntimeInvalidStateError(IBMRuntimeError):
    """The job was not in a state for this."""


class RuntimeJobFailureError(IBMRuntimeError):
    """The job had failed."""


class RuntimeJobMaxTimeoutError(IBMRuntimeError):
    """The job had run longer than it may."""


class RuntimeJobTimeoutError(IBMRuntimeError):
    """The client had waited long enough."""


class IBMInputValueError(IBMError):
    """An argument was wrong."""


class IBMNotAuthorizedError(IBMError):
    """The account had no right to do this."""


class IBMApiError(IBMError):
    """The service answered with an error."""
