from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from quantum_runtime.cli import show
from runtime_runner import encoding


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("All done!", '"All done!"'),
        (None, "null"),
        (True, "true"),
        (2**70, "1180591620717411303424"),
        ({"a": [1, 2.5]}, '{"a": [1, 2.5]}'),
        (1 + 2j, "(1+2j)"),
        ({3}, "{3}"),
        (np.array([[1, 2], [3, 4]]), "array([[1, 2], [3, 4]])"),
        (np.zeros((100, 3)), "<array of 100 x 3, float64>"),
        ({"x": np.zeros(30)}, '{"x": <array of 30, float64>}'),
        ("Größe 量子", '"Größe 量子"'),
        ("\x1b[31mred\x9b", '"\\u001b[31mred\\x9b"'),
    ],
)
def test_a_value_is_shown_decoded(value: Any, shown: str) -> None:
    assert show.value(encoding.to_text(value)) == shown


def test_a_long_value_is_laid_out_in_lines() -> None:
    value = {"counts": {"0" * 40: 1, "1" * 40: 2}, "history": [[0.1] * 3, [0.2] * 40]}
    assert show.value(json.dumps(value)).splitlines()[:6] == [
        "{",
        f'  "counts": {{"{"0" * 40}": 1, "{"1" * 40}": 2}},',
        '  "history": [',
        "    [0.1, 0.1, 0.1],",
        "    [",
        "      0.2,",
    ]


def test_of_a_list_beyond_reading_the_rest_is_counted() -> None:
    lines = show.value(json.dumps(list(range(1000)))).splitlines()
    assert lines[-2:] == ["  ... 950 more", "]"]
    assert len(lines) == show.ITEMS + 3


@pytest.mark.parametrize(
    "text",
    ['{"__type__": "ndarray", "__value__": "broken"}', "not JSON", "[" * 3000 + "]" * 3000],
    ids=["tag", "text", "deep"],
)
def test_what_cannot_be_decoded_is_shown_as_it_stands(text: str) -> None:
    assert show.value(text) == text


@pytest.mark.aer
def test_an_integer_that_python_does_not_write_is_summarised() -> None:
    assert show.value(encoding.to_text({"n": 10**5000})) == '{"n": <integer of 16610 bits>}'


def test_a_circuit_is_summarised() -> None:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2, 1, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    assert show.value(encoding.to_text([circuit])) == "[<QuantumCircuit 'bell': 2 qubits, 1 bits, 2 operations>]"


class _Stream(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def test_a_terminal_does_not_act_on_what_a_program_wrote_and_a_file_gets_it_as_it_is() -> None:
    text = "\x1b[31mred\tone\r\ntwo\rthree\n"
    assert show.written(text, _Stream(terminal=False)) == text
    assert show.written(text, _Stream(terminal=True)) == "\\x1b[31mred\tone\ntwo\nthree\n"
