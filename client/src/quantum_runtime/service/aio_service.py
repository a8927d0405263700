"""The service for asynchronous programs: one user's view of one namespace of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from runtime_runner import encoding

from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, JOBS
from quantum_runtime.cluster.retrying import patiently
from quantum_runtime.exceptions import (
    IBMApiError,
    IBMBackendValueError,
    IBMInputValueError,
    RuntimeJobNotFound,
    translated,
)
from quantum_runtime.service import backend as backend_values
from quantum_runtime.service import checking, repeating, submission, uploads
from quantum_runtime.service.aio_job import AsyncRuntimeJob
from quantum_runtime.service.backend import AsyncRuntimeBackend
from quantum_runtime.service.lists import JobList, ProgramList
from quantum_runtime.service.program import RuntimeProgram
from quantum_runtime.service.programs import Programs
from quantum_runtime.service.selection import selection
from quantum_runtime.service.user_warnings import warn
from quantum_runtime.service.view import parse_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Unpack

    from quantum_runtime.cluster.api import Api, Object
    from quantum_runtime.service.selection import Selection
    from quantum_runtime.service.submission import JobKeywords, Request
    from quantum_runtime.service.uploads import Update
    from quantum_runtime.service.view import JobView

READS_AT_ONCE = 8
"""Jobs that are read side by side for a list."""


class AsyncRuntimeService:
    """Programs, jobs and backends, for code that runs on an event loop.

    Its methods are those of `RuntimeService`, where they are described, as coroutines; jobs are `AsyncRuntimeJob`, and
    instead of a callback there is ``async for interim in job.stream()``. Use it as ``async with await
    AsyncRuntimeService.connect() as service``, or call `close`.
    """

    def __init__(self, api: Api) -> None:
        """Take a cluster.

        Args:
            api: What speaks to it, in the name of the user; `connect` makes it of a kubeconfig.
        """
        self._api = api
        self._programs = Programs(api)

    @classmethod
    async def connect(
        cls, namespace: str | None = None, *, kubeconfig: str | Path | None = None, context: str | None = None
    ) -> Self:
        """Return the service of a cluster.

        Args:
            namespace: Default: the context's, or that of the pod this runs in.
            kubeconfig: Path of the file. Default: ``$KUBECONFIG``, ``~/.kube/config``, or the identity of the pod.
            context: In the kubeconfig. Default: the current one.

        Raises:
            IBMApiError: there is no cluster to speak to: no kubeconfig, or one that cannot be used.
        """
        from quantum_runtime.cluster.connection import connect

        with translated("cannot connect to a cluster"):
            return cls(await connect(namespace, kubeconfig=kubeconfig, context=context))

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} namespace={self.namespace!r}>"

    @property
    def namespace(self) -> str:
        """Where its jobs and private programs are."""
        return self._api.namespace

    async def reach(self, seconds: float) -> None:
        """Return when the API server answers; see `RuntimeService.reach`."""

        async def ask() -> None:
            try:
                await self._api.get(BACKENDS, "aer")
            except errors.Unavailable:
                raise
            except errors.ApiError:
                pass  # an answer, too: that it does not know or allow something is told when that is wanted

        with translated("cannot reach the cluster"):
            try:
                async with asyncio.timeout(seconds):
                    await patiently(ask, seconds=seconds)
            except TimeoutError:
                raise errors.Unavailable("the API server does not answer") from None

    # Programs

    async def programs(self, refresh: bool = False, limit: int | None = 20, skip: int | None = 0) -> ProgramList:
        """Return the programs; see `RuntimeService.programs`."""
        first = skip or 0
        found = await self._programs.listed()
        return ProgramList(RuntimeProgram(body) for body in found[first : None if limit is None else first + limit])

    async def program(self, program_id: str, refresh: bool = False) -> RuntimeProgram:
        """Return a program; see `RuntimeService.program`."""
        _, body = await self._programs.find(program_id)
        return RuntimeProgram(body)

    async def upload_program(
        self, data: str | Path, metadata: Mapping[str, Any] | str | Path | None = None, *, replace: bool = False
    ) -> str:
        """Create a program and return its id; see `RuntimeService.upload_program`."""
        body = await asyncio.to_thread(uploads.prepare_upload, data, metadata, self.namespace)
        return await self.upload(body, replace=replace)

    async def upload(self, body: Object, *, replace: bool = False) -> str:
        """Create a program of its resource, and return its id; see `RuntimeService.upload_program`."""
        return await self._programs.upload(body, replace=replace)

    async def update_program(
        self,
        program_id: str,
        data: str | Path | None = None,
        metadata: Mapping[str, Any] | str | Path | None = None,
        name: str | None = None,
        description: str | None = None,
        max_execution_time: int | None = None,
        spec: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a program; see `RuntimeService.update_program`."""
        values = {"name": name, "description": description, "max_execution_time": max_execution_time, "spec": spec}
        update = await asyncio.to_thread(uploads.prepare_update, data, metadata, **values)
        for warning in await self.update(program_id, update):
            warn(warning)

    async def update(self, program_id: str, update: Update | None) -> list[str]:
        """Change a program, and return what its author should be warned of."""
        if update is None:
            return ["nothing was updated: none of data, metadata, name, description, max_execution_time, spec is given"]
        return await self._programs.update(program_id, update)

    async def delete_program(self, program_id: str) -> None:
        """Delete a program; see `RuntimeService.delete_program`."""
        await self._programs.delete(program_id)

    async def set_program_visibility(self, program_id: str, public: bool) -> None:
        """Publish a program, or take it back; see `RuntimeService.set_program_visibility`."""
        await self._programs.set_visibility(program_id, public=public)

    # Jobs

    async def run(
        self,
        program_id: str,
        inputs: Any = None,
        options: Any = None,
        result_decoder: Any = None,
        **keywords: Unpack[JobKeywords],
    ) -> AsyncRuntimeJob:
        """Submit a job and return it at once; see `RuntimeService.run`.

        The inputs are encoded on a thread: large ones do not hold up the event loop.
        """
        asked = functools.partial(submission.request, program_id, inputs, options, **keywords)
        return await self.submit(await asyncio.to_thread(asked), result_decoder)

    async def submit(self, request: Request, result_decoder: Any = None) -> AsyncRuntimeJob:
        """Submit a job that has been prepared; see `RuntimeService.run`."""
        encoding.decoders(result_decoder)  # what is wrong with it is told before there is a job
        body = await self._job_of(request)
        name, doing = body["metadata"]["name"], f"cannot run program {request.program_id!r}"
        with translated(doing, not_found=IBMInputValueError):
            try:
                created = await repeating.create(self._api, JOBS, body, is_ours=submission.same_submission(body))
            except errors.AlreadyExists as error:
                message = f"{doing}: there is a job {name!r} in the namespace {self.namespace} already"
                raise IBMInputValueError(f"{message}; choose another name, or none") from error
            except errors.Unavailable as error:
                message = f"{doing}: {error}; if the request was received nevertheless, the job's name is {name!r}"
                raise IBMApiError(message) from error
        return AsyncRuntimeJob(self._api, created, result_decoder=result_decoder)

    async def check(
        self, program_id: str, inputs: Any = None, options: Any = None, **keywords: Unpack[JobKeywords]
    ) -> JobView:
        """Return what the API server would make of a job; see `RuntimeService.check`."""
        asked = functools.partial(submission.request, program_id, inputs, options, **keywords)
        return await self.check_request(await asyncio.to_thread(asked))

    async def check_request(self, request: Request) -> JobView:
        """Return what the API server would make of a job that has been prepared; see `RuntimeService.check`."""
        return await self.check_manifest(await self._job_of(request))

    async def check_manifest(self, manifest: Mapping[str, Any]) -> JobView:
        """Return what the API server would make of a RuntimeJob; see `RuntimeService.check_manifest`."""
        if manifest.get("kind") != JOBS.kind or not isinstance(manifest.get("metadata"), dict):
            raise IBMInputValueError(f"expected a {JOBS.kind} with metadata, got a {manifest.get('kind')}")
        return parse_job(await checking.check(self._api, manifest))

    async def job(self, job_id: str) -> AsyncRuntimeJob:
        """Return a job; see `RuntimeService.job`."""
        with translated(f"cannot read job {job_id!r}"), self._job_may_be_missing(job_id):
            return AsyncRuntimeJob(self._api, await repeating.get(self._api, JOBS, job_id))

    async def jobs(
        self,
        limit: int | None = 10,
        skip: int | None = 0,
        backend_name: Any = None,
        pending: bool | None = None,
        program_id: str | None = None,
        instance: str | None = None,
        job_tags: list[str] | None = None,
        session_id: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        descending: bool = True,
        status: Any = None,
    ) -> JobList[AsyncRuntimeJob]:
        """Return jobs; see `RuntimeService.jobs`."""
        wanted = selection(
            *(limit, skip, backend_name, pending, program_id, instance, job_tags, session_id),
            *(created_after, created_before, descending, status),
        )
        with translated("cannot list jobs"):
            bodies = await self._selected(wanted)
        return JobList(AsyncRuntimeJob(self._api, body) for body in bodies)

    async def job_names(self, limit: int | None = None, pending: bool | None = None) -> list[str]:
        """Return names of jobs; see `RuntimeService.job_names`."""
        wanted = selection(limit=limit, pending=pending)
        with translated("cannot list jobs"):
            heads = await self._listed(wanted, metadata_only=True)
        return [str(head["metadata"]["name"]) for head in wanted.choose(heads)]

    async def delete_job(self, job_id: str) -> None:
        """Delete a job; see `RuntimeService.delete_job`."""
        with translated(f"cannot delete job {job_id!r}"), self._job_may_be_missing(job_id):
            await repeating.delete(self._api, JOBS, job_id)

    # Backends

    async def backends(
        self,
        name: str | None = None,
        min_num_qubits: int | None = None,
        simulator: bool | None = None,
        filters: Callable[[AsyncRuntimeBackend], Any] | None = None,
    ) -> list[AsyncRuntimeBackend]:
        """Return the backends; see `RuntimeService.backends`."""
        specs = await self.backend_specs(name)
        found = [AsyncRuntimeBackend(one, spec, self.pending_jobs) for one, spec in specs.items()]
        return [
            one
            for one in found
            if backend_values.suits(one, min_num_qubits=min_num_qubits, simulator=simulator, filters=filters)
        ]

    async def backend(self, name: str) -> AsyncRuntimeBackend:
        """Return a backend; see `RuntimeService.backend`."""
        return AsyncRuntimeBackend(name, await self.backend_spec(name), self.pending_jobs)

    async def least_busy(
        self,
        min_num_qubits: int | None = None,
        simulator: bool | None = None,
        filters: Callable[[AsyncRuntimeBackend], Any] | None = None,
    ) -> AsyncRuntimeBackend:
        """Return the backend with the fewest unfinished jobs; see `RuntimeService.least_busy`."""
        found = await self.backends(min_num_qubits=min_num_qubits, simulator=simulator, filters=filters)
        return backend_values.least_busy(zip(found, await self.pending_of([one.name for one in found]), strict=True))

    async def backend_spec(self, name: str) -> dict[str, Any]:
        """Return how runners build the backend of this name.

        Raises:
            IBMBackendValueError: there is none.
        """
        with translated(f"cannot read backend {name!r}"):
            try:
                body = await repeating.get(self._api, BACKENDS, name)
            except errors.NotFound as error:
                if error.kind_is_missing:
                    raise
                return backend_values.well_known(name)
        return dict(body.get("spec") or {})

    async def backend_specs(self, name: str | None = None) -> dict[str, dict[str, Any]]:
        """Return name -> how runners build it, of those that are listed, or of one if it exists."""
        if name:
            try:
                return {name: await self.backend_spec(name)}
            except IBMBackendValueError:
                return {}
        with translated("cannot list backends"):
            return backend_values.specs(await repeating.listed(self._api, BACKENDS))

    async def pending_jobs(self, backend_name: str) -> int:
        """Return how many unfinished jobs of the namespace name this backend."""
        wanted = selection(limit=None, backend_name=backend_name, pending=True)
        with translated("cannot list jobs"):
            return len(await self._listed(wanted, metadata_only=True))

    async def pending_of(self, names: list[str]) -> list[int]:
        """Return the same of several backends."""
        return list(await asyncio.gather(*map(self.pending_jobs, names)))

    # Inside

    @contextlib.contextmanager
    def _job_may_be_missing(self, job_id: str) -> Iterator[None]:
        try:
            yield
        except errors.NotFound as error:
            if error.kind_is_missing:
                raise
            message = f"there is no job {job_id!r} in the namespace {self.namespace}"
            raise RuntimeJobNotFound(message) from error

    async def _job_of(self, request: Request) -> Object:
        program = await self._programs.reference(request.program_id)
        return submission.job_manifest(request, program, now=datetime.now(UTC))

    async def _listed(self, wanted: Selection, *, metadata_only: bool) -> list[Object]:
        """Return the jobs that the API server chooses."""
        selector = wanted.field_selector
        return await repeating.listed(self._api, JOBS, field_selector=selector, metadata_only=metadata_only)

    async def _selected(self, wanted: Selection) -> list[Object]:
        """Return the jobs that are wanted, in order. Of many large ones only those are read that are."""
        chosen = wanted.choose(await self._listed(wanted, metadata_only=wanted.by_metadata))
        if not wanted.by_metadata:
            return chosen
        turns = asyncio.Semaphore(READS_AT_ONCE)

        async def read(name: str) -> Object | None:
            async with turns:
                try:
                    return await repeating.get(self._api, JOBS, name)
                except errors.NotFound:
                    return None  # deleted since

        found = await asyncio.gather(*(read(head["metadata"]["name"]) for head in chosen))
        return [body for body in found if body is not None]
