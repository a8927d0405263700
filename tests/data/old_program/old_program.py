"""A program as they were written in 2021: scans an angle, then teleports the state that was lowest."""

import json

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, execute
from qiskit.circuit import Parameter
from qiskit.compiler import transpile
from qiskit.providers.ibmq.runtime import UserMessenger
from qiskit.providers.ibmq.runtime.utils import RuntimeDecoder, RuntimeEncoder
from qiskit_ibm_runtime.program import ProgramBackend


class NumbersEncoder(RuntimeEncoder):
    """Writes whatever NumPy calls a number."""

    def default(self, obj):
        if isinstance(obj, (np.float_, np.int_)):
            return obj.item()
        return super().default(obj)


def expectation(counts):
    shots = sum(counts.values())
    return np.float_((counts.get("0", 0) - counts.get("1", 0)) / shots)


def ansatz(theta):
    circuit = QuantumCircuit(1, 1)
    circuit.u3(theta, 0, 0, 0)
    circuit.measure(0, 0)
    return circuit


def teleport(angle):
    qubits = QuantumRegister(3, "q")
    first, second, out = ClassicalRegister(1, "first"), ClassicalRegister(1, "second"), ClassicalRegister(1, "out")
    circuit = QuantumCircuit(qubits, first, second, out)
    circuit.ry(angle, 0)
    circuit.h(1)
    circuit.cnot(1, 2)
    circuit.cnot(0, 1)
    circuit.h(0)
    circuit.measure(0, first)
    circuit.measure(1, second)
    circuit.x(2).c_if(second, 1)
    circuit.z(2).c_if(first, 1)
    circuit.measure(2, out)
    return circuit


def main(backend, user_messenger, angles, shots=1024, **kwargs):
    assert isinstance(backend, ProgramBackend)
    assert isinstance(user_messenger, UserMessenger)
    user_messenger.publish({"backend": backend.name(), "simulator": backend.configuration().simulator})

    theta = Parameter("theta")
    circuit = transpile(ansatz(theta), backend, seed_transpiler=1)
    values = []
    for angle in angles:
        job = backend.run(circuit.bind_parameters({theta: float(angle)}), shots=float(shots), rep_delay=250e-6)
        values.append(expectation(job.result().get_counts()))
        user_messenger.publish({"angle": angle, "value": values[-1]}, encoder=NumbersEncoder)

    lowest = angles[int(np.argmin(values))]
    teleported = execute(teleport(lowest), backend, shots=shots).result().get_counts()
    ones = sum(count for bits, count in teleported.items() if bits.split()[0] == "1")
    result = {
        "backend": backend.name(),
        "values": np.array(values),
        "lowest": lowest,
        "teleported": ones / sum(teleported.values()),
        "qasm": ansatz(theta).bind_parameters([0.5]).qasm(),
    }
    again = json.loads(json.dumps(result, cls=RuntimeEncoder), cls=RuntimeDecoder)
    assert np.array_equal(again["values"], result["values"])
    user_messenger.publish(result, final=True)


if __name__ == "__main__":
    from qiskit import Aer

    main(Aer.get_backend("qasm_simulator"), UserMessenger(), [0, np.pi])
