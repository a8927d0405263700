"""What is stored beside the status: whole, once, and only what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.act.merge import merge_patch
from runtime_operator.act.outputs import store_interims, store_outputs
from runtime_operator.decide.plan import StoreInterims, StoreOutputs
from runtime_operator.kube import errors
from runtime_operator.kube.client import OUTPUTS, PODS
from runtime_operator.observe.snapshots import Outputs, StoredInterims
from runtime_runner import contract
from support import builders
from support.clock import START, virtual_time
from support.fake_kube import FakeKube

if TYPE_CHECKING:
    from runtime_operator.observe.snapshots import OutputRef

JOURNAL = (
    contract.Ready(seq=1, time=START, protocol=1, versions={}, warmup_seconds=0.5),
    contract.Log(seq=2, time=START, stream="stdout", text="one\n"),
    contract.Resumed(seq=2, time=START, state=contract.RunnerState.RUNNING, job_uid="job-uid"),
    contract.Interim(seq=3, time=START + 0.25, value="[1]"),
    contract.Log(seq=4, time=START, stream="stderr", text="zwei ü\n"),
)


def a_cluster(*, log: bool = True) -> FakeKube:
    kube = FakeKube()
    kube.put(PODS, builders.pod())
    if log:
        runner = kube.run_pod("default", "a-pod")
        runner.say(b"Fatal Python error: not an event", *(contract.encode(event) for event in JOURNAL))
    return kube


def wanted(**fields: Any) -> StoreOutputs:
    defaults = {"result": None, "logs": False, "pod": "a-pod", "pod_uid": "pod-uid"}
    return StoreOutputs(job_uid="job-uid", namespace="default", job_name="a-job", **(defaults | fields))


def text(kube: FakeKube, ref: OutputRef | None) -> str:
    assert ref is not None
    chunks = {o["metadata"]["name"]: o["spec"]["text"] for o in kube.objects(OUTPUTS)}
    whole = "".join(chunks[name] for name in ref.names)
    assert contract.digest(whole) == (ref.size, ref.sha256)
    return whole


@virtual_time
async def test_a_result_is_stored_without_looking_at_the_pod() -> None:
    kube = FakeKube()
    stored = await store_outputs(kube, wanted(result="x" * 10**6))
    assert text(kube, stored.result) == "x" * 10**6
    assert stored.logs is None


@virtual_time
async def test_logs_come_whole_from_the_journal() -> None:
    kube = a_cluster()
    stored = await store_outputs(kube, wanted(logs=True))
    assert text(kube, stored.logs) == "one\nzwei ü\n"


def told(whole: str, seq: int) -> StoredInterims:
    size, sha256 = contract.digest(whole)
    return StoredInterims(size=size, sha256=sha256, seq=seq)


def more(stored: StoredInterims) -> StoreInterims:
    return StoreInterims(
        job_uid="job-uid", namespace="default", job_name="a-job", pod_uid="pod-uid", stored=stored, everything=False
    )


@virtual_time
async def test_interim_results_are_stored_one_chunk_after_the_other() -> None:
    kube = FakeKube()
    first = await store_interims(kube, more(StoredInterims()), "1\n2\n", told("1\n2\n", 2))
    both = await store_interims(kube, more(first), "3\n", told("1\n2\n3\n", 7))
    assert text(kube, both) == "1\n2\n3\n"
    assert (both.names[:1], both.seq) == (first.names, 7)
    assert [chunk["spec"]["index"] for chunk in kube.objects(OUTPUTS)] == [0, 1]
    assert all("count" not in chunk["spec"] for chunk in kube.objects(OUTPUTS))


@virtual_time
async def test_an_operator_that_starts_again_does_not_take_an_unnamed_chunk_for_a_longer_one() -> None:
    kube = FakeKube()
    await store_interims(kube, more(StoredInterims()), "1\n2\n", told("1\n2\n", 2))  # its status was never written
    stored = await store_interims(kube, more(StoredInterims()), "1\n2\n3\n", told("1\n2\n3\n", 7))
    assert text(kube, stored) == "1\n2\n3\n"


@virtual_time
async def test_storing_the_same_interim_results_twice_stores_them_once() -> None:
    kube = FakeKube()
    once = await store_interims(kube, more(StoredInterims()), "1\n", told("1\n", 1))
    assert await store_interims(kube, more(StoredInterims()), "1\n", told("1\n", 1)) == once
    assert len(kube.objects(OUTPUTS)) == 1


@virtual_time
async def test_storing_twice_stores_once() -> None:
    kube = a_cluster()
    once = await store_outputs(kube, wanted(result="1", logs=True))
    assert await store_outputs(kube, wanted(result="1", logs=True)) == once
    assert len(kube.objects(OUTPUTS)) == 2


@virtual_time
async def test_a_log_that_is_gone_does_not_keep_the_result_from_being_stored() -> None:
    kube = a_cluster(log=False)
    stored = await store_outputs(kube, wanted(result="1", logs=True, pod="no-such-pod"))
    assert text(kube, stored.result) == "1"
    assert stored.logs is None


@virtual_time
async def test_a_program_that_was_over_before_the_kubelets_first_look_is_waited_for() -> None:
    kube = FakeKube()
    pod = kube.put(PODS, builders.pod(nodeName="node-1", status={"phase": "Pending"}))
    with pytest.raises(errors.Unavailable, match="does not show the container yet"):
        await store_outputs(kube, wanted(logs=True, pod_uid=pod["metadata"]["uid"]))
    assert await store_outputs(kube, wanted(logs=True, pod_uid="another")) == Outputs()


@virtual_time
async def test_a_log_without_anything_in_it_makes_no_object() -> None:
    kube = a_cluster(log=False)
    kube.run_pod("default", "a-pod")
    stored = await store_outputs(kube, wanted(logs=True))
    assert stored.logs is None
    assert kube.objects(OUTPUTS) == []


@virtual_time
async def test_a_chunk_that_cannot_be_written_is_for_the_queue_to_try_again() -> None:
    kube = FakeKube()
    kube.fail_next("create", OUTPUTS, errors.Unavailable("no"))
    with pytest.raises(errors.Unavailable):
        await store_outputs(kube, wanted(result="1"))


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {}, {"a": None}),
        ({}, {"a": 1}, {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": [1, 2]}, {"a": [2]}, {"a": [2]}),
    ],
)
def test_a_merge_patch_is_the_smallest_that_does_it(old: Any, new: Any, patch: Any) -> None:
    assert merge_patch(old, new) == patch
    assert builders.merge(old, patch) == new
