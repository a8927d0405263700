"""One value of every type that travels, with what "arrived as it was" means for it.

For the tests of the encoding and for those on the cluster. Importable without Qiskit: a value is made when it is used.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import pprint
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def exactly(sent: Any, back: Any) -> bool:
    """The same type, and equal."""
    return type(sent) is type(back) and bool(sent == back)


def becomes(expected: Any) -> Callable[[Any, Any], bool]:
    """It arrives as another value, as documented."""
    return lambda _, back: exactly(expected, back)


def same_array(sent: Any, back: Any) -> bool:
    return (
        type(sent) is type(back)
        and (sent.dtype, sent.shape) == (back.dtype, back.shape)
        and sent.tobytes() == back.tobytes()
    )


def same_objects(sent: Any, back: Any) -> bool:
    return (sent.dtype, sent.shape, sent.tolist()) == (back.dtype, back.shape, back.tolist())


def same_sparse(sent: Any, back: Any) -> bool:
    return (
        type(sent) is type(back)
        and (sent.dtype, sent.shape) == (back.dtype, back.shape)
        and bool((sent.toarray() == back.toarray()).all())
    )


def same_circuit(sent: Any, back: Any) -> bool:
    return bool(sent == back) and (sent.name, sent.metadata) == (back.name, back.metadata)


def same_dictionary(sent: Any, back: Any) -> bool:
    """For what has no equality of its own and can say all about itself; the API server sorts keys."""
    return type(sent) is type(back) and pprint.pformat(sent.to_dict()) == pprint.pformat(back.to_dict())


def same_text(sent: Any, back: Any) -> bool:
    return type(sent) is type(back) and repr(sent) == repr(back)


def same_vector(sent: Any, back: Any) -> bool:
    return list(sent) == list(back) and sent.name == back.name


def same_bits(sent: Any, back: Any) -> bool:
    return bool(sent == back) and sent.get_counts() == back.get_counts()


def same_sampled(sent: Any, back: Any) -> bool:
    """Of two results of a sampler's pub, whose data are bits."""
    return (
        type(sent) is type(back)
        and sent.metadata == back.metadata
        and sent.data.shape == back.data.shape
        and list(sent.data) == list(back.data)
        and all(same_bits(sent.data[name], back.data[name]) for name in sent.data)
    )


def same_results(sent: Any, back: Any) -> bool:
    return (
        type(sent) is type(back)
        and sent.metadata == back.metadata
        and all(same_sampled(*pubs) for pubs in zip(sent, back, strict=True))
    )


@dataclass(frozen=True)
class Example:
    """A value that travels.

    Attributes:
        tag: what it has in the written form; None if it becomes plain JSON.
        make: makes it.
        same: called with what was sent and what came back, says whether that is what the documentation promises.
    """

    tag: str | None
    make: Callable[[], Any]
    same: Callable[[Any, Any], bool] = exactly


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: float
    where: complex


class Text:
    """An object that writes itself."""

    def to_json(self) -> str:
        return '{"foo": 1}'


def _array() -> Any:
    import numpy as np

    return np.asfortranarray(np.arange(6.0).reshape(2, 3))


def _circuit() -> Any:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter

    circuit = QuantumCircuit(2, 2, name="bell", metadata={"when": 1j})
    circuit.h(0)
    circuit.rx(2 * Parameter("θ") + 1, 1)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    return circuit


def _result() -> Any:
    from qiskit.result import Result

    data = {"counts": {"0x1": 10}}
    header = {"name": "x", "creg_sizes": [["c", 1]], "memory_slots": 1}
    run = {"shots": 10, "success": True, "data": data, "header": header, "meas_level": 2}
    return Result.from_dict(
        {"backend_name": "aer", "backend_version": "1", "job_id": "7", "success": True, "results": [run]}
    )


def _noise_model() -> Any:
    from qiskit_aer.noise import NoiseModel, ReadoutError, amplitude_damping_error, depolarizing_error

    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["x"])
    model.add_quantum_error(amplitude_damping_error(0.2), ["sx"], [0])
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
    return model


def _numpy(name: str, *arguments: Any) -> Callable[[], Any]:
    def make() -> Any:
        import numpy as np

        return getattr(np, name)(*arguments)

    return make


def _info(name: str, *arguments: Any) -> Callable[[], Any]:
    def make() -> Any:
        from qiskit import quantum_info

        return getattr(quantum_info, name)(*arguments)

    return make


def _channel(name: str) -> Callable[[], Any]:
    def make() -> Any:
        from qiskit import quantum_info
        from qiskit.circuit.library import XGate

        return getattr(quantum_info, name)(XGate())

    return make


def _sparse(name: str) -> Callable[[], Any]:
    def make() -> Any:
        import scipy.sparse

        return getattr(scipy.sparse, name)([[0, 1.5], [2, 0]])

    return make


def _parameter() -> Any:
    from qiskit.circuit import Parameter

    return Parameter("θ")


def _vector() -> Any:
    from qiskit.circuit import ParameterVector

    return ParameterVector("v", 3)


def _expression() -> Any:
    from qiskit.circuit import Parameter

    return (Parameter("a") + 2 * _vector()[1]).sin() / 3


def _gate() -> Any:
    from qiskit.circuit.library import RXGate

    return RXGate(0.25).control(1, ctrl_state=0)


def _bits() -> Any:
    from qiskit.primitives import BitArray

    return BitArray.from_samples(["0101", "1110"], num_bits=4)


def _data() -> Any:
    import numpy as np
    from qiskit.primitives import DataBin

    return DataBin(evs=np.array([0.5, 1.0]), stds=np.array([0.1, 0.2]), shape=(2,))


def _sampler_pub_result() -> Any:
    from qiskit.primitives import DataBin, SamplerPubResult

    return SamplerPubResult(DataBin(c=_bits()), {"shots": 2})


def _primitive_result() -> Any:
    from qiskit.primitives import PrimitiveResult

    return PrimitiveResult([_sampler_pub_result()], {"version": 2})


def _pub_result() -> Any:
    import numpy as np
    from qiskit.primitives import DataBin, PubResult

    return PubResult(DataBin(evs=np.float64(0.5)), {"target_precision": 0.1})


def _observables() -> Any:
    from qiskit.primitives.containers.observables_array import ObservablesArray

    return ObservablesArray([{"XX": 0.5, "ZZ": 1.0}, {"IY": 1.0}])


def _bindings() -> Any:
    from qiskit.primitives.containers.bindings_array import BindingsArray

    return BindingsArray({("a", "b"): [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]})


def _sampler_pub() -> Any:
    from qiskit import QuantumCircuit
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    circuit = QuantumCircuit(1)
    circuit.rx(_parameter(), 0)
    circuit.measure_all()
    return SamplerPub.coerce((circuit, [0.5], 100))


def _estimator_pub() -> Any:
    from qiskit import QuantumCircuit
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    circuit = QuantumCircuit(1)
    circuit.rx(_parameter(), 0)
    return EstimatorPub.coerce((circuit, "Z", [0.5], 0.1))


def _same_sampler_pub(sent: Any, back: Any) -> bool:
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    pub = SamplerPub.coerce(back)
    return same_circuit(sent.circuit, pub.circuit) and pub.shots == sent.shots and _same_values(sent, pub)


def _same_estimator_pub(sent: Any, back: Any) -> bool:
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    pub = EstimatorPub.coerce(back)
    return (
        same_circuit(sent.circuit, pub.circuit)
        and pub.observables.tolist() == sent.observables.tolist()
        and pub.precision == sent.precision
        and _same_values(sent, pub)
    )


def _same_values(sent: Any, back: Any) -> bool:
    one, other = (pub.parameter_values.as_array(pub.circuit.parameters).tolist() for pub in (sent, back))
    return bool(one == other)


def _same_bindings(sent: Any, back: Any) -> bool:
    return sent.shape == back.shape and {k: v.tolist() for k, v in sent.data.items()} == {
        k: v.tolist() for k, v in back.data.items()
    }


def _same_observables(sent: Any, back: Any) -> bool:
    return bool(sent.shape == back.shape) and sent.tolist() == back.tolist()


def _same_data(sent: Any, back: Any) -> bool:
    return sent.shape == back.shape and {name: sent[name].tolist() for name in sent} == {
        name: back[name].tolist() for name in back
    }


def _same_pub(sent: Any, back: Any) -> bool:
    return type(sent) is type(back) and sent.metadata == back.metadata and sent.data.evs == back.data.evs


def _coupling_map() -> Any:
    from qiskit.transpiler import CouplingMap

    return CouplingMap.from_line(3, bidirectional=False)


def _view() -> Any:
    return _circuit().parameters


def _optimize_result() -> Any:
    import numpy as np
    from scipy.optimize import OptimizeResult

    return OptimizeResult(x=np.array([1.0, 2.0]), success=np.bool_(True), nfev=np.int32(7), fun=np.float32(0.5))


def _same_optimize_result(_: Any, back: Any) -> bool:
    rest = {key: value for key, value in back.items() if key != "x"}
    return back["x"].tolist() == [1.0, 2.0] and exactly(rest, {"success": True, "nfev": 7, "fun": 0.5})


MOMENT = datetime.datetime(2021, 7, 2, 13, 45, 0, 7, tzinfo=datetime.UTC)

EXAMPLES: dict[str, Example] = {
    "nested JSON": Example(None, lambda: {"a": [1, 1.5, True, None, "ü😀"], "": {}}),
    "tuple": Example(None, lambda: (1, (2, "x")), becomes([1, [2, "x"]])),
    "dict with numbers for keys": Example(None, lambda: {0: "a", 1.5: "b"}, becomes({"0": "a", "1.5": "b"})),
    "NaN": Example("float", lambda: [float("nan")], same_text),
    "infinity": Example("float", lambda: [float("inf"), float("-inf")]),
    "integer beyond 64 bits": Example("int", lambda: [2**64, -(2**300), 2**20000]),
    "complex": Example("complex", lambda: 1.5 - 2j),
    "datetime": Example("datetime", lambda: MOMENT),
    "date": Example("datetime", lambda: datetime.date(2021, 7, 2)),
    "time": Example("time", lambda: datetime.time(13, 45, 0, 7)),
    "timedelta": Example("timedelta", lambda: datetime.timedelta(days=-1, microseconds=5)),
    "bytes": Example("bytes", lambda: bytes(range(256))),
    "bytearray": Example("bytearray", lambda: bytearray(b"\0x")),
    "set": Example("set", lambda: {1, "a", (2, (3,))}),
    "frozenset": Example("frozenset", lambda: frozenset({1, frozenset({2})})),
    "range": Example("range", lambda: range(10, 0, -3)),
    "Decimal": Example("Decimal", lambda: decimal.Decimal("0.10")),
    "Fraction": Example("Fraction", lambda: fractions.Fraction(-1, 3)),
    "UUID": Example("UUID", lambda: uuid.UUID(int=7)),
    "path": Example(None, lambda: pathlib.PurePosixPath("a/b"), becomes("a/b")),
    "Enum": Example(None, lambda: Colour.RED, becomes("red")),
    "dataclass": Example(None, lambda: Point(1.5, 1j), becomes({"x": 1.5, "where": 1j})),
    "object with to_json()": Example("to_json", Text, becomes('{"foo": 1}')),
    "NumPy bool": Example(None, _numpy("bool_", True), becomes(True)),
    "NumPy integer": Example(None, _numpy("int32", -7), becomes(-7)),
    "NumPy integer beyond 63 bits": Example("int", _numpy("uint64", 2**64 - 1), becomes(2**64 - 1)),
    "NumPy float": Example(None, _numpy("float32", 0.1), becomes(0.10000000149011612)),
    "NumPy complex": Example("complex", _numpy("complex64", 0.5 + 1j), becomes(0.5 + 1j)),
    "NumPy text": Example(None, _numpy("str_", "ü"), becomes("ü")),
    "NumPy bytes": Example("bytes", _numpy("bytes_", b"\1x"), becomes(b"\1x")),
    "NumPy datetime64": Example("ndarray", _numpy("datetime64", "2021-07-02T13:45:00.000000001")),
    "NumPy timedelta64": Example("ndarray", _numpy("timedelta64", 5, "ms")),
    "NumPy array": Example("ndarray", _array, same_array),
    "NumPy array without dimensions": Example("ndarray", _numpy("array", 5.5), same_array),
    "NumPy array of records": Example("ndarray", _numpy("array", [(1, 2.5)], [("n", "i4"), ("x", "f8")]), same_array),
    "NumPy array of objects": Example("ndarray", _numpy("array", [[1, "a"], [2j, None]], object), same_objects),
    "SciPy sparse matrix": Example("spmatrix", _sparse("csr_matrix"), same_sparse),
    "SciPy sparse array": Example("spmatrix", _sparse("coo_array"), same_sparse),
    "SciPy OptimizeResult": Example(None, _optimize_result, _same_optimize_result),
    "QuantumCircuit": Example("QuantumCircuit", _circuit, same_circuit),
    "Instruction": Example("Instruction", _gate, lambda sent, back: bool(sent == back)),
    "Parameter": Example("Parameter", _parameter),
    "element of a ParameterVector": Example("Parameter", lambda: _vector()[1]),
    "ParameterVector": Example("ParameterVector", _vector, same_vector),
    "ParameterExpression": Example("ParameterExpression", _expression),
    "ParameterView": Example("Parameter", _view, lambda sent, back: type(back) is list and back == list(sent)),
    "Result": Example("Result", _result, same_dictionary),
    "NoiseModel": Example("NoiseModel", _noise_model),
    "CouplingMap": Example(None, _coupling_map, becomes([[0, 1], [1, 2]])),
    "BitArray": Example("BitArray", _bits, same_bits),
    "DataBin": Example("DataBin", _data, _same_data),
    "PubResult": Example("PubResult", _pub_result, _same_pub),
    "SamplerPubResult": Example("SamplerPubResult", _sampler_pub_result, same_sampled),
    "PrimitiveResult": Example("PrimitiveResult", _primitive_result, same_results),
    "ObservablesArray": Example("ObservablesArray", _observables, _same_observables),
    "BindingsArray": Example("BindingsArray", _bindings, _same_bindings),
    "SamplerPub": Example("QuantumCircuit", _sampler_pub, _same_sampler_pub),
    "EstimatorPub": Example("QuantumCircuit", _estimator_pub, _same_estimator_pub),
    "Pauli": Example("settings", _info("Pauli", "-iXY")),
    "PauliList": Example("settings", _info("PauliList", ["XY", "-ZZ"]), lambda sent, back: bool((sent == back).all())),
    "SparsePauliOp": Example("settings", _info("SparsePauliOp", ["XY", "ZZ"], [1, 2j])),
    "SparseObservable": Example("SparseObservable", _info("SparseObservable", "X0+r")),
    "PauliLindbladMap": Example("PauliLindbladMap", _info("PauliLindbladMap", [("XY", 0.5)])),
    "Operator": Example("settings", _info("Operator", [[0, 1j], [1, 0]])),
    "ScalarOp": Example("settings", _info("ScalarOp", (2, 3), 2j)),
    "Clifford": Example("settings", _channel("Clifford")),
    "Statevector": Example("settings", _info("Statevector", [0.6, 0.8j])),
    "DensityMatrix": Example("settings", _info("DensityMatrix", [[0.5, 0], [0, 0.5]])),
    "StabilizerState": Example("settings", _channel("StabilizerState")),
    "Choi": Example("settings", _channel("Choi")),
    "Chi": Example("settings", _channel("Chi")),
    "PTM": Example("settings", _channel("PTM")),
    "SuperOp": Example("settings", _channel("SuperOp")),
    "Kraus": Example("settings", _channel("Kraus")),
    "Stinespring": Example("settings", _channel("Stinespring")),
}
