"""A program's JSON Schemas applied to inputs and results: `rules` are pure, `bounded` applies them in a bounded child.

Schemas are user input: they can be wrong, endless or made to be slow, so nothing but a child process evaluates them.
Needs the distribution's extra ``schema``; knows nothing of Qiskit, and takes tagged values as they are.
"""
