"""Write, test and run Qiskit Runtime programs, with and without a cluster.

`RuntimeService` is the way in: programs, jobs and backends of a cluster. `AsyncRuntimeService` is the same for code on
an event loop. `quantum_runtime.local` runs programs on this machine. Code of the retired service begins with
`quantum_runtime.ibmq` or `quantum_runtime.ibm_runtime`.

Names are imported when they are first used.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # that of `typing`, whose import would take most of this one's time

if TYPE_CHECKING:
    from runtime_runner.encoding import ResultDecoder, RuntimeDecoder, RuntimeEncoder
    from runtime_runner.messenger import UserMessenger
    from runtime_runner.program_backend import ProgramBackend

    from quantum_runtime.exceptions import (
        IBMApiError,
        IBMBackendError,
        IBMError,
        IBMInputValueError,
        IBMNotAuthorizedError,
        IBMRuntimeError,
        QiskitRuntimeError,
        RuntimeDuplicateProgramError,
        RuntimeInvalidStateError,
        RuntimeJobFailureError,
        RuntimeJobMaxTimeoutError,
        RuntimeJobNotFound,
        RuntimeJobTimeoutError,
        RuntimeProgramNotFound,
    )
    from quantum_runtime.service.aio_job import AsyncRuntimeJob
    from quantum_runtime.service.aio_service import AsyncRuntimeService
    from quantum_runtime.service.backend import AsyncRuntimeBackend, RuntimeBackend
    from quantum_runtime.service.job import RuntimeJob
    from quantum_runtime.service.options import RuntimeOptions
    from quantum_runtime.service.parameters import ParameterNamespace
    from quantum_runtime.service.program import RuntimeProgram
    from quantum_runtime.service.service import RuntimeService

_PLACES = {
    "quantum_runtime.service.service": ("RuntimeService",),
    "quantum_runtime.service.job": ("RuntimeJob",),
    "quantum_runtime.service.program": ("RuntimeProgram",),
    "quantum_runtime.service.parameters": ("ParameterNamespace",),
    "quantum_runtime.service.options": ("RuntimeOptions",),
    "quantum_runtime.service.backend": ("RuntimeBackend", "AsyncRuntimeBackend"),
    "quantum_runtime.service.aio_service": ("AsyncRuntimeService",),
    "quantum_runtime.service.aio_job": ("AsyncRuntimeJob",),
    "runtime_runner.encoding": ("RuntimeEncoder", "RuntimeDecoder", "ResultDecoder"),
    "runtime_runner.messenger": ("UserMessenger",),
    "runtime_runner.program_backend": ("ProgramBackend",),
    "quantum_runtime.exceptions": (
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
    ),
}
_PLACE_OF = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [  # what linters and `import *` see; the same names as above
    "RuntimeService",
    "RuntimeJob",
    "RuntimeProgram",
    "ParameterNamespace",
    "RuntimeOptions",
    "RuntimeBackend",
    "AsyncRuntimeBackend",
    "AsyncRuntimeService",
    "AsyncRuntimeJob",
    "RuntimeEncoder",
    "RuntimeDecoder",
    "ResultDecoder",
    "UserMessenger",
    "ProgramBackend",
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
]


if not TYPE_CHECKING:  # type checkers know the names from above, and shall miss others

    def __getattr__(name: str) -> object:
        if name not in _PLACE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        value = globals()[name] = getattr(importlib.import_module(_PLACE_OF[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
