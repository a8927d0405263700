from __future__ import annotations

import pytest
from runtime_operator.kube import errors
from runtime_operator.kube.client import EVENTS
from runtime_operator.kube.events import EventRecorder, InvolvedObject
from support.clock import ManualClock, virtual_time
from support.fake_kube import FakeKube

JOB = InvolvedObject(
    api_version="quantumruntime.dev/v1alpha1", kind="RuntimeJob", namespace="team", name="a-job", uid="uid-1"
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@virtual_time
async def test_an_event_says_what_about_whom_when_and_who_says_so(clock: ManualClock) -> None:
    kube = FakeKube()
    await EventRecorder(kube, instance="operator-1", now=clock).record(JOB, "Normal", "Started", "it runs")
    (event,) = kube.objects(EVENTS)
    metadata = event.pop("metadata")
    assert metadata["namespace"] == "team"
    assert metadata["name"].startswith("a-job.")
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {
            "apiVersion": "quantumruntime.dev/v1alpha1",
            "kind": "RuntimeJob",
            "namespace": "team",
            "name": "a-job",
            "uid": "uid-1",
        },
        "type": "Normal",
        "reason": "Started",
        "message": "it runs",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 1,
        "source": {"component": "quantum-runtime"},
        "reportingComponent": "quantum-runtime",
        "reportingInstance": "operator-1",
    }


@virtual_time
async def test_a_repetition_is_counted_within_ten_minutes_of_the_last_one(clock: ManualClock) -> None:
    kube = FakeKube()
    recorder = EventRecorder(kube, instance="operator-1", now=clock)
    for seconds in (0, 599, 599, 601):
        clock.advance(seconds)
        await recorder.record(JOB, "Warning", "Unschedulable", "no node")
    events = sorted(kube.objects(EVENTS), key=lambda event: str(event["firstTimestamp"]))
    assert [(event["count"], event["lastTimestamp"]) for event in events] == [
        (3, "2026-01-01T00:19:58Z"),
        (1, "2026-01-01T00:29:59Z"),
    ]


@virtual_time
async def test_another_reason_message_or_object_is_another_event(clock: ManualClock) -> None:
    kube = FakeKube()
    recorder = EventRecorder(kube, instance="operator-1", now=clock)
    other = InvolvedObject(api_version="v1", kind="Pod", namespace="team", name="a-job", uid="uid-2")
    await recorder.record(JOB, "Normal", "A", "one")
    await recorder.record(JOB, "Normal", "B", "one")
    await recorder.record(JOB, "Normal", "A", "two")
    await recorder.record(other, "Normal", "A", "one")
    assert [event["count"] for event in kube.objects(EVENTS)] == [1, 1, 1, 1]


@virtual_time
async def test_control_characters_are_escaped_and_long_messages_are_cut(clock: ManualClock) -> None:
    kube = FakeKube()
    await EventRecorder(kube, instance="i", now=clock).record(JOB, "Warning", "Failed", "\x1b[31mred" + "x" * 5000)
    (event,) = kube.objects(EVENTS)
    assert event["message"].startswith("\\x1b[31mred")
    assert len(event["message"]) <= 1024


@virtual_time
async def test_an_event_of_a_cluster_wide_object_goes_to_the_default_namespace(clock: ManualClock) -> None:
    kube = FakeKube()
    aer = InvolvedObject(api_version="v1", kind="RuntimeBackend", namespace=None, name="aer", uid="uid-3")
    await EventRecorder(kube, instance="i", now=clock).record(aer, "Normal", "Accepted", "fine")
    (event,) = kube.objects(EVENTS)
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["involvedObject"]


@pytest.mark.parametrize(
    "error",
    [
        errors.Forbidden("namespace is being terminated", status=403),
        errors.Unavailable("down"),
        errors.NotFound("no namespace", status=404),
    ],
    ids=lambda error: type(error).__name__,
)
@virtual_time
async def test_an_event_that_cannot_be_written_stops_nobody_and_is_not_counted_as_written(
    clock: ManualClock, error: errors.KubeError
) -> None:
    kube = FakeKube()
    kube.fail_next("create", EVENTS, error)
    recorder = EventRecorder(kube, instance="i", now=clock)
    await recorder.record(JOB, "Normal", "Started", "it runs")
    assert kube.objects(EVENTS) == []
    await recorder.record(JOB, "Normal", "Started", "it runs")
    assert [event["count"] for event in kube.objects(EVENTS)] == [1]


@virtual_time
async def test_an_event_that_has_expired_is_written_anew(clock: ManualClock) -> None:
    kube = FakeKube()
    recorder = EventRecorder(kube, instance="i", now=clock)
    await recorder.record(JOB, "Normal", "Started", "it runs")
    kube.remove(EVENTS, "team", kube.objects(EVENTS)[0]["metadata"]["name"])
    await recorder.record(JOB, "Normal", "Started", "it runs")
    assert [event["count"] for event in kube.objects(EVENTS)] == [1]


@virtual_time
async def test_what_is_remembered_does_not_grow_for_ever(clock: ManualClock) -> None:
    recorder = EventRecorder(FakeKube(), instance="i", now=clock)
    for n in range(100):
        clock.advance(60)
        await recorder.record(JOB, "Normal", "Started", f"message {n}")
    assert len(recorder._written) <= 11
