"""The programs of one namespace and of the cluster's catalogue: finding, listing and changing them."""

from __future__ import annotations

import asyncio
import difflib
import logging
from typing import TYPE_CHECKING

from quantum_runtime import exceptions
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import PROGRAMS, PUBLIC_PROGRAMS
from quantum_runtime.cluster.retrying import patiently
from quantum_runtime.exceptions import RuntimeDuplicateProgramError, RuntimeProgramNotFound, translated
from quantum_runtime.judgement import Refusal
from quantum_runtime.manifest import PUBLIC
from quantum_runtime.metadata import resource_name
from quantum_runtime.service import refusals, repeating, uploads
from quantum_runtime.service.submission import ProgramRef

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from quantum_runtime.cluster.api import Api, Object, Resource
    from quantum_runtime.service.uploads import Update

log = logging.getLogger(__name__)

CONFLICTS = 5
"""How often an update is made anew because somebody else has changed the program in between."""

_REFUSALS = (errors.Forbidden, errors.Unauthorized, errors.Invalid, errors.Conflict)
"""Answers after which it is certain that nothing has happened."""


class Programs:
    """What a user may see and change of them. A program of the namespace goes before a public one of the same name."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._found: dict[str, ProgramRef] = {}

    async def find(self, program_id: str) -> tuple[Resource, Object]:
        """Return a program.

        Raises:
            RuntimeProgramNotFound: there is none; the message has similar names.
            IBMNotAuthorizedError: the user may read neither kind.
        """
        name, forbidden = resource_name(program_id), []
        for resource in (PROGRAMS, PUBLIC_PROGRAMS) if name else ():
            with translated(f"cannot read program {program_id!r}"):
                try:
                    body = await repeating.get(self._api, resource, name)
                except errors.Forbidden as error:
                    forbidden.append(error)
                except errors.NotFound as error:
                    if error.kind_is_missing:
                        raise
                else:
                    self._found[name] = ProgramRef(resource.kind, name)
                    return resource, body
        self._found.pop(name, None)
        if len(forbidden) == 2:
            raise exceptions.from_api(forbidden[0], f"cannot read program {program_id!r}") from forbidden[0]
        where = f"neither in the namespace {self._api.namespace} nor in the cluster's catalogue"
        hint = f" ({forbidden[0]})" if forbidden else await self._similar(name)
        message = f"there is no program {program_id!r}, {where}{hint}"
        raise refusals.refused(Refusal(refusals.PROGRAM_NOT_FOUND, message))

    async def reference(self, program_id: str) -> ProgramRef:
        """Return what a job refers to this program by; only the first time the cluster is asked.

        Raises:
            RuntimeProgramNotFound, IBMNotAuthorizedError: as `find`.
        """
        name = resource_name(program_id)
        if name not in self._found:
            await self.find(program_id)
        return self._found[name]

    async def listed(self) -> list[Object]:
        """Return all programs, by name; a private one before a public one of the same name.

        Raises:
            IBMNotAuthorizedError: the user may list neither kind. If it is one of them, that is logged.
        """
        kinds = (PROGRAMS, PUBLIC_PROGRAMS)
        answers = await asyncio.gather(
            *(repeating.listed(self._api, resource) for resource in kinds), return_exceptions=True
        )
        forbidden = [answer for answer in answers if isinstance(answer, errors.Forbidden)]
        found: list[Object] = []
        with translated("cannot list programs"):
            for answer in answers:
                if not isinstance(answer, BaseException):
                    found += answer
                elif [answer] == forbidden:
                    log.warning("only some of the programs are shown: %s", answer)
                else:
                    raise answer
        return sorted(found, key=lambda body: (body["metadata"]["name"], body["kind"] == PUBLIC))

    async def upload(self, body: Object, *, replace: bool = False) -> str:
        """Create a program, or put it in the place of the one of its kind and name, and return its name.

        Raises:
            RuntimeDuplicateProgramError: there is one, and it is not to be replaced.
            IBMInputValueError: the cluster refuses it.
        """
        name = str(body["metadata"]["name"])
        resource = PUBLIC_PROGRAMS if body["kind"] == PUBLIC else PROGRAMS
        doing = f"cannot upload {name!r}"

        async def there() -> tuple[Resource, Object]:
            return resource, await self._api.get(resource, name)

        try:
            await self._create(resource, body, doing)
        except RuntimeDuplicateProgramError:
            if not replace:
                raise
            await self._rewrite(there, lambda old: uploads.replaced_program(old, body), doing)
        self._found.pop(name, None)
        return name

    async def update(self, program_id: str, update: Update) -> list[str]:
        """Change a program, see `uploads.changed_program`, and return what its author should be warned of.

        Raises:
            RuntimeProgramNotFound: there is none.
            IBMInputValueError: the new metadata cannot be used, or the cluster refuses them.
        """
        warnings: list[str] = []

        def change(old: Object) -> Object:
            nonlocal warnings
            new, warnings = uploads.changed_program(old, update)
            return new

        await self._rewrite(lambda: self.find(program_id), change, f"cannot update program {program_id!r}")
        return warnings

    async def delete(self, program_id: str) -> None:
        """Delete a program.

        Raises:
            RuntimeProgramNotFound: there is none, or not any more.
        """
        resource, body = await self.find(program_id)
        with translated(f"cannot delete program {program_id!r}", not_found=RuntimeProgramNotFound):
            await repeating.delete(self._api, resource, body["metadata"]["name"])
        self._found.pop(body["metadata"]["name"], None)

    async def set_visibility(self, program_id: str, *, public: bool) -> None:
        """Move a program into the catalogue, or out of it into the namespace.

        It is created in its new place first, so that it is never gone; if it cannot be deleted in its old place, the
        new one is deleted.

        Raises:
            RuntimeProgramNotFound: there is none.
            RuntimeDuplicateProgramError: its new place is taken.
            IBMInputValueError: it cannot be made public.
        """
        old, body = await self.find(program_id)
        new = PUBLIC_PROGRAMS if public else PROGRAMS
        if old == new:
            return
        name = body["metadata"]["name"]
        doing = f"cannot make program {program_id!r} {'public' if public else 'private'}"
        moved = uploads.moved_program(body, public=public, namespace=self._api.namespace)
        created = await self._create(new, moved, doing)
        self._found.pop(name, None)
        with translated(doing):
            try:
                await repeating.delete(self._api, old, name, uid=body["metadata"]["uid"])
            except errors.NotFound:
                return  # somebody else has deleted it
            except _REFUSALS:
                await repeating.delete(self._api, new, name, uid=created["metadata"]["uid"])
                raise
            except errors.Unavailable as error:
                unknown = f"it is a {new.kind} now, and may still be a {old.kind}"
                raise errors.Unavailable(f"{unknown}: {error}") from error

    async def _rewrite(
        self, find: Callable[[], Awaitable[tuple[Resource, Object]]], change: Callable[[Object], Object], doing: str
    ) -> None:
        """Change a program; what somebody else has changed meanwhile is kept."""

        async def attempt() -> None:
            resource, old = await find()
            new = change(old)
            if new != old:
                await self._api.replace(resource, old["metadata"]["name"], new)

        with translated(doing, not_found=RuntimeProgramNotFound):
            for _ in range(CONFLICTS):
                try:
                    return await patiently(attempt)
                except errors.Conflict as error:
                    conflict = error
            raise conflict

    async def _create(self, resource: Resource, body: Object, doing: str) -> Object:
        with translated(doing):
            try:
                return await repeating.create(self._api, resource, body, is_ours=uploads.same_program(body))
            except errors.AlreadyExists as error:
                where = f" in the namespace {self._api.namespace}" if resource.namespaced else ""
                message = f"{doing}: there is a {resource.kind} {body['metadata']['name']!r}{where} already"
                raise RuntimeDuplicateProgramError(f"{message}; update it, replace it, or delete it") from error

    async def _similar(self, name: str) -> str:
        names: set[str] = set()
        for resource in (PROGRAMS, PUBLIC_PROGRAMS):
            try:
                heads = await self._api.list(resource, metadata_only=True)
            except errors.ApiError:
                continue  # it is for a hint
            names |= {head["metadata"]["name"] for head in heads.items}
        close = difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.6)
        return f"; did you mean {' or '.join(close)}?" if close else "; list the programs to see what there is"
