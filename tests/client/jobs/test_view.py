from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.service.view import JobView, OutputRef, metrics, parse_job

if TYPE_CHECKING:
    from support.fake_api import FakeApi

    from .conftest import Submit


def test_a_job_nobody_has_looked_at_yet_is_queued_and_has_nothing() -> None:
    view = parse_job({"metadata": {"name": "toss"}, "spec": {"programRef": {"name": "coin"}}})
    assert (view.name, view.program_kind, view.program_name) == ("toss", "RuntimeProgram", "coin")
    assert (view.phase, view.reason, view.message, view.final) == ("Queued", "", "", False)
    assert (view.created, view.started, view.ended) == (None, None, None)
    assert (view.inputs, view.tags, view.backend, view.log_level) == ({}, (), "", "INFO")
    assert (view.result_text, view.result_ref, view.latest, view.log_tail) == (None, None, (), "")


def test_every_field_of_a_job_is_parsed(api: FakeApi, submit: Submit) -> None:
    submit(inputs={"shots": 3}, tags=["a", "b"], backend="fake-montreal", maxExecutionTimeSeconds=60, logLevel="DEBUG")
    api.start_job("toss")
    api.publish("toss", "1", "2", "3", latest=2)
    api.spill("toss")
    api.log("toss", "hello\n")
    view = parse_job(api.finish("toss", '"heads"'))
    assert (view.phase, view.reason, view.succeeded, view.final) == ("Completed", "Completed", True, True)
    assert (view.program_kind, view.program_name) == ("RuntimeProgram", "coin")
    assert view.program_digest.startswith("sha256:")
    assert (view.backend, view.inputs, view.tags) == ("fake-montreal", {"shots": 3}, ("a", "b"))
    assert (view.time_limit, view.log_level) == (60, "DEBUG")
    assert view.created is not None
    assert view.started is not None
    assert view.ended is not None
    assert view.created < view.started < view.ended
    assert view.created.tzinfo is not None
    assert (view.queued_seconds, view.execution_seconds) == (1.5, 2.5)
    assert (view.published, view.dropped, view.kept) == (3, 0, 3)
    assert [interim.text for interim in view.latest] == ["2", "3"]
    assert len(view.interim_names) == 2
    assert (view.result_text, view.result_names) == ('"heads"', ())
    assert (view.log_tail, view.log_bytes, view.log_truncated, view.log_names) == ("hello\n", 6, False, ())
    assert (view.node, view.pod) == ("node-1", "toss-runner")


def test_why_a_job_failed_comes_from_its_failure_which_is_longer_than_its_condition(
    api: FakeApi, submit: Submit
) -> None:
    submit()
    view = parse_job(api.fail_job("toss", "ProgramFailed", "ValueError: no", traceback="line 3"))
    assert (view.failed, view.reason, view.message, view.traceback) == (
        True,
        "ProgramFailed",
        "ValueError: no",
        "line 3",
    )


def test_what_a_job_waits_for_comes_from_its_condition(api: FakeApi, submit: Submit) -> None:
    submit(suspend=True, cancel=True)
    view = parse_job(api.wait_for("toss", "Suspended", "spec.suspend is true"))
    assert (view.phase, view.reason, view.message) == ("Queued", "Suspended", "spec.suspend is true")
    assert (view.suspended, view.cancel_requested) == (True, True)


def test_a_large_result_is_where_the_reference_says(api: FakeApi, submit: Submit) -> None:
    submit()
    view = parse_job(api.finish("toss", '"heads"', inline_bytes=3))
    assert view.result_text is None
    assert isinstance(view.result_ref, OutputRef)
    assert (len(view.result_names), view.result_ref.size) == (1, 7)


def test_views_of_the_same_state_are_equal_and_cannot_be_changed(api: FakeApi, submit: Submit) -> None:
    submit()
    one, other = parse_job(api.object(JOBS, "toss")), parse_job(api.object(JOBS, "toss"))
    assert one == other
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.phase = "Completed"  # type: ignore[misc]


def test_metrics_have_iso_times_and_none_for_what_has_not_happened(api: FakeApi, submit: Submit) -> None:
    queued: JobView = submit().view
    assert metrics(queued)["timestamps"]["running"] is None
    assert metrics(queued)["node"] is None
    api.start_job("toss")
    ended = metrics(parse_job(api.finish("toss")))
    moments = [datetime.fromisoformat(text) for text in ended.pop("timestamps").values()]
    assert moments == sorted(moments)
    assert all(moment.utcoffset() == timedelta(0) and moment > datetime(2026, 1, 1, tzinfo=UTC) for moment in moments)
    digest = ended.pop("program_digest")
    assert digest.startswith("sha256:")
    assert ended == {"queued_seconds": 1.5, "execution_seconds": 2.5, "node": "node-1"}
