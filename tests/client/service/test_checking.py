from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, JOBS, PROGRAMS
from quantum_runtime.exceptions import (
    IBMBackendValueError,
    IBMError,
    IBMInputValueError,
    IBMNotAuthorizedError,
    RuntimeProgramNotFound,
)
from runtime_operator.api.conditions import Reason

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
        ({"inputs": {}}, r"^spec\.inputs\.iterations: expected a value \(required\), given nothing$"),
        ({"inputs": {"iterations": -1}}, r"^spec\.inputs\.iterations: expected at least 0 \(minimum\), given -1$"),
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


@pytest.mark.parametrize(
    ("program", "keywords", "reason"),
    [
        ("sample-program", {"inputs": {}}, "InvalidInput"),
        ("sample-program", {"inputs": {"iterations": 1, "shots": 2}}, "InvalidInput"),
        ("sample-program", {"inputs": {"iterations": "x" * 3_000_000}}, "InvalidInput"),
        ("sample-program", {"inputs": {"iterations": 1}, "max_execution_time": 301}, "MaxExecutionTimeAboveProgram"),
        ("sample-program", {"inputs": {"iterations": 1}, "backend": "no-such"}, "BackendNotFound"),
        ("sample-program", {"inputs": {"iterations": 1}, "backend": "ours"}, "BackendTooSmall"),
        ("unready", {}, "ProfileNotFound"),
        ("broken", {}, "InvalidProgram"),
        ("no-such", {}, "ProgramNotFound"),
    ],
)
async def test_a_refusal_has_the_word_that_such_a_jobs_conditions_would_have(
    service: AsyncRuntimeService, put_program: Put, put_backend: Put, program: str, keywords: Any, reason: str
) -> None:
    source = "def main(backend, user_messenger, iterations): ..."
    put_program(
        "sample-program", parameters=NUMBERS, source={"inline": source}, backendRequirements={"minNumQubits": 7}
    )
    put_program("unready", ready="False")
    put_program("broken", source={"inline": "def main("})
    put_backend("ours", generic={"numQubits": 3})
    with pytest.raises(IBMError) as refused:
        await service.check(program, **keywords)
    assert getattr(refused.value, "reason", "") == reason
    assert reason in set(Reason)


def a_job(program: str, kind: str = "RuntimeProgram") -> dict[str, Any]:
    return {
        "apiVersion": "quantumruntime.dev/v1alpha1",
        "kind": "RuntimeJob",
        "metadata": {"name": "mine", "labels": {"team": "a"}},
        "spec": {"programRef": {"kind": kind, "name": program}, "suspend": True},
    }


async def test_a_manifest_is_checked_as_it_stands_and_not_created(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program")
    view = await service.check_manifest(a_job("sample-program"))
    assert (view.name, view.suspended) == ("mine", True)
    assert view.body["metadata"]["labels"] == {"team": "a"}
    assert cluster.objects(JOBS) == []


async def test_a_manifests_program_is_that_of_its_kind(service: AsyncRuntimeService, put_program: Put) -> None:
    put_program("sample-program", public=True)
    await service.check_manifest(a_job("sample-program", "ClusterRuntimeProgram"))
    with pytest.raises(RuntimeProgramNotFound, match=r"but a ClusterRuntimeProgram; see spec.programRef.kind"):
        await service.check_manifest(a_job("sample-program"))
    with pytest.raises(RuntimeProgramNotFound, match=r"^there is no RuntimeProgram 'vqe' in namespace lab$"):
        await service.check_manifest(a_job("vqe"))


async def test_a_manifest_of_something_else_is_refused(service: AsyncRuntimeService) -> None:
    with pytest.raises(IBMInputValueError, match="expected a RuntimeJob with metadata, got a ConfigMap"):
        await service.check_manifest({"kind": "ConfigMap", "metadata": {}})


async def test_a_namespace_that_is_not_there_is_no_missing_cluster(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: Put
) -> None:
    put_program("sample-program", public=True)
    cluster.fail("create", JOBS, errors.NotFound('namespaces "lab" not found'), times=2)
    with pytest.raises(IBMInputValueError, match='namespaces "lab" not found'):
        await service.check("sample-program")
    with pytest.raises(IBMInputValueError, match='namespaces "lab" not found'):
        await service.run("sample-program")
