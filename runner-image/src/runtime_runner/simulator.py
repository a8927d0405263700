"""Aer's simulator as programs know a ``backend``.

What differs from `qiskit_aer.AerSimulator`: its name is both a text and callable; its target is built once and not 158
times in one call of ``transpile``; ``configuration()``, ``properties()``, ``defaults()`` and ``status()`` answer as a
backend's did before Qiskit 2; ``run`` takes what ``ProgramBackend.run`` took. Circuits, results and the content of the
target are Aer's own.
"""

from __future__ import annotations

import warnings
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from runtime_runner import run_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping


class Name(str):
    """A backend's name, for programs that read ``backend.name`` and for those that call ``backend.name()``."""

    __slots__ = ()

    def __call__(self) -> str:
        """Return the name."""
        return str(self)


@cache
def simulator_class() -> Any:
    """Return the class; Qiskit Aer is imported now."""
    from qiskit_aer import AerSimulator

    class Simulator(AerSimulator):  # type: ignore[misc]
        """AerSimulator as programs know a backend."""

        device: Any = None
        """The fake device it behaves like, if it does."""
        _kept_target: Any = None
        _kept_instructions: frozenset[str] | None = None
        _name = Name()

        @property
        def name(self) -> Name:
            """The name of the RuntimeBackend; may be called, too."""
            return self._name

        @name.setter
        def name(self, name: str) -> None:
            self._name = Name(name)

        @property
        def target(self) -> Any:
            """What the simulator can do, for the transpiler."""
            if self._kept_target is None:
                self._kept_target = super().target
            return self._kept_target

        @property
        def _instructions(self) -> frozenset[str]:
            if self._kept_instructions is None:
                self._kept_instructions = _ALWAYS.union(self.target.operation_names, self.configuration().basis_gates)
            return self._kept_instructions

        def _forget(self) -> None:
            self._kept_target = self._kept_instructions = None

        def set_option(self, key: str, value: Any) -> None:
            """Set an option; the target may differ afterwards, the name does not."""
            self._forget()
            name = self._name
            super().set_option(key, value)
            self._name = name

        def set_max_qubits(self, max_qubits: int) -> None:
            """Set the number of qubits."""
            self._forget()
            super().set_max_qubits(max_qubits)

        def clear_options(self) -> None:
            """Return to the options it was made with by default."""
            self._forget()
            super().clear_options()

        def configuration(self) -> Any:
            """Return Aer's configuration, with the attributes a backend's had before and under this name."""
            configuration = super().configuration()
            configuration.backend_name = str(self._name)
            configuration.simulator = configuration.local = True
            configuration.coupling_map = _pairs(configuration.coupling_map)
            missing = dict(_MISSING_CONFIGURATION)
            if (seconds := getattr(self._target, "dt", None)) is not None:  # Aer's own, of a device: asks for no target
                missing |= dict.fromkeys(_TIMES, seconds)
            for key, value in missing.items():
                if not hasattr(configuration, key):
                    setattr(configuration, key, value)
            return configuration

        def properties(self) -> Any:
            """Return the fake device's calibration data; None if it has none."""
            return self.device.properties() if hasattr(self.device, "properties") else super().properties()

        def defaults(self) -> None:
            """Return no pulse defaults: Qiskit no longer has pulses."""

        def status(self) -> SimpleNamespace:
            """Say that it is there and nobody waits for it."""
            return status(self)

        def run(self, circuits: Any = None, parameter_binds: Any = None, **run_options: Any) -> Any:
            """Run one circuit or several and return Aer's job, whose ``result()`` is a Qiskit ``Result``.

            Args:
                circuits: A circuit or a list of them. What Aer has no implementation of is decomposed; a circuit need
                    not be transpiled to run.
                parameter_binds: Values of parameters, as Aer takes them (one dictionary per circuit, with lists of
                    values) or as ``execute`` took them (dictionaries of single values, each for every circuit).
                **run_options: ``shots`` (any number that is whole), ``memory``, ``seed_simulator`` and all other
                    options of Aer. What only the retired service's devices knew has no effect and is told in a warning.
            """
            circuits, binds, options, unknown = run_arguments.prepare(
                circuits, parameter_binds, run_options, known=_options() | set(self.options.__dict__)
            )
            if unknown:
                warnings.warn(f"{self._name} is a simulator; without effect: {', '.join(unknown)}", stacklevel=2)
            return super().run(run_arguments.decomposed(circuits, self._instructions), binds, **options)

    Simulator.__name__ = Simulator.__qualname__ = "AerSimulator"
    return Simulator


_MISSING_CONFIGURATION: Mapping[str, Any] = {
    "max_experiments": None,
    "credits_required": False,
    "allow_q_object": True,
    "display_name": None,
    "meas_map": None,
    "multi_meas_enabled": True,
    "n_registers": 0,
    "online_date": None,
    "processor_type": None,
    "quantum_volume": None,
    "rep_times": None,
    "sample_name": None,
}

_TIMES = ("dt", "dtm")
"""Durations in seconds, which `to_dict` of Aer's configuration multiplies if they are there."""


@cache
def _options() -> frozenset[str]:
    """Return the names of all options that one run of Aer can have."""
    from qiskit_aer.backends.controller_wrappers import AerConfig

    return frozenset(name for name in dir(AerConfig) if not name.startswith("_")) | {"noise_model"}


_ALWAYS = frozenset({"barrier", "measure", "reset", "delay", "initialize", "store"}) | {
    *("if_else", "while_loop", "for_loop", "switch_case", "break_loop", "continue_loop"),
}
"""Instructions that Aer runs whatever gates it is told to have."""


def __getattr__(name: str) -> Any:
    """Give the class by the name under which a pickled backend has it."""
    if name == "AerSimulator":
        return simulator_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def as_known(backend: Any, name: str) -> Any:
    """Give a backend its name, and what it lacks of the interface programs were written for, as far as it allows it."""
    additions = {
        "configuration": lambda: _configuration(backend),
        "properties": lambda: None,
        "defaults": lambda: None,
        "status": lambda: status(backend),
    }
    changes = {"name": Name(name)} | {key: value for key, value in additions.items() if not hasattr(backend, key)}
    for key, value in changes.items():
        try:
            setattr(backend, key, value)
        except AttributeError:  # made by a factory, which may have its reasons
            continue
    return backend


def _pairs(coupling_map: Any) -> list[list[int]] | None:
    if coupling_map is None:
        return None
    return [list(pair) for pair in getattr(coupling_map, "get_edges", lambda: coupling_map)()]


def status(backend: Any) -> SimpleNamespace:
    """Return what ``backend.status()`` said of a backend that is there and waits for nobody."""
    version = str(getattr(backend, "backend_version", None) or "")
    return SimpleNamespace(
        backend_name=str(backend.name), backend_version=version, operational=True, pending_jobs=0, status_msg="active"
    )


def _configuration(backend: Any) -> SimpleNamespace:
    """Return a configuration of a backend that only has a target, read from it."""
    coupling = getattr(backend, "coupling_map", None)
    number = getattr(backend, "num_qubits", None)
    return SimpleNamespace(
        **{
            **_MISSING_CONFIGURATION,
            "backend_name": str(backend.name),
            "backend_version": str(getattr(backend, "backend_version", None) or ""),
            "n_qubits": number,
            "num_qubits": number,
            "basis_gates": list(getattr(backend, "operation_names", ())),
            "coupling_map": _pairs(coupling),
            "simulator": False,
            "local": True,
            "conditional": False,
            "open_pulse": False,
            "memory": True,
            "max_shots": 1_000_000,
            "max_experiments": getattr(backend, "max_circuits", None),
            **dict.fromkeys(_TIMES, getattr(backend, "dt", None)),
        }
    )
