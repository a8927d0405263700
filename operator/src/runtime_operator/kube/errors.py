"""What can go wrong when we talk to the API server: the whole tree, and how an answer becomes one of it.

A `KubeError` says what the API server said. Whether that is a problem is for the caller to decide: the client itself
has already turned "already exists" on create and "not found" on get, patch and delete into plain values.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class KubeError(Exception):
    """The API server did not do what it was asked; every other error here is one of these."""

    def __init__(self, message: str = "", *, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        """The server's sentence. It may quote what we sent, a user's text included: shorten it before you show it."""
        self.status = status
        """The HTTP status, or 0 if there was no answer."""
        self.reason = reason
        """The CamelCase word of metav1.Status, for example ``NotFound``."""

    def __str__(self) -> str:
        return f"{self.status} {self.reason}: {self.message}"

    @property
    def sentence(self) -> str:
        """The server's sentence, or what else there is to say."""
        return self.message or str(self)


class NotFound(KubeError):  # noqa: N818 - named after the reasons in metav1.Status, as is all that follows
    """404: the object, its namespace or its kind is not there."""


class AlreadyExists(KubeError):  # noqa: N818
    """409 on create. Raised only if the object in the way was gone again when we looked."""


class Conflict(KubeError):  # noqa: N818
    """409: the object is no longer the one, or the version, that the request was guarded with."""


class Gone(KubeError):  # noqa: N818
    """410: the resource version is too old to watch or page from; list again."""


class Invalid(KubeError):  # noqa: N818
    """400, 413, 422: the request is wrong as it stands; repeating it changes nothing."""

    def __init__(self, message: str = "", *, status: int = 0, reason: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(message, status=status, reason=reason)
        self.fields = fields
        """Paths of what is wrong, for example ``spec.inputs``."""

    def __str__(self) -> str:
        """Names the fields, not their values, because logs must not show what users wrote."""
        return f"{self.status} {self.reason}: {', '.join(self.fields) or 'see .message'}"


class Forbidden(KubeError):  # noqa: N818
    """403: not allowed by RBAC, an admission policy, or because the namespace is being deleted."""


class QuotaExceeded(Forbidden):
    """403 from a ResourceQuota: it may be allowed later."""


class TooManyRequests(KubeError):  # noqa: N818
    """429, after the client's own retries: come back later, in ``retry_after`` seconds if the server named a time."""

    def __init__(
        self, message: str = "", *, status: int = 429, reason: str = "TooManyRequests", retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status, reason=reason)
        self.retry_after = retry_after


class Unavailable(KubeError):  # noqa: N818
    """5xx, no connection, no answer in time: a write may or may not have happened."""


_BY_STATUS: dict[int, type[KubeError]] = {
    HTTPStatus.BAD_REQUEST: Invalid,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.GONE: Gone,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Invalid,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
}


def from_response(status: int, body: bytes | str, headers: Mapping[str, str] | None = None) -> KubeError:
    """Return the error this answer stands for; the body is a metav1.Status, or whatever a proxy in between wrote."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        text = body.decode(errors="replace") if isinstance(body, bytes) else body
        answer = {"message": text.strip()[:1024]}
    return from_status({**answer, "code": status}, headers)


def from_status(answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> KubeError:
    """Return the error this metav1.Status stands for: a watch sends them as events."""
    status = answer.get("code") or 0
    reason = str(answer.get("reason") or _phrase(status))
    message = str(answer.get("message") or "")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(message, status=status, reason=reason, retry_after=_retry_after(answer, headers or {}))
    if status == HTTPStatus.CONFLICT and reason == "AlreadyExists":
        return AlreadyExists(message, status=status, reason=reason)
    if status == HTTPStatus.FORBIDDEN and "exceeded quota" in message:
        return QuotaExceeded(message, status=status, reason=reason)
    if _BY_STATUS.get(status) is Invalid:
        return Invalid(message, status=status, reason=reason, fields=_fields(answer))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(message, status=status, reason=reason)
    return _BY_STATUS.get(status, KubeError)(message, status=status, reason=reason)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.replace(" ", "")
    except ValueError:
        return "Unknown"


def _fields(answer: Mapping[str, Any]) -> tuple[str, ...]:
    details = answer.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return tuple(dict.fromkeys(str(cause["field"]) for cause in causes or () if cause.get("field")))


def _retry_after(answer: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    """Return the server's wish in seconds: from the header, which may also be a date (ignored), or the Status."""
    details = answer.get("details")
    for wish in (headers.get("Retry-After"), isinstance(details, dict) and details.get("retryAfterSeconds")):
        try:
            if wish:
                return max(0.0, float(wish))
        except (TypeError, ValueError):
            continue
    return None
