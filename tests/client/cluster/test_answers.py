from __future__ import annotations

import json
from typing import Any

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.answers import from_response, from_status


def status(code: int, message: str = "said the server", *, reason: str = "", **details: Any) -> bytes:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return json.dumps(body | ({"details": details} if details else {})).encode()


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", errors.Invalid),
        (401, "Unauthorized", errors.Unauthorized),
        (404, "NotFound", errors.NotFound),
        (405, "MethodNotAllowed", errors.ApiError),
        (408, "Timeout", errors.Unavailable),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (410, "Expired", errors.Expired),
        (413, "RequestEntityTooLarge", errors.TooLarge),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.Unavailable),
        (500, "InternalError", errors.Unavailable),
        (503, "ServiceUnavailable", errors.Unavailable),
        (504, "Timeout", errors.Unavailable),
    ],
)
def test_every_answer_has_its_error_with_the_servers_own_words(
    code: int, reason: str, expected: type[errors.ApiError]
) -> None:
    error = from_response(code, status(code, reason=reason), {})
    assert type(error) is expected
    assert str(error) == "said the server"


@pytest.mark.parametrize(
    "message",
    [
        "etcdserver: request is too large",
        "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2500489 vs. 2097152)",
    ],
)
def test_what_etcd_does_not_take_is_too_large(message: str) -> None:
    assert type(from_response(500, status(500, message), {})) is errors.TooLarge


def test_a_refusal_names_the_fields() -> None:
    causes = [{"field": "spec.inputs"}, {"field": "spec.backend"}, {"field": "spec.inputs"}, {"message": "no field"}]
    error = from_response(422, status(422, causes=causes), {})
    assert isinstance(error, errors.Invalid)
    assert error.fields == ("spec.inputs", "spec.backend")


@pytest.mark.parametrize(
    ("details", "missing"),
    [
        ({"name": "a", "kind": "runtimejobs"}, False),
        ({"name": "no-such-namespace", "kind": "namespaces"}, False),
        ({}, True),
    ],
)
def test_a_missing_object_is_told_from_a_missing_kind(details: dict[str, str], missing: bool) -> None:
    error = from_response(404, status(404, **details), {})
    assert isinstance(error, errors.NotFound)
    assert error.kind_is_missing is missing


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('jobs "a" is forbidden: User "alice" cannot get resource "jobs" in API group "g"', errors.Forbidden),
        ('jobs "a" is forbidden: exceeded quota: team, requested: count=1, used: 9, limited: 9', errors.Invalid),
        ('jobs "a" is forbidden: unable to create new content in namespace b because it is being terminated', errors.Invalid),  # noqa: E501
        ('admission webhook "policy.example.com" denied the request: not on a Sunday', errors.Invalid),
    ],
)  # fmt: skip
def test_a_right_that_is_missing_is_told_from_everything_else_that_is_forbidden(
    message: str, expected: type[errors.ApiError]
) -> None:
    assert type(from_response(403, status(403, message), {})) is expected


@pytest.mark.parametrize(
    ("headers", "details", "expected"),
    [
        ({"Retry-After": "7"}, {}, 7.0),
        ({"Retry-After": "7"}, {"retryAfterSeconds": 3}, 7.0),
        ({}, {"retryAfterSeconds": 3}, 3.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {}, None),
        ({"Retry-After": "-1"}, {}, 0.0),
        ({}, {}, None),
    ],
)
def test_the_server_says_when_to_come_back(
    headers: dict[str, str], details: dict[str, Any], expected: float | None
) -> None:
    error = from_response(429, status(429, **details), headers)
    assert isinstance(error, errors.Unavailable)
    assert error.retry_after == expected


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b'"text"', b"[1]", b"\xff\xfe"])
def test_an_answer_of_somebody_in_between_is_understood_by_its_status(body: bytes) -> None:
    error = from_response(502, body, {})
    assert type(error) is errors.Unavailable
    assert str(error) == body.decode(errors="replace")
    assert type(from_response(403, body, {})) is errors.Forbidden


def test_an_answer_without_words_is_named_by_its_status() -> None:
    assert str(from_response(503, b"", {})) == "the API server answered 503 (Service Unavailable)"
    assert str(from_response(599, b"", {})) == "the API server answered 599"


def test_a_status_without_a_code_is_an_error_all_the_same() -> None:
    assert type(from_status({"kind": "Status"})) is errors.ApiError
