"""What the runner's supervisor really writes, read and folded by the operator: no second idea of the protocol."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime_operator.api.conditions import Reason
from runtime_operator.config import Limits as OperatorLimits
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.plan import HandOver
from runtime_operator.runners.fold import RunnerFold
from runtime_runner import contract
from support import crd
from support.clock import START
from support.snapshots import CONFIG, exit_event, failed_event, observed, pod, promised, runner

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
numbers = st.integers(0, 2**40)
stamps: dict[str, Any] = {"seq": numbers, "time": st.floats(0, 2e9)}
EVENTS = st.one_of(
    st.builds(
        contract.Ready,
        **stamps,
        protocol=numbers,
        versions=st.dictionaries(texts, texts),
        warmup_seconds=st.floats(0, 9),
    ),
    st.builds(contract.Started, **stamps, job_uid=texts),
    st.builds(contract.Log, **stamps, stream=texts, text=texts),
    st.builds(contract.Interim, **stamps, value=texts),
    st.builds(contract.Result, **stamps, index=numbers, count=numbers, text=texts, size=numbers, sha256=texts),
    st.builds(
        contract.Failed, **stamps, reason=st.sampled_from(contract.FailureReason), message=texts, traceback=texts
    ),
    st.builds(
        contract.Exit,
        **stamps,
        succeeded=st.booleans(),
        execution_seconds=st.floats(0, 9),
        interim_published=numbers,
        interim_dropped=numbers,
        log_bytes=numbers,
        log_dropped_bytes=numbers,
    ),
    st.builds(contract.Resumed, **stamps, state=st.sampled_from(contract.RunnerState), job_uid=texts),
    st.builds(contract.Refused, **stamps, message=texts),
)


@given(EVENTS)
def test_an_event_is_one_line_and_is_read_as_it_was_written(event: contract.AnyEvent) -> None:
    line = contract.encode(event)
    assert line.endswith(b"\n")
    assert len(io.BytesIO(line).readlines()) == 1
    assert contract.parse_event(line) == event


@given(EVENTS.filter(lambda e: isinstance(e, contract.JournalEvent)))
def test_every_journal_event_can_be_folded(event: contract.JournalEvent) -> None:
    fold = RunnerFold("pod-uid", CONFIG.limits)
    fold.take(dataclasses.replace(event, seq=1))
    assert fold.last_seq == 1


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"kind":"no-such-kind"}',
        b'{"kind":["log"],"seq":1,"time":1,"stream":"","text":""}',
        b'{"kind":"log","seq":1,"time":1,"stream":"stdout"}',
        b'{"kind":"log","seq":"1","time":1,"stream":"stdout","text":""}',
        b'{"kind":"log","seq":true,"time":1,"stream":"stdout","text":""}',
        b'{"kind":"log","seq":1,"time":1,"stream":"stdout","text":"","more":1}',
        b'{"kind":"failed","seq":1,"time":1,"reason":"NoSuchReason","message":""}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda line: line[:60].decode(errors="replace"),
)
def test_what_is_no_event_is_refused_and_nothing_else_happens(line: bytes) -> None:
    with pytest.raises(contract.ProtocolError):
        contract.parse_event(line)


def test_every_reason_a_runner_may_give_is_a_reason_of_ours_of_the_same_name() -> None:
    assert {reason.value for reason in contract.FailureReason} <= {reason.value for reason in Reason}


@pytest.mark.parametrize("reason", contract.FailureReason)
def test_every_failure_of_a_runner_becomes_a_status_that_the_api_server_keeps(reason: contract.FailureReason) -> None:
    ended = runner(job_uid="job-uid", started=START, failure=failed_event(reason, "why", "trace"), exit=exit_event())
    plan = plan_job(observed(job=promised(cancel=True), pods=(pod(),), runner=ended), START + 5, CONFIG)
    assert plan.status is not None
    assert plan.status["failure"]["reason"] == reason.value
    assert not crd.problems("runtimejobs", plan.status, part="status")


def test_the_job_the_operator_hands_over_is_a_request_the_runner_understands() -> None:
    seen = observed(job=promised(inputs={"n": [1, None, "ü"]}), pods=(pod(deadline_seconds=313),), runner=runner())
    (action,) = plan_job(seen, START + 1, CONFIG).actions
    assert isinstance(action, HandOver)
    assert contract.parse_request(contract.encode(action.request)) == action.request


def test_the_operators_ceilings_are_within_what_a_runner_can_keep_in_its_journal() -> None:
    limits = OperatorLimits()
    assert limits.result_bytes + limits.interim_bytes + limits.log_bytes <= contract.JOURNAL_BYTES


@given(
    st.builds(
        contract.TerminationMessage,
        job_uid=st.just("job-uid"),
        succeeded=st.booleans(),
        execution_seconds=st.floats(0, 9),
        reason=st.sampled_from(["", *contract.FailureReason]).map(str),
        message=st.text(max_size=3000),
        result=st.none() | st.text(max_size=5000),
    )
)
def test_last_words_fit_and_never_hold_half_a_result(message: contract.TerminationMessage) -> None:
    text = contract.encode_termination(message)
    assert len(text.encode()) <= contract.TERMINATION_MESSAGE_BYTES
    read = contract.parse_termination(text)
    assert read.result in (None, message.result)
    assert message.message.startswith(read.message)
    assert json.loads(text)["job_uid"] == "job-uid"
