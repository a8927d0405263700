"""``python -m quantum_runtime.cli``: the command ``quantum-runtime``, where its script is not on the path."""

from quantum_runtime.cli import main

main(prog_name="quantum-runtime")
