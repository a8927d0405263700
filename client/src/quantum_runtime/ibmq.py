"""For notebooks of qiskit-ibmq-provider: with one line changed, ``provider.runtime`` is a cluster.

That line is ``from qiskit import IBMQ``; it becomes ``from quantum_runtime.ibmq import IBMQ``.

Accounts, hubs, groups and projects do not exist here. What named them is accepted and has no effect; a token is neither
kept nor sent. The cluster and the namespace are those of the kubeconfig, or given as ``namespace``, ``kubeconfig`` and
``context`` to any of `IBMQ`'s methods that returns a provider.

Importing this module also makes ``qiskit.providers.ibmq`` importable, where it is not installed: see
`old_client_imports`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from quantum_runtime import exceptions, old_client_imports
from quantum_runtime.exceptions import (
    IBMApiError,
    IBMError,
    IBMInputValueError,
    IBMNotAuthorizedError,
    QiskitRuntimeError,
    RuntimeDuplicateProgramError,
    RuntimeInvalidStateError,
    RuntimeJobNotFound,
    RuntimeProgramNotFound,
)
from quantum_runtime.service import backend as backend_values
from quantum_runtime.service.job import RuntimeJob
from quantum_runtime.service.old_job import OldRuntimeJob
from quantum_runtime.service.options import RuntimeOptions
from quantum_runtime.service.parameters import ParameterNamespace
from quantum_runtime.service.program import RuntimeProgram
from quantum_runtime.service.service import RuntimeService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from quantum_runtime.cluster.api import Api
    from quantum_runtime.exceptions import RuntimeJobFailureError, RuntimeJobTimeoutError
    from quantum_runtime.service.backend import RuntimeBackend

log = logging.getLogger(__name__)

__all__ = [
    "IBMQ",
    "AccountProvider",
    "IBMQFactory",
    "IBMQRuntimeJob",
    "IBMRuntimeService",
    "ParameterNamespace",
    "RuntimeJob",
    "RuntimeOptions",
    "RuntimeProgram",
    "least_busy",
    "IBMQError",
    "IBMQInputValueError",
    "IBMQNotAuthorizedError",
    "IBMQApiError",
    "QiskitRuntimeError",
    "RuntimeDuplicateProgramError",
    "RuntimeInvalidStateError",
    "RuntimeJobFailureError",
    "RuntimeJobNotFound",
    "RuntimeJobTimeoutError",
    "RuntimeProgramNotFound",
]

IBMQError = IBMError
"""The names that qiskit-ibmq-provider had for it, and for the next three."""
IBMQInputValueError = IBMInputValueError
IBMQNotAuthorizedError = IBMNotAuthorizedError
IBMQApiError = IBMApiError


class IBMQRuntimeJob(OldRuntimeJob):
    """A job as qiskit-ibmq-provider had it."""

    def result(
        self,
        timeout: float | None = None,
        decoder: Any = None,
        old_decoder: Any = None,
        *,
        progress: bool = False,
        **_: Any,
    ) -> Any:
        """Wait until the job has ended, and return its result; None if it was cancelled. See `RuntimeJob.result`."""
        try:
            return super().result(timeout, decoder, old_decoder, progress=progress)
        except RuntimeInvalidStateError:
            if self.view.cancelled:
                return None
            raise


class IBMRuntimeService(RuntimeService):
    """``provider.runtime``: `RuntimeService` with the order of arguments that ``run`` had.

    A callback gets interim results only, and the result of a cancelled job is None.
    """

    _job_class = IBMQRuntimeJob

    def run(  # type: ignore[override]  # the order it had
        self,
        program_id: str,
        options: Any = None,
        inputs: Any = None,
        callback: Callable[[str, Any], Any] | None = None,
        result_decoder: Any = None,
        image: str | None = "",
        **keywords: Any,
    ) -> RuntimeJob:
        """Submit a job, and return it at once. See `RuntimeService.run`; mind the order: options before inputs."""
        return super().run(program_id, inputs, options, callback, result_decoder, image=image, **keywords)

    def logout(self) -> None:
        """Do nothing: there is no login beyond the kubeconfig's."""


class _Backends:
    """``provider.backends``: called, it returns a list; with a name as attribute, that backend."""

    def __init__(self, service: RuntimeService) -> None:
        self._service = service

    def __call__(
        self,
        name: str | None = None,
        filters: Callable[[RuntimeBackend], Any] | None = None,
        min_num_qubits: int | None = None,
        input_allowed: str | list[str] | None = None,
        **properties: Any,
    ) -> list[RuntimeBackend]:
        """Return backends; see `RuntimeService.backends`.

        Args:
            name: Only this one.
            filters: Only those for which this function returns something true.
            min_num_qubits: Only those with at least as many.
            input_allowed: Has no effect: what it may say, ``job`` and ``runtime``, is allowed.
            **properties: Only those whose configuration or status says this: ``simulator=False, operational=True``.
        """
        suits = backend_values.with_properties(properties, filters)
        return self._service.backends(name, min_num_qubits=min_num_qubits, filters=suits)

    def __getattr__(self, name: str) -> RuntimeBackend:
        if name.startswith("_"):
            raise AttributeError(name)
        for spelling in dict.fromkeys((name, name.replace("_", "-"))):
            if found := self._service.backends(spelling):
                return found[0]
        raise AttributeError(f"there is no backend {name!r}", name=name, obj=self)

    def __dir__(self) -> list[str]:
        return [str(backend.name).replace("-", "_") for backend in self._service.backends()]


class AccountProvider:
    """``provider``: where jobs run. It stands for one namespace of a cluster."""

    def __init__(self, service: IBMRuntimeService) -> None:
        self._service = service
        self._backends = _Backends(service)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} namespace={self._service.namespace!r}>"

    @property
    def runtime(self) -> IBMRuntimeService:
        """The runtime service."""
        return self._service

    @property
    def backend(self) -> _Backends:
        """The backends as attributes: ``provider.backend.ibmq_montreal``."""
        return self._backends

    @property
    def backends(self) -> _Backends:
        """The backends, as a list if it is called: ``provider.backends(simulator=False)``."""
        return self._backends

    def get_backend(self, name: str | None = None, **properties: Any) -> RuntimeBackend:
        """Return a backend.

        Args:
            name: Of the backend.
            **properties: Instead: what it is to be, as for ``provider.backends(...)``; there must be only one.

        Raises:
            IBMBackendValueError: there is none, or there are several.
        """
        if name and not properties:
            return self._service.backend(name)
        return backend_values.only_one(self._backends(name, **properties))

    def services(self) -> dict[str, IBMRuntimeService]:
        """Return the services by name: ``runtime``."""
        return {"runtime": self._service}

    def service(self, name: str) -> IBMRuntimeService:
        """Return the service of this name.

        Raises:
            IBMInputValueError: it is not ``runtime``.
        """
        if not self.has_service(name):
            raise IBMInputValueError(f"there is no service {name!r}, there is: runtime")
        return self._service

    def has_service(self, name: str) -> bool:
        """Return whether there is a service of this name."""
        return name == "runtime"


class IBMQFactory:
    """``IBMQ``: the account, of which nothing is left but the way to a provider."""

    def __init__(self) -> None:
        self._providers: dict[tuple[str | None, str | None, str | None], AccountProvider] = {}
        self._active: AccountProvider | None = None
        self._told = False

    def load_account(
        self,
        *,
        namespace: str | None = None,
        kubeconfig: str | Path | None = None,
        context: str | None = None,
        api: Api | None = None,
    ) -> AccountProvider:
        """Connect to the cluster, and return the provider.

        Args:
            namespace: Default: the kubeconfig's.
            kubeconfig: Path of the file. Default: ``$KUBECONFIG``, ``~/.kube/config``, or the identity of the pod.
            context: In the kubeconfig. Default: the current one.
            api: What speaks to the cluster, in the place of all this: for tests.

        Raises:
            IBMApiError: there is no cluster to speak to: no kubeconfig, or one that cannot be used.
        """
        key = (namespace, None if kubeconfig is None else str(kubeconfig), context)
        if api is not None or key not in self._providers:
            service = IBMRuntimeService(namespace, kubeconfig=kubeconfig, context=context, api=api)
            self._providers[key] = AccountProvider(service)
        self._active = self._providers[key]
        return self._active

    def enable_account(self, token: str | None = None, *_: Any, **others: Any) -> AccountProvider:
        """Do as `load_account`.

        Args:
            token: Has no effect, and is neither kept nor sent.
            *_: Have no effect: url, hub, group and project.
            **others: ``namespace``, ``kubeconfig`` and ``context`` as for `load_account`; others have no effect.
        """
        self._tell(token)
        return self.load_account(**_ours(others))

    def save_account(self, token: str | None = None, *_: Any, **others: Any) -> None:
        """Do nothing: a kubeconfig holds what this held."""
        self._tell(token)

    def delete_account(self) -> None:
        """Do nothing: there is no stored account."""

    def disable_account(self) -> None:
        """Close the connections of all providers."""
        for provider in self._providers.values():
            provider.runtime.close()
        self._providers.clear()
        self._active = None

    def stored_account(self) -> dict[str, str]:
        """Return an empty dictionary: nothing is stored."""
        return {}

    def active_account(self) -> dict[str, str] | None:
        """Return what is in use, ``{"namespace": ...}``; None before `load_account`."""
        return None if self._active is None else {"namespace": self._active.runtime.namespace}

    def get_provider(
        self, hub: str | None = None, group: str | None = None, project: str | None = None, **others: Any
    ) -> AccountProvider:
        """Return the provider.

        Args:
            hub: Has no effect, nor have the next two.
            group: See there.
            project: See there.
            **others: ``namespace``, ``kubeconfig`` and ``context``, as for `load_account`. Without them it is the
                provider that is in use, if there is one.
        """
        given = _ours(others)
        return self._active if self._active is not None and not given else self.load_account(**given)

    def providers(
        self, hub: str | None = None, group: str | None = None, project: str | None = None
    ) -> list[AccountProvider]:
        """Return the provider that is in use, if there is one, as a list."""
        return [] if self._active is None else [self._active]

    def _tell(self, token: str | None) -> None:
        """Say once what becomes of a token."""
        if token is not None and not self._told:
            self._told = True
            log.warning("tokens are not needed, not kept and not sent: the kubeconfig says who you are")


def least_busy(backends: Iterable[RuntimeBackend]) -> RuntimeBackend:
    """Return the backend that the fewest unfinished jobs of the namespace name; of several the smallest.

    Raises:
        IBMBackendValueError: there are none.
    """
    return backend_values.least_busy((one, one.status().pending_jobs) for one in backends)


def _ours(given: dict[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in ("namespace", "kubeconfig", "context", "api") if given.get(key) is not None}


def __getattr__(name: str) -> Any:
    if name in __all__:  # made when they are asked for
        return getattr(exceptions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


IBMQ = IBMQFactory()
"""The account of this process."""

old_client_imports.make_available()
