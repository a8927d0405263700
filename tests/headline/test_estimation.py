"""The energies of the benchmark's program are those of theory, and the same however they are cut into jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bench.headline import arms, exact
from bench.headline.cluster import PROGRAM
from bench.headline.lih_energy import estimation
from qiskit.quantum_info import Statevector
from runtime_runner import backends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.headline.arms import Submit
    from quantum_runtime.testing import RunProgram

pytestmark = [pytest.mark.aer, pytest.mark.xdist_group("the headline")]

PUBLIC_PROGRAM = Path(__file__).resolve().parents[2] / "programs" / "vqe" / "lih_hamiltonian.json"
POINT = np.random.default_rng(3).uniform(-np.pi, np.pi, estimation.PARAMETERS)


@pytest.fixture(scope="module")
def backend() -> Any:
    return backends.build("aer", {"aer": {}})


@pytest.fixture
def submit(run_program: RunProgram) -> Submit:
    """Jobs on this machine, in the runner that a cluster has."""

    def on_this_machine(inputs: Mapping[str, Any]) -> arms.Job:
        outcome = run_program(PROGRAM, dict(inputs))
        assert outcome.succeeded, outcome
        assert not outcome.warnings
        return arms.Job(result=outcome.result, wall_ms=outcome.seconds * 1e3, path="cold")

    return on_this_machine


def test_the_hamiltonian_has_a_hundred_terms_and_the_energies_its_file_says() -> None:
    about = json.loads(estimation.DATA.read_text())["distances"][estimation.DISTANCE]
    assert len(estimation.hamiltonian()) == 100
    assert exact.ground_state() == pytest.approx(about["exact_electronic_energy"], abs=1e-9)
    assert exact.ground_state() + about["energy_shift"] == pytest.approx(about["exact_total_energy"], abs=1e-9)
    assert exact.best_basis_state() + about["energy_shift"] == pytest.approx(about["hf_energy"], abs=1e-9)


def test_it_is_the_hamiltonian_of_the_public_program() -> None:
    own, public = (json.loads(path.read_text())["distances"]["1.6"] for path in (estimation.DATA, PUBLIC_PROGRAM))
    assert own == public


def test_each_circuit_measures_terms_that_agree_on_the_basis_of_every_qubit_and_together_they_measure_all() -> None:
    groups = [group.paulis.to_labels() for group in estimation.groups()]
    for labels in groups:
        for letters in zip(*labels, strict=True):
            assert len(set(letters) - {"I"}) <= 1
    assert sorted(label for labels in groups for label in labels) == sorted(estimation.hamiltonian().paulis.to_labels())


def test_with_many_shots_an_energy_is_that_of_the_state_vector_within_six_standard_errors(backend: Any) -> None:
    shots = 20_000
    state = Statevector(estimation.ansatz().assign_parameters(POINT))
    expected = [state.expectation_value(group).real for group in estimation.groups()]
    variances = [
        state.expectation_value(group.compose(group)).real - value**2
        for group, value in zip(estimation.groups(), expected, strict=True)
    ]
    parts = estimation.Estimation(backend, shots=shots, seed=1).parts(0, POINT)
    assert abs(sum(parts) - exact.at(POINT.tolist())) < 6 * (sum(variances) / shots) ** 0.5
    for part, value, variance in zip(parts, expected, variances, strict=True):
        assert abs(part - value) < 6 * (variance / shots) ** 0.5 + 1e-9


def test_a_part_is_the_same_number_alone_and_with_the_others_and_another_one_in_another_evaluation(
    backend: Any,
) -> None:
    parts = estimation.Estimation(backend, shots=100, seed=1).parts(4, POINT)
    for place in (0, 7, len(parts) - 1):
        alone = estimation.Estimation(backend, shots=100, seed=1, only=place)
        assert alone.parts(4, POINT) == [parts[place]]
    assert estimation.Estimation(backend, shots=100, seed=1).parts(5, POINT) != parts
    assert estimation.Estimation(backend, shots=100, seed=2).parts(4, POINT) != parts


def test_a_loop_in_one_job_has_the_energies_and_the_last_point_of_one_job_per_evaluation(submit: Submit) -> None:
    one, many = arms.loop(submit, 3), arms.per_evaluation(submit, 3)
    assert one["energies"] == many["energies"]
    assert one["point"] == many["point"]
    assert len(one["work_ms"]) == len(many["work_ms"]) == len(many["wall_ms"]) == 3
    assert np.array_equal(arms.points_of(one["energies"])[-1], one["point"])


def test_a_job_for_one_circuit_returns_its_part_of_the_energy(submit: Submit, backend: Any) -> None:
    point = POINT.tolist()
    job = submit({"task": "circuit", "group": 7, "number": 2, "point": point, "shots": 100, "seed": 1})
    assert job.result["part"] == estimation.Estimation(backend, shots=100, seed=1).parts(2, POINT)[7]


def test_the_energy_of_no_point_is_refused(run_program: RunProgram) -> None:
    outcome = run_program(PROGRAM, {"task": "evaluation"})
    assert outcome.reason == "ProgramFailed"
    assert "task evaluation: point is missing, a list of 24 angles" in outcome.message


def test_a_job_that_does_nothing_returns_nothing(submit: Submit) -> None:
    assert submit({"task": "nothing"}).result == {}
