"""Operators and states: written as the arguments they are made from, read by a list of classes.

The tag carries a class's module and name, which the old service's clients imported. Here they are looked up in a list
(`rules.OPERATORS`); what is not on the list stays the object it is in JSON.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import quantum_info as qi

from runtime_runner.encoding.errors import DecodingError
from runtime_runner.encoding.kinds import TYPE, VALUE, Fields, Form

if TYPE_CHECKING:
    from collections.abc import Callable

_PARTS = ("coeffs", "bit_terms", "indices", "boundaries")


def write_settings(value: Any) -> Form:
    """The arguments that the value names."""
    return _form(type(value).__module__, type(value).__name__, _flag_integers(copy.deepcopy(value.settings)))


def write_clifford(value: qi.Clifford) -> Form:
    """Its tableau: the class names no arguments, but takes this one."""
    return _form(qi.Clifford.__module__, "Clifford", {"data": value.tableau})


def write_stabilizer_state(value: qi.StabilizerState) -> Form:
    """Its Clifford: the class names no arguments, but takes this one."""
    return _form(qi.StabilizerState.__module__, "StabilizerState", {"data": value.clifford})


def write_scalar(value: qi.ScalarOp) -> Form:
    """Its dimensions and its factor."""
    return _form(qi.ScalarOp.__module__, "ScalarOp", {"dims": list(value.input_dims()), "coeff": value.coeff})


def read_settings(name: str, content: Any) -> Any:
    """From the arguments, for a class on the list."""
    if not isinstance(content, dict):
        raise DecodingError(f"it holds a {type(content).__name__} where an object belongs")
    return _MADE_BY[name](getattr(qi, name, None), content)


def write_pauli_lindblad_map(value: Any) -> Fields:
    """Its terms and the number of qubits."""
    return Fields(paulis=value.to_sparse_list(), num_qubits=value.num_qubits)


def read_pauli_lindblad_map(content: Any, _: Any) -> Any:
    """From its terms and the number of qubits."""
    terms = [tuple(term) for term in content["paulis"]]
    return qi.PauliLindbladMap.from_sparse_list(terms, content["num_qubits"])


def write_sparse_observable(value: Any) -> Fields:
    """The arrays it consists of."""
    parts = {name: np.array(getattr(value, name)) for name in _PARTS}
    return Fields(num_qubits=value.num_qubits, **parts)


def read_sparse_observable(content: Any, _: Any) -> Any:
    """From the arrays it consists of, which Qiskit checks."""
    parts = [content[name] for name in _PARTS]
    if not all(isinstance(part, np.ndarray) and part.ndim == 1 for part in parts):
        raise DecodingError(f"its {', '.join(_PARTS)} must be arrays")
    return qi.SparseObservable.from_raw_parts(content["num_qubits"], *parts, check=True)


def _form(module: str, name: str, settings: dict[str, Any]) -> Form:
    return Form({TYPE: "settings", "__module__": module, "__class__": name, VALUE: Fields(settings)})


def _flag_integers(settings: Any) -> Any:
    """Mark objects with integers for keys, as old readers need it to make integers of them again."""
    if isinstance(settings, dict):
        for item in settings.values():
            _flag_integers(item)
        if any(isinstance(key, int) for key in settings):
            settings["__int_keys__"] = True
    return settings


def _from_array(dimensions: int) -> Callable[..., Any]:
    """What is made from one array, and from nothing else: a circuit, say, would be multiplied out first."""

    def make(cls: Any, settings: dict[str, Any]) -> Any:
        data = settings.get("data")
        if not isinstance(data, np.ndarray) or data.ndim != dimensions:
            raise DecodingError(f"its data must be an array of {dimensions} dimensions")
        return cls(**settings)

    return make


def _from_arrays(cls: Any, settings: dict[str, Any]) -> Any:
    """What is made from a list of arrays, or from two: Kraus operators, an isometry and its partner."""
    data = settings.get("data")
    sides = data if isinstance(data, list) else [data]
    arrays = [array for side in sides for array in (side if isinstance(side, list) else [side])]
    if not arrays or not all(isinstance(array, np.ndarray) and array.ndim == 2 for array in arrays):
        raise DecodingError("its data must be arrays of two dimensions")
    two = isinstance(data, list) and (cls is qi.Stinespring or any(isinstance(side, list) for side in sides))
    return cls(**settings | {"data": tuple(sides) if two else data})


def _from_labels(cls: Any, settings: dict[str, Any]) -> Any:
    data = settings.get("data")
    labels = data if isinstance(data, list) else [data]
    if not all(isinstance(label, str) for label in labels):
        raise DecodingError("its data must be text")
    return cls(data)


def _sparse_pauli_op(cls: Any, settings: dict[str, Any]) -> Any:
    data, coefficients = settings.get("data"), settings.get("coeffs")
    if not isinstance(data, qi.PauliList) or not isinstance(coefficients, np.ndarray):
        raise DecodingError("it must hold Paulis and an array of coefficients")
    return cls(data, coefficients)


def _stabilizer_state(cls: Any, settings: dict[str, Any]) -> Any:
    data = settings.get("data")
    if not isinstance(data, qi.Clifford):
        raise DecodingError("its data must be a Clifford")
    return cls(data)


def _scalar(cls: Any, settings: dict[str, Any]) -> Any:
    return cls(tuple(settings["dims"]), settings["coeff"])


def _sum_of_paulis(_: Any, settings: dict[str, Any]) -> qi.SparsePauliOp:
    """Sums of Paulis of qiskit.opflow, which is no more."""
    primitive, coefficient = settings.get("primitive"), settings.get("coeff", 1)
    if isinstance(primitive, qi.Pauli):
        primitive = qi.SparsePauliOp(primitive)
    if not isinstance(primitive, qi.SparsePauliOp) or not isinstance(coefficient, (int, float, complex)):
        raise DecodingError("it must hold Paulis and a number")
    return primitive * coefficient


_MADE_BY: dict[str, Callable[..., Any]] = {
    "Pauli": _from_labels,
    "PauliList": _from_labels,
    "SparsePauliOp": _sparse_pauli_op,
    "Operator": _from_array(2),
    "ScalarOp": _scalar,
    "Clifford": _from_array(2),
    "Statevector": _from_array(1),
    "DensityMatrix": _from_array(2),
    "StabilizerState": _stabilizer_state,
    "Choi": _from_array(2),
    "Chi": _from_array(2),
    "PTM": _from_array(2),
    "SuperOp": _from_array(2),
    "Kraus": _from_arrays,
    "Stinespring": _from_arrays,
    "PauliSumOp": _sum_of_paulis,
    "PauliOp": _sum_of_paulis,
}
