"""A job names its backend; programs ask for qubits; both are settled before anything starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from e2e.support.cluster import Space

ABOUT = """
def main(backend, user_messenger):
    return [backend.name, backend.name(), backend.num_qubits, backend.configuration().simulator]
"""


@pytest.mark.parametrize(
    ("backend", "qubits"),
    [
        pytest.param("ibmq_montreal", 27, id="a retired device stands for its fake twin"),
        pytest.param("fake-lima", 5, id="a fake device without an object of its own"),
        pytest.param("generic-9", 9, id="a generic device of any size"),
    ],
)
def test_a_well_known_backend_needs_no_object(space: Space, backend: str, qubits: int) -> None:
    status = space.run(ABOUT, backend=backend).ended()
    assert status["phase"] == "Completed", status
    assert json.loads(status["result"]) == [backend, backend, qubits, True]
    assert status["backend"] == {"name": backend}


def test_a_backend_with_too_few_qubits_is_refused_without_a_pod(space: Space) -> None:
    program = space.program(ABOUT, backendRequirements={"minNumQubits": 28})
    job = space.job(program, backend="ibmq_montreal")
    failure = job.ended()["failure"]
    assert failure["reason"] == "BackendTooSmall"
    assert "27" in failure["message"]
    assert "28" in failure["message"]
    assert job.pods_ever() == []


def test_a_simulator_with_too_few_qubits_is_refused_before_the_program_is_entered(space: Space) -> None:
    program = space.program("raise SystemExit('entered')\n" + ABOUT, backendRequirements={"minNumQubits": 1000})
    failure = space.job(program, backend="aer").ended()["failure"]
    assert failure["reason"] == "BackendTooSmall", failure
    assert "1000" in failure["message"]
