"""The smallest program worth running: it measures an entangled state a few times and says hello."""

from qiskit import QuantumCircuit, transpile

NUM_QUBITS = 5


def main(backend, user_messenger, iterations=1, shots=1024, seed=None):
    """Measure the GHZ state of five qubits, again and again.

    Args:
        backend: Where the circuit runs.
        user_messenger: Takes the counts of every iteration.
        iterations: How many times to run the circuit.
        shots: How many times to measure it in each iteration.
        seed: Makes the counts repeatable on a simulator; every iteration has its own counts all the same.

    Returns:
        The sentence "Hello, World!".
    """
    circuit = QuantumCircuit(NUM_QUBITS)
    circuit.h(0)
    for qubit in range(1, NUM_QUBITS):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    circuit = transpile(circuit, backend)

    for iteration in range(iterations):
        options = {} if seed is None else {"seed_simulator": seed + iteration}
        counts = backend.run(circuit, shots=shots, **options).result().get_counts()
        user_messenger.publish({"iteration": iteration, "counts": counts})
    return "Hello, World!"
