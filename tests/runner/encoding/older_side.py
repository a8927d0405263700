"""Runs with an older Qiskit: reads each text of an object on stdin and writes it again; adds circuits of its own.

Answers with an object of texts and one of messages about what it could not read or write.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import warnings
import zlib

from qiskit import QuantumCircuit, __version__, qpy
from qiskit.circuit import Parameter, ParameterVector
from runtime_runner import encoding

warnings.simplefilter("ignore")  # it says of each circuit that a newer Qiskit wrote it


def own_circuit() -> QuantumCircuit:
    a, v = Parameter("a"), ParameterVector("v", 2)
    circuit = QuantumCircuit(2, 1, name="old", metadata={"n": 1})
    circuit.rx(2 * a + v[1], 0)
    circuit.rz((a * v[0]).sin() / 3, 1)
    circuit.measure(0, 0)
    return circuit


def main() -> None:
    texts, problems = {}, {}
    for name, text in json.load(sys.stdin).items():
        try:
            texts[name] = encoding.to_text(encoding.from_text(text))
        except (encoding.DecodingError, encoding.EncodingError) as error:
            problems[name] = str(error)
    texts["its own"] = encoding.to_text(own_circuit())
    for version in range(10, qpy.common.QPY_VERSION + 1):
        buffer = io.BytesIO()
        qpy.dump(own_circuit(), buffer, version=version, use_symengine=False)
        content = base64.b64encode(zlib.compress(buffer.getvalue())).decode()
        texts[f"its own in QPY {version}"] = json.dumps({"__type__": "QuantumCircuit", "__value__": content})
    json.dump({"version": __version__, "texts": texts, "problems": problems}, sys.stdout)


if __name__ == "__main__":
    main()
