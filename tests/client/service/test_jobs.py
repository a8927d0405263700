from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.exceptions import IBMInputValueError, IBMNotAuthorizedError, RuntimeJobNotFound
from quantum_runtime.service import job_status
from quantum_runtime.service.selection import selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.service.aio_job import AsyncRuntimeJob
    from quantum_runtime.service.aio_service import AsyncRuntimeService
    from support.fake_api import FakeApi


def ids(jobs: list[AsyncRuntimeJob]) -> list[str]:
    return [job.job_id for job in jobs]


@pytest.fixture
def put_job(cluster: FakeApi) -> Callable[..., dict[str, Any]]:
    def put(name: str, program: str = "vqe", *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
        body = {"metadata": {"name": name} | (metadata or {}), "spec": {"programRef": {"name": program}} | spec}
        return cluster.put(JOBS, body)

    return put


@pytest.fixture
def five_jobs(cluster: FakeApi, put_job: Callable[..., dict[str, Any]]) -> None:
    put_job("queued", backend="aer")
    put_job("running", program="qaoa", backend="fake-lima", tags=["a", "b"])
    put_job("completed", tags=["a"])
    put_job("failed", backend="aer")
    put_job("cancelled")
    cluster.start_job("running")
    cluster.finish("completed", "1")
    cluster.fail_job("failed", "ProgramFailed", "no")
    cluster.cancel_job("cancelled")


@pytest.mark.usefixtures("five_jobs")
async def test_names_are_had_without_reading_the_jobs(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    assert await service.job_names() == ["cancelled", "failed", "completed", "running", "queued"]
    assert await service.job_names(limit=1, pending=True) == ["running"]
    assert [verb for verb, _, _ in cluster.requests] == ["list", "list"]


@pytest.mark.usefixtures("five_jobs")
async def test_a_notebook_shows_jobs_as_a_table(service: AsyncRuntimeService) -> None:
    html = (await service.jobs(limit=2))._repr_html_()
    assert html.count("<tr>") == 3
    assert "cancelled" in html


@pytest.mark.usefixtures("five_jobs")
@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({}, ["cancelled", "failed", "completed", "running", "queued"]),
        ({"descending": False}, ["queued", "running", "completed", "failed", "cancelled"]),
        ({"limit": 2}, ["cancelled", "failed"]),
        ({"limit": 2, "skip": 1}, ["failed", "completed"]),
        ({"limit": None, "skip": 3}, ["running", "queued"]),
        ({"limit": 0}, []),
        ({"pending": True}, ["running", "queued"]),
        ({"pending": False}, ["cancelled", "failed", "completed"]),
        ({"program_id": "qaoa"}, ["running"]),
        ({"program_id": "QAOA"}, ["running"]),
        ({"backend_name": "aer"}, ["failed", "queued"]),
        ({"backend_name": "aer", "pending": False}, ["failed"]),
        ({"job_tags": ["a"]}, ["completed", "running"]),
        ({"job_tags": ["a", "b"]}, ["running"]),
        ({"job_tags": ["a"], "limit": 1, "skip": 1}, ["running"]),
        ({"job_tags": []}, ["cancelled", "failed", "completed", "running", "queued"]),
        ({"status": "Completed"}, ["completed"]),
        ({"status": ["Failed", "cancelled"]}, ["cancelled", "failed"]),
        ({"status": job_status.job_status().DONE}, ["completed"]),
        ({"status": [job_status.job_status().ERROR, job_status.job_status().QUEUED]}, ["failed", "queued"]),
        ({"status": "Completed", "pending": True}, []),
    ],
)
async def test_jobs_are_chosen_and_ordered(
    service: AsyncRuntimeService, keywords: dict[str, Any], expected: list[str]
) -> None:
    assert ids(await service.jobs(**keywords)) == expected


async def test_ten_jobs_are_returned_unless_told_otherwise(
    service: AsyncRuntimeService, put_job: Callable[..., dict[str, Any]]
) -> None:
    for number in range(12):
        put_job(f"j{number:02}")
    assert len(await service.jobs()) == 10
    assert len(await service.jobs(limit=None)) == 12


@pytest.mark.usefixtures("five_jobs")
async def test_only_the_jobs_that_are_wanted_are_read(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    await service.jobs(limit=2)
    assert sorted(cluster.requests) == [
        ("get", "runtimejobs", "cancelled"),
        ("get", "runtimejobs", "failed"),
        ("list", "runtimejobs", ""),
    ]


@pytest.mark.usefixtures("five_jobs")
async def test_a_job_that_is_deleted_while_the_list_is_read_is_left_out(
    service: AsyncRuntimeService, cluster: FakeApi
) -> None:
    cluster.fail("get", JOBS, errors.NotFound("gone"))
    assert len(await service.jobs(limit=3)) == 2


async def test_dates_are_inclusive_and_local_unless_they_say_otherwise(
    service: AsyncRuntimeService, put_job: Callable[..., dict[str, Any]]
) -> None:
    start = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    for number in range(3):
        moment = start + timedelta(minutes=number)
        put_job(f"j{number}", metadata={"creationTimestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ")})
    second = start + timedelta(minutes=1)
    local = second.astimezone().replace(tzinfo=None)
    assert ids(await service.jobs(created_after=second)) == ["j2", "j1"]
    assert ids(await service.jobs(created_before=second)) == ["j1", "j0"]
    assert ids(await service.jobs(created_after=local, created_before=local)) == ["j1"]
    half = timedelta(milliseconds=500)
    assert ids(await service.jobs(created_after=second + half, created_before=second + half)) == ["j1"]


async def test_jobs_of_the_same_second_are_in_the_order_of_their_submission(
    service: AsyncRuntimeService,
    cluster: FakeApi,
    put_program: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_program("vqe")
    monkeypatch.setattr(cluster, "tick", lambda seconds=1.0: "2026-03-01T12:00:00Z")
    submitted = [(await service.run("vqe")).job_id for _ in range(5)]
    assert ids(await service.jobs()) == submitted[::-1]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"job_tags": "a"}, r"^job_tags needs to be a list of strings\.$"),
        ({"job_tags": [1]}, r"^job_tags needs to be a list of strings\.$"),
        ({"session_id": "s"}, "there are no sessions here"),
        ({"limit": -1}, "limit is -1, expected a number from 0 on"),
        ({"skip": "1"}, "skip is '1'"),
        ({"status": "Done!"}, "status is 'Done!', expected a JobStatus or one of Queued, Running"),
        ({"created_after": "yesterday"}, "created_after is 'yesterday', expected a datetime"),
        ({"backend_name": "a,status.phase=Failed"}, "which is no name"),
        ({"program_id": "=,="}, "which is no name"),
    ],
)
async def test_what_jobs_cannot_be_chosen_by_is_refused(
    service: AsyncRuntimeService, cluster: FakeApi, keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(IBMInputValueError, match=message):
        await service.jobs(**keywords)
    assert cluster.requests == []


def test_one_phase_is_asked_for_by_name_and_several_by_what_they_are_not() -> None:
    assert selection(status="Failed").field_selector == "status.phase=Failed"
    assert selection(pending=False).field_selector == "status.phase!=Queued,status.phase!=Running"
    assert selection().field_selector == ""


@pytest.mark.usefixtures("five_jobs")
async def test_a_job_is_found_by_its_id(service: AsyncRuntimeService) -> None:
    job = await service.job("completed")
    assert (job.job_id, await job.result()) == ("completed", 1)


@pytest.mark.parametrize("job_id", ["no-such", "", "..", "."])
async def test_a_job_that_is_not_there_is_said_not_to_be(
    service: AsyncRuntimeService, cluster: FakeApi, job_id: str
) -> None:
    with pytest.raises(RuntimeJobNotFound, match=f"there is no job '{job_id}' in the namespace lab"):
        await service.job(job_id)
    with pytest.raises(RuntimeJobNotFound, match=f"there is no job '{job_id}' in the namespace lab"):
        await service.delete_job(job_id)
    assert [name for _, _, name in cluster.requests] == (["no-such"] * 2 if job_id == "no-such" else [])


@pytest.mark.usefixtures("five_jobs")
async def test_a_job_is_deleted_even_while_it_runs(service: AsyncRuntimeService) -> None:
    await service.delete_job("running")
    with pytest.raises(RuntimeJobNotFound):
        await service.job("running")
    with pytest.raises(RuntimeJobNotFound):
        await service.delete_job("running")


@pytest.mark.usefixtures("five_jobs")
async def test_a_deletion_whose_answer_got_lost_has_happened(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    cluster.fail("delete", JOBS, errors.Unavailable("connection reset"), after=True)
    await service.delete_job("running")


async def test_who_may_not_list_jobs_is_told_the_missing_right(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    cluster.forbid("list", JOBS)
    with pytest.raises(IBMNotAuthorizedError, match=r"may not list runtimejobs.* in the namespace lab"):
        await service.jobs()
