"""Runs random circuits and publishes the counts of each: shows what a program looks like."""

from qiskit import transpile
from qiskit.circuit.random import random_circuit

NUM_QUBITS = 5
DEPTH = 4


def main(backend, user_messenger, **kwargs):
    """Run one random circuit per iteration.

    Args:
        backend: Where the circuits run.
        user_messenger: Takes the counts of every iteration.
        kwargs: ``iterations``, how many circuits to run (5 by default); ``seed``, to get the same circuits again.
    """
    iterations = kwargs.get("iterations", 5)
    seed = kwargs.get("seed")
    for iteration in range(iterations):
        circuit_seed = None if seed is None else seed + iteration
        circuit = random_circuit(NUM_QUBITS, DEPTH, measure=True, seed=circuit_seed)
        counts = backend.run(transpile(circuit, backend)).result().get_counts()
        user_messenger.publish({"iteration": iteration, "counts": counts})
    return "All done!"
