"""The service as notebooks know it: ``provider.runtime``, on a cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from quantum_runtime.service import backend as backend_values
from quantum_runtime.service import submission, uploads
from quantum_runtime.service.aio_service import AsyncRuntimeService
from quantum_runtime.service.backend import RuntimeBackend
from quantum_runtime.service.job import RuntimeJob
from quantum_runtime.service.lists import JobList
from quantum_runtime.service.portal import Portal
from quantum_runtime.service.user_warnings import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Unpack

    from quantum_runtime.cluster.api import Api
    from quantum_runtime.service.aio_job import AsyncRuntimeJob
    from quantum_runtime.service.lists import ProgramList
    from quantum_runtime.service.program import RuntimeProgram
    from quantum_runtime.service.submission import JobKeywords
    from quantum_runtime.service.view import JobView


class RuntimeService:
    """Programs, jobs and backends of a cluster, with the rights of a kubeconfig's user in one namespace.

    Its methods are those of the retired service. They raise `IBMApiError` if the cluster cannot be reached for a
    minute, and `IBMNotAuthorizedError`, which names the missing right, if the user may not do something.
    """

    _job_class: type[RuntimeJob] = RuntimeJob
    _streams_result = False
    """Whether a callback gets the result, too, after the interim results."""

    def __init__(
        self,
        namespace: str | None = None,
        *,
        kubeconfig: str | Path | None = None,
        context: str | None = None,
        api: Api | None = None,
    ) -> None:
        """Connect to a cluster.

        Args:
            namespace: Default: the context's, or that of the pod this runs in.
            kubeconfig: Path of the file. Default: ``$KUBECONFIG``, ``~/.kube/config``, or the identity of the pod.
            context: In the kubeconfig. Default: the current one.
            api: What speaks to the cluster, in the place of all this: for tests.

        Raises:
            IBMApiError: there is no cluster to speak to: no kubeconfig, or one that cannot be used.
        """
        self._portal = Portal()
        if api is not None:
            self._aio = AsyncRuntimeService(api)
        else:
            connecting = AsyncRuntimeService.connect(namespace, kubeconfig=kubeconfig, context=context)
            self._aio = self._portal.call(connecting)

    def close(self) -> None:
        """Close the connections; jobs that were returned cannot ask the cluster any more."""
        self._portal.call(self._aio.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} namespace={self.namespace!r}>"

    def _repr_html_(self) -> str:
        from quantum_runtime import rendering

        return rendering.service_html(self.namespace)

    @property
    def namespace(self) -> str:
        """Where its jobs and private programs are."""
        return self._aio.namespace

    def reach(self, seconds: float) -> None:
        """Return when the API server answers, whatever it says.

        All other methods wait for a server that does not answer for a minute. Call this before, where somebody sits and
        waits.

        Args:
            seconds: How long to try.

        Raises:
            IBMApiError: it does not answer.
        """
        self._portal.call(self._aio.reach(seconds))

    # Programs

    def programs(self, refresh: bool = False, limit: int | None = 20, skip: int | None = 0) -> ProgramList:
        """Return the programs of the namespace and of the cluster's catalogue, by name.

        Of a private and a public program of the same name the private one comes first, and is the one that ``run``
        means. If the user may list but one of the two kinds, that is returned and a warning logged.

        Args:
            refresh: Has no effect: the cluster is asked each time.
            limit: How many at most; None for all.
            skip: How many to leave out before.
        """
        return self._portal.call(self._aio.programs(refresh, limit, skip))

    def program(self, program_id: str, refresh: bool = False) -> RuntimeProgram:
        """Return a program: that of the namespace, or else the public one.

        Args:
            program_id: Its name. One with capitals or underscores is read as ``upload_program`` does.
            refresh: Has no effect: the cluster is asked each time.

        Raises:
            RuntimeProgramNotFound: there is none; the message has similar names.
        """
        return self._portal.call(self._aio.program(program_id, refresh))

    def pprint_programs(
        self, refresh: bool = False, detailed: bool = False, limit: int | None = 20, skip: int | None = 0
    ) -> None:
        """Print the programs, see `programs`: id, name and description, or with ``detailed`` all there is."""
        for program in self.programs(refresh, limit, skip):
            brief = f"{program.program_id}:\n  Name: {program.name}\n  Description: {program.description}"
            sys.stdout.write(f"{'=' * 50}\n{program if detailed else brief}\n")

    def upload_program(
        self, data: str | Path, metadata: Mapping[str, Any] | str | Path | None = None, *, replace: bool = False
    ) -> str:
        """Create a program, private unless its metadata say ``is_public``, and return its id.

        The id is the name as Kubernetes allows it: ``Sample_Program`` becomes ``sample-program``. What in the metadata
        will not be as its author may expect is issued as a warning.

        Args:
            data: Source text, if it contains ``def main(``; otherwise the path of a file, or of a folder with all of
                the program's files (`quantum_runtime.folder` says what belongs to it).
            metadata: A dictionary or the path of a JSON file, in the official form or in the list style. A file or
                folder brings its own, if it has any; what is given here wins, key by key. ``max_execution_time`` is
                required, and ``name``, for which the file's or folder's stands in.
            replace: Put it in the place of the program of this name and visibility, if there is one: nothing of that
                stays but labels and annotations. Jobs that have started are not touched.

        Raises:
            RuntimeDuplicateProgramError: there is one of this name, and ``replace`` is not given.
            IBMInputValueError: something is missing or wrong; the message names the field.
        """
        body = uploads.prepare_upload(data, metadata, self.namespace)
        return self._portal.call(self._aio.upload(body, replace=replace))

    def update_program(
        self,
        program_id: str,
        data: str | Path | None = None,
        metadata: Mapping[str, Any] | str | Path | None = None,
        name: str | None = None,
        description: str | None = None,
        max_execution_time: int | None = None,
        spec: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a program; jobs that have started are not touched. What is not given stays.

        Args:
            program_id: Its name.
            data: New source, as for `upload_program`; metadata that come with it do not count.
            metadata: New metadata, as for `upload_program`: those of its keys, and of the keys of its ``spec``.
                ``is_public`` is not changed here.
            name: Another spelling of the same name: a program cannot be renamed.
            description: It wins over ``metadata``, as do the next two.
            max_execution_time: Seconds.
            spec: For example ``{"parameters": {...}}``; an empty schema takes the old one away.

        Raises:
            RuntimeProgramNotFound: there is none.
            IBMInputValueError: something is wrong; the message names the field.
        """
        values = {"name": name, "description": description, "max_execution_time": max_execution_time, "spec": spec}
        update = uploads.prepare_update(data, metadata, **values)
        for warning in self._portal.call(self._aio.update(program_id, update)):
            warn(warning)

    def delete_program(self, program_id: str) -> None:
        """Delete a program: that of the namespace, or else the public one. Jobs that have started are not touched.

        Raises:
            RuntimeProgramNotFound: there is none, or not any more.
        """
        self._portal.call(self._aio.delete_program(program_id))

    def set_program_visibility(self, program_id: str, public: bool) -> None:
        """Move a program into the cluster's catalogue, where every namespace can run it, or from there into this one.

        Args:
            program_id: Its name.
            public: Where it shall be; if it is there, nothing happens.

        Raises:
            RuntimeProgramNotFound: there is none.
            RuntimeDuplicateProgramError: there is another one of this name where it shall be.
            IBMInputValueError: its source is in a ConfigMap, which a public program cannot have.
        """
        self._portal.call(self._aio.set_program_visibility(program_id, public))

    # Jobs

    def run(
        self,
        program_id: str,
        inputs: Any = None,
        options: Any = None,
        callback: Callable[[str, Any], Any] | None = None,
        result_decoder: Any = None,
        *,
        job_tags: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        log_level: str | None = None,
        max_execution_time: int | None = None,
        start_deadline: int | None = None,
        backend: Any = None,
        backend_name: Any = None,
        name: str | None = None,
        image: str | None = "",
        instance: str | None = None,
        session_id: str | None = None,
        start_session: bool = False,
    ) -> RuntimeJob:
        """Submit a job, and return it at once. An answer that gets lost does not make it run twice.

        Args:
            program_id: The program's name: of the namespace, or else of the cluster's catalogue.
            inputs: What its ``main`` gets as keywords: a dictionary, or what ``program.parameters()`` returned.
            options: A dictionary or `RuntimeOptions`. Everything below may stand there, too; here it wins.
            callback: Called as ``callback(job_id, interim_result)``, with each interim result, on another thread; see
                `RuntimeJob.stream_results`.
            result_decoder: What makes values of results: a `ResultDecoder`, or a pair, for interim results and result.
            job_tags: Words to find the job by, at most 20 of 63 characters each. Also called ``tags``.
            tags: See ``job_tags``.
            log_level: Of the program's root logger: DEBUG, INFO (the default), WARNING, ERROR or CRITICAL.
            max_execution_time: Seconds; it lowers the program's limit and never raises it.
            start_deadline: Seconds the job may wait for its start. Default: the cluster's, usually 600.
            backend: A backend or its name. Default: the cluster's, usually ``aer``. Also called ``backend_name``.
            backend_name: See ``backend``.
            name: Of the job, at most 63 characters. Default: the program's and ten random letters and digits.
            image: Has no effect but a warning: the program's runner profile says what it runs in.
            instance: Has no effect.
            session_id: Must be None: there are no sessions.
            start_session: Must be False.

        Raises:
            RuntimeProgramNotFound: there is no such program; the message has similar names.
            IBMInputValueError: an argument is wrong, or the cluster refuses the job.
            TypeError: there is no such option, or callback or decoder is none.
        """
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be a function callback(job_id, interim_result), not {callback!r}")
        request = submission.request(
            program_id,
            inputs,
            options,
            job_tags=job_tags,
            tags=tags,
            log_level=log_level,
            max_execution_time=max_execution_time,
            start_deadline=start_deadline,
            backend=backend,
            backend_name=backend_name,
            name=name,
            image=image,
            instance=instance,
            session_id=session_id,
            start_session=start_session,
        )
        job = self._job(self._portal.call(self._aio.submit(request, result_decoder)))
        if callback is not None:
            job.stream_results(callback, final=self._streams_result)
        return job

    def check(
        self, program_id: str, inputs: Any = None, options: Any = None, **keywords: Unpack[JobKeywords]
    ) -> JobView:
        """Return what the API server would make of a job, without creating it.

        The API server itself is asked (schema, policies, rights, quota), and what the operator would look at next is
        looked at: that the program is there and ready, the time limit, the backend and its size, the inputs against
        the program's ``parameters`` and what its ``main`` takes.

        Args:
            program_id: See `run`, as for everything else.
            inputs: See there.
            options: See there.
            **keywords: See there.

        Raises:
            RuntimeProgramNotFound: there is no such program.
            IBMInputValueError: the job would be refused, or fail before its program is entered; the message is the
                cluster's. If such a job would fail, the exception's ``reason`` is the word for it in the job's
                conditions: ``InvalidInput``, ``MaxExecutionTimeAboveProgram``, ...
            IBMBackendValueError: the same, because of its backend.
        """
        request = submission.request(program_id, inputs, options, **keywords)
        return self._portal.call(self._aio.check_request(request))

    def check_manifest(self, manifest: Mapping[str, Any]) -> JobView:
        """Return what the API server would make of a RuntimeJob as it stands, without creating it. See `check`.

        Args:
            manifest: The whole resource, for example from a YAML file. A namespace in it must be the service's.

        Raises:
            RuntimeProgramNotFound: there is no program of the kind and name that it says.
            IBMInputValueError, IBMBackendValueError: as `check`.
        """
        return self._portal.call(self._aio.check_manifest(manifest))

    def job(self, job_id: str) -> RuntimeJob:
        """Return a job of the namespace.

        Raises:
            RuntimeJobNotFound: there is none.
        """
        return self._job(self._portal.call(self._aio.job(job_id)))

    def jobs(
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
    ) -> JobList[RuntimeJob]:
        """Return jobs of the namespace, those of all its users.

        Args:
            limit: How many at most; None for all.
            skip: How many to leave out before.
            backend_name: Of jobs that name this backend; those that leave it to the cluster are not found by it.
            pending: True: those that wait or run; False: those that have ended.
            program_id: Of this program, whether private or public.
            instance: Has no effect.
            job_tags: Of jobs that have all of these tags. All jobs are read for it, with their inputs and results.
            session_id: Must be None: there are no sessions.
            created_after: From this moment on; local time if it has no zone. The cluster counts in whole seconds.
            created_before: Until this moment, likewise.
            descending: The newest first; False: the oldest.
            status: A `JobStatus`, a phase (``Queued``, ``Running``, ``Completed``, ``Failed``, ``Cancelled``), or
                several of them.

        Raises:
            IBMInputValueError: an argument is wrong.
        """
        found = self._portal.call(
            self._aio.jobs(
                *(limit, skip, backend_name, pending, program_id, instance, job_tags, session_id),
                *(created_after, created_before, descending, status),
            )
        )
        return JobList(self._job(job) for job in found)

    def job_names(self, limit: int | None = None, pending: bool | None = None) -> list[str]:
        """Return the names of jobs of the namespace, the newest first. The jobs themselves are not read.

        Args:
            limit: How many at most; None for all.
            pending: True: of those that wait or run; False: of those that have ended.
        """
        return self._portal.call(self._aio.job_names(limit, pending))

    def delete_job(self, job_id: str) -> None:
        """Delete a job, with its results; one that runs is stopped by it.

        Raises:
            RuntimeJobNotFound: there is none, or not any more.
        """
        self._portal.call(self._aio.delete_job(job_id))

    # Backends

    def backends(
        self,
        name: str | None = None,
        min_num_qubits: int | None = None,
        simulator: bool | None = None,
        filters: Callable[[RuntimeBackend], Any] | None = None,
    ) -> list[RuntimeBackend]:
        """Return the backends by name: the cluster's RuntimeBackends, and Aer with its methods.

        Every cluster knows many more by name, unless its platform team has switched them off: ``fake-montreal`` and
        some seventy other devices, in several spellings, and ``generic-<n>``. They are not listed, but `backend`, `run`
        and this method's ``name`` take them.

        Args:
            name: Only this one, if it exists.
            min_num_qubits: Only those with at least as many.
            simulator: True: only those without a device's restrictions (``aer``); False: only the others.
            filters: Only those for which this function, called with a backend, returns something true.
        """
        specs = self._portal.call(self._aio.backend_specs(name))
        found = [RuntimeBackend(one, spec, self._pending_jobs) for one, spec in specs.items()]
        return [
            one
            for one in found
            if backend_values.suits(one, min_num_qubits=min_num_qubits, simulator=simulator, filters=filters)
        ]

    def backend(self, name: str) -> RuntimeBackend:
        """Return a backend: a RuntimeBackend of the cluster, or what a well-known name stands for.

        Raises:
            IBMBackendValueError: there is none; the message has similar names.
        """
        return RuntimeBackend(name, self._portal.call(self._aio.backend_spec(name)), self._pending_jobs)

    def least_busy(
        self,
        min_num_qubits: int | None = None,
        simulator: bool | None = None,
        filters: Callable[[RuntimeBackend], Any] | None = None,
    ) -> RuntimeBackend:
        """Return the backend that the fewest unfinished jobs of the namespace name; of several the smallest.

        Args:
            min_num_qubits: See `backends`.
            simulator: See there.
            filters: See there.

        Raises:
            IBMBackendValueError: there is none that meets the conditions.
        """
        found = self.backends(min_num_qubits=min_num_qubits, simulator=simulator, filters=filters)
        counts = self._portal.call(self._aio.pending_of([str(one.name) for one in found]))
        return backend_values.least_busy(zip(found, counts, strict=True))

    def _pending_jobs(self, backend_name: str) -> int:
        return self._portal.call(self._aio.pending_jobs(backend_name))

    def _job(self, job: AsyncRuntimeJob) -> RuntimeJob:
        return self._job_class(job, self._portal, backend_of=self.backend)
