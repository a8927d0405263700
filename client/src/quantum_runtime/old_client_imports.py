"""Imports of the retired service's clients, on the user's side: they resolve to what this package has.

``qiskit.providers.ibmq`` was part of qiskit-ibmq-provider, ``qiskit_ibm_runtime`` had custom programs before 0.16.
Importing `quantum_runtime.ibmq` or `quantum_runtime.ibm_runtime` makes them importable. Nothing that is installed is
replaced: beside a real qiskit-ibm-runtime only what it lacks is supplied (``qiskit_ibm_runtime.program``), and its
exceptions are its own, which ours are not: take them from here.

In a program, in the runner, the same names resolve to what the runner has: `runtime_runner.old_imports`. Its table is
the beginning of this one. Without Qiskit, ``qiskit.providers.ibmq`` cannot be imported: there is no ``qiskit``.
"""

from __future__ import annotations

import sys

from runtime_runner import old_imports, stand_ins

_IBMQ = "quantum_runtime.ibmq"
_IBM_RUNTIME = "quantum_runtime.ibm_runtime"
_ERRORS = "quantum_runtime.exceptions"

_SERVICE_VALUES = {
    "RuntimeJob": f"{_IBM_RUNTIME}:RuntimeJob",
    "RuntimeProgram": f"{_IBM_RUNTIME}:RuntimeProgram",
    "RuntimeOptions": f"{_IBM_RUNTIME}:RuntimeOptions",
    "ParameterNamespace": f"{_IBM_RUNTIME}:ParameterNamespace",
}
_IBMQ_ERRORS = {
    "IBMQError": f"{_ERRORS}:IBMError",
    "IBMQInputValueError": f"{_ERRORS}:IBMInputValueError",
    "IBMQNotAuthorizedError": f"{_ERRORS}:IBMNotAuthorizedError",
    "IBMQApiError": f"{_ERRORS}:IBMApiError",
    "IBMQBackendError": f"{_ERRORS}:IBMBackendError",
    "IBMQBackendValueError": f"{_ERRORS}:IBMBackendValueError",
    "IBMQBackendApiError": f"{_ERRORS}:IBMBackendApiError",
    "IBMQBackendApiProtocolError": f"{_ERRORS}:IBMBackendApiProtocolError",
    "IBMQAccountError": f"{_ERRORS}:IBMError",
    "IBMQProviderError": f"{_ERRORS}:IBMError",
}


def _on_this_side(collections: stand_ins.Collections) -> stand_ins.Collections:
    """Return the runner's table with our exceptions in the place of its own, so that ``except`` catches them."""
    theirs = "runtime_runner.old_exceptions:"
    return {
        module: {name: place.replace(theirs, f"{_ERRORS}:") for name, place in names.items()}
        for module, names in collections.items()
    }


_RUNNERS = _on_this_side(old_imports.COLLECTIONS)

COLLECTIONS: stand_ins.Collections = _RUNNERS | {
    "qiskit.providers.ibmq": {
        "IBMQ": f"{_IBMQ}:IBMQ",
        "IBMQFactory": f"{_IBMQ}:IBMQFactory",
        "AccountProvider": f"{_IBMQ}:AccountProvider",
        "least_busy": f"{_IBMQ}:least_busy",
        **_IBMQ_ERRORS,
    },
    "qiskit.providers.ibmq.exceptions": _IBMQ_ERRORS,
    "qiskit.providers.ibmq.runtime": _RUNNERS["qiskit.providers.ibmq.runtime"]
    | _SERVICE_VALUES
    | {"IBMRuntimeService": f"{_IBMQ}:IBMRuntimeService"},
    "qiskit.providers.ibmq.runtime.runtime_job": {"RuntimeJob": _SERVICE_VALUES["RuntimeJob"]},
    "qiskit.providers.ibmq.runtime.runtime_options": {"RuntimeOptions": _SERVICE_VALUES["RuntimeOptions"]},
    "qiskit.providers.ibmq.runtime.runtime_program": {
        name: _SERVICE_VALUES[name] for name in ("RuntimeProgram", "ParameterNamespace")
    },
    "qiskit.providers.ibmq.runtime.ibm_runtime_service": {"IBMRuntimeService": f"{_IBMQ}:IBMRuntimeService"},
    "qiskit_ibm_runtime": _RUNNERS["qiskit_ibm_runtime"]
    | _SERVICE_VALUES
    | {
        name: f"{_IBM_RUNTIME}:{name}"
        for name in ("QiskitRuntimeService", "IBMRuntimeService", "IBMBackend", "Sampler", "Estimator", "Session")
    },
    "qiskit_ibm_runtime.runtime_job": {"RuntimeJob": _SERVICE_VALUES["RuntimeJob"]},
    "qiskit_ibm_runtime.runtime_options": {"RuntimeOptions": _SERVICE_VALUES["RuntimeOptions"]},
    "qiskit_ibm_runtime.runtime_program": {
        name: _SERVICE_VALUES[name] for name in ("RuntimeProgram", "ParameterNamespace")
    },
}
"""Modules, and the names in them, that are supplied."""

_FINDER = stand_ins.Finder(COLLECTIONS, old_imports.ALIASES)


def make_available() -> None:
    """Let everything that is imported from now on find these modules, where there are no others of their names.

    Of a finder for programs that is there already, as in tests, this one goes ahead.
    """
    if _FINDER not in sys.meta_path:
        others = [index for index, finder in enumerate(sys.meta_path) if isinstance(finder, stand_ins.Finder)]
        sys.meta_path.insert(others[0] if others else len(sys.meta_path), _FINDER)
