"""Methods that circuits, their bits and what has just been added to them had; they are put into Qiskit's classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiskit import qasm2
from qiskit.circuit import ClassicalRegister, IfElseOp, QuantumCircuit
from qiskit.circuit import library as gates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qiskit.circuit import Clbit, InstructionSet


def bind_parameters(self: QuantumCircuit, values: Mapping[Any, float] | Iterable[float]) -> QuantumCircuit:
    """Return the circuit with numbers for its parameters; raises TypeError for anything but numbers."""
    if any(hasattr(value, "parameters") for value in (values.values() if hasattr(values, "values") else values)):
        raise TypeError("bind_parameters takes numbers; assign_parameters takes parameters as well")
    return self.assign_parameters(values)


def qasm(
    self: QuantumCircuit, formatted: bool = False, filename: str | None = None, encoding: str | None = None
) -> str | None:
    """Return the circuit as OpenQASM 2; print it instead if ``formatted``; write it to a file if there is a name."""
    text: str = qasm2.dumps(self)
    if filename is not None:
        Path(filename).write_text(text + "\n", encoding=encoding)
    if formatted:
        print(text)  # noqa: T201 - what it is for
        return None
    return text


def combine(self: QuantumCircuit, other: Any) -> QuantumCircuit:
    """Return a circuit of both, the other one's instructions last; registers of one name are one register."""
    if not isinstance(other, QuantumCircuit):
        return NotImplemented
    return extend(self.copy(), other)


def extend(self: QuantumCircuit, other: QuantumCircuit) -> QuantumCircuit:
    """Append the other circuit's registers, as far as this one has none of their names, and its instructions."""
    for register in (*other.qregs, *other.cregs):
        if register not in (*self.qregs, *self.cregs):
            self.add_register(register)
    qubits = [self.qubits[other.find_bit(bit).index] if bit not in self.qubits else bit for bit in other.qubits]
    clbits = [self.clbits[other.find_bit(bit).index] if bit not in self.clbits else bit for bit in other.clbits]
    self.compose(other, qubits=qubits, clbits=clbits, inplace=True)
    return self


def c_if(self: InstructionSet, classical: ClassicalRegister | Clbit | int, val: int) -> InstructionSet:
    """Make the instructions that were just added conditional on the value of a register or bit.

    Raises:
        ValueError: a negative value, or one the register or bit cannot have.
        TypeError: the instructions are not part of a circuit.
    """
    if self._requester is None or not all(isinstance(entry, tuple) for entry in self._instructions):
        raise TypeError("c_if needs instructions that have been added to a circuit")
    resource = self._requester(classical)
    bits = list(resource) if isinstance(resource, ClassicalRegister) else [resource]
    if not 0 <= int(val) < 2 ** len(bits):
        raise ValueError(f"{val} is no value of {len(bits)} classical bits")
    for data, index in self._instructions:
        step = data[index]
        inside = [*step.clbits, *(bit for bit in bits if bit not in step.clbits)]
        body = QuantumCircuit(list(step.qubits), inside)
        if isinstance(resource, ClassicalRegister):
            body.add_register(resource)
        body.append(step.operation, step.qubits, step.clbits)
        conditional = IfElseOp((resource, int(val)), body)
        data[index] = step.replace(operation=conditional, clbits=inside)
    return self


def index(self: Any) -> Any:
    """Return the bit's index in the register it was made for, or None."""
    return self._index


def register(self: Any) -> Any:
    """Return the register the bit was made for, or None."""
    return self._register


index, register = property(index), property(register)  # type: ignore[assignment]


def i(self: QuantumCircuit, qubit: Any) -> InstructionSet:
    """Apply the identity."""
    return self.id(qubit)


def cnot(self: QuantumCircuit, control_qubit: Any, target_qubit: Any, *args: Any, **kwargs: Any) -> InstructionSet:
    """Apply a controlled X."""
    return self.cx(control_qubit, target_qubit, *args, **kwargs)


def toffoli(self: QuantumCircuit, control_qubit1: Any, control_qubit2: Any, target_qubit: Any) -> InstructionSet:
    """Apply an X with two controls."""
    return self.ccx(control_qubit1, control_qubit2, target_qubit)


def fredkin(self: QuantumCircuit, control_qubit: Any, target_qubit1: Any, target_qubit2: Any) -> InstructionSet:
    """Apply a controlled swap."""
    return self.cswap(control_qubit, target_qubit1, target_qubit2)


def mct(
    self: QuantumCircuit, control_qubits: Any, target_qubit: Any, ancilla_qubits: Any = None, mode: str = "noancilla"
) -> InstructionSet:
    """Apply an X with several controls."""
    return self.mcx(control_qubits, target_qubit, ancilla_qubits, mode)


def u1(self: QuantumCircuit, theta: Any, qubit: Any) -> InstructionSet:
    """Append `U1Gate`."""
    return self.append(gates.U1Gate(theta), [qubit])


def u2(self: QuantumCircuit, phi: Any, lam: Any, qubit: Any) -> InstructionSet:
    """Append `U2Gate`."""
    return self.append(gates.U2Gate(phi, lam), [qubit])


def u3(self: QuantumCircuit, theta: Any, phi: Any, lam: Any, qubit: Any) -> InstructionSet:
    """Append `U3Gate`."""
    return self.append(gates.U3Gate(theta, phi, lam), [qubit])


def cu1(self: QuantumCircuit, theta: Any, control_qubit: Any, target_qubit: Any) -> InstructionSet:
    """Append `CU1Gate`."""
    return self.append(gates.CU1Gate(theta), [control_qubit, target_qubit])


def cu3(self: QuantumCircuit, theta: Any, phi: Any, lam: Any, control_qubit: Any, target_qubit: Any) -> InstructionSet:
    """Append `CU3Gate`."""
    return self.append(gates.CU3Gate(theta, phi, lam), [control_qubit, target_qubit])


def diagonal(self: QuantumCircuit, diag: Any, qubit: Any) -> InstructionSet:
    """Append `DiagonalGate`."""
    return self.append(gates.DiagonalGate(list(diag)), _listed(qubit))


def hamiltonian(
    self: QuantumCircuit, operator: Any, time: Any, qubits: Any, label: str | None = None
) -> InstructionSet:
    """Append `HamiltonianGate`."""
    return self.append(gates.HamiltonianGate(getattr(operator, "data", operator), time, label), _listed(qubits))


def isometry(
    self: QuantumCircuit,
    isometry: Any,
    q_input: Any,
    q_ancillas_for_output: Any,
    q_ancillas_zero: Any = None,
    q_ancillas_dirty: Any = None,
    epsilon: float = 1e-10,
) -> InstructionSet:
    """Append `Isometry`; qubits are given by group, each a qubit or several."""
    groups = (q_input, q_ancillas_for_output, q_ancillas_zero, q_ancillas_dirty)
    qubits = [qubit for group in groups for qubit in _listed(() if group is None else group)]
    zero, dirty = (len(_listed(() if group is None else group)) for group in groups[2:])
    return self.append(gates.Isometry(isometry, zero, dirty, epsilon=epsilon), qubits)


iso = isometry


def squ(self: QuantumCircuit, unitary_matrix: Any, qubit: Any, *_: Any, **__: Any) -> InstructionSet:
    """Append `UnitaryGate` on one qubit; how it was to be decomposed is left to `transpile`."""
    return self.append(gates.UnitaryGate(unitary_matrix), _listed(qubit))


def uc(
    self: QuantumCircuit, gate_list: Any, q_controls: Any, q_target: Any, up_to_diagonal: bool = False
) -> InstructionSet:
    """Append `UCGate`."""
    return self.append(gates.UCGate(gate_list, up_to_diagonal), [*_listed(q_target), *_listed(q_controls)])


def ucrx(self: QuantumCircuit, angle_list: Any, q_controls: Any, q_target: Any) -> InstructionSet:
    """Append `UCRXGate`."""
    return self.append(gates.UCRXGate(list(angle_list)), [*_listed(q_target), *_listed(q_controls)])


def ucry(self: QuantumCircuit, angle_list: Any, q_controls: Any, q_target: Any) -> InstructionSet:
    """Append `UCRYGate`."""
    return self.append(gates.UCRYGate(list(angle_list)), [*_listed(q_target), *_listed(q_controls)])


def ucrz(self: QuantumCircuit, angle_list: Any, q_controls: Any, q_target: Any) -> InstructionSet:
    """Append `UCRZGate`."""
    return self.append(gates.UCRZGate(list(angle_list)), [*_listed(q_target), *_listed(q_controls)])


def _listed(qubits: Any) -> list[Any]:
    return list(qubits) if hasattr(qubits, "__iter__") else [qubits]
