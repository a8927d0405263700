"""Runs one Qiskit Runtime program in one process tree, spoken to over stdio.

A bare install needs the standard library only (the contract and the supervisor); the extra ``aer`` adds Qiskit.
"""
