from __future__ import annotations

import json
from typing import Any

import pytest
from runtime_operator.kube import errors


def status(code: int, reason: str = "", message: str = "", **more: Any) -> bytes:
    return json.dumps({"kind": "Status", "code": code, "reason": reason, "message": message, **more}).encode()


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (404, status(404, "NotFound"), errors.NotFound),
        (409, status(409, "AlreadyExists"), errors.AlreadyExists),
        (409, status(409, "Conflict"), errors.Conflict),
        (410, status(410, "Expired"), errors.Gone),
        (400, status(400, "BadRequest"), errors.Invalid),
        (413, b"http: request body too large", errors.Invalid),
        (422, status(422, "Invalid"), errors.Invalid),
        (403, status(403, "Forbidden", "no"), errors.Forbidden),
        (
            403,
            status(403, "Forbidden", 'pods "x" is forbidden: exceeded quota: small, requested: pods=1'),
            errors.QuotaExceeded,
        ),
        (429, status(429, "TooManyRequests"), errors.TooManyRequests),
        (500, status(500, "InternalError"), errors.Unavailable),
        (503, b"<html>no backend</html>", errors.Unavailable),
        (504, b"", errors.Unavailable),
        (401, status(401, "Unauthorized"), errors.KubeError),
        (418, b"[]", errors.KubeError),
    ],
)
def test_an_answer_becomes_the_error_of_its_status(code: int, body: bytes, kind: type[errors.KubeError]) -> None:
    error = errors.from_response(code, body)
    assert type(error) is kind
    assert error.status == code
    assert error.reason


def test_a_proxys_page_is_the_message_cut_short() -> None:
    error = errors.from_response(502, b"<html>" + b"x" * 100_000)
    assert error.message.startswith("<html>x")
    assert len(error.message) == 1024
    assert error.reason == "BadGateway"


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"Retry-After": "7"}, {}, 7.0),
        ({}, {"retryAfterSeconds": 3}, 3.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"retryAfterSeconds": 3}, 3.0),
        ({"Retry-After": "-5"}, {}, 0.0),
        ({}, {}, None),
    ],
)
def test_the_servers_wish_for_a_pause_is_in_the_header_or_in_the_body(
    headers: dict[str, str], details: dict[str, int], seconds: float | None
) -> None:
    error = errors.from_response(429, status(429, details=details), headers)
    assert isinstance(error, errors.TooManyRequests)
    assert error.retry_after == seconds


def test_an_invalid_request_names_its_fields_but_shows_no_values() -> None:
    body = status(
        422,
        "Invalid",
        'spec.inputs: Invalid value: "secret"',
        details={"causes": [{"field": "spec.inputs", "message": 'Invalid value: "secret"'}, {"field": "spec.inputs"}]},
    )
    error = errors.from_response(422, body)
    assert isinstance(error, errors.Invalid)
    assert error.fields == ("spec.inputs",)
    assert str(error) == "422 Invalid: spec.inputs"
    assert "secret" in error.message
