"""What the client relies on the API server for, as questions that can be put to any `Api`: fake and real.

Each takes the `Api`, whose namespace is empty, and a name that nobody else uses. Jobs are suspended: a real operator
has nothing to do with them but to say so. Backends are objects that nobody but the question writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, GROUP, JOBS, PROGRAMS, VERSION, Resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from quantum_runtime.cluster.api import Api, Change, Object

    Question = Callable[[Api, str], Awaitable[None]]

API_VERSION = f"{GROUP}/{VERSION}"
ANOTHER_UID = "8a1f0e6e-7a0f-4a53-8ab8-5b3c1c1d3c4e"


def backend(name: str, **labels: str) -> Object:
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": API_VERSION, "kind": "RuntimeBackend", "metadata": metadata, "spec": {"aer": {}}}


def job(name: str, **spec: Any) -> Object:
    spec = {"programRef": {"name": "no-such-program"}, "suspend": True} | spec
    return {"apiVersion": API_VERSION, "kind": "RuntimeJob", "metadata": {"name": name}, "spec": spec}


def program(name: str, description: str = "") -> Object:
    spec = {"description": description, "maxExecutionTimeSeconds": 60, "source": {"inline": "def main(): pass"}}
    return {"apiVersion": API_VERSION, "kind": "RuntimeProgram", "metadata": {"name": name}, "spec": spec}


async def a_new_job_has_defaults_and_is_queued(api: Api, name: str) -> None:
    made = await api.create(JOBS, job(name))
    assert made["metadata"]["namespace"] == api.namespace
    assert made["metadata"]["uid"]
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    assert made["metadata"]["generation"] == 1
    assert made["spec"] == {
        "programRef": {"kind": "RuntimeProgram", "name": "no-such-program"},
        "inputs": {},
        "logLevel": "INFO",
        "suspend": True,
        "cancel": False,
        "ttl": {"podSeconds": 60},
    }
    assert made["status"] == {"phase": "Queued"}
    there = await api.get(JOBS, name)
    assert there["apiVersion"] == API_VERSION
    assert there["kind"] == "RuntimeJob"
    assert there["metadata"]["uid"] == made["metadata"]["uid"]


async def a_name_can_be_asked_for_by_its_beginning(api: Api, name: str) -> None:
    body = job(name)
    body["metadata"] = {"generateName": f"{name}-"}
    made = await api.create(JOBS, body)
    assert made["metadata"]["name"].startswith(f"{name}-")
    assert len(made["metadata"]["name"]) == len(name) + 6


async def a_name_that_is_taken_is_refused(api: Api, name: str) -> None:
    await api.create(JOBS, job(name))
    with pytest.raises(errors.AlreadyExists, match=f'runtimejobs.{GROUP} "{name}" already exists'):
        await api.create(JOBS, job(name))


async def a_dry_run_says_what_would_be_and_does_nothing(api: Api, name: str) -> None:
    would_be = await api.create(JOBS, job(name), dry_run=True)
    assert would_be["spec"]["logLevel"] == "INFO"
    assert would_be["status"] == {"phase": "Queued"}
    with pytest.raises(errors.NotFound):
        await api.get(JOBS, name)
    with pytest.raises(errors.Invalid):
        await api.create(JOBS, job(name, logLevel="LOUD"), dry_run=True)


async def what_the_schema_does_not_know_is_refused(api: Api, name: str) -> None:
    with pytest.raises(errors.Invalid, match="nope"):
        await api.create(JOBS, job(name, nope=1))
    made = await api.create(BACKENDS, backend(name))
    made["spec"]["nope"] = 1
    with pytest.raises(errors.Invalid, match="nope"):
        await api.replace(BACKENDS, name, made)
    with pytest.raises(errors.Invalid, match="nope"):
        await api.patch(BACKENDS, name, {"spec": {"nope": 1}})


async def a_value_of_the_wrong_type_is_refused_with_its_field(api: Api, name: str) -> None:
    with pytest.raises(errors.Invalid, match="maxExecutionTimeSeconds") as refused:
        await api.create(JOBS, job(name, maxExecutionTimeSeconds=0))
    assert refused.value.fields == ("spec.maxExecutionTimeSeconds",)


async def an_object_too_large_for_etcd_is_too_large(api: Api, name: str) -> None:
    with pytest.raises(errors.TooLarge):
        await api.create(JOBS, job(name, inputs={"text": "x" * 1_700_000}))


async def what_is_not_there_is_not_found(api: Api, name: str) -> None:
    for request in (
        api.get(JOBS, name),
        api.patch(JOBS, name, {"spec": {"cancel": True}}),
        api.replace(PROGRAMS, name, {**program(name), "metadata": {"name": name, "resourceVersion": "1"}}),
        api.delete(JOBS, name),
    ):
        with pytest.raises(errors.NotFound, match=f'"{name}" not found') as refused:
            await request
        assert not refused.value.kind_is_missing


async def a_kind_that_is_not_there_is_told_from_an_object_that_is_not(api: Api, name: str) -> None:
    unheard_of = Resource("runtimewonders", "RuntimeWonder")
    for request in (
        lambda: api.get(unheard_of, name),
        lambda: api.list(unheard_of),
        lambda: anext(api.watch(unheard_of, resource_version="1")),
    ):
        with pytest.raises(errors.NotFound) as refused:
            await request()
        assert refused.value.kind_is_missing


async def a_merge_patch_changes_what_it_names_and_null_removes(api: Api, name: str) -> None:
    before = await api.create(BACKENDS, backend(name, a="1", b="2"))
    after = await api.patch(BACKENDS, name, {"metadata": {"labels": {"a": None, "c": "3"}}})
    assert after["metadata"]["labels"] == {"b": "2", "c": "3"}
    assert after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    assert after["metadata"]["generation"] == 1
    assert await api.get(BACKENDS, name) == after
    again = await api.patch(BACKENDS, name, {"metadata": {"labels": {"c": "3"}}})
    assert again["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"], "nothing was changed"
    other = await api.patch(BACKENDS, name, {"spec": {"aer": {"method": "statevector"}}})
    assert other["metadata"]["generation"] == 2


async def of_a_job_little_can_be_changed(api: Api, name: str) -> None:
    await api.create(JOBS, job(name, backend="aer"))
    for change in (
        {"inputs": {"a": 1}},
        {"backend": None},
        {"logLevel": "DEBUG"},
        {"programRef": {"name": "b"}},
        {"ttl": {"jobSeconds": 5}},
    ):
        with pytest.raises(errors.Invalid, match="cannot be changed") as refused:
            await api.patch(JOBS, name, {"spec": change})
        assert refused.value.fields[0].startswith(f"spec.{next(iter(change))}")
    changed = await api.patch(JOBS, name, {"spec": {"cancel": True, "tags": ["late"]}})
    assert changed["spec"]["cancel"] is True
    assert changed["spec"]["tags"] == ["late"]
    with pytest.raises(errors.Invalid, match="cannot be taken back"):
        await api.patch(JOBS, name, {"spec": {"cancel": False}})


async def the_status_is_not_the_users(api: Api, name: str) -> None:
    made = await api.create(JOBS, {**job(name), "status": {"phase": "Completed", "result": "1"}})
    assert made["status"] == {"phase": "Queued"}
    patched = await api.patch(JOBS, name, {"status": {"result": "1"}})
    assert "result" not in patched["status"]


async def a_guard_against_a_namesake_holds(api: Api, name: str) -> None:
    made = await api.create(BACKENDS, backend(name))
    with pytest.raises(errors.Conflict):
        await api.patch(BACKENDS, name, {"metadata": {"uid": ANOTHER_UID, "labels": {"a": "1"}}})
    with pytest.raises(errors.Conflict):
        await api.delete(BACKENDS, name, uid=ANOTHER_UID)
    assert await api.get(BACKENDS, name) == made
    guard = {"uid": made["metadata"]["uid"]}
    await api.patch(BACKENDS, name, {"metadata": {**guard, "labels": {"a": "1"}}})
    await api.delete(BACKENDS, name, **guard)
    with pytest.raises(errors.NotFound):
        await api.get(BACKENDS, name)


async def a_change_of_an_older_version_is_a_conflict(api: Api, name: str) -> None:
    old = await api.create(BACKENDS, backend(name))
    new = await api.patch(BACKENDS, name, {"metadata": {"labels": {"a": "1"}}})
    version = old["metadata"]["resourceVersion"]
    with pytest.raises(errors.Conflict):
        await api.replace(BACKENDS, name, old)
    with pytest.raises(errors.Conflict):
        await api.patch(BACKENDS, name, {"metadata": {"resourceVersion": version, "labels": {"a": "2"}}})
    new["spec"] = {"aer": {"method": "statevector"}}
    replaced = await api.replace(BACKENDS, name, new)
    assert replaced["spec"] == new["spec"]
    assert replaced["metadata"]["labels"] == {"a": "1"}


async def a_replacement_names_the_version_it_replaces(api: Api, name: str) -> None:
    made = await api.create(BACKENDS, backend(name))
    with pytest.raises(errors.Invalid, match="resourceVersion"):
        await api.replace(BACKENDS, name, backend(name))
    body = backend(name)
    body["metadata"] = {"name": name, "resourceVersion": made["metadata"]["resourceVersion"]}
    replaced = await api.replace(BACKENDS, name, body)
    assert replaced["metadata"]["uid"] == made["metadata"]["uid"]
    assert replaced["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    assert "labels" not in replaced["metadata"], "what it leaves out is gone"
    body["metadata"] = {**replaced["metadata"], "uid": ANOTHER_UID}
    with pytest.raises(errors.Conflict):
        await api.replace(BACKENDS, name, body)


async def a_replaced_program_keeps_its_status(api: Api, name: str) -> None:
    await api.create(PROGRAMS, program(name, "old"))
    while True:
        there = await api.get(PROGRAMS, name)
        body = {**there, "spec": program(name, "new")["spec"], "status": {"digest": f"sha256:{'0' * 64}"}}
        try:
            replaced = await api.replace(PROGRAMS, name, body)
        except errors.Conflict:  # the operator has written the status meanwhile
            continue
        assert replaced["spec"]["description"] == "new"
        assert replaced.get("status") == there.get("status")
        return


async def selectors_choose_what_is_listed(api: Api, name: str) -> None:
    await api.create(JOBS, job(f"{name}-b", backend="aer"))
    await api.create(JOBS, job(f"{name}-a", programRef={"kind": "ClusterRuntimeProgram", "name": "other"}))
    await api.create(JOBS, {**job(f"{name}-c"), "metadata": {"name": f"{name}-c", "labels": {"team": "x", "t": ""}}})

    async def names(fields: str = "", labels: str = "") -> list[str]:
        found = await api.list(JOBS, field_selector=fields, label_selector=labels)
        return [obj["metadata"]["name"].removeprefix(f"{name}-") for obj in found.items]

    assert await names() == ["a", "b", "c"]
    assert await names(f"metadata.name={name}-b") == ["b"]
    assert await names("status.phase=Queued,spec.backend=aer") == ["b"]
    assert await names("spec.backend!=aer") == ["a", "c"], "a job that does not say is not of it"
    assert await names("spec.programRef.name==other") == ["a"]
    assert await names("status.phase=Running") == []
    assert await names(labels="team=x") == ["c"]
    assert await names(labels="team!=x") == ["a", "b"]
    assert await names(labels="t,team") == ["c"]
    assert await names(labels="!team") == ["a", "b"]
    with pytest.raises(errors.Invalid, match=r"spec\.logLevel"):
        await names("spec.logLevel=INFO")


async def a_list_of_metadata_has_nothing_else(api: Api, name: str) -> None:
    made = await api.create(JOBS, job(name))
    (found,) = (await api.list(JOBS, metadata_only=True)).items
    assert sorted(found) == ["apiVersion", "kind", "metadata"]
    assert found["metadata"]["uid"] == made["metadata"]["uid"]


async def a_watch_tells_what_has_happened_since(api: Api, name: str) -> None:
    since = (await api.list(BACKENDS)).resource_version
    made = await api.create(BACKENDS, backend(name, a="1"))
    changed = await api.patch(BACKENDS, name, {"metadata": {"labels": {"a": "2"}}})
    await api.delete(BACKENDS, name)
    namesake = await api.create(BACKENDS, backend(name))
    seen = await _changes(api, name, since, 4)
    assert [change.type for change in seen] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]
    assert [change.object for change in (seen[0], seen[1], seen[3])] == [made, changed, namesake]
    assert seen[2].object["metadata"]["uid"] == made["metadata"]["uid"]
    assert int(seen[2].object["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])
    assert namesake["metadata"]["uid"] != made["metadata"]["uid"]


async def a_watch_goes_on_after_any_version_that_was_seen(api: Api, name: str) -> None:
    made = await api.create(BACKENDS, backend(name))
    changed = await api.patch(BACKENDS, name, {"metadata": {"labels": {"a": "2"}}})
    await api.delete(BACKENDS, name)
    (first,) = await _changes(api, name, made["metadata"]["resourceVersion"], 1)
    assert first == ("MODIFIED", changed)
    (second,) = await _changes(api, name, changed["metadata"]["resourceVersion"], 1)
    assert second.type == "DELETED"


async def an_object_that_leaves_a_selection_is_deleted_for_its_watchers(api: Api, name: str) -> None:
    made = await api.create(JOBS, job(name))
    watch = api.watch(
        JOBS,
        resource_version=made["metadata"]["resourceVersion"],
        field_selector=f"metadata.name={name},status.phase=Queued",
    )
    await api.patch(JOBS, name, {"spec": {"cancel": True}})
    await api.delete(JOBS, name)
    async for change in watch:
        if change.type == "DELETED":
            return
    raise AssertionError("it was not told")


async def a_version_of_long_ago_has_expired(api: Api, name: str) -> None:
    with pytest.raises(errors.Expired):
        await anext(api.watch(JOBS, resource_version="1", field_selector=f"metadata.name={name}"))


async def _changes(api: Api, name: str, since: str, count: int) -> list[Change]:
    seen: list[Change] = []
    watch = api.watch(BACKENDS, resource_version=since, field_selector=f"metadata.name={name}")
    async for change in watch:
        if change.type != "BOOKMARK":
            seen.append(change)
        if len(seen) == count:
            break
    await watch.aclose()
    return seen


QUESTIONS: tuple[Question, ...] = (
    a_new_job_has_defaults_and_is_queued,
    a_name_can_be_asked_for_by_its_beginning,
    a_name_that_is_taken_is_refused,
    a_dry_run_says_what_would_be_and_does_nothing,
    what_the_schema_does_not_know_is_refused,
    a_value_of_the_wrong_type_is_refused_with_its_field,
    an_object_too_large_for_etcd_is_too_large,
    what_is_not_there_is_not_found,
    a_kind_that_is_not_there_is_told_from_an_object_that_is_not,
    a_merge_patch_changes_what_it_names_and_null_removes,
    of_a_job_little_can_be_changed,
    the_status_is_not_the_users,
    a_guard_against_a_namesake_holds,
    a_change_of_an_older_version_is_a_conflict,
    a_replacement_names_the_version_it_replaces,
    a_replaced_program_keeps_its_status,
    selectors_choose_what_is_listed,
    a_list_of_metadata_has_nothing_else,
    a_watch_tells_what_has_happened_since,
    a_watch_goes_on_after_any_version_that_was_seen,
    an_object_that_leaves_a_selection_is_deleted_for_its_watchers,
    a_version_of_long_ago_has_expired,
)
