"""For code of qiskit-ibm-runtime before 0.16: with one line changed, ``QiskitRuntimeService`` is a cluster.

``from qiskit_ibm_runtime import ...`` becomes ``from quantum_runtime.ibm_runtime import ...``.

Accounts, channels and instances do not exist here. What named them is accepted and has no effect; a token is neither
kept nor sent. The cluster and the namespace are those of the kubeconfig, or given as ``namespace``, ``kubeconfig`` and
``context``.

Importing this module also makes ``qiskit_ibm_runtime`` importable, where it is not installed: see
`old_client_imports`. ``Sampler``, ``Estimator`` and ``Session`` are not here; the error says what to use.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

from runtime_runner.encoding import ResultDecoder, RuntimeDecoder, RuntimeEncoder
from runtime_runner.messenger import UserMessenger
from runtime_runner.program_backend import ProgramBackend

from quantum_runtime import exceptions, old_client_imports
from quantum_runtime.exceptions import (
    IBMApiError,
    IBMError,
    IBMInputValueError,
    IBMNotAuthorizedError,
    IBMRuntimeError,
    RuntimeDuplicateProgramError,
    RuntimeInvalidStateError,
    RuntimeJobNotFound,
    RuntimeProgramNotFound,
)
from quantum_runtime.service import backend as backend_values
from quantum_runtime.service.backend import RuntimeBackend
from quantum_runtime.service.job import RuntimeJob
from quantum_runtime.service.old_job import OldRuntimeJob
from quantum_runtime.service.options import RuntimeOptions
from quantum_runtime.service.parameters import ParameterNamespace
from quantum_runtime.service.program import RuntimeProgram
from quantum_runtime.service.service import RuntimeService

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from quantum_runtime.cluster.api import Api
    from quantum_runtime.exceptions import (
        RuntimeJobFailureError,
        RuntimeJobMaxTimeoutError,
        RuntimeJobTimeoutError,
    )

log = logging.getLogger(__name__)

__all__ = [
    "QiskitRuntimeService",
    "IBMRuntimeService",
    "IBMBackend",
    "RuntimeJob",
    "RuntimeOptions",
    "RuntimeProgram",
    "ParameterNamespace",
    "RuntimeEncoder",
    "RuntimeDecoder",
    "ResultDecoder",
    "UserMessenger",
    "ProgramBackend",
    "IBMError",
    "IBMRuntimeError",
    "IBMApiError",
    "IBMInputValueError",
    "IBMNotAuthorizedError",
    "RuntimeDuplicateProgramError",
    "RuntimeInvalidStateError",
    "RuntimeJobFailureError",
    "RuntimeJobMaxTimeoutError",
    "RuntimeJobNotFound",
    "RuntimeJobTimeoutError",
    "RuntimeProgramNotFound",
]

IBMBackend = RuntimeBackend
"""The name it had."""

_PROGRAMS = "service.run({program!r}, inputs={{...}}) runs the program {program!r} of the cluster's catalogue"
_INSTEAD = {
    "Sampler": _PROGRAMS.format(program="sampler"),
    "SamplerV2": _PROGRAMS.format(program="sampler"),
    "Estimator": _PROGRAMS.format(program="estimator"),
    "EstimatorV2": _PROGRAMS.format(program="estimator"),
    "Options": "RuntimeOptions, or a dictionary, says how a job is to be run",
    "Session": "jobs need none: each gets a runner of its own, at once where the platform team keeps some ready",
    "Batch": "submit the jobs one after the other: they run side by side",
}

_MADE_LATER = ("RuntimeJobFailureError", "RuntimeJobMaxTimeoutError", "RuntimeJobTimeoutError")

_told = False


class QiskitRuntimeService(RuntimeService):
    """`RuntimeService` as qiskit-ibm-runtime had it: a callback gets the result, too, after the interim results."""

    _job_class = OldRuntimeJob
    _streams_result = True

    def __init__(
        self,
        channel: str | None = None,
        token: str | None = None,
        url: str | None = None,
        instance: str | None = None,
        *,
        namespace: str | None = None,
        kubeconfig: str | Path | None = None,
        context: str | None = None,
        api: Api | None = None,
        **others: Any,
    ) -> None:
        """Connect to a cluster.

        Args:
            channel: Has no effect.
            token: Has no effect, and is neither kept nor sent.
            url: Has no effect.
            instance: Has no effect.
            namespace: See `RuntimeService`, as for the next three.
            kubeconfig: See there.
            context: See there.
            api: See there.
            **others: Have no effect: ``auth``, ``filename``, ``name``, ``proxies``, ``verify``, ...

        Raises:
            IBMApiError: there is no cluster to speak to: no kubeconfig, or one that cannot be used.
        """
        _tell(token)
        super().__init__(namespace, kubeconfig=kubeconfig, context=context, api=api)

    def run(
        self,
        program_id: str,
        inputs: Any = None,
        options: Any = None,
        callback: Callable[[str, Any], Any] | None = None,
        result_decoder: Any = None,
        session_id: str | None = None,
        start_session: bool | None = False,
        **keywords: Any,
    ) -> RuntimeJob:
        """Submit a job, and return it at once. See `RuntimeService.run`; the callback gets the result, too, last."""
        keywords |= {"session_id": session_id, "start_session": bool(start_session)}
        return super().run(program_id, inputs, options, callback, result_decoder, **keywords)

    def backends(  # type: ignore[override]  # the order it had
        self,
        name: str | None = None,
        min_num_qubits: int | None = None,
        instance: str | None = None,
        filters: Callable[[RuntimeBackend], Any] | None = None,
        **properties: Any,
    ) -> list[RuntimeBackend]:
        """Return the backends; see `RuntimeService.backends`.

        Args:
            name: Only this one, if it exists.
            min_num_qubits: Only those with at least as many.
            instance: Has no effect.
            filters: Only those for which this function, called with a backend, returns something true.
            **properties: Only those whose configuration or status says this: ``simulator=True, operational=True``.
        """
        suits = backend_values.with_properties(properties, filters)
        return super().backends(name, min_num_qubits=min_num_qubits, filters=suits)

    def backend(self, name: str | None = None, instance: str | None = None) -> RuntimeBackend:
        """Return a backend, see `RuntimeService.backend`; without a name the first that is listed."""
        return super().backend(name) if name else self.backends()[0]

    def get_backend(self, name: str | None = None, **properties: Any) -> RuntimeBackend:
        """Return a backend.

        Args:
            name: Of the backend.
            **properties: Instead: what it is to be, as for `backends`; there must be only one.

        Raises:
            IBMBackendValueError: there is none, or there are several.
        """
        if name and not properties:
            return self.backend(name)
        return backend_values.only_one(self.backends(name, **properties))

    def least_busy(  # type: ignore[override]  # the order it had
        self,
        min_num_qubits: int | None = None,
        instance: str | None = None,
        filters: Callable[[RuntimeBackend], Any] | None = None,
        **properties: Any,
    ) -> RuntimeBackend:
        """Return the backend that the fewest unfinished jobs name; see `RuntimeService.least_busy`, and `backends`."""
        return super().least_busy(min_num_qubits, filters=backend_values.with_properties(properties, filters))

    @property
    def runtime(self) -> Self:
        """The service itself: code for ``provider.runtime`` works with both."""
        return self

    def instances(self) -> list[str]:
        """Return an empty list: there are no hubs, groups and projects here."""
        return []

    def active_account(self) -> dict[str, str]:
        """Return what is in use: the namespace."""
        return {"namespace": self.namespace}

    @staticmethod
    def save_account(token: str | None = None, *_: Any, **others: Any) -> None:
        """Do nothing: a kubeconfig holds what this held. A token is neither kept nor sent."""
        _tell(token)

    @staticmethod
    def delete_account(*_: Any, **others: Any) -> bool:
        """Return False: there was no stored account."""
        return False

    @staticmethod
    def saved_accounts(*_: Any, **others: Any) -> dict[str, dict[str, Any]]:
        """Return an empty dictionary: nothing is stored."""
        return {}


IBMRuntimeService = QiskitRuntimeService
"""Its name in qiskit-ibm-runtime 0.1 to 0.3."""


def _tell(token: str | None) -> None:
    """Say once what becomes of a token."""
    global _told
    if token is not None and not _told:
        _told = True
        log.warning("tokens are not needed, not kept and not sent: the kubeconfig says who you are")


def __getattr__(name: str) -> Any:
    if name in _MADE_LATER:
        return getattr(exceptions, name)
    if name in _INSTEAD:
        raise ImportError(f"there is no {name} here: {_INSTEAD[name]}", name=__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


old_client_imports.make_available()
