"""What a runner does while no job is there for it: the second, longer part of the warm-up.

A runner says that it is ready once Qiskit and Aer are imported: a job that waits for it needs no more. A runner that is
kept ready has time, and goes on to do once what first jobs would wait for: imports that Qiskit and programs leave to
the first use, the transpiler's plugins and passes, Aer's threads, the target of the backend that most jobs have. It
does so in small steps and looks for a job between them, after a pause in which a job that was waiting arrives. It
stops for good when one is there.

Nothing of it can be seen by a program, but for its speed: the seeds are ours, so that no random state is touched; no
thread is left but those that Aer and the numerical libraries keep after any first use; and the circuits and backends
used here are thrown away. Which steps are worth their time and memory was measured: ``docs/benchmarks.md``, "The
runner".
"""

from __future__ import annotations

import gc
import importlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from runtime_runner import backends, contract, encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAUSE_SECONDS = 0.1
"""Silence before the first step: a job for which this runner was started is handed over some 10 to 30 ms after
``ready``, and shall not wait for a step."""

BACKEND: dict[str, Any] = {"aer": {}}
"""The backend that is built ahead, target included: that of a job whose user names none. Devices are not: their noise
models take from a tenth of a second to several seconds, and there are seventy of them."""

MODULES = (
    "numpy.ma",
    "numpy.f2py",
    "scipy._lib._array_api",
    "scipy.linalg",
    "scipy.sparse",
    "scipy.sparse.linalg",
    "scipy.special",
    "scipy.fft",
    "scipy.spatial",
    "scipy.optimize",
    "qiskit.providers.fake_provider",
    "qiskit_aer.primitives",
    "runtime_runner.compatibility.names",
)
"""Imported ahead, each before those that need it, so that none takes long. SciPy's: Qiskit takes `scipy.linalg` for
unitary gates and states, and most variational programs an optimizer. Not `scipy.stats`: a second, and 26 MB."""

DECOMPOSITIONS = ("eigh", "eigvalsh", "eig", "svd", "inv", "qr", "det", "cholesky")
"""Functions of `numpy.linalg` that are used once."""

DECOMPOSED_ROWS = 20
"""Rows of the matrix they are given: few enough for one thread. From some 30 rows on those of BLAS wait for one another
again and again, and beside busy processes that takes 0.1 s with 50 rows and 1 s with 100."""

PRODUCT_ROWS = 300
"""Rows of two matrices that are multiplied: enough for the threads and their work areas, 3 MB, and for the C library to
keep what large arrays leave behind. A product is shared out once, and takes some milliseconds."""


def go_on(asked: Callable[[float], bool]) -> bool:
    """Warm up until nothing is left to do or somebody asks for this process; return whether nothing is left.

    Args:
        asked: Waits at most so many seconds; says whether a job has come, or will never come.
    """
    if asked(PAUSE_SECONDS):
        return False
    with suppress(Exception):  # a package is not as we know it: a job that needs it will say so better
        for _ in steps():
            if asked(0):
                return False
    return True


def steps() -> Iterator[None]:
    """Warm up step by step: each time the next value is asked for, for some milliseconds, at most for some tens."""
    contract.prepare()
    yield
    backends.build_ahead(BACKEND)
    yield
    backend = backends.build("warm-up", {"aer": {"options": {"seed_simulator": 1}}})
    yield from _simulate(backend)
    for name in MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
        yield
    yield from _estimate(backend)
    yield from _write_parameters(backend)
    yield from _linear_algebra()
    del backend
    gc.collect()
    gc.freeze()  # what is loaded now stays; later collections need not look at it
    yield


def _simulate(backend: Any) -> Iterator[None]:
    """Transpile at every level, for Aer and for a device; run; write results and circuits and read them again."""
    from qiskit import transpile
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    circuit = _circuit()
    yield
    for level in range(4):
        ready = transpile(circuit, backend, optimization_level=level, seed_transpiler=1)
        yield
    job = backend.run(ready, shots=16)
    result = job.result()
    result.get_counts()
    yield
    encoding.from_text(encoding.to_text({"counts": result.get_counts(), "circuit": circuit, "complex": 1j}))
    yield
    encoding.from_text(encoding.to_text(result))
    yield
    coupled = [[0, 1], [1, 2]]
    ready = transpile(circuit, basis_gates=["cx", "rz", "sx", "x"], coupling_map=coupled, seed_transpiler=1)
    yield
    noise = NoiseModel()
    noise.add_all_qubit_quantum_error(depolarizing_error(0.01, 2), ["cx"])
    backend.run(ready, shots=16, noise_model=noise).result()
    yield


def _circuit() -> Any:
    """Return a circuit that gives every pass something to do: gates of one, two and three qubits, measured."""
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import efficient_su2
    from qiskit.circuit.random import random_circuit

    ansatz = efficient_su2(3, reps=1)
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    circuit.compose(random_circuit(3, 2, seed=1), inplace=True)
    circuit.compose(ansatz.assign_parameters([0.1] * ansatz.num_parameters), inplace=True)
    circuit.measure_all()
    return circuit


def _estimate(backend: Any) -> Iterator[None]:
    """Use the primitives, states and operators, and what holds their results."""
    import numpy as np
    from qiskit import QuantumCircuit
    from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2
    from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
    from qiskit.transpiler import generate_preset_pass_manager
    from scipy.optimize import minimize

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    Statevector(circuit).probabilities_dict()
    Operator(circuit)
    encoding.from_text(encoding.to_text(np.eye(2)))
    yield
    passes = generate_preset_pass_manager(optimization_level=1, backend=backend, seed_transpiler=1)
    ready = passes.run(circuit)
    yield
    observable = SparsePauliOp(["ZZ", "XX"])
    estimator = BackendEstimatorV2(backend=backend, options={"seed_simulator": 1})
    estimator.run([(ready, observable)], precision=0.5).result()
    yield
    minimize(lambda values: values @ values, np.ones(2), method="COBYLA", options={"maxiter": 4})
    yield
    ready.measure_all()
    sampler = BackendSamplerV2(backend=backend, options={"seed_simulator": 1})
    sampled = sampler.run([ready], shots=16).result()
    encoding.from_text(encoding.to_text(sampled))
    yield


def _write_parameters(backend: Any) -> Iterator[None]:
    """Transpile a circuit with parameters, write it and read it again, and give its parameters values."""
    from qiskit import QuantumCircuit, transpile
    from qiskit.circuit import Parameter, ParameterVector

    angles = ParameterVector("angles", 2)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.rx(Parameter("angle"), 1)
    circuit.rz(2 * angles[0] + angles[1], 2)
    circuit.ccx(0, 1, 2)
    ready = transpile(circuit, backend, seed_transpiler=1)
    yield
    read = encoding.from_text(encoding.to_text(ready))
    read.assign_parameters([0.1] * read.num_parameters)
    yield


def _linear_algebra() -> Iterator[None]:
    """Use what NumPy has BLAS and LAPACK for, on real and on complex numbers."""
    import numpy as np

    numbers = np.random.default_rng(1)
    for unit in (1, 1j):
        large = numbers.normal(size=(PRODUCT_ROWS, PRODUCT_ROWS)) * unit
        np.matmul(large, large)
        yield
        matrix = numbers.normal(size=(DECOMPOSED_ROWS, DECOMPOSED_ROWS)) * unit + np.eye(DECOMPOSED_ROWS)
        positive = matrix @ matrix.conj().T
        for name in DECOMPOSITIONS:
            getattr(np.linalg, name)(positive)
            yield
        np.linalg.solve(matrix, positive)
        np.linalg.lstsq(matrix, positive)
        yield
