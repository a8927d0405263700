"""Exceptions for jobs that would not run, with the word that the cluster has for it in such a job's conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantum_runtime.exceptions import IBMBackendValueError, IBMError, IBMInputValueError, RuntimeProgramNotFound

if TYPE_CHECKING:
    from quantum_runtime.judgement import Refusal

PROGRAM_NOT_FOUND = "ProgramNotFound"
BACKEND_NOT_FOUND = "BackendNotFound"

_KINDS: dict[str, type[IBMError]] = {
    PROGRAM_NOT_FOUND: RuntimeProgramNotFound,
    BACKEND_NOT_FOUND: IBMBackendValueError,
    "BackendTooSmall": IBMBackendValueError,
    "InvalidBackend": IBMBackendValueError,
}


def refused(said: Refusal) -> IBMError:
    """Return the exception for a refusal: an `IBMInputValueError`, unless it is about program or backend.

    Its attribute ``reason`` is the word: ``InvalidInput``, ``BackendTooSmall``, ...
    """
    error = _KINDS.get(said.reason, IBMInputValueError)(said.message)
    error.reason = said.reason
    return error
