"""The protocol between operator and runner: what is written is read back, anything else is refused with a reason."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner.harness import make_job
from runtime_runner import contract
from runtime_runner.contract import FailureReason, ProtocolError, RunnerState

STAMP: dict[str, Any] = {"seq": 7, "time": 12.5}

EVENTS: list[contract.AnyEvent] = [
    contract.Ready(**STAMP, protocol=1, versions={"python": "3.13"}, warmup_seconds=0.5),
    contract.Started(**STAMP, job_uid="u"),
    contract.Log(**STAMP, stream="stdout", text="ünï\n\0\x1b[31m"),
    contract.Interim(**STAMP, value='{"a": NaN}'),
    contract.Result(**STAMP, index=0, count=1, text="1", size=1, sha256="00"),
    contract.Failed(**STAMP, reason=FailureReason.PROGRAM_FAILED, message="m", traceback="t"),
    contract.Exit(
        **STAMP,
        succeeded=True,
        execution_seconds=1.5,
        interim_published=1,
        interim_dropped=0,
        log_bytes=3,
        log_dropped_bytes=0,
    ),
    contract.Resumed(**STAMP, state=RunnerState.RUNNING, job_uid="u"),
    contract.Refused(**STAMP, message="no"),
]
REQUESTS: list[contract.Request] = [make_job("x = 'ünï'", {"n": 2**70}), contract.Resume(), contract.Cancel()]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_is_read_as_it_was_written(event: contract.AnyEvent) -> None:
    line = contract.encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert contract.parse_event(line) == event


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.kind)
def test_a_request_is_read_as_it_was_written(request_: contract.Request) -> None:
    assert contract.parse_request(contract.encode(request_)) == request_


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_survives_lone_surrogates_included(text: str) -> None:
    event = contract.Log(**STAMP, stream="stdout", text=text)
    assert contract.parse_event(contract.encode(event)) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_is_no_request(event: contract.AnyEvent) -> None:
    with pytest.raises(ProtocolError, match="unknown kind"):
        contract.parse_request(contract.encode(event))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seq": "7"}, "Log.seq: expected <class 'int'>, got str"),
        ({"seq": True}, "Log.seq: expected <class 'int'>, got bool"),
        ({"seq": 1.5}, "Log.seq: expected <class 'int'>, got float"),
        ({"text": None}, "Log.text: expected <class 'str'>, got NoneType"),
        ({"more": 1}, "Log has no field 'more'"),
        ({"kind": 1}, "unknown kind 1"),
        ({"kind": ["log"]}, "unknown kind"),
    ],
    ids=str,
)
def test_a_field_of_the_wrong_type_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    body = {"kind": "log", **STAMP, "stream": "stdout", "text": ""} | change
    with pytest.raises(ProtocolError, match=message):
        contract.parse_event(json.dumps(body))


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(contract.Log)])
def test_a_missing_field_is_refused_by_name(field: str) -> None:
    body = {"kind": "log", **STAMP, "stream": "stdout", "text": ""}
    del body[field]
    with pytest.raises(ProtocolError, match=rf"Log\.{field} is missing"):
        contract.parse_event(json.dumps(body))


@pytest.mark.parametrize(
    "line", [b"", b"x", b"[]", b"1", b"null", b"\xff", b"[" * 10**5, b'{"kind":1e999}', b"9" * 5000, b'"\\ud800"']
)
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        contract.parse_event(line)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_other_json_is_refused_and_nothing_else_happens(value: Any) -> None:
    with pytest.raises(ProtocolError):
        contract.parse_event(json.dumps(value))


def test_file_contents_that_are_no_text_are_refused() -> None:
    body = json.loads(contract.encode(make_job("")))
    with pytest.raises(ProtocolError, match=r"Job\.files: expected text values"):
        contract.parse_request(json.dumps(body | {"files": {"a.py": 1}}))


def test_limits_have_defaults_and_the_execution_time_has_none() -> None:
    body = json.loads(contract.encode(make_job("")))
    job = contract.parse_request(json.dumps(body | {"limits": {"execution_seconds": 1}}))
    assert isinstance(job, contract.Job)
    assert job.limits == contract.Limits(execution_seconds=1.0)
    with pytest.raises(ProtocolError, match="execution_seconds is missing"):
        contract.parse_request(json.dumps(body | {"limits": {}}))


class TestTheTerminationMessage:
    MESSAGE = contract.TerminationMessage(job_uid="u", succeeded=True, execution_seconds=1.0, result='"ü"')

    def test_it_is_read_as_it_was_written(self) -> None:
        assert contract.parse_termination(contract.encode_termination(self.MESSAGE)) == self.MESSAGE

    @pytest.mark.parametrize("text", ["x" * 4000, "ü" * 2000, "\0" * 4096], ids=["long", "wide", "escaped"])
    def test_a_result_that_does_not_fit_is_left_out_and_never_cut(self, text: str) -> None:
        written = contract.encode_termination(dataclasses.replace(self.MESSAGE, result=text))
        assert len(written.encode()) <= contract.TERMINATION_MESSAGE_BYTES
        assert contract.parse_termination(written).result is None

    def test_a_message_that_does_not_fit_is_cut(self) -> None:
        message = dataclasses.replace(
            self.MESSAGE, succeeded=False, reason="ProgramFailed", message="\U0001f600" * 5000
        )
        written = contract.encode_termination(message)
        assert len(written.encode()) <= contract.TERMINATION_MESSAGE_BYTES
        assert contract.parse_termination(written).reason == "ProgramFailed"

    @pytest.mark.parametrize("text", ["", "Error: exit 1", "{}", "[]"])
    def test_what_was_written_by_somebody_else_is_refused(self, text: str) -> None:
        with pytest.raises(ProtocolError):
            contract.parse_termination(text)


def test_the_limits_that_are_the_default_fit_the_journal() -> None:

    limits = contract.Limits(execution_seconds=1)
    assert limits.result_bytes + limits.interim_bytes + limits.log_bytes <= contract.PAYLOAD_BYTES


def test_what_the_first_messages_would_wait_for_can_be_done_ahead() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(Path(contract.__file__).parents[1])!r})
from runtime_runner import contract
before = "hashlib" in sys.modules
contract.prepare()
print(before, "hashlib" in sys.modules, contract._fields.cache_info().currsize)
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    before, after, known = done.stdout.split()
    assert (before, after) == ("False", "True")
    assert int(known) == len({type(event) for event in EVENTS}) + 5  # Job, Enter, Resume, Cancel and Limits
