"""Write, test and run Qiskit Runtime programs, with and without a cluster."""
