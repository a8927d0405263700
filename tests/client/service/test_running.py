from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, JOBS, PROGRAMS
from quantum_runtime.exceptions import (
    IBMApiError,
    IBMBackendValueError,
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

NUMBERS = {
    "type": "object",
    "properties": {"iterations": {"type": "integer", "minimum": 0}},
    "required": ["iterations"],
}


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


async def test_a_check_returns_what_the_server_would_make_of_the_job_and_creates_nothing(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program", parameters=NUMBERS)
    view = await service.check("sample-program", {"iterations": 3}, backend="aer", name="mine")
    assert (view.name, view.backend, view.log_level) == ("mine", "aer", "INFO")
    assert cluster.objects(JOBS) == []


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"inputs": {}}, r"^inputs\.iterations: expected a value \(required\), given nothing$"),
        ({"inputs": {"iterations": -1}}, r"^inputs\.iterations: expected at least 0 \(minimum\), given -1$"),
        (
            {"inputs": {"iterations": 1}, "max_execution_time": 301},
            "^spec.maxExecutionTimeSeconds is 301, the limit of RuntimeProgram 'sample-program' is 300$",
        ),
        ({"inputs": {"iterations": 1}, "max_execution_time": 30000}, "the cluster would refuse the job: .*"),
    ],
)
async def test_a_check_says_what_the_operator_would(
    service: AsyncRuntimeService, put_program: Put, keywords: dict[str, Any], message: str
) -> None:
    put_program("sample-program", parameters=NUMBERS)
    with pytest.raises(IBMInputValueError, match=message):
        await service.check("sample-program", **keywords)


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("ibmq_montreall", r"^there is no RuntimeBackend 'ibmq_montreall'; did you mean ibmq_montreal\?$"),
        ("fake-lima", "^RuntimeProgram 'sample-program' needs 7 qubits, backend 'fake-lima' has 5$"),
        ("ours", "^RuntimeProgram 'sample-program' needs 7 qubits, backend 'ours' has 3$"),
    ],
)
async def test_a_check_looks_at_the_backend(
    service: AsyncRuntimeService, put_program: Put, put_backend: Put, backend: str, message: str
) -> None:
    put_program("sample-program", backendRequirements={"minNumQubits": 7})
    put_backend("ours", generic={"numQubits": 3})
    with pytest.raises(IBMBackendValueError, match=message):
        await service.check("sample-program", backend=backend)
    await service.check("sample-program", backend="ibmq_montreal")
    await service.check("sample-program", backend="aer")


async def test_who_may_not_read_backends_still_has_the_well_known_ones_checked(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program")
    cluster.forbid("get", BACKENDS)
    await service.check("sample-program", backend="aer")
    with pytest.raises(IBMBackendValueError):
        await service.check("sample-program", backend="no-such")


async def test_a_check_of_a_program_that_is_not_ready_says_why_it_is_not(
    service: AsyncRuntimeService, put_program: Put
) -> None:
    put_program("sample-program", ready="False")
    with pytest.raises(IBMInputValueError, match=r"^RuntimeProgram 'sample-program' asks for profile 'x'"):
        await service.check("sample-program")
    put_program("new-program", ready="")
    await service.check("new-program")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def main(backend, user_messenger, *, shots): ...", "shots"),
        ("def main(backend): ...", "must take backend and user_messenger as its first two arguments"),
        ("def main(", "SyntaxError: '\\(' was never closed: def main\\("),
        ("x = 1", "has no function main"),
    ],
)
async def test_a_check_looks_at_what_main_takes(
    service: AsyncRuntimeService, put_program: Put, source: str, message: str
) -> None:
    put_program("sample-program", source={"inline": source})
    with pytest.raises(IBMInputValueError, match=message):
        await service.check("sample-program", {})


async def test_a_source_in_a_config_map_is_left_to_the_cluster(service: AsyncRuntimeService, put_program: Put) -> None:
    put_program("sample-program", source={"configMapRef": {"name": "sources"}})
    await service.check("sample-program", {"whatever": 1})


async def test_a_schema_that_cannot_be_applied_is_logged_and_lets_the_job_pass(
    service: AsyncRuntimeService, put_program: Put, caplog: pytest.LogCaptureFixture
) -> None:
    put_program("sample-program", parameters={"type": "List[int]"})
    await service.check("sample-program")
    assert "the inputs were not checked" in caplog.text


async def test_a_check_needs_the_right_to_create_jobs(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program")
    cluster.forbid("create", JOBS)
    with pytest.raises(IBMNotAuthorizedError, match="may not create runtimejobs"):
        await service.check("sample-program")


async def test_a_check_of_a_program_that_is_not_there(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    with pytest.raises(RuntimeProgramNotFound):
        await service.check("sample-program")
    assert ("list", PROGRAMS.plural, "") in cluster.requests
