from __future__ import annotations

import sys

import pytest
from quantum_runtime.service import job_status


@pytest.fixture
def without_qiskit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qiskit.providers", None)
    job_status.job_status.cache_clear()
    monkeypatch.setattr(job_status, "job_status", job_status.job_status.__wrapped__)


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        ("Queued", "QUEUED"),
        ("Running", "RUNNING"),
        ("Completed", "DONE"),
        ("Failed", "ERROR"),
        ("Cancelled", "CANCELLED"),
    ],
)
def test_a_phase_has_the_status_programs_compare_with(phase: str, status: str) -> None:
    from qiskit.providers import JobStatus

    assert job_status.of_phase(phase) is JobStatus[status]


def test_job_status_is_qiskits_own() -> None:
    from qiskit.providers import JobStatus

    assert job_status.JobStatus is JobStatus


@pytest.mark.usefixtures("without_qiskit")
def test_without_qiskit_there_is_an_enumeration_of_the_same_names_and_values() -> None:
    ours = job_status.JobStatus
    assert job_status.of_phase("Completed") is ours.DONE
    sys.modules.pop("qiskit.providers")
    from qiskit.providers import JobStatus

    assert [(s.name, s.value) for s in ours] == [(s.name, s.value) for s in JobStatus]
