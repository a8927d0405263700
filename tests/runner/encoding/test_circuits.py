"""Circuits and what they are made of arrive as they were, in the lowest version of QPY that says all about them."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_runner import encoding
from runtime_runner.encoding import EncodingError

qiskit = pytest.importorskip("qiskit")

from qiskit import QuantumCircuit, transpile  # noqa: E402 - Qiskit may be missing
from qiskit.circuit import (  # noqa: E402
    AnnotatedOperation,
    Annotation,
    Delay,
    Duration,
    Gate,
    Parameter,
    ParameterVector,
    PowerModifier,
    QuantumRegister,
)
from qiskit.circuit.classical import expr, types  # noqa: E402
from qiskit.circuit.library import (  # noqa: E402
    HGate,
    Measure,
    PauliEvolutionGate,
    PauliProductRotationGate,
    XGate,
    efficient_su2,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import Clifford, Pauli, SparseObservable, SparsePauliOp  # noqa: E402
from qiskit.transpiler import CouplingMap  # noqa: E402
from support.values import same_circuit  # noqa: E402

pytestmark = pytest.mark.aer

a, b = Parameter("a"), Parameter("b")
v = ParameterVector("v", 3)


def there_and_back(value: Any) -> Any:
    return encoding.from_text(encoding.to_text([value]))[0]


def version_of(value: Any) -> int:
    raw = zlib.decompress(base64.b64decode(json.loads(encoding.to_text(value))["__value__"]))
    assert raw[:6] == b"QISKIT"
    return raw[6]


def plain() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 2, name="ünï", global_phase=a / 3, metadata={"when": 1j, "list": [{1}]})
    circuit.rx(a + 2 * b, 0)
    circuit.ry(v[1] * a.sin(), 1)
    circuit.ccx(0, 1, 2, ctrl_state=1)
    circuit.barrier(label="B")
    circuit.delay(3, 0)
    circuit.measure(0, 0)
    circuit.reset(0)
    return circuit


def control_flow() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise, circuit.for_loop(range(3)) as index:
        circuit.rx(index * 0.1, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.measure(0, 0)
        circuit.break_loop()
    with circuit.switch(circuit.clbits[0]) as case:
        with case(0):
            circuit.x(0)
        with case(case.DEFAULT):
            circuit.y(0)
    return circuit


def variables() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    flag = circuit.add_input("flag", types.Bool())
    count = circuit.add_var("count", expr.lift(3, types.Uint(8)))
    with circuit.if_test(expr.logic_and(flag, expr.less(count, 4))):
        circuit.x(0)
    circuit.store(count, expr.bit_xor(count, 1))
    return circuit


def custom_gates() -> QuantumCircuit:
    inner = QuantumCircuit(2, name="mine")
    inner.h(0)
    inner.rx(a, 1)
    circuit = QuantumCircuit(4)
    circuit.append(inner.to_gate(), [0, 1])
    circuit.append(inner.to_gate().control(2, ctrl_state=1), [0, 1, 2, 3])
    circuit.append(inner.to_instruction(), [1, 2])
    circuit.append(AnnotatedOperation(HGate(), PowerModifier(2)), [0])
    circuit.append(Clifford(XGate()), [0])
    return circuit


def substituted() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx((a + b).subs({a: Parameter("a") * 2}), 0)
    circuit.rz((a * 2).subs({a: v[0] + v[2]}), 0)
    return circuit


def laid_out() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(3, "q"))
    circuit.h(0)
    circuit.cx(0, 2)
    circuit.cx(0, 1)
    circuit.measure_all()
    line = CouplingMap.from_line(5)
    basis = ["rz", "sx", "x", "cx"]
    return transpile(circuit, coupling_map=line, basis_gates=basis, initial_layout=[4, 2, 0], seed_transpiler=1)


def evolution(operator: Any) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(PauliEvolutionGate(operator, time=a), [0, 1])
    return circuit


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(PauliProductRotationGate(Pauli("XZ"), 0.5), [0, 1])
    return circuit


def stretched() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.delay(circuit.add_stretch("s"), 0)
    return circuit


def picoseconds() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.delay(expr.lift(Duration.ps(10)), 0)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "version"),
    [
        (plain(), 13),
        (QuantumCircuit(), 13),
        (efficient_su2(4, reps=2), 13),
        (control_flow(), 13),
        (variables(), 13),
        (custom_gates(), 13),
        (substituted(), 13),
        (laid_out(), 13),
        (evolution(SparsePauliOp(["XX", "ZI"], [1, 2])), 13),
        (stretched(), 14),
        (picoseconds(), 16),
        (evolution(SparseObservable("XX")), 17),
        (rotation(), 17),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else value.name,
)
def test_a_circuit_arrives_as_it_was_in_the_lowest_version_that_says_all(circuit: Any, version: int) -> None:
    back = there_and_back(circuit)
    assert same_circuit(circuit, back)
    assert version_of(circuit) == version
    assert (circuit.layout is None) == (back.layout is None)
    if circuit.layout is not None:
        assert circuit.layout.initial_index_layout() == back.layout.initial_index_layout()
        assert circuit.layout.final_index_layout() == back.layout.final_index_layout()


def test_every_standard_gate_arrives_in_the_lowest_version_without_a_comparison() -> None:
    circuit = QuantumCircuit(8, 1)
    for gate in get_standard_gate_name_mapping().values():
        if gate.name != "delay":  # its duration is a parameter there: a test of its own
            circuit.append(gate, range(gate.num_qubits), range(gate.num_clbits))
    assert version_of(circuit) == 13
    assert same_circuit(circuit, there_and_back(circuit))


EXPRESSIONS = st.recursive(
    st.sampled_from([a, b, *v, 0.5, 2, -1.25]),
    lambda inner: (
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1])
        | st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1])
        | inner.map(lambda part: part.sin() if hasattr(part, "sin") else part)
        | inner.map(lambda part: part.exp() if hasattr(part, "exp") else part)
        | inner.map(lambda part: -part)
    ),
    max_leaves=6,
)


def same_value(one: Any, other: Any) -> bool:
    """Two expressions are the same if they take the same values: a comparison looks at how they were put together."""
    if not hasattr(one, "parameters"):
        return bool(one == other)
    numbers = dict(zip([a, b, *v], [0.1, -0.2, 0.3, 0.7, -0.4], strict=True))
    bound = [part.bind({name: numbers[name] for name in part.parameters}) for part in (one, other)]
    return one.parameters == other.parameters and abs(complex(bound[0]) - complex(bound[1])) < 1e-9


@given(EXPRESSIONS.filter(lambda expression: hasattr(expression, "parameters")))
@settings(deadline=None, max_examples=50)
def test_any_expression_arrives_with_its_parameters(expression: Any) -> None:
    assert same_value(expression, there_and_back(expression))


GATES = st.tuples(
    st.sampled_from(["h", "x", "rx", "ry", "cx", "cp", "u", "swap", "barrier", "measure"]),
    st.permutations(range(3)),
    EXPRESSIONS,
)


@given(
    st.lists(GATES, max_size=8), st.text(max_size=5), st.dictionaries(st.text(), st.complex_numbers(allow_nan=False))
)
@settings(deadline=None, max_examples=50)
def test_any_circuit_arrives_with_its_name_and_metadata(gates: Any, name: str, metadata: dict[str, Any]) -> None:
    circuit = QuantumCircuit(3, 3, name=name, metadata=metadata)
    for gate, (first, second, _), angle in gates:
        angles = {"rx": [angle], "ry": [angle], "cp": [angle], "u": [angle, 0.1, -angle]}.get(gate, [])
        qubits = [first, second] if gate in ("cx", "cp", "swap", "measure") else [first]
        getattr(circuit, gate)(*angles, *qubits)
    back = there_and_back(circuit)
    assert (back.name, back.metadata, back.parameters) == (circuit.name, circuit.metadata, circuit.parameters)
    assert [one.qubits for one in back.data] == [other.qubits for other in circuit.data]
    for one, other in zip(circuit.data, back.data, strict=True):
        assert one.operation.name == other.operation.name
        assert all(map(same_value, one.operation.params, other.operation.params))


@pytest.mark.parametrize(
    "instruction", [HGate(label="x"), XGate().control(3), Measure(), PauliEvolutionGate(SparsePauliOp("XZ"), time=a)]
)
def test_an_instruction_arrives_alone(instruction: Any) -> None:
    back = there_and_back(instruction)
    assert (type(back), back, back.label) == (type(instruction), instruction, instruction.label)


def test_an_element_of_a_vector_knows_its_vector_and_old_readers_find_a_parameter() -> None:
    back = there_and_back(v[1])
    assert back == v[1]
    assert list(back.vector) == list(v)
    form = json.loads(encoding.to_text(v[1]))
    alone = encoding.from_text(json.dumps({key: form[key] for key in ("__type__", "__value__")}))
    assert type(alone) is Parameter
    assert (alone.name, alone.uuid) == ("v[1]", v[1].uuid)


def test_a_vector_of_no_parameters_arrives() -> None:
    back = there_and_back(ParameterVector("w", 0))
    assert (back.name, len(back)) == ("w", 0)


def test_parameters_of_several_values_are_the_same_ones() -> None:
    circuit = plain()
    back = encoding.from_text(encoding.to_text({"circuit": circuit, "bind": [circuit.parameters[0], a + b]}))
    assert back["bind"][0] in back["circuit"].parameters
    assert back["bind"][1].parameters <= set(back["circuit"].parameters)


@pytest.mark.parametrize(
    ("duration", "unit"), [(5, "dt"), (5, "ns"), (5.5, "us"), (a, "dt"), (2 * a + b, "s"), (v[1], "ms")]
)
def test_a_delay_keeps_its_unit_and_its_parameter_which_qpy_does_not(duration: Any, unit: str) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.delay(duration, 1, unit=unit)
    circuit.rx(a, 0)
    back = there_and_back(circuit)
    assert back == circuit
    assert (back.data[1].operation.duration, back.data[1].operation.unit) == (duration, unit)
    assert back.parameters == circuit.parameters
    delay = there_and_back(Delay(duration, unit))
    assert (delay.duration, delay.unit) == (duration, unit)


def with_a_delay_in_a_block() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    with circuit.if_test((circuit.clbits[0], 1)), circuit.for_loop(range(2)):
        circuit.delay(5, 0, unit="ns")
    return circuit


def with_a_delay_in_a_gate() -> QuantumCircuit:
    inner = QuantumCircuit(1, name="idle")
    inner.delay(a, 0)
    circuit = QuantumCircuit(1)
    circuit.append(inner.to_instruction(), [0])
    return circuit


class Unknown(Annotation):  # type: ignore[misc]  # Qiskit's types are not followed
    namespace = "mine.unknown"


def annotated() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    with circuit.box([Unknown()]):
        circuit.x(0)
    return circuit


def in_its_metadata(value: Any) -> QuantumCircuit:
    return QuantumCircuit(1, metadata={"solver": [0, value]})


def with_odd_gate() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.append(Gate("odd", 1, [0.5], label="x" * 70_000), [0])
    return circuit


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (in_its_metadata(ValueError()), r"^result\['c'\]\[0\]\.metadata\['solver'\]\[1\] is of type ValueError, which"),
        (
            in_its_metadata(in_its_metadata(object())),
            r"^result\['c'\]\[0\]\.metadata\['solver'\]\[1\]\.metadata\['solver'\]\[1\] is of type object",
        ),
        (annotated(), r"^result\['c'\]\[0\] is a circuit that cannot be written as QPY \(QpyError: .*nnotation"),
        (with_odd_gate(), r"^result\['c'\]\[0\] is a circuit that cannot be written as QPY"),
        (
            with_a_delay_in_a_block(),
            r"^result\['c'\]\[0\] holds a delay of 5.0 ns inside 'for_loop', where QPY does not",
        ),
        (with_a_delay_in_a_gate(), r"^result\['c'\]\[0\] holds a delay of a dt inside 'idle'"),
    ],
    ids=["metadata", "metadata of metadata", "annotation", "label", "delay in a block", "delay in a gate"],
)
def test_what_a_circuit_holds_that_cannot_be_written_is_named_with_its_place(value: Any, message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        encoding.to_text({"c": [value]})
