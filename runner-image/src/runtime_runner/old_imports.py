"""Imports that programs of the retired service have, and their users' tests: they resolve to what the runner has.

``qiskit.providers.ibmq.runtime`` was part of qiskit-ibmq-provider, ``qiskit_ibm_runtime.program`` of qiskit-ibm-runtime
before 0.16. Where today's qiskit-ibm-runtime is installed, only what it lacks is supplied. ``qiskit.providers.aer`` is
``qiskit_aer`` by the name it had until Qiskit 1.0.

Not supplied: what speaks to the service (``IBMQ``, ``IBMRuntimeService``, ``qiskit_ibm_provider``): a program has no
account and no network.
"""

from __future__ import annotations

import sys

from runtime_runner import stand_ins

_PROGRAM = {
    "UserMessenger": "runtime_runner.messenger:UserMessenger",
    "ProgramBackend": "runtime_runner.program_backend:ProgramBackend",
    "ResultDecoder": "runtime_runner.encoding:ResultDecoder",
}
_CODING = {
    "RuntimeEncoder": "runtime_runner.encoding:RuntimeEncoder",
    "RuntimeDecoder": "runtime_runner.encoding:RuntimeDecoder",
}
_LEAVES = (
    "RuntimeProgramNotFound",
    "RuntimeJobNotFound",
    "RuntimeInvalidStateError",
    "RuntimeJobFailureError",
    "RuntimeJobMaxTimeoutError",
    "RuntimeJobTimeoutError",
)
_ERRORS = {name: f"runtime_runner.old_exceptions:{name}" for name in _LEAVES}
_IBMQ_ERRORS = _ERRORS | {
    "RuntimeDuplicateProgramError": "runtime_runner.old_exceptions:RuntimeDuplicateProgramError",
    "QiskitRuntimeError": "runtime_runner.old_exceptions:IBMRuntimeError",
}
_IBM_ERRORS = _ERRORS | {
    name: f"runtime_runner.old_exceptions:{name}"
    for name in ("IBMError", "IBMRuntimeError", "IBMInputValueError", "IBMNotAuthorizedError", "IBMApiError")
}


def _with_program(package: str) -> stand_ins.Collections:
    return {
        f"{package}.program": _PROGRAM,
        f"{package}.program.user_messenger": {"UserMessenger": _PROGRAM["UserMessenger"]},
        f"{package}.program.program_backend": {"ProgramBackend": _PROGRAM["ProgramBackend"]},
        f"{package}.program.result_decoder": {"ResultDecoder": _PROGRAM["ResultDecoder"]},
        f"{package}.utils": _CODING,
        f"{package}.utils.json": _CODING,
    }


COLLECTIONS: stand_ins.Collections = {
    "qiskit.providers.ibmq": {},
    "qiskit.providers.ibmq.runtime": _PROGRAM | _CODING | _IBMQ_ERRORS,
    **_with_program("qiskit.providers.ibmq.runtime"),
    "qiskit.providers.ibmq.runtime.exceptions": _IBMQ_ERRORS,
    "qiskit_ibm_runtime": _PROGRAM | _CODING | _IBM_ERRORS,
    **_with_program("qiskit_ibm_runtime"),
    "qiskit_ibm_runtime.exceptions": _IBM_ERRORS,
}
"""Modules, and the names in them, that are supplied."""

ALIASES = {"qiskit.providers.aer": "qiskit_aer"}
"""Packages that have another name today."""

_FINDER = stand_ins.Finder(COLLECTIONS, ALIASES)


def make_available() -> None:
    """Let everything that is imported from now on find these modules, where there are no others of their names."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.append(_FINDER)
