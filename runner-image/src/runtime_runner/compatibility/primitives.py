"""The first generation of primitives: results have ``quasi_dists`` or ``values``, one for each circuit.

Those that simulate are Aer's, which still has them; those on a backend are made of the second generation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import qiskit_aer.primitives
from qiskit import transpile
from qiskit.primitives import BackendEstimatorV2, EstimatorResult, PrimitiveJob, SamplerResult
from qiskit.quantum_info import Operator, SparsePauliOp
from qiskit.result import QuasiDistribution

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_SHOTS = 1024


class Sampler(qiskit_aer.primitives.Sampler):  # type: ignore[misc]
    """Samples circuits; exact probabilities unless ``shots`` is among the options."""

    def __init__(self, *, options: dict[str, Any] | None = None) -> None:
        super().__init__(run_options={"shots": None, **(options or {})})


class Estimator(qiskit_aer.primitives.Estimator):  # type: ignore[misc]
    """Estimates expectation values; exact ones unless ``shots`` is among the options."""

    def __init__(self, *, options: dict[str, Any] | None = None) -> None:
        super().__init__(approximation=True, run_options={"shots": None, **(options or {})})


class _OnBackend:
    def __init__(
        self, backend: Any, options: dict[str, Any] | None = None, skip_transpilation: bool = False, **_: Any
    ) -> None:
        self._backend = backend
        self._options = dict(options or {})
        self._skip_transpilation = skip_transpilation
        self._transpile_options: dict[str, Any] = {}

    @property
    def backend(self) -> Any:
        """What the circuits are run on."""
        return self._backend

    @property
    def options(self) -> dict[str, Any]:
        """The options of every run."""
        return self._options

    def set_options(self, **options: Any) -> None:
        """Change options of every run, for example ``shots`` or ``seed_simulator``."""
        self._options.update(options)

    def set_transpile_options(self, **options: Any) -> None:
        """Set how circuits are transpiled."""
        self._transpile_options.update(options)

    def _prepared(self, circuits: Sequence[Any], values: Sequence[Sequence[float]] | None) -> list[Any]:
        if not self._skip_transpilation:
            circuits = transpile(circuits, self._backend, **self._transpile_options)
        if values is None:
            return list(circuits)
        return [circuit.assign_parameters(own) for circuit, own in zip(circuits, values, strict=True)]


class BackendSampler(_OnBackend):
    """Samples circuits on a backend."""

    def run(self, circuits: Any, parameter_values: Any = None, **options: Any) -> PrimitiveJob:
        """Return a job whose result has a quasi-distribution for each circuit.

        Args:
            circuits: One or several, with measurements.
            parameter_values: A list of numbers for each circuit, in the order of its parameters.
            **options: Of ``backend.run``; ``shots`` is 1024 if nobody sets it.
        """
        circuits, values = _several(circuits, parameter_values)
        return _started(self._run, circuits, values, {"shots": DEFAULT_SHOTS, **self._options, **options})

    def _run(self, circuits: list[Any], values: Any, options: dict[str, Any]) -> SamplerResult:
        result = self._backend.run(self._prepared(circuits, values), **options).result()
        dists = []
        for index in range(len(circuits)):
            counts = result.get_counts(index)
            shots = sum(counts.values())
            probabilities = {key.replace(" ", ""): count / shots for key, count in counts.items()}
            dists.append(QuasiDistribution(probabilities, shots=shots))
        return SamplerResult(dists, [{"shots": dist.shots} for dist in dists])


class BackendEstimator(_OnBackend):
    """Estimates expectation values from counts measured on a backend."""

    def run(self, circuits: Any, observables: Any, parameter_values: Any = None, **options: Any) -> PrimitiveJob:
        """Return a job whose result has a value for each pair of circuit and observable.

        Args:
            circuits: One or several, without measurements.
            observables: As many: Pauli operators, or other operators, which are decomposed.
            parameter_values: A list of numbers for each circuit, in the order of its parameters.
            **options: ``shots`` (1024 if nobody sets it) and ``seed_simulator``.
        """
        circuits, values = _several(circuits, parameter_values)
        observables = list(observables) if isinstance(observables, (list, tuple)) else [observables]
        return _started(self._run, circuits, observables, values, {"shots": DEFAULT_SHOTS, **self._options, **options})

    def _run(
        self, circuits: list[Any], observables: list[Any], values: Any, options: dict[str, Any]
    ) -> EstimatorResult:
        seed = {"seed_simulator": options["seed_simulator"]} if options.get("seed_simulator") is not None else {}
        estimator = BackendEstimatorV2(backend=self._backend, options=seed)
        pubs = [
            (circuit, _pauli_sum(observable).apply_layout(circuit.layout))
            for circuit, observable in zip(self._prepared(circuits, values), observables, strict=True)
        ]
        shots = int(options["shots"])
        result = estimator.run(pubs, precision=1 / np.sqrt(shots)).result()
        values = np.array([float(np.real(one.data.evs)) for one in result])
        metadata = [{"variance": float(one.data.stds) ** 2 * shots, "shots": shots} for one in result]
        return EstimatorResult(values, metadata)


def _started(function: Any, *arguments: Any) -> PrimitiveJob:
    job = PrimitiveJob(function, *arguments)
    job._submit()
    return job


def _several(circuits: Any, values: Any) -> tuple[list[Any], list[Any] | None]:
    circuits = [circuits] if hasattr(circuits, "num_qubits") else list(circuits)
    if values is None:
        return circuits, None
    values = list(values)
    return circuits, [values] if values and np.ndim(values[0]) == 0 else values


def _pauli_sum(observable: Any) -> SparsePauliOp:
    if isinstance(observable, SparsePauliOp):
        return observable
    try:
        return SparsePauliOp(observable)
    except Exception:  # whatever is not Pauli operators already
        return SparsePauliOp.from_operator(Operator(observable))
