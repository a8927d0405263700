"""The table of types beyond plain JSON: how to recognise one, its tag, and who writes and reads it.

A class is looked up in the modules that are already loaded, and who writes and reads it is imported at the first value:
so this imports neither NumPy nor Qiskit, and a program that returns plain JSON pays for none of it. Everything that is
imported is named here; nothing is looked up by a name out of the data.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

TYPE, VALUE = "__type__", "__value__"


class Fields(dict[str, Any]):
    """Content of a tagged value whose keys are the value's attributes, in the message about what cannot be written."""


class Elements(list[Any]):
    """Content of a tagged value whose items have no place."""


class Form(dict[str, Any]):
    """A tagged value with more keys than tag and content. Old readers ignore the others."""


class Kind(NamedTuple):
    """How values of one type are recognised and written.

    Attributes:
        of: module and name of the class; or the name of a rule in `rules`, for what is not told by its class.
        tag: None if what is written needs none to be read.
        write: module of this package and name of the function that makes the content (or a whole `Form`) of a value.
    """

    of: str
    tag: str | None
    write: str

    def matches(self, value: Any) -> bool:
        """Return whether a value is of this type."""
        if not self.by_class:
            rule: Callable[[Any], bool] = function(self.of)
            return rule(value)
        module, _, name = self.of.rpartition(".")
        cls = getattr(sys.modules.get(module), name, None)
        return cls is not None and isinstance(value, cls)

    @property
    def by_class(self) -> bool:
        """Whether this is decided by a value's class alone."""
        return not self.of.startswith("rules.")

    def form(self, value: Any) -> Any:
        """Return what stands for the value: plain JSON, or more values of the table."""
        content = function(self.write)(value)
        return content if self.tag is None or isinstance(content, Form) else {TYPE: self.tag, VALUE: content}


def function(name: str) -> Callable[..., Any]:
    """Return a function of this package by ``module.name``."""
    found = _functions.get(name)
    if found is None:
        module, _, attribute = name.partition(".")
        found = _functions[name] = getattr(importlib.import_module(f"{__package__}.{module}"), attribute)
    return found


def find(value: Any) -> Kind | None:
    """Return how to write a value, or None if there is no way."""
    cls = type(value)
    kind = _by_class.get(cls)
    if kind is None:
        kind = next((kind for kind in KINDS if kind.matches(value)), None)
        if kind is not None and kind.by_class:
            _by_class[cls] = kind
    return kind


_functions: dict[str, Callable[..., Any]] = {}
_by_class: dict[type, Kind] = {}

# In the order in which they are tried: up to the rule for functions, that of the clients of the old service.
KINDS = (
    Kind("datetime.date", "datetime", "standard.write_datetime"),  # a datetime is a date, too
    Kind("builtins.complex", "complex", "standard.write_complex"),
    Kind("numpy.complexfloating", "complex", "standard.write_complex"),
    Kind("numpy.ma.MaskedArray", None, "arrays.refuse_masked"),
    Kind("numpy.ndarray", "ndarray", "arrays.write_array"),
    Kind("numpy.bool_", None, "arrays.write_number"),
    Kind("numpy.timedelta64", "ndarray", "arrays.write_scalar"),  # counts as an integer in NumPy
    Kind("numpy.integer", None, "arrays.write_number"),
    Kind("numpy.floating", None, "arrays.write_number"),
    Kind("builtins.set", "set", "standard.write_set"),
    Kind("qiskit.result.Result", "Result", "simulator.write_result"),
    Kind("rules.has_to_json", "to_json", "rules.write_to_json"),
    Kind("qiskit.QuantumCircuit", "QuantumCircuit", "circuits.write_circuit"),
    Kind("qiskit.circuit.Parameter", "Parameter", "parameters.write_parameter"),
    Kind("qiskit.circuit.ParameterExpression", "ParameterExpression", "parameters.write_expression"),
    Kind("qiskit.circuit.parametertable.ParameterView", None, "parameters.write_view"),
    Kind("qiskit.circuit.Instruction", "Instruction", "circuits.write_instruction"),
    Kind("qiskit.circuit.AnnotatedOperation", "Instruction", "circuits.write_instruction"),
    Kind(
        "qiskit.primitives.containers.observables_array.ObservablesArray",
        "ObservablesArray",
        "primitives.write_observables",
    ),
    Kind("qiskit.primitives.containers.bindings_array.BindingsArray", "BindingsArray", "primitives.write_bindings"),
    Kind("qiskit.primitives.BitArray", "BitArray", "primitives.write_bits"),
    Kind("qiskit.primitives.DataBin", "DataBin", "primitives.write_data"),
    Kind("qiskit.primitives.containers.estimator_pub.EstimatorPub", None, "primitives.write_estimator_pub"),
    Kind("qiskit.primitives.containers.sampler_pub.SamplerPub", None, "primitives.write_sampler_pub"),
    Kind("qiskit.primitives.SamplerPubResult", "SamplerPubResult", "primitives.write_pub_result"),
    Kind("qiskit.primitives.PubResult", "PubResult", "primitives.write_pub_result"),
    Kind("qiskit.primitives.PrimitiveResult", "PrimitiveResult", "primitives.write_result"),
    Kind("qiskit.quantum_info.PauliLindbladMap", "PauliLindbladMap", "operators.write_pauli_lindblad_map"),
    Kind("qiskit.quantum_info.SparseObservable", "SparseObservable", "operators.write_sparse_observable"),
    Kind("qiskit_aer.noise.NoiseModel", "NoiseModel", "simulator.write_noise_model"),
    Kind("qiskit.quantum_info.Clifford", "settings", "operators.write_clifford"),
    Kind("qiskit.quantum_info.StabilizerState", "settings", "operators.write_stabilizer_state"),
    Kind("qiskit.quantum_info.ScalarOp", "settings", "operators.write_scalar"),
    Kind("rules.has_settings", "settings", "operators.write_settings"),
    # What had no form with the old service.
    Kind("qiskit.transpiler.CouplingMap", None, "circuits.write_coupling_map"),
    Kind("qiskit.circuit.ParameterVector", "ParameterVector", "parameters.write_vector"),
    Kind("scipy.sparse.spmatrix", "spmatrix", "sparse.write_sparse"),
    Kind("scipy.sparse.sparray", "spmatrix", "sparse.write_sparse"),
    Kind("numpy.datetime64", "ndarray", "arrays.write_scalar"),
    Kind("numpy.void", "ndarray", "arrays.write_scalar"),
    Kind("builtins.bytes", "bytes", "standard.write_bytes"),
    Kind("builtins.bytearray", "bytearray", "standard.write_bytes"),
    Kind("builtins.frozenset", "frozenset", "standard.write_set"),
    Kind("builtins.range", "range", "standard.write_range"),
    Kind("datetime.time", "time", "standard.write_time"),
    Kind("datetime.timedelta", "timedelta", "standard.write_timedelta"),
    Kind("decimal.Decimal", "Decimal", "standard.write_text"),
    Kind("fractions.Fraction", "Fraction", "standard.write_text"),
    Kind("uuid.UUID", "UUID", "standard.write_text"),
    Kind("pathlib.PurePath", None, "standard.write_text"),
    Kind("enum.Enum", None, "standard.write_enum"),
    Kind("rules.is_dataclass", None, "rules.write_dataclass"),
    Kind("rules.is_function", None, "rules.write_function"),
)

READERS = {
    "datetime": "standard.read_datetime",
    "complex": "standard.read_complex",
    "float": "standard.read_float",
    "int": "standard.read_int",
    "ndarray": "arrays.read_array",
    "array": "arrays.read_old_array",
    "set": "standard.read_set",
    "Result": "simulator.read_result",
    "to_json": "rules.read_to_json",
    "QuantumCircuit": "circuits.read_circuit",
    "Parameter": "parameters.read_parameter",
    "ParameterExpression": "parameters.read_expression",
    "ParameterVector": "parameters.read_vector",
    "Instruction": "circuits.read_instruction",
    "ObservablesArray": "primitives.read_observables",
    "BindingsArray": "primitives.read_bindings",
    "BitArray": "primitives.read_bits",
    "DataBin": "primitives.read_data",
    "SamplerPubResult": "primitives.read_pub_result",
    "PubResult": "primitives.read_pub_result",
    "PrimitiveResult": "primitives.read_result",
    "PauliLindbladMap": "operators.read_pauli_lindblad_map",
    "SparseObservable": "operators.read_sparse_observable",
    "NoiseModel": "simulator.read_noise_model",
    "settings": "rules.read_settings",
    "spmatrix": "sparse.read_sparse",
    "bytes": "standard.read_bytes",
    "bytearray": "standard.read_bytearray",
    "frozenset": "standard.read_frozenset",
    "range": "standard.read_range",
    "time": "standard.read_time",
    "timedelta": "standard.read_timedelta",
    "Decimal": "standard.read_decimal",
    "Fraction": "standard.read_fraction",
    "UUID": "standard.read_uuid",
}
"""Who reads what has a tag. Each takes the content and the whole object."""
