"""Running circuits the way it was done before ``transpile`` and ``backend.run``."""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import sys
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import qiskit
from qiskit.exceptions import QiskitError
from qiskit_aer import AerProvider, StatevectorSimulator, UnitarySimulator

from runtime_runner import backend_names, backends, simulator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qiskit.result import Result

_transpile_as_now = qiskit.transpile

_CONTROL_FLOW = {
    "if_else": qiskit.circuit.IfElseOp,
    "while_loop": qiskit.circuit.WhileLoopOp,
    "for_loop": qiskit.circuit.ForLoopOp,
    "switch_case": qiskit.circuit.SwitchCaseOp,
    "break_loop": qiskit.circuit.BreakLoopOp,
    "continue_loop": qiskit.circuit.ContinueLoopOp,
}

_FOR_TRANSPILE = (
    *("basis_gates", "coupling_map", "initial_layout", "seed_transpiler", "optimization_level", "output_name", "dt"),
    *("layout_method", "routing_method", "translation_method", "scheduling_method", "approximation_degree", "target"),
    *("unitary_synthesis_method", "unitary_synthesis_plugin_config", "hls_config", "init_method", "callback"),
    *("optimization_method", "ignore_backend_supplied_target", "num_processes", "qubits_initially_zero"),
)

_NO_LONGER = (
    *("backend_properties", "instruction_durations", "inst_map", "timing_constraints", "faulty_qubits_map"),
    *("pass_manager", "backend_num_qubits", "meas_map", "qubit_lo_freq", "meas_lo_freq", "schedule_los"),
    *("default_qubit_los", "default_meas_los", "qobj_id", "qobj_header", "max_credits"),
)
"""Arguments that exist no more."""

_METHODS: dict[str, dict[Any, str | None]] = {
    "routing_method": {"stochastic": "sabre", "none": None},
    "layout_method": {"noise_adaptive": "sabre"},
    "translation_method": {"unroller": "translator"},
}
"""Methods that exist no more, and what is used in their place."""


def _transpile(circuits: Any, backend: Any = None, **options: Any) -> Any:
    """Transpile; a device takes circuits with conditions, as it did before targets knew of control flow."""
    every = [circuits] if hasattr(circuits, "num_qubits") else list(circuits)
    target = getattr(backend, "target", None)
    if target is not None and any(circuit.has_control_flow_op() for circuit in every):
        target = copy.deepcopy(target)
        for name, operation in _CONTROL_FLOW.items():
            if name not in target.operation_names:
                target.add_instruction(operation, name=name)
        options.setdefault("target", target)
    return _transpile_as_now(circuits, backend, **options)


def transpile(circuits: Any, backend: Any = None, **options: Any) -> Any:
    """Transpile as Qiskit does; what it has no argument or method for any more is left out, with a warning."""
    return _transpile(circuits, backend, **_still_there(options))


def execute(experiments: Any, backend: Any, **options: Any) -> Any:
    """Transpile circuits for a backend, run them there and return the job.

    Args:
        experiments: A circuit or a list of them.
        backend: Runs them.
        **options: Those of ``transpile`` and of ``backend.run``; ``shots`` is 1024 if it is not among them.
    """
    options = _still_there(options)
    of_transpile = {name: options.pop(name) for name in _FOR_TRANSPILE if name in options}
    options.setdefault("shots", 1024)
    return backend.run(_transpile(experiments, backend, **of_transpile), **options)


class Assembled(list[Any]):
    """Circuits, and the options to run them with: what ``backend.run`` takes in place of both."""

    run_options: Mapping[str, Any]


def assemble(experiments: Any, backend: Any = None, **options: Any) -> Assembled:
    """Return circuits and options as one object for ``backend.run``; it is no Qobj and cannot be looked into."""
    experiments = [experiments] if hasattr(experiments, "num_qubits") else experiments
    assembled = Assembled(experiments)
    assembled.run_options = _still_there(options)
    return assembled


def schedule(*_: Any, **__: Any) -> Any:
    """Fail: circuits cannot be scheduled as pulses any more."""
    raise QiskitError("circuits cannot be turned into pulses: Qiskit has no pulses since 2.0, nor has this backend")


sequence = schedule


class _Aer(AerProvider):  # type: ignore[misc]
    """Aer's provider, whose backends are as programs know them."""

    def get_backend(self, name: str | None = None, **options: Any) -> Any:
        backend = super().get_backend(name, **options)
        spec = backend_names.resolve(str(backend.name))
        if spec is None or isinstance(backend, (StatevectorSimulator, UnitarySimulator)):  # their results are states
            return simulator.as_known(backend, str(backend.name))
        return backends.build(str(backend.name), {"aer": {"options": options, **spec["aer"]}})


aer = _Aer()


class QuantumInstance:
    """A backend together with how to transpile for it and run on it.

    Error mitigation is not among it: ask for it, and it fails.
    """

    def __init__(self, backend: Any, shots: int | None = None, **options: Any) -> None:
        if options.pop("measurement_error_mitigation_cls", None) is not None:
            raise QiskitError("QuantumInstance no longer mitigates errors; use complete_meas_cal or mthree")
        self._backend = backend
        names = {name: options.pop(name) for name in list(options) if name in _FOR_TRANSPILE}
        self.compile_config: dict[str, Any] = {"initial_layout": None, "optimization_level": None, **names}
        self.backend_options: dict[str, Any] = options.pop("backend_options", None) or {}
        self.noise_config = {"noise_model": options.pop("noise_model", None)}
        self.run_config = SimpleNamespace(shots=1024 if shots is None else shots)
        self.set_config(**{name: options[name] for name in ("seed_simulator", "memory") if name in options})

    @property
    def backend(self) -> Any:
        """The backend."""
        return self._backend

    @property
    def backend_name(self) -> str:
        """The backend's name."""
        return str(self._backend.name)

    @property
    def is_statevector(self) -> bool:
        """Whether results are states and not counts."""
        return "statevector_simulator" in self.backend_name

    def set_config(self, **options: Any) -> None:
        """Change options of runs (``shots``, ``seed_simulator``, ``memory``) or of transpilation."""
        for name, value in options.items():
            if name in _FOR_TRANSPILE:
                self.compile_config[name] = value
            else:
                setattr(self.run_config, name, value)

    def transpile(self, circuits: Any, pass_manager: Any = None) -> list[Any]:
        """Return the circuits as the backend takes them, as a list."""
        circuits = [circuits] if hasattr(circuits, "num_qubits") else list(circuits)
        if pass_manager is not None:
            return list(pass_manager.run(circuits))
        options = {name: value for name, value in self.compile_config.items() if value is not None}
        return list(_transpile(circuits, self._backend, **options))

    def execute(self, circuits: Any, had_transpiled: bool = False) -> Result:
        """Run circuits and return their result."""
        circuits = [circuits] if hasattr(circuits, "num_qubits") else list(circuits)
        prepared = circuits if had_transpiled else self.transpile(circuits)
        options = {**self.noise_config, **vars(self.run_config), **self.backend_options}
        options = {name: value for name, value in options.items() if value is not None}
        return self._backend.run(prepared, **options).result()


def _name(self: Any) -> simulator.Name:
    """The simulator's name; may be called, too."""
    return simulator.Name(vars(self)["name"])


def _set_name(self: Any, name: str) -> None:
    vars(self)["name"] = name


simulator_name = property(_name, _set_name)


class Header(dict[str, Any]):
    """What a result says of a circuit (``name``, ``metadata``, ...), by key and by attribute."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the header has no {name!r}", name=name, obj=self) from None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return dict(self)


def _header(self: Any) -> Any:
    """The header, as it was before Qiskit 2."""
    if "header" not in vars(self):  # which `to_dict` asks
        raise AttributeError("the result of this circuit has no header", name="header", obj=self)
    header = vars(self)["header"]
    return Header(header) if isinstance(header, dict) else header


def _set_header(self: Any, header: Any) -> None:
    vars(self)["header"] = header


header = property(_header, _set_header)


class Provider:
    """Stands for a class of accounts, in annotations; there are none."""


class _AlgorithmGlobals:
    """One source of random numbers for a program, and its seed."""

    _seed: int | None = None
    _random: np.random.Generator | None = None

    @property
    def random_seed(self) -> int | None:
        """The seed; setting it starts the numbers anew."""
        return self._seed

    @random_seed.setter
    def random_seed(self, seed: int | None) -> None:
        self._seed = seed
        self._random = None

    @property
    def random(self) -> np.random.Generator:
        """The generator."""
        if self._random is None:
            self._random = np.random.default_rng(self._seed)
        return self._random


def _algorithm_globals() -> Any:
    """Return the one of qiskit-algorithms where that is installed: its optimizers go by it."""
    try:
        return importlib.import_module("qiskit_algorithms.utils").algorithm_globals
    except ModuleNotFoundError:
        return _AlgorithmGlobals()


def job_monitor(
    job: Any, interval: float | None = None, quiet: bool = False, output: Any = None, line_discipline: str = "\r"
) -> None:
    """Wait for a job and print its status, unless told to be quiet."""
    job.wait_for_final_state()
    if not quiet:
        print(f"Job Status: {job.status().value}", file=output or sys.stdout)


def __getattr__(name: str) -> Any:
    if name == "algorithm_globals":
        globals()[name] = _algorithm_globals()
        return globals()[name]
    if name == "versions":
        return {
            "qiskit": qiskit.__version__,
            "qiskit-terra": qiskit.__version__,
            "qiskit-aer": importlib.metadata.version("qiskit-aer"),
            "qiskit-ignis": None,
            "qiskit-ibmq-provider": None,
        }
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _still_there(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that exist, methods that do not replaced."""
    kept = {name: value for name, value in options.items() if name not in _NO_LONGER}
    left_out = [name for name in options if name in _NO_LONGER and options[name] is not None]
    for name, methods in _METHODS.items():
        if kept.get(name) in methods:
            left_out.append(f"{name}={kept[name]!r}")
            kept[name] = methods[kept[name]]
    if left_out:
        warnings.warn(f"Qiskit no longer has, and does without: {', '.join(left_out)}", stacklevel=3)
    return kept
