"""Data that clients of the old service wrote: by qiskit-ibm-runtime 0.20.0 with Qiskit 0.46.3, for these tests."""

from __future__ import annotations

import base64
import datetime
import json
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from runtime_runner import encoding
from runtime_runner.encoding import DecodingError

qiskit = pytest.importorskip("qiskit")

import numpy as np  # noqa: E402 - Qiskit may be missing
import scipy.sparse as sp  # noqa: E402
from qiskit import QuantumCircuit  # noqa: E402
from qiskit import quantum_info as qi  # noqa: E402
from qiskit.circuit import Parameter  # noqa: E402
from qiskit.circuit.library import CXGate, RXGate, XGate  # noqa: E402

pytestmark = pytest.mark.aer

STORED: dict[str, Any] = json.loads((Path(__file__).parent / "data/ibm_runtime_0_20.json").read_text(encoding="utf-8"))


AERS = "qiskit_aer.backends.compatibility"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Statevector", qi.Statevector([1, 0])),
        ("DensityMatrix", qi.DensityMatrix([1, 0])),
        ("Operator", qi.Operator(np.eye(2))),
        ("SuperOp", qi.SuperOp(np.eye(4))),
    ],
)
def test_what_results_of_aer_hold_arrives_as_qiskits_own(name: str, value: Any) -> None:
    from qiskit_aer.backends import compatibility

    of_aer = getattr(compatibility, name)(value)
    text = encoding.to_text(of_aer)
    assert json.loads(text)["__module__"] == AERS
    assert encoding.from_text(text) == value
    assert type(encoding.from_text(text)) is type(value)


def read(name: str) -> Any:
    return encoding.from_text(json.dumps(STORED[name]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datetime", datetime.datetime(2021, 7, 2, 13, 45, tzinfo=datetime.UTC)),
        ("date", datetime.date(2021, 7, 2)),
        ("complex", 1 + 2j),
        ("set", {1}),
        ("int64", 5),
        ("callable", None),
        ("to_json", '{"foo": 1}'),
        ("Instruction", RXGate(0.5)),
        ("Instruction CX", CXGate()),
        ("Instruction with symengine", RXGate(0.5)),
        ("Pauli", qi.Pauli("-iXY")),
        ("PauliList", qi.PauliList(["XY", "-ZZ"])),
        ("SparsePauliOp", qi.SparsePauliOp(["XY", "ZZ"], [1, 2j])),
        ("Operator", qi.Operator(np.eye(2))),
        ("Statevector", qi.Statevector([1, 0])),
        ("DensityMatrix", qi.DensityMatrix([1, 0])),
        ("Choi", qi.Choi(XGate())),
        ("Kraus", qi.Kraus(XGate())),
    ],
)
def test_a_value_is_read_as_it_was(name: str, value: Any) -> None:
    back = read(name)
    assert type(back) is type(value)
    assert np.all(back == value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ndarray", np.arange(6.0).reshape(2, 3)),
        ("ndarray of objects", np.array([1, None, "a"], dtype=object)),
        ("csr_matrix", sp.csr_matrix([[0, 1.5], [2, 0]])),
        ("coo_matrix", sp.coo_matrix([[0, 1j], [2, 0]])),
        ("dia_matrix", sp.dia_matrix([[1, 0], [0, 2]])),
    ],
)
def test_an_array_is_read_as_it_was(name: str, value: Any) -> None:
    back = read(name)
    assert (type(back), back.dtype, back.shape) == (type(value), value.dtype, value.shape)
    dense = [array.toarray() if sp.issparse(array) else array for array in (back, value)]
    assert np.array_equal(*dense)


def test_a_circuit_is_read_with_its_parameters_control_flow_and_metadata() -> None:
    circuit = read("QuantumCircuit")
    assert circuit.count_ops() == {"h": 1, "rx": 1, "cx": 1, "if_else": 1, "measure": 2}
    assert [parameter.name for parameter in circuit.parameters] == ["b", "θ"]
    assert (circuit.name, circuit.metadata) == ("bell", {"when": 1j})
    assert circuit.assign_parameters([0.5, 1.0]).data[1].params == [2.0]


def test_parameters_are_read_with_their_identity() -> None:
    parameter = read("Parameter")
    assert (parameter.name, parameter.uuid.int) == ("θ", 1)
    assert parameter in read("Instruction with a parameter").params
    assert read("ParameterVectorElement").name == "v[1]"
    assert [one.name for one in read("ParameterView")] == ["b", "θ"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ParameterExpression", lambda a, b: np.sin(a + 2 * b) / 3),
        ("ParameterExpression of a vector", lambda first, second: first * second - 1),
        ("ParameterExpression with powers", lambda a, b: a * a * np.exp(b) - np.log(b) * abs(a) + 1.5),
    ],
)
def test_an_expression_of_sympy_is_read_and_takes_the_same_values(name: str, value: Any) -> None:
    expression = read(name)
    names = sorted(expression.parameters, key=lambda parameter: -ord(parameter.name[0]) or parameter.name)
    if "vector" in name:
        names = sorted(expression.parameters, key=lambda parameter: parameter.name)
    bound = expression.bind(dict(zip(names, [0.7, 1.3], strict=True)))
    assert float(bound) == pytest.approx(value(0.7, 1.3))


def test_an_expression_of_the_first_clients_is_read() -> None:
    """Qiskit 0.19.0 wrote one letter before a symbol, later ones two."""
    text = b"Add(Symbol('a'), Integer(2))"
    symbol = struct.pack("!cQ", b"p", 0) + struct.pack("!H16s", 1, bytes(15) + b"\7") + b"a"
    content = base64.b64encode(struct.pack("!QQ", 1, len(text)) + text + symbol).decode()
    expression = encoding.from_text(json.dumps({"__type__": "ParameterExpression", "__value__": content}))
    (parameter,) = expression.parameters
    assert (parameter.uuid.int, float(expression.bind({parameter: 1}))) == (7, 3.0)


@pytest.mark.parametrize("name", ["QuantumCircuit with symengine", "ParameterExpression with symengine"])
def test_an_expression_of_symengine_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(DecodingError, match=r"written with symengine"):
        read(name)


def test_a_result_gives_its_counts() -> None:
    assert read("Result").get_counts() == {"1": 10}


@pytest.mark.filterwarnings("ignore:from_dict has been deprecated")
def test_a_noise_model_is_the_one_it_was() -> None:
    from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["x"])
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
    assert read("NoiseModel") == model


def test_an_array_of_the_earliest_clients_is_read() -> None:
    assert encoding.from_text('{"__type__": "array", "__value__": [1, 2]}').tolist() == [1, 2]


def test_a_sum_of_paulis_of_opflow_becomes_the_operator_that_took_its_place() -> None:
    form = {
        "__type__": "settings",
        "__module__": "qiskit.opflow.primitive_ops.pauli_sum_op",
        "__class__": "PauliSumOp",
        "__value__": {"primitive": STORED["SparsePauliOp"], "coeff": 2.0},
    }
    assert encoding.from_text(json.dumps(form)) == qi.SparsePauliOp(["XY", "ZZ"], [2, 4j])


def test_a_class_is_found_where_it_is_today_wherever_it_was() -> None:
    form = STORED["Pauli"] | {"__module__": "qiskit.quantum_info.operators.pauli"}
    assert encoding.from_text(json.dumps(form)) == qi.Pauli("-iXY")


def test_a_pickled_circuit_of_the_first_year_is_refused_with_the_reason() -> None:
    content = base64.b64encode(zlib.compress(pickle.dumps({"circuit": 1}))).decode()
    with pytest.raises(DecodingError, match=r"a pickled circuit, of a client older than QPY \(2021\)"):
        encoding.from_text(json.dumps({"__type__": "QuantumCircuit", "__value__": content}))


def test_what_we_write_is_in_the_forms_that_were_read_before() -> None:
    """Tag for tag, key for key: an old reader looks at nothing else."""
    circuit = QuantumCircuit(1)
    theta = Parameter("θ")
    circuit.rx(theta, 0)
    for name, value in {
        "complex": 1 + 2j,
        "ndarray": np.arange(6.0).reshape(2, 3),
        "SparsePauliOp": qi.SparsePauliOp(["XY", "ZZ"], [1, 2j]),
        "Statevector": qi.Statevector([1, 0]),
        "Pauli": qi.Pauli("-iXY"),
        "csr_matrix": sp.csr_matrix([[0, 1.5], [2, 0]]),
        "Instruction": RXGate(0.5),
    }.items():
        written, stored = json.loads(encoding.to_text(value)), STORED[name]
        assert {key: written[key] for key in written if key != "__value__"} == {
            key: stored[key] for key in stored if key != "__value__"
        }
        assert type(written["__value__"]) is type(stored["__value__"])
        if isinstance(written["__value__"], dict):
            assert set(written["__value__"]) == set(stored["__value__"])
    raw = base64.b64decode(json.loads(encoding.to_text(theta))["__value__"])
    assert raw == struct.pack("!H", 2) + theta.uuid.bytes + "θ".encode()
