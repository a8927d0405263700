"""What can be asked of an API server: a protocol with two implementations, `HttpApi` and the tests' `FakeApi`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

GROUP = "quantumruntime.dev"
VERSION = "v1alpha1"

Object = dict[str, Any]
ChangeType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object."""

    plural: str
    kind: str
    namespaced: bool = True


JOBS = Resource("runtimejobs", "RuntimeJob")
OUTPUTS = Resource("runtimejoboutputs", "RuntimeJobOutput")
PROGRAMS = Resource("runtimeprograms", "RuntimeProgram")
PUBLIC_PROGRAMS = Resource("clusterruntimeprograms", "ClusterRuntimeProgram", namespaced=False)
BACKENDS = Resource("runtimebackends", "RuntimeBackend", namespaced=False)


def could_be_named(name: str) -> bool:
    """Return whether an object could have this name. An empty one, or one with a slash, would be another place.

    It would be, for example, that of all objects: which a deletion must not reach.
    """
    return name not in ("", ".", "..") and quote(name, safe=":") == name


class Change(NamedTuple):
    """One line of a watch. A bookmark's object has nothing but a resource version."""

    type: ChangeType
    object: Object


class Listing(NamedTuple):
    """The objects at one moment, and the resource version to watch from."""

    items: list[Object]
    resource_version: str


class Api(Protocol):
    """A cluster as one user sees it: the cluster-scoped kinds, and one namespace.

    Every method raises an `errors.ApiError`; each sends one request and tries nothing twice, so that callers decide
    what may be repeated (see `retrying`). What no object could be named (`could_be_named`) is `Invalid`.
    """

    namespace: str
    """Of all namespaced requests."""

    async def get(self, resource: Resource, name: str) -> Object:
        """Return an object.

        Raises:
            NotFound: there is none.
        """
        ...

    async def list(
        self, resource: Resource, *, field_selector: str = "", label_selector: str = "", metadata_only: bool = False
    ) -> Listing:
        """Return all objects that match, however many pages they fill.

        Args:
            resource: Of which kind.
            field_selector: For example ``status.phase=Running,spec.backend!=aer``; the CRD says which fields can be
                selected.
            label_selector: For example ``team=chemistry``.
            metadata_only: Leave out everything but ``metadata``: for choosing among many large objects.

        Raises:
            Expired: while the pages were read.
        """
        ...

    async def create(self, resource: Resource, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Create an object, unknown fields refused, and return it.

        Args:
            resource: Of which kind.
            body: The whole object.
            dry_run: Only have it checked: schema, rules, policies, rights, quota.

        Raises:
            AlreadyExists: there is one of this name.
            Invalid: it is refused.
        """
        ...

    async def replace(self, resource: Resource, name: str, body: Mapping[str, Any]) -> Object:
        """Put this in an object's place, unknown fields refused, and return it; the status stays what it was.

        Raises:
            NotFound: there is none.
            Conflict: ``metadata.resourceVersion`` is not the object's any more, or ``metadata.uid`` another one's.
            Invalid: it is refused, for example because it has no ``metadata.resourceVersion``.
        """
        ...

    async def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Object:
        """Change an object by a JSON merge patch, and return it. A ``metadata.uid`` in it guards against a namesake.

        Raises:
            NotFound: there is none.
            Conflict: the one of this name has another uid.
            Invalid: the change is refused.
        """
        ...

    async def delete(self, resource: Resource, name: str, *, uid: str = "") -> None:
        """Delete an object, in the background what it owns.

        Raises:
            NotFound: there is none.
            Conflict: the one of this name has another uid.
        """
        ...

    def watch(
        self, resource: Resource, *, resource_version: str, field_selector: str = ""
    ) -> AsyncGenerator[Change, None]:
        """Yield what changes after this resource version, on one connection; ends when the server ends it.

        A connection that is silent for longer than bookmarks take counts as lost.

        Raises:
            Expired: the resource version is too old.
            Unavailable: the connection could not be made, or broke.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
