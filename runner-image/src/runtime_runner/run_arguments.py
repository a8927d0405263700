"""The arguments of ``backend.run`` as programs give them, made into those that Aer takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_SILENT = {"timeout", "validate", "job_name", "job_tags"}
"""Options without effect on the result, and not worth a warning: the runner has its own limit of time."""

_WHOLE = ("shots", "seed_simulator")


def prepare(
    circuits: Any, parameter_binds: Any, options: dict[str, Any], *, known: Collection[str]
) -> tuple[list[Any], Any, dict[str, Any], list[str]]:
    """Return circuits, Aer's parameter binds, options for Aer, and the names of options that have no effect.

    Args:
        circuits: A circuit, an iterable of circuits, or what the compatibility layer's ``assemble`` has returned.
        parameter_binds: None, Aer's form, or a list of dictionaries of single values.
        options: All other arguments of ``run``; ``qobj`` is the first one's earlier name.
        known: Names of the options Aer has.

    Raises:
        TypeError: no circuits.
        ValueError: a number of shots that is not whole.
    """
    options = dict(options)
    if circuits is None:
        circuits = options.pop("qobj", None)
    if circuits is None:
        raise TypeError("run() needs a circuit or a list of circuits")
    options = {**getattr(circuits, "run_options", {}), **options}
    circuits = [circuits] if hasattr(circuits, "num_qubits") else list(circuits)
    if parameter_binds is None:
        parameter_binds = options.pop("parameter_binds", None)
    if parameter_binds and not all(_is_aers(bind) for bind in parameter_binds):
        circuits = [circuit.assign_parameters(bind) for circuit in circuits for bind in parameter_binds]
        parameter_binds = None
    for name in _WHOLE:
        if name in options:
            value = options.pop(name)
            if value is not None:
                options[name] = _whole(name, value)
    unknown = [name for name in options if name not in known]
    for name in unknown:
        del options[name]
    return circuits, parameter_binds, options, [name for name in unknown if name not in _SILENT]


def decomposed(circuits: list[Any], instructions: Collection[str]) -> list[Any]:
    """Return the circuits with everything but these instructions decomposed; circuits without such are left alone.

    Qubits stay where they are: a coupling map is not looked at.
    """
    return [
        circuit if _consists_of(circuit, instructions) else _decomposed(circuit, instructions) for circuit in circuits
    ]


def _consists_of(circuit: Any, instructions: Collection[str]) -> bool:
    return all(step.operation.name in instructions for step in circuit.data)


def _decomposed(circuit: Any, instructions: Collection[str]) -> Any:
    """Do of `transpile` what changes gates and not qubits; it would refuse the names of Aer's own instructions."""
    from qiskit.circuit.equivalence_library import SessionEquivalenceLibrary
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import BasisTranslator, HighLevelSynthesis, UnitarySynthesis

    names = list(instructions)
    passes = [
        UnitarySynthesis(names),
        HighLevelSynthesis(basis_gates=names, equivalence_library=SessionEquivalenceLibrary),
        BasisTranslator(SessionEquivalenceLibrary, names),
    ]
    return PassManager(passes).run(circuit)


def _is_aers(bind: dict[Any, Any]) -> bool:
    return all(hasattr(values, "__len__") or hasattr(values, "__iter__") for values in bind.values())


def _whole(name: str, value: Any) -> int:
    number = int(value)
    if number != value:
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    return number
