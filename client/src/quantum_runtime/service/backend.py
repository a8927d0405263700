"""Backends as a user's side sees them: a name and a spec, and what Qiskit's transpiler wants to know of both.

A backend here runs nothing: it is named in a job, and the runner builds it where the job runs. For ``transpile`` it is
built on this machine, too, from the same spec, when the transpiler first asks; that takes Qiskit and Aer.
"""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from runtime_runner import backend_names

from quantum_runtime import backends as local_backends
from quantum_runtime.exceptions import IBMBackendError, IBMBackendValueError
from quantum_runtime.service.both_ways import Name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from quantum_runtime.cluster.api import Object

_STATE_QUBITS = 30
"""A simulator keeps a number for each state, as Aer does by default: of 30 qubits these are 16 GiB."""

_QUBITS_BY_METHOD = {
    "density_matrix": _STATE_QUBITS // 2,
    "unitary": _STATE_QUBITS // 2,
    "superop": _STATE_QUBITS // 4,
    "matrix_product_state": 63,
    "extended_stabilizer": 63,
    "stabilizer": 10_000,
}
"""What Aer itself says of the methods that keep something else."""

_UNKNOWN_QUBITS = 1_000_000
"""Where a backend ranks whose number is not known: after all others."""

_ASKED_BY_TRANSPILER = frozenset(
    {
        "coupling_map",
        "dt",
        "dtm",
        "get_scheduling_stage_plugin",
        "get_translation_stage_plugin",
        "instruction_durations",
        "max_circuits",
        "operation_names",
        "operations",
        "options",
        "properties",
        "target",
    }
)

ALWAYS_LISTED = tuple(name for name in backend_names.known() if "<" not in name)
"""Well-known names that stand for one backend each: ``aer`` and its methods."""


B = TypeVar("B", bound="_Backend")


class _Backend:
    """What both kinds of backends are."""

    version = 2
    """Of Qiskit's interface for backends."""

    def __init__(self, name: str, spec: dict[str, Any]) -> None:
        self._name = Name(name)
        self._spec = spec

    @property
    def name(self) -> Name:
        """The name jobs give; may be called, too."""
        return self._name

    @property
    def spec(self) -> dict[str, Any]:
        """How runners build it: that of its RuntimeBackend, or what its well-known name stands for."""
        return self._spec

    @property
    def num_qubits(self) -> int | None:
        """How many qubits it has; None where only the runner can tell (``custom``).

        Simulators have no number of their own: as with Aer itself it is what would take 16 GiB, or the method's bound.
        What fits is decided by the memory of the program's runner profile.
        """
        if "aer" in self._spec:
            return _QUBITS_BY_METHOD.get(self._spec["aer"].get("method", ""), _STATE_QUBITS)
        return backend_names.num_qubits(self._spec)

    @property
    def simulator(self) -> bool:
        """Whether it has no device's restrictions (``aer``). Models of devices say False, as Qiskit's own do."""
        return "aer" in self._spec

    @property
    def description(self) -> str:
        """What it is, in one line."""
        match self._spec:
            case {"aer": dict(options)}:
                noise = f", with the noise of {options['noiseModelFrom']}" if "noiseModelFrom" in options else ""
                return f"Aer ({options.get('method', 'automatic')}){noise}"
            case {"fake": {"name": device}}:
                return f"Aer as the device {device}, {self.num_qubits or 'unknown'} qubits, with its noise"
            case {"generic": {"numQubits": number}}:
                return f"Aer as a made-up device, {number} qubits, with noise"
            case {"custom": {"factory": factory}}:
                return f"made by {factory} in the runner image"
        return "of a kind this client does not know"

    def configuration(self) -> SimpleNamespace:
        """Return what ``backend.configuration()`` said of it: name, number of qubits, whether it is a simulator."""
        return SimpleNamespace(
            backend_name=str(self._name),
            n_qubits=self.num_qubits,
            num_qubits=self.num_qubits,
            simulator=self.simulator,
            local=False,
            description=self.description,
        )

    def __getattr__(self, name: str) -> Any:
        if name not in _ASKED_BY_TRANSPILER:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        return getattr(self._built, name)

    @cached_property
    def _built(self) -> Any:
        """The backend itself, on this machine."""
        if "custom" in self._spec:
            factory = self._spec["custom"].get("factory")
            reason = f"it is made by {factory} inside the runner image: transpile in the program"
            raise IBMBackendError(f"backend {self._name!r} has no target outside of a runner: {reason}")
        from runtime_runner import backends
        from runtime_runner.failures import JobError

        try:
            return backends.build(str(self._name), self._spec)
        except JobError as error:
            advice = "transpiling needs Qiskit and Aer here: install quantum-runtime with its extra 'local'"
            raise IBMBackendError(f"{error}; {advice}") from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self._name)!r}: {self.description}>"

    def __str__(self) -> str:
        return str(self._name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Backend) and (self._name, self._spec) == (other._name, other._spec)

    def __hash__(self) -> int:
        return hash(self._name)


class AsyncRuntimeBackend(_Backend):
    """A backend that jobs can name; `AsyncRuntimeService.backend` and its likes make it."""

    def __init__(self, name: str, spec: dict[str, Any], count: Callable[[str], Awaitable[int]]) -> None:
        """Describe one.

        Args:
            name: As jobs give it.
            spec: As a RuntimeBackend has it.
            count: Returns the number of unfinished jobs that name it.
        """
        super().__init__(name, spec)
        self._count = count

    async def status(self) -> SimpleNamespace:
        """Return ``pending_jobs``, the unfinished jobs of the namespace that name it, and ``operational``, True."""
        return _status(self, await self._count(str(self._name)))

    def _repr_html_(self) -> str:
        from quantum_runtime import rendering

        return rendering.backend_html(self)


class RuntimeBackend(_Backend):
    """A backend that jobs can name, and that ``qiskit.transpile(circuit, backend)`` takes.

    `RuntimeService.backend` and its likes make it. Everything of Qiskit's interface that the transpiler asks for is
    there (``target``, ``coupling_map``, ``operation_names``, ``dt``, ...), where Qiskit and Aer are installed.
    """

    def __init__(self, name: str, spec: dict[str, Any], count: Callable[[str], int]) -> None:
        """Describe one.

        Args:
            name: As jobs give it.
            spec: As a RuntimeBackend has it.
            count: Returns the number of unfinished jobs that name it.
        """
        super().__init__(name, spec)
        self._count = count

    def status(self) -> SimpleNamespace:
        """Return ``pending_jobs``, the unfinished jobs of the namespace that name it, and ``operational``, True."""
        return _status(self, self._count(str(self._name)))

    def _repr_html_(self) -> str:
        from quantum_runtime import rendering

        return rendering.backend_html(self)


def _status(backend: _Backend, pending: int) -> SimpleNamespace:
    return SimpleNamespace(
        backend_name=str(backend.name), backend_version="", operational=True, pending_jobs=pending, status_msg="active"
    )


def specs(bodies: Iterable[Object]) -> dict[str, dict[str, Any]]:
    """Return name -> spec of what is listed: RuntimeBackends, and the well-known names that none of them has."""
    there = {str(body["metadata"]["name"]): dict(body.get("spec") or {}) for body in bodies}
    known = {name: local_backends.by_name(name).spec for name in ALWAYS_LISTED if name not in there}
    return dict(sorted((there | known).items()))


def well_known(name: str) -> dict[str, Any]:
    """Return the spec of a well-known name.

    Raises:
        IBMBackendValueError: there is none; the message names similar ones.
    """
    try:
        return local_backends.by_name(name).spec
    except local_backends.BackendError as error:
        raise IBMBackendValueError(str(error)) from None


def suits(
    backend: _Backend,
    *,
    min_num_qubits: int | None = None,
    simulator: bool | None = None,
    filters: Callable[[Any], Any] | None = None,
) -> bool:
    """Return whether a backend is one of those asked for.

    Args:
        backend: Which.
        min_num_qubits: It has at least as many, or it cannot be told.
        simulator: It is one, or it is none; None: either.
        filters: Says whether it will do.
    """
    if min_num_qubits is not None and (there := backend.num_qubits) is not None and there < min_num_qubits:
        return False
    if simulator is not None and backend.simulator is not simulator:
        return False
    return filters is None or bool(filters(backend))


def with_properties(
    properties: Mapping[str, Any], filters: Callable[[RuntimeBackend], Any] | None = None
) -> Callable[[RuntimeBackend], bool]:
    """Return a filter for backends whose configuration or status says all of this, and for which `filters` is true.

    A property that is None may be anything.
    """
    wanted = {key: value for key, value in properties.items() if value is not None}

    def suits(backend: RuntimeBackend) -> bool:
        said = vars(backend.configuration())
        if wanted.keys() - said.keys():
            said |= vars(backend.status())
        alike = all(said.get(key) == value for key, value in wanted.items())
        return alike and (filters is None or bool(filters(backend)))

    return suits


def only_one(found: Sequence[B]) -> B:
    """Return the one backend that was found.

    Raises:
        IBMBackendValueError: there is none, or there are several.
    """
    if len(found) != 1:
        there = f"there are {len(found)}: {', '.join(map(str, found))}" if found else "there is none"
        raise IBMBackendValueError(f"No backend matches the criteria; expected one, {there}.")
    return found[0]


def least_busy(pending: Iterable[tuple[B, int]]) -> B:
    """Return the backend with the fewest unfinished jobs; of several the one with the fewest qubits, then by name.

    Raises:
        IBMBackendValueError: there is none.
    """
    ranked = [(count, one.num_qubits or _UNKNOWN_QUBITS, str(one.name), one) for one, count in pending]
    if not ranked:
        raise IBMBackendValueError("No backend matches the criteria.")
    return min(ranked, key=lambda entry: entry[:3])[3]
