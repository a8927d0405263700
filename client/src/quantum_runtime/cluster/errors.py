"""What an API server may answer, as exceptions. They stay inside the package: users see those of `exceptions`."""

from __future__ import annotations


class ApiError(Exception):
    """The request was not carried out; the text is the API server's own sentence, or says why there was no answer."""


class NotFound(ApiError):  # noqa: N818 - the API's word, as those below
    """There is no such object, or no such kind: then the CRDs are not installed (`kind_is_missing`)."""

    def __init__(self, message: str, *, kind_is_missing: bool = False) -> None:
        super().__init__(message)
        self.kind_is_missing = kind_is_missing


class AlreadyExists(ApiError):  # noqa: N818
    """There is an object of this name."""


class Conflict(ApiError):  # noqa: N818
    """The object has changed since it was read, or is another one of the same name."""


class Forbidden(ApiError):  # noqa: N818
    """The user has no right to do this; the sentence names user, verb, resource and namespace."""


class Unauthorized(ApiError):  # noqa: N818
    """The API server does not know who this is: the credentials are missing or have expired."""


class Invalid(ApiError):  # noqa: N818
    """The request is refused as it stands: by schema, rule, policy or quota, whoever sends it; the sentence says why.

    Attributes:
        fields: Paths of what is wrong, for example ``spec.inputs``; empty if the API server does not list them.
    """

    def __init__(self, message: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields


class TooLarge(ApiError):  # noqa: N818
    """The request is larger than an API server takes, about 3 MiB, or the object larger than etcd does, 1.5 MiB."""


class Expired(ApiError):  # noqa: N818
    """The resource version is too old for a watch or a continued list: begin again."""


class Unavailable(ApiError):  # noqa: N818
    """No answer, or one that asks to come back later. What was asked may have happened nevertheless.

    Attributes:
        retry_after: Seconds to wait, if the API server said so; otherwise None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConnectionSettingsError(Exception):
    """There is no cluster to speak to: no kubeconfig, no such context, or a kubeconfig that cannot be used."""
