from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import PROGRAMS, PUBLIC_PROGRAMS, Resource
from quantum_runtime.exceptions import (
    IBMApiError,
    IBMInputValueError,
    IBMNotAuthorizedError,
    RuntimeDuplicateProgramError,
    RuntimeProgramNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quantum_runtime.service.aio_service import AsyncRuntimeService
    from quantum_runtime.service.program import RuntimeProgram
    from support.fake_api import FakeApi

    PutProgram = Callable[..., dict[str, Any]]

SOURCE = "def main(backend, user_messenger, **kwargs):\n    return 1\n"
METADATA = {"name": "my-program", "max_execution_time": 60, "description": "Does it."}


def written(cluster: FakeApi) -> list[tuple[str, str, str]]:
    return [request for request in cluster.requests if request[0] not in ("get", "list")]


def names(programs: list[RuntimeProgram]) -> list[tuple[str, bool]]:
    return [(program.program_id, program.is_public) for program in programs]


async def test_programs_are_sorted_by_name_and_private_ones_come_first(
    service: AsyncRuntimeService, put_program: PutProgram
) -> None:
    put_program("vqe", public=True)
    put_program("a", public=True)
    put_program("vqe")
    assert names(await service.programs()) == [("a", True), ("vqe", False), ("vqe", True)]


async def test_a_notebook_shows_programs_as_a_table(service: AsyncRuntimeService, put_program: PutProgram) -> None:
    put_program("vqe", description="Finds an energy.")
    assert "Finds an energy." in (await service.programs())._repr_html_()


async def test_programs_come_in_pages_of_twenty_unless_all_are_wanted(
    service: AsyncRuntimeService, put_program: PutProgram
) -> None:
    for number in range(25):
        put_program(f"p{number:02}")
    assert len(await service.programs()) == 20
    assert [p.program_id for p in await service.programs(limit=2, skip=23)] == ["p23", "p24"]
    assert len(await service.programs(limit=None, skip=None)) == 25


async def test_who_may_list_one_kind_sees_that_and_reads_of_the_other_in_the_log(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram, caplog: pytest.LogCaptureFixture
) -> None:
    put_program("vqe", public=True)
    cluster.forbid("list", PROGRAMS)
    with caplog.at_level(logging.WARNING):
        assert names(await service.programs()) == [("vqe", True)]
    assert "only some of the programs are shown" in caplog.text
    assert "runtimeprograms" in caplog.text
    cluster.forbid("list", PUBLIC_PROGRAMS)
    with pytest.raises(IBMNotAuthorizedError, match=r"may not list runtimeprograms\.quantumruntime\.dev"):
        await service.programs()


async def test_a_listing_whose_pages_were_too_old_is_begun_anew(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe")
    cluster.fail("list", PROGRAMS, errors.Expired("too old"), times=2)
    cluster.fail("list", PUBLIC_PROGRAMS, errors.Unavailable("no answer"))
    assert names(await service.programs()) == [("vqe", False)]


async def test_another_failure_of_a_listing_is_told(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    missing = errors.NotFound("the server could not find the requested resource", kind_is_missing=True)
    cluster.fail("list", PROGRAMS, missing)
    with pytest.raises(IBMApiError, match="does not know Quantum Runtime's resources"):
        await service.programs()


async def test_a_program_of_the_namespace_goes_before_a_public_one(
    service: AsyncRuntimeService, put_program: PutProgram
) -> None:
    put_program("vqe", public=True)
    assert (await service.program("vqe")).is_public
    put_program("vqe")
    assert not (await service.program("vqe")).is_public


async def test_a_program_is_found_by_the_name_its_author_gave(
    service: AsyncRuntimeService, put_program: PutProgram
) -> None:
    put_program("sample-program")
    assert (await service.program("Sample_Program")).program_id == "sample-program"


@pytest.mark.parametrize("program_id", ["sample-progam", "..", "", "___"])
async def test_a_program_that_is_not_there_is_said_not_to_be(
    service: AsyncRuntimeService, put_program: PutProgram, program_id: str
) -> None:
    put_program("sample-program", public=True)
    hint = r"; did you mean sample-program\?" if program_id == "sample-progam" else ""
    with pytest.raises(RuntimeProgramNotFound, match=f"neither in the namespace lab nor in .* catalogue{hint}"):
        await service.program(program_id)


async def test_who_may_read_only_the_catalogue_finds_what_is_there(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe", public=True)
    cluster.forbid("get", PROGRAMS)
    assert (await service.program("vqe")).is_public
    with pytest.raises(RuntimeProgramNotFound, match=r"catalogue \(.*forbidden"):
        await service.program("qaoa")
    cluster.forbid("get", PUBLIC_PROGRAMS)
    with pytest.raises(IBMNotAuthorizedError, match="may not get runtimeprograms"):
        await service.program("vqe")


async def test_an_uploaded_program_is_there_under_the_id_that_is_returned(
    service: AsyncRuntimeService, cluster: FakeApi
) -> None:
    with pytest.warns(UserWarning, match="is called 'my-program'"):
        program_id = await service.upload_program(SOURCE, METADATA | {"name": "My_Program"})
    assert program_id == "my-program"
    program = await service.program(program_id)
    assert (program.name, program.data, program.is_public) == ("My_Program", SOURCE, False)
    assert written(cluster) == [("create", "runtimeprograms", "my-program")]


async def test_a_program_whose_metadata_say_so_is_public(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    await service.upload_program(SOURCE, METADATA | {"is_public": True})
    assert written(cluster) == [("create", "clusterruntimeprograms", "my-program")]


async def test_a_name_that_is_taken_is_a_duplicate(service: AsyncRuntimeService) -> None:
    await service.upload_program(SOURCE, METADATA)
    with pytest.raises(RuntimeDuplicateProgramError, match="RuntimeProgram 'my-program' in the namespace lab already"):
        await service.upload_program(SOURCE, METADATA)
    await service.upload_program(SOURCE, METADATA | {"is_public": True})


async def test_a_replacement_leaves_nothing_of_the_old_program_but_what_others_wrote_on_it(
    service: AsyncRuntimeService, cluster: FakeApi
) -> None:
    old = METADATA | {"licence": "MIT", "spec": {"parameters": {"type": "object"}, "backend_requirements": None}}
    with pytest.warns(UserWarning, match="licence"):
        await service.upload_program(SOURCE, old)
    marks = {"labels": {"team": "a"}, "annotations": {"example.com/reviewed": "yes"}}
    cluster.edit(PROGRAMS, "my-program", {"metadata": marks})
    new = {"name": "my-program", "max_execution_time": 90}
    assert await service.upload_program(SOURCE, new, replace=True) == "my-program"
    there = cluster.object(PROGRAMS, "my-program")
    assert (there["metadata"]["labels"], there["metadata"]["annotations"]) == (marks["labels"], marks["annotations"])
    cluster.remove(PROGRAMS, "my-program")
    await service.upload_program(SOURCE, new, replace=True)
    assert cluster.object(PROGRAMS, "my-program")["spec"] == there["spec"]


async def test_a_replacement_is_made_anew_where_somebody_else_changes_the_program_meanwhile(
    service: AsyncRuntimeService, cluster: FakeApi
) -> None:
    await service.upload_program(SOURCE, METADATA)
    cluster.fail("replace", PROGRAMS, errors.Conflict("the object has been modified"), times=2)
    await service.upload_program(SOURCE, METADATA | {"description": "New."}, replace=True)
    assert (await service.program("my-program")).description == "New."


async def test_an_upload_whose_answer_got_lost_is_no_duplicate(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    cluster.fail("create", PROGRAMS, errors.Unavailable("connection reset"), after=True)
    assert await service.upload_program(SOURCE, METADATA) == "my-program"
    assert len(cluster.objects(PROGRAMS)) == 1


async def test_an_upload_that_may_have_failed_does_not_take_anothers_program_for_its_own(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("my-program")
    cluster.fail("create", PROGRAMS, errors.Unavailable("connection reset"))
    with pytest.raises(RuntimeDuplicateProgramError):
        await service.upload_program(SOURCE, METADATA)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Forbidden("no"), IBMNotAuthorizedError),
        (errors.Invalid("spec.description: too long", fields=("spec.description",)), IBMInputValueError),
    ],
)
async def test_an_upload_that_is_refused_says_why(
    service: AsyncRuntimeService, cluster: FakeApi, error: Exception, expected: type[Exception]
) -> None:
    cluster.fail("create", PROGRAMS, error)
    with pytest.raises(expected, match=f"cannot upload 'my-program': {error}"):
        await service.upload_program(SOURCE, METADATA)


async def test_an_update_changes_what_it_is_given(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe", parameters={"type": "object"})
    await service.update_program("vqe", data=SOURCE, description="New.")
    program = await service.program("vqe")
    assert (program.description, program.data) == ("New.", SOURCE)
    assert program.parameters().metadata == {"type": "object"}
    assert program.ready
    assert written(cluster) == [("replace", "runtimeprograms", "vqe")]


async def test_nothing_to_update_is_a_warning_and_no_request(service: AsyncRuntimeService, cluster: FakeApi) -> None:
    with pytest.warns(UserWarning, match="nothing was updated: none of data, metadata"):
        await service.update_program("vqe")
    assert cluster.requests == []


async def test_an_update_that_changes_nothing_writes_nothing(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe", description="Same.")
    await service.update_program("vqe", description="Same.")
    assert written(cluster) == []


async def test_an_update_keeps_what_somebody_else_changes_at_the_same_time(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe")
    edits: Iterator[dict[str, Any]] = iter(
        [{"spec": {"maxExecutionTimeSeconds": 77}}, {"metadata": {"labels": {"team": "a"}}}]
    )

    def somebody(_: dict[str, Any]) -> None:
        if (edit := next(edits, None)) is not None:
            cluster.edit(PROGRAMS, "vqe", edit)

    cluster.react("get", PROGRAMS, somebody)
    await service.update_program("vqe", description="New.")
    there = cluster.object(PROGRAMS, "vqe")
    assert there["spec"]["description"] == "New."
    assert there["spec"]["maxExecutionTimeSeconds"] == 77
    assert there["metadata"]["labels"] == {"team": "a"}


async def test_an_update_gives_up_when_others_are_always_faster(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe")
    cluster.fail("replace", PROGRAMS, errors.Conflict("the object has been modified"), times=100)
    with pytest.raises(IBMApiError, match="cannot update program 'vqe': the object has been modified"):
        await service.update_program("vqe", description="New.")
    assert len(written(cluster)) == 5


async def test_an_update_whose_answer_got_lost_is_made_once(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe")
    cluster.fail("replace", PROGRAMS, errors.Unavailable("connection reset"), after=True)
    await service.update_program("vqe", description="New.")
    assert written(cluster) == [("replace", "runtimeprograms", "vqe")]


async def test_what_is_not_there_cannot_be_changed_or_deleted(service: AsyncRuntimeService) -> None:
    with pytest.raises(RuntimeProgramNotFound):
        await service.update_program("vqe", description="New.")
    with pytest.raises(RuntimeProgramNotFound):
        await service.delete_program("vqe")
    with pytest.raises(RuntimeProgramNotFound):
        await service.set_program_visibility("vqe", public=True)


async def test_a_program_is_deleted_once(service: AsyncRuntimeService, put_program: PutProgram) -> None:
    put_program("vqe")
    await service.delete_program("vqe")
    with pytest.raises(RuntimeProgramNotFound):
        await service.delete_program("vqe")
    with pytest.raises(RuntimeProgramNotFound):
        await service.program("vqe")


async def test_a_deletion_whose_answer_got_lost_is_one(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe")
    cluster.fail("delete", PROGRAMS, errors.Unavailable("connection reset"), after=True)
    await service.delete_program("vqe")
    assert cluster.objects(PROGRAMS) == []


async def test_who_may_not_delete_is_told_the_missing_right(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe", public=True)
    cluster.forbid("delete", PUBLIC_PROGRAMS)
    with pytest.raises(IBMNotAuthorizedError, match="may not delete clusterruntimeprograms"):
        await service.delete_program("vqe")


@pytest.mark.parametrize(
    ("public", "old", "new"), [(True, PROGRAMS, PUBLIC_PROGRAMS), (False, PUBLIC_PROGRAMS, PROGRAMS)]
)
async def test_a_change_of_visibility_moves_the_program(
    service: AsyncRuntimeService,
    cluster: FakeApi,
    put_program: PutProgram,
    public: bool,
    old: Resource,
    new: Resource,
) -> None:
    before = put_program("vqe", public=not public, description="Same.")
    await service.set_program_visibility("vqe", public)
    assert cluster.objects(old) == []
    assert cluster.object(new, "vqe")["spec"] == before["spec"]
    assert written(cluster) == [("create", new.plural, "vqe"), ("delete", old.plural, "vqe")]
    assert (await service.program("vqe")).is_public is public
    await service.set_program_visibility("vqe", public)
    assert len(written(cluster)) == 2


async def test_a_program_that_cannot_leave_its_place_is_not_in_two(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe")
    cluster.forbid("delete", PROGRAMS)
    with pytest.raises(IBMNotAuthorizedError, match=r"cannot make program 'vqe' public: .*may not delete"):
        await service.set_program_visibility("vqe", True)
    assert cluster.objects(PUBLIC_PROGRAMS) == []
    assert len(cluster.objects(PROGRAMS)) == 1


async def test_a_program_whose_old_place_gives_no_answer_is_not_deleted_in_the_new_one(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program("vqe")
    from quantum_runtime.service import repeating

    async def once(request: Callable[[], Any]) -> Any:
        return await request()

    monkeypatch.setattr(repeating, "patiently", once)
    cluster.fail("delete", PROGRAMS, errors.Unavailable("no answer"), after=True)
    with pytest.raises(IBMApiError, match="it is a ClusterRuntimeProgram now, and may still be a RuntimeProgram"):
        await service.set_program_visibility("vqe", True)
    assert len(cluster.objects(PUBLIC_PROGRAMS)) == 1


async def test_a_place_that_is_taken_is_a_duplicate(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe")
    put_program("vqe", public=True)
    with pytest.raises(RuntimeDuplicateProgramError, match="there is a ClusterRuntimeProgram 'vqe' already"):
        await service.set_program_visibility("vqe", True)
    assert len(cluster.objects(PROGRAMS)) == 1


async def test_a_source_in_a_config_map_stays_private(
    service: AsyncRuntimeService, cluster: FakeApi, put_program: PutProgram
) -> None:
    put_program("vqe", source={"configMapRef": {"name": "sources"}})
    with pytest.raises(IBMInputValueError, match="ConfigMap 'sources'"):
        await service.set_program_visibility("vqe", True)
    assert written(cluster) == []
