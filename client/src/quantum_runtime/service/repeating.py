"""Requests that go through although answers get lost, and do what they do once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import could_be_named
from quantum_runtime.cluster.retrying import patiently

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.cluster.api import Api, Object, Resource

LISTINGS = 5
"""How often a list is begun anew whose pages were too old before all were read: of many objects that change a lot."""


async def get(api: Api, resource: Resource, name: str) -> Object:
    """Return an object.

    Raises:
        ApiError: as `Api.get` does.
    """
    _check(resource, name)
    return await patiently(lambda: api.get(resource, name))


async def listed(
    api: Api, resource: Resource, *, field_selector: str = "", metadata_only: bool = False
) -> list[Object]:
    """Return all objects that match.

    Raises:
        ApiError: as `Api.list` does.
    """
    for attempt in range(LISTINGS):
        try:
            listing = await patiently(
                lambda: api.list(resource, field_selector=field_selector, metadata_only=metadata_only)
            )
        except errors.Expired:
            if attempt == LISTINGS - 1:
                raise
        else:
            return listing.items
    raise AssertionError


def _check(resource: Resource, name: str) -> None:
    """Say of what cannot be a name that there is nothing of this name, without asking."""
    if not could_be_named(name):
        raise errors.NotFound(f"{name!r} is no name of a {resource.kind}")


async def create(api: Api, resource: Resource, body: Object, *, is_ours: Callable[[Object], bool]) -> Object:
    """Create an object, and return it.

    It is tried until the server answers. The name is the caller's, so nothing comes into being twice: that there is
    one already is good news if an earlier attempt may have made it.

    Args:
        api: The cluster.
        resource: Of which kind.
        body: The whole object.
        is_ours: Whether an object of this name is what this call has made.

    Raises:
        ApiError: as `Api.create` does; AlreadyExists if the one there is somebody else's.
    """
    answer_lost = False

    async def attempt() -> Object:
        nonlocal answer_lost
        try:
            return await api.create(resource, body)
        except errors.Unavailable:
            answer_lost = True
            raise
        except errors.AlreadyExists:
            if answer_lost:
                there = await api.get(resource, body["metadata"]["name"])
                if is_ours(there):
                    return there
            raise

    return await patiently(attempt)


async def delete(api: Api, resource: Resource, name: str, *, uid: str = "") -> None:
    """Delete an object. That there is none is good news if an earlier attempt may have deleted it.

    Raises:
        ApiError: as `Api.delete` does.
    """
    _check(resource, name)
    answer_lost = False

    async def attempt() -> None:
        nonlocal answer_lost
        try:
            await api.delete(resource, name, uid=uid)
        except errors.Unavailable:
            answer_lost = True
            raise
        except errors.NotFound:
            if not answer_lost:
                raise

    await patiently(attempt)
