"""Containers of Qiskit's primitives, in the forms that qiskit-ibm-runtime gives them today."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.observables_array import ObservablesArray

from runtime_runner.encoding.errors import DecodingError
from runtime_runner.encoding.kinds import TYPE, Fields


def write_bits(value: BitArray) -> Fields:
    """Packed bits and how many there are."""
    return Fields(array=value.array, num_bits=value.num_bits)


def read_bits(content: Any, _: Any) -> BitArray:
    """From packed bits and how many there are."""
    array, count = content["array"], content["num_bits"]
    if not isinstance(array, np.ndarray) or type(count) is not int:
        raise DecodingError("it must hold an array and a number of bits")
    return BitArray(array, count)


def write_data(value: DataBin) -> Fields:
    """Fields by name, and their common shape."""
    return Fields(field_names=list(value), shape=list(value.shape), fields=Fields(value.items()))


def read_data(content: Any, _: Any) -> DataBin:
    """From fields by name, and their common shape."""
    fields = content["fields"]
    wrong = [name for name in fields if not name.isidentifier() or name.startswith("__")]
    if wrong:
        raise DecodingError(f"{wrong[0]!r} is no name for a field")
    return DataBin(shape=tuple(content["shape"]), **fields)


def write_pub_result(value: PubResult) -> Fields:
    """Data and metadata."""
    return Fields(data=value.data, metadata=value.metadata)


def read_pub_result(content: Any, whole: dict[str, Any]) -> PubResult:
    """From data and metadata; what a sampler's is, is in the tag."""
    data, metadata = content["data"], content["metadata"]
    if not isinstance(data, DataBin) or not isinstance(metadata, dict):
        raise DecodingError("it must hold data and metadata")
    return (SamplerPubResult if whole[TYPE] == "SamplerPubResult" else PubResult)(data, metadata)


def write_result(value: PrimitiveResult[Any]) -> Fields:
    """Results of pubs, and metadata."""
    return Fields(pub_results=list(value), metadata=value.metadata)


def read_result(content: Any, _: Any) -> PrimitiveResult[Any]:
    """From results of pubs, and metadata."""
    results, metadata = content["pub_results"], content["metadata"]
    if not isinstance(results, list) or not isinstance(metadata, dict):
        raise DecodingError("it must hold a list of results and metadata")
    return PrimitiveResult(results, metadata)


def write_observables(value: ObservablesArray) -> Any:
    """Nested lists of objects: coefficients by Pauli string."""
    return value.tolist()


def read_observables(content: Any, _: Any) -> ObservablesArray:
    """From nested lists of objects."""
    return ObservablesArray(content)


def write_bindings(value: BindingsArray) -> Fields:
    """Arrays by the names of their parameters, which are JSON text: an object's keys are text."""
    return Fields(shape=list(value.shape), data={json.dumps(names): array for names, array in value.data.items()})


def read_bindings(content: Any, _: Any) -> BindingsArray:
    """From arrays by the names of their parameters."""
    data = {tuple(json.loads(names)): array for names, array in content["data"].items()}
    return BindingsArray(data, shape=tuple(content["shape"]))


def write_estimator_pub(value: Any) -> list[Any]:
    """What it was made from: a primitive takes it as a pub."""
    return [
        value.circuit,
        value.observables.tolist(),
        value.parameter_values.as_array(value.circuit.parameters),
        value.precision,
    ]


def write_sampler_pub(value: Any) -> list[Any]:
    """What it was made from: a primitive takes it as a pub."""
    return [value.circuit, value.parameter_values.as_array(value.circuit.parameters), value.shots]
