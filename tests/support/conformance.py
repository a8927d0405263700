"""What we rely on the API server for, as questions that can be put to any `Kube`: the fake one and the real one.

Each takes the `Kube` and the name of an empty namespace. Pods are never scheduled here: they ask for a node that does
not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from runtime_operator.kube import errors
from runtime_operator.kube.client import CONFIG_MAPS, NETWORK_POLICIES, PODS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime_operator.kube.client import Kube, Object

    Question = Callable[[Kube, str], Awaitable[None]]


def config_map(name: str, data: dict[str, str] | None = None, **labels: str) -> Object:
    metadata: Object = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {}}


def unschedulable_pod(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"no-such": "node"},
            "containers": [{"name": "runner", "image": "no.such/image:1", "stdin": True}],
        },
    }


def policy(name: str) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }


async def creating_twice_returns_the_first_object(kube: Kube, namespace: str) -> None:
    first = await kube.create(CONFIG_MAPS, namespace, config_map("one", {"a": "1"}))
    second = await kube.create(CONFIG_MAPS, namespace, config_map("one", {"a": "2"}))
    assert second == first
    assert first["metadata"]["uid"]
    assert first["metadata"]["namespace"] == namespace


async def what_is_not_there_is_none(kube: Kube, namespace: str) -> None:
    assert await kube.get(CONFIG_MAPS, namespace, "none") is None
    assert await kube.patch(CONFIG_MAPS, namespace, "none", {"data": {"a": "1"}}) is None
    await kube.delete(CONFIG_MAPS, namespace, "none", uid="8a1f0e6e-7a0f-4a53-8ab8-5b3c1c1d3c4e")
    assert await kube.pod_log(namespace, "none", "runner") is None


async def a_merge_patch_changes_what_it_names_and_null_removes(kube: Kube, namespace: str) -> None:
    before = await kube.create(CONFIG_MAPS, namespace, config_map("one", {"a": "1", "b": "2"}))
    after = await kube.patch(CONFIG_MAPS, namespace, "one", {"data": {"a": None, "c": "3"}})
    assert after is not None
    assert after["data"] == {"b": "2", "c": "3"}
    assert after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    assert await kube.get(CONFIG_MAPS, namespace, "one") == after


async def a_patch_that_changes_nothing_makes_no_new_version(kube: Kube, namespace: str) -> None:
    before = await kube.create(CONFIG_MAPS, namespace, config_map("one", {"a": "1"}))
    after = await kube.patch(CONFIG_MAPS, namespace, "one", {"data": {"a": "1"}})
    assert after is not None
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def a_patch_of_an_older_version_is_a_conflict(kube: Kube, namespace: str) -> None:
    old = await kube.create(CONFIG_MAPS, namespace, config_map("one"))
    new = await kube.patch(CONFIG_MAPS, namespace, "one", {"data": {"a": "1"}})
    guard = {"resourceVersion": old["metadata"]["resourceVersion"], "uid": old["metadata"]["uid"]}
    with pytest.raises(errors.Conflict):
        await kube.patch(CONFIG_MAPS, namespace, "one", {"metadata": guard, "data": {"a": "2"}})
    assert await kube.get(CONFIG_MAPS, namespace, "one") == new


async def a_patch_of_the_current_version_is_carried_out(kube: Kube, namespace: str) -> None:
    one = await kube.create(CONFIG_MAPS, namespace, config_map("one"))
    guard = {"resourceVersion": one["metadata"]["resourceVersion"], "uid": one["metadata"]["uid"]}
    after = await kube.patch(CONFIG_MAPS, namespace, "one", {"metadata": guard, "data": {"a": "2"}})
    assert after is not None
    assert after["data"] == {"a": "2"}


async def a_patch_of_an_object_with_another_uid_is_a_conflict(kube: Kube, namespace: str) -> None:
    one = await kube.create(CONFIG_MAPS, namespace, config_map("one"))
    guard = {"uid": "8a1f0e6e-7a0f-4a53-8ab8-5b3c1c1d3c4e"}
    with pytest.raises(errors.Conflict):
        await kube.patch(CONFIG_MAPS, namespace, "one", {"metadata": guard, "data": {"a": "2"}})
    assert await kube.get(CONFIG_MAPS, namespace, "one") == one


async def deleting_an_object_with_another_uid_does_nothing(kube: Kube, namespace: str) -> None:
    one = await kube.create(CONFIG_MAPS, namespace, config_map("one"))
    await kube.delete(CONFIG_MAPS, namespace, "one", uid="8a1f0e6e-7a0f-4a53-8ab8-5b3c1c1d3c4e")
    assert await kube.get(CONFIG_MAPS, namespace, "one") == one
    await kube.delete(CONFIG_MAPS, namespace, "one", uid=one["metadata"]["uid"])
    assert await kube.get(CONFIG_MAPS, namespace, "one") is None


async def a_finalizer_keeps_an_object_until_it_is_taken_off(kube: Kube, namespace: str) -> None:
    body = config_map("one")
    body["metadata"]["finalizers"] = ["quantumruntime.dev/test"]
    one = await kube.create(CONFIG_MAPS, namespace, body)
    await kube.delete(CONFIG_MAPS, namespace, "one", uid=one["metadata"]["uid"])
    marked = await kube.get(CONFIG_MAPS, namespace, "one")
    assert marked is not None
    assert "deletionTimestamp" in marked["metadata"]
    await kube.patch(CONFIG_MAPS, namespace, "one", {"metadata": {"finalizers": None}})
    assert await kube.get(CONFIG_MAPS, namespace, "one") is None


async def a_pod_without_a_node_is_deleted_at_once(kube: Kube, namespace: str) -> None:
    pod = await kube.create(PODS, namespace, unschedulable_pod("one"))
    await kube.delete(PODS, namespace, "one", uid=pod["metadata"]["uid"])
    assert await kube.get(PODS, namespace, "one") is None


async def a_label_selector_chooses_what_is_listed(kube: Kube, namespace: str) -> None:
    await kube.create(CONFIG_MAPS, namespace, config_map("a", colour="red", size="1"))
    await kube.create(CONFIG_MAPS, namespace, config_map("b", colour="blue", size="1"))
    await kube.create(CONFIG_MAPS, namespace, config_map("c", size="2"))

    async def names(selector: str) -> list[str]:
        items, _ = await kube.list(CONFIG_MAPS, namespace, label_selector=selector)
        return [item["metadata"]["name"] for item in items if item["metadata"]["name"] != "kube-root-ca.crt"]

    assert await names("") == ["a", "b", "c"]
    assert await names("colour=red") == ["a"]
    assert await names("size=1,colour!=red") == ["b"]
    assert await names("colour") == ["a", "b"]
    assert await names("!colour") == ["c"]


async def a_watch_tells_what_happened_since_the_list(kube: Kube, namespace: str) -> None:
    _, version = await kube.list(CONFIG_MAPS, namespace, label_selector="watched=yes")
    one = await kube.create(CONFIG_MAPS, namespace, config_map("one", watched="yes"))
    await kube.create(CONFIG_MAPS, namespace, config_map("other"))
    await kube.patch(CONFIG_MAPS, namespace, "one", {"data": {"a": "1"}})
    await kube.delete(CONFIG_MAPS, namespace, "one", uid=one["metadata"]["uid"])
    assert await _watched(kube, namespace, version, 3) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


async def an_object_that_leaves_a_selection_is_deleted_for_its_watchers(kube: Kube, namespace: str) -> None:
    await kube.create(CONFIG_MAPS, namespace, config_map("one", watched="yes"))
    _, version = await kube.list(CONFIG_MAPS, namespace, label_selector="watched=yes")
    await kube.patch(CONFIG_MAPS, namespace, "one", {"metadata": {"labels": {"watched": "no"}}})
    await kube.patch(CONFIG_MAPS, namespace, "one", {"metadata": {"labels": {"watched": "yes"}}})
    assert await _watched(kube, namespace, version, 2) == [("DELETED", "one"), ("ADDED", "one")]


async def a_watch_goes_on_after_the_version_of_its_last_event(kube: Kube, namespace: str) -> None:
    one = await kube.create(CONFIG_MAPS, namespace, config_map("one", watched="yes"))
    await kube.delete(CONFIG_MAPS, namespace, "one", uid=one["metadata"]["uid"])
    await kube.create(CONFIG_MAPS, namespace, config_map("two", watched="yes"))
    stream = kube.watch(
        CONFIG_MAPS, namespace, label_selector="watched=yes", resource_version=one["metadata"]["resourceVersion"]
    )
    kind, deleted = await anext(stream)
    assert (kind, deleted["metadata"]["name"]) == ("DELETED", "one")
    version = deleted["metadata"]["resourceVersion"]
    assert await _watched(kube, namespace, version, 1) == [("ADDED", "two")]


async def the_status_is_written_through_its_subresource_alone(kube: Kube, namespace: str) -> None:
    body = unschedulable_pod("one") | {"status": {"phase": "Failed", "message": "forged"}}
    pod = await kube.create(PODS, namespace, body)
    assert pod["status"]["phase"] == "Pending"
    pod = await kube.patch(PODS, namespace, "one", {"status": {"message": "forged"}}) or {}
    assert "message" not in pod["status"]
    pod = await kube.patch(PODS, namespace, "one", {"status": {"message": "true"}}, subresource="status") or {}
    assert pod["status"]["message"] == "true"


async def the_generation_counts_changes_of_the_spec(kube: Kube, namespace: str) -> None:
    one = await kube.create(NETWORK_POLICIES, namespace, policy("one"))
    assert one["metadata"]["generation"] == 1
    one = await kube.patch(NETWORK_POLICIES, namespace, "one", {"metadata": {"labels": {"a": "b"}}}) or {}
    assert one["metadata"]["generation"] == 1
    one = await kube.patch(NETWORK_POLICIES, namespace, "one", {"spec": {"policyTypes": ["Egress"]}}) or {}
    assert one["metadata"]["generation"] == 2


async def nobody_is_there_to_attach_to_before_a_pod_has_a_node(kube: Kube, namespace: str) -> None:
    with pytest.raises(errors.NotFound):
        await kube.attach(namespace, "none", "runner")
    await kube.create(PODS, namespace, unschedulable_pod("one"))
    with pytest.raises(errors.Invalid):
        await kube.attach(namespace, "one", "runner")
    assert await kube.pod_log(namespace, "one", "runner") == b""


async def writes_are_counted_by_verb_and_resource(kube: Kube, namespace: str) -> None:
    before = kube.writes.copy()
    pod = await kube.create(PODS, namespace, unschedulable_pod("one"))
    await kube.patch(PODS, namespace, "one", {"metadata": {"labels": {"a": "b"}}})
    await kube.patch(PODS, namespace, "one", {"status": {"message": "x"}}, subresource="status")
    await kube.delete(PODS, namespace, "one", uid=pod["metadata"]["uid"])
    await kube.get(PODS, namespace, "one")
    assert dict(kube.writes - before) == {"create pods": 1, "patch pods": 1, "patch pods/status": 1, "delete pods": 1}


async def _watched(kube: Kube, namespace: str, version: str, count: int) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []
    stream = kube.watch(CONFIG_MAPS, namespace, label_selector="watched=yes", resource_version=version)
    async for kind, obj in stream:
        if kind != "BOOKMARK":
            seen.append((kind, obj["metadata"]["name"]))
        if len(seen) == count:
            break
    return seen


QUESTIONS: tuple[Question, ...] = (
    creating_twice_returns_the_first_object,
    what_is_not_there_is_none,
    a_merge_patch_changes_what_it_names_and_null_removes,
    a_patch_that_changes_nothing_makes_no_new_version,
    a_patch_of_an_older_version_is_a_conflict,
    a_patch_of_the_current_version_is_carried_out,
    a_patch_of_an_object_with_another_uid_is_a_conflict,
    deleting_an_object_with_another_uid_does_nothing,
    a_finalizer_keeps_an_object_until_it_is_taken_off,
    a_pod_without_a_node_is_deleted_at_once,
    a_label_selector_chooses_what_is_listed,
    a_watch_tells_what_happened_since_the_list,
    an_object_that_leaves_a_selection_is_deleted_for_its_watchers,
    a_watch_goes_on_after_the_version_of_its_last_event,
    the_status_is_written_through_its_subresource_alone,
    the_generation_counts_changes_of_the_spec,
    nobody_is_there_to_attach_to_before_a_pod_has_a_node,
    writes_are_counted_by_verb_and_resource,
)
