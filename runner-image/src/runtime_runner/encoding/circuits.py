"""Circuits, single instructions, coupling maps."""

from __future__ import annotations

from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Delay, ParameterExpression

from runtime_runner.encoding import qpy_files
from runtime_runner.encoding.errors import DecodingError, EncodingError
from runtime_runner.encoding.kinds import TYPE, VALUE, Form


def write_circuit(value: QuantumCircuit) -> Form:
    """A file in QPY, and the delays that it does not keep."""
    return _write(value, "QuantumCircuit")


def read_circuit(content: Any, whole: dict[str, Any]) -> QuantumCircuit:
    """From a file in QPY, with the delays that it does not keep."""
    circuit = qpy_files.read(content)
    for index, duration, unit in whole.get("__delays__", ()):
        if circuit.data[index].operation.name != "delay":
            raise DecodingError(f"its instruction {index} is no delay")
        circuit.data[index] = circuit.data[index].replace(operation=Delay(duration, unit))
    return circuit


def write_instruction(value: Any) -> Form:
    """Alone in a circuit."""
    try:
        circuit = QuantumCircuit(value.num_qubits, value.num_clbits)
        circuit.append(value, circuit.qubits, circuit.clbits)
    except Exception as error:  # one that refers to bits or variables of a circuit
        raise EncodingError(f"is an instruction that cannot stand alone ({type(error).__name__}: {error})") from error
    return _write(circuit, "Instruction")


def read_instruction(content: Any, whole: dict[str, Any]) -> Any:
    """The one in a circuit."""
    circuit = read_circuit(content, whole)
    if len(circuit.data) != 1:
        raise DecodingError(f"it holds {len(circuit.data)} instructions instead of one")
    return circuit.data[0].operation


def write_coupling_map(value: Any) -> list[list[int]]:
    """Its edges, which `transpile` takes as well."""
    return [list(edge) for edge in value.get_edges()]


def _write(circuit: QuantumCircuit, tag: str) -> Form:
    """Write delays beside the circuit, by index: QPY makes 5 dt of 5 ns, and a parameter in one cannot be read."""
    form = Form({TYPE: tag})
    delays = [
        [index, instruction.operation.duration, instruction.operation.unit]
        for index, instruction in enumerate(circuit.data if "delay" in circuit.count_ops() else ())
        if _is_lost(instruction.operation)
    ]
    if delays:
        circuit = circuit.copy()
        for index, _, _ in delays:
            circuit.data[index] = circuit.data[index].replace(operation=Delay(0))
        form["__delays__"] = delays
    for instruction in () if qpy_files.is_plain(circuit) else circuit.data:
        _check_inside(instruction.operation)
    form[VALUE] = qpy_files.write(circuit)
    return form


def _is_lost(operation: Any) -> bool:
    in_time = getattr(operation, "unit", "dt") in ("s", "ms", "us", "ns", "ps")
    return operation.name == "delay" and (in_time or isinstance(operation.duration, ParameterExpression))


def _check_inside(operation: Any) -> None:
    """Refuse such delays where they have no index: in blocks and in the definitions of gates."""
    inside = list(getattr(operation, "blocks", ()))
    if not inside and operation.name not in qpy_files.standard_names():
        inside = [getattr(operation, "definition", None)]
    for circuit in inside:
        for instruction in circuit.data if circuit is not None else ():
            if _is_lost(instruction.operation):
                raise EncodingError(
                    f"holds a delay of {instruction.operation.duration} {instruction.operation.unit} inside "
                    f"{operation.name!r}, where QPY does not keep its unit: give it in dt"
                )
            _check_inside(instruction.operation)
