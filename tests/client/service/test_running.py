from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.exceptions import (
    IBMApiError,
    IBMInputValueError,
    IBMNotAuthorizedError,
    RuntimeProgramNotFound,
)
from quantum_runtime.service import repeating

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.service.aio_service import AsyncRuntimeService
    from support.fake_api import FakeApi

    Put = Callable[..., dict[str, Any]]


async def test_a_job_is_created_and_returned_at_once(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program", public=True)
    job = await service.run("sample-program", {"iterations": 3}, {"backend_name": "aer"}, job_tags=["demo"])
    there = cluster.object(JOBS, job.job_id)
    assert there["spec"]["programRef"] == {"kind": "ClusterRuntimeProgram", "name": "sample-program"}
    assert there["spec"]["inputs"] == {"iterations": 3}
    assert (job.view.phase, job.view.tags) == ("Queued", ("demo",))
    assert cluster.open_watches == 0


async def test_a_result_is_decoded_as_the_job_was_told(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    class Decoder:
        @classmethod
        def decode(cls, data: str) -> str:
            return f"decoded {data}"

    put_program("sample-program")
    cluster.react("create", JOBS, lambda job: cluster.finish(job["metadata"]["name"], '"All done!"'))
    assert await (await service.run("sample-program")).result() == "All done!"
    job = await service.run("sample-program", result_decoder=(None, Decoder))
    assert await job.result() == 'decoded "All done!"'


async def test_the_cluster_is_asked_for_the_kind_of_a_program_once(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program", public=True)
    for _ in range(3):
        await service.run("sample-program")
    assert [verb for verb, _, _ in cluster.requests] == ["get", "get", "create", "create", "create"]


async def test_a_program_of_ones_own_is_run_from_its_upload_on(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("vqe", public=True)
    assert (await service.run("vqe")).view.program_kind == "ClusterRuntimeProgram"
    await service.upload_program("def main(backend, user_messenger): ...", {"name": "vqe", "max_execution_time": 5})
    assert (await service.run("vqe")).view.program_kind == "RuntimeProgram"
    await service.delete_program("vqe")
    assert (await service.run("vqe")).view.program_kind == "ClusterRuntimeProgram"


async def test_a_program_that_is_not_there_makes_no_job(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program")
    with pytest.raises(RuntimeProgramNotFound, match=r"did you mean sample-program\?"):
        await service.run("sample-programme")
    assert cluster.objects(JOBS) == []


@pytest.mark.parametrize("after", [True, False])
async def test_a_lost_answer_does_not_make_a_job_run_twice(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put, after: bool
) -> None:
    put_program("sample-program")
    cluster.fail("create", JOBS, errors.Unavailable("connection reset"), times=2, after=after)
    job = await service.run("sample-program", {"a": 1})
    assert [body["metadata"]["name"] for body in cluster.objects(JOBS)] == [job.job_id]
    assert job.view.inputs == {"a": 1}


async def test_a_namesake_is_not_taken_for_ones_own_job(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program")
    await service.run("sample-program", name="mine")
    with pytest.raises(IBMInputValueError, match="there is a job 'mine' in the namespace lab already"):
        await service.run("sample-program", name="mine")
    cluster.fail("create", JOBS, errors.Unavailable("connection reset"))
    with pytest.raises(IBMInputValueError, match="there is a job 'mine'"):
        await service.run("sample-program", name="mine")


async def test_a_server_that_never_answers_leaves_the_name_of_what_may_have_been_created(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def once(request: Callable[[], Any]) -> Any:
        return await request()

    put_program("sample-program")
    monkeypatch.setattr(repeating, "patiently", once)
    cluster.fail("create", JOBS, errors.Unavailable("no answer"))
    with pytest.raises(IBMApiError, match=r"no answer; if the request was received nevertheless, .* is 'mine'"):
        await service.run("sample-program", name="mine")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Invalid("spec.tags: Too many: 21", fields=("spec.tags",)), IBMInputValueError),
        (errors.TooLarge("the object is too large"), IBMInputValueError),
        (errors.Forbidden("quota exceeded"), IBMNotAuthorizedError),
    ],
)
async def test_a_job_that_is_refused_says_why(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put, error: Exception, expected: type[Exception]
) -> None:
    put_program("sample-program")
    cluster.fail("create", JOBS, error)
    with pytest.raises(expected, match=f"cannot run program 'sample-program': {error}"):
        await service.run("sample-program")


async def test_what_cannot_be_a_decoder_is_told_before_there_is_a_job(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program")
    with pytest.raises(TypeError, match="must have a method decode"):
        await service.run("sample-program", result_decoder="json")
    assert cluster.objects(JOBS) == []


async def test_what_is_none_in_parameters_is_not_sent(service: AsyncRuntimeService, put_program: Put) -> None:
    put_program("sample-program", parameters={"properties": {"iterations": {}, "seed": {"type": "integer"}}})
    inputs = (await service.program("sample-program")).parameters()
    inputs.iterations = 2
    assert (await service.run("sample-program", inputs)).view.inputs == {"iterations": 2}
