"""Values that are told by what they can do, not by their class."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

from runtime_runner.encoding.kinds import Fields, function

OPERATORS = {
    "qiskit.quantum_info": (
        "Pauli", "PauliList", "SparsePauliOp", "Operator", "ScalarOp", "Clifford", "Statevector", "DensityMatrix",
        "StabilizerState", "Choi", "Chi", "PTM", "SuperOp", "Kraus", "Stinespring",
    ),
    "qiskit_aer.backends": ("Operator", "Statevector", "DensityMatrix", "SuperOp"),  # what its results give out
    "qiskit.opflow": ("PauliSumOp", "PauliOp"),
}  # fmt: skip
"""Classes that are made again from their arguments, by package: Qiskit's modules have moved."""


def has_to_json(value: Any) -> bool:
    """Return whether a value writes itself; of a class, only its instances do."""
    return not isinstance(value, type) and callable(getattr(value, "to_json", None))


def write_to_json(value: Any) -> Any:
    """What it says."""
    return value.to_json()


def read_to_json(content: Any, _: Any) -> Any:
    """The text itself: the class is the user's, whose ``from_json`` makes an object of it."""
    return content


def has_settings(value: Any) -> bool:
    """Return whether a value can be made again from arguments it names, as operators of Qiskit can."""
    return not isinstance(value, type) and isinstance(getattr(value, "settings", None), dict)


def read_settings(content: Any, whole: dict[str, Any]) -> Any:
    """From the arguments, if the class is on the list; else the object as it is, whether or not Qiskit is installed."""
    module, name = whole.get("__module__"), whole.get("__class__")
    package = ".".join(module.split(".")[:2]) if isinstance(module, str) else ""
    if name in OPERATORS.get(package, ()):
        return function("operators.read_settings")(name, content)
    return whole


def is_dataclass(value: Any) -> bool:
    """Return whether a value is an instance of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def write_dataclass(value: Any) -> Fields:
    """Its fields as an object: what a reader without the class can use."""
    return Fields({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})


def is_function(value: Any) -> bool:
    """Return whether a value can be called, and nothing else is known of it."""
    return callable(value)


def write_function(value: Any) -> None:
    """None, with a warning, as clients of the old service did: settings of optimisers often hold a callback."""
    name = getattr(value, "__qualname__", type(value).__qualname__)
    warnings.warn(f"{name} can be called: it has no form in JSON and arrives as None", UserWarning, stacklevel=2)
