"""The Qiskit Runtime that notebooks know, on a cluster: services, programs, jobs and backends."""
