"""What an API server's answer means: pure functions from status and body to the exceptions of `errors`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from quantum_runtime.cluster import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_LARGE_FOR_ETCD = ("etcdserver: request is too large", "trying to send message larger than max")
"""What the API server says, with status 500, of an object that etcd or the connection to it does not take."""

_LONGEST_TEXT = 500


def from_response(status: int, body: bytes, headers: Mapping[str, str]) -> errors.ApiError:
    """Return the error this answer stands for; the body is a ``Status``, or whatever a proxy in between wrote."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {"message": body.decode(errors="replace").strip()[:_LONGEST_TEXT]}
    return from_status({**answer, "code": status}, headers)


def from_status(answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> errors.ApiError:
    """Return the error this ``Status`` stands for: a watch sends them as events."""
    status = answer.get("code") or 0
    message = str(answer.get("message") or f"the API server answered {_phrase(status)}")
    match status:
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY:
            return errors.Invalid(message, fields=_fields(answer))
        case HTTPStatus.UNAUTHORIZED:
            return errors.Unauthorized(message)
        case HTTPStatus.FORBIDDEN:
            return _forbidden(answer, message)
        case HTTPStatus.NOT_FOUND:
            return errors.NotFound(message, kind_is_missing=not _details(answer).get("name"))
        case HTTPStatus.CONFLICT if answer.get("reason") == "AlreadyExists":
            return errors.AlreadyExists(message)
        case HTTPStatus.CONFLICT:
            return errors.Conflict(message)
        case HTTPStatus.GONE:
            return errors.Expired(message)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return errors.TooLarge(message)
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.TOO_MANY_REQUESTS:
            return errors.Unavailable(message, retry_after=_retry_after(answer, headers or {}))
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if any(text in message for text in TOO_LARGE_FOR_ETCD):
                return errors.TooLarge(message)
            return errors.Unavailable(message, retry_after=_retry_after(answer, headers or {}))
        case _:
            return errors.ApiError(message)


def _forbidden(answer: Mapping[str, Any], message: str) -> errors.ApiError:
    """Tell a right that is missing from a quota, an admission webhook, or a namespace that is being deleted.

    All are 403, but only the first names the user.
    """
    if answer.get("kind") == "Status" and 'User "' not in message:
        return errors.Invalid(message)
    return errors.Forbidden(message)


def _phrase(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _details(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    details = answer.get("details")
    return details if isinstance(details, dict) else {}


def _fields(answer: Mapping[str, Any]) -> tuple[str, ...]:
    causes = _details(answer).get("causes") or ()
    return tuple(dict.fromkeys(str(cause["field"]) for cause in causes if cause.get("field")))


def _retry_after(answer: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    """Return the server's wish in seconds: from the header, which may also be a date (ignored), or the Status."""
    for wish in (headers.get("Retry-After"), _details(answer).get("retryAfterSeconds")):
        try:
            if wish:
                return max(0.0, float(wish))
        except (TypeError, ValueError):
            continue
    return None
