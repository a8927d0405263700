"""A job, as notebooks and programs of the retired service know it: a synchronous front of `AsyncRuntimeJob`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from runtime_runner import encoding

from quantum_runtime.service import endings, job_status
from quantum_runtime.service.both_ways import Name, NamedBackend
from quantum_runtime.service.decoding import decoded_or_text
from quantum_runtime.service.streaming import CallbackStream

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from datetime import datetime

    from quantum_runtime.service.aio_job import AsyncRuntimeJob
    from quantum_runtime.service.portal import Portal
    from quantum_runtime.service.view import JobView

T = TypeVar("T")

log = logging.getLogger(__name__)


class RuntimeJob:
    """One run of a program.

    Nothing here polls: `result` and `wait_for_final_state` wait for ever unless they are given a timeout, and return
    when the cluster says that the job has ended. Keywords that earlier releases had for polling (``wait``) are accepted
    and mean nothing.

    Methods that ask the cluster raise `IBMApiError` if it cannot be reached for a minute, `IBMNotAuthorizedError` if
    the user may not do this, and `RuntimeJobNotFound` if the job has been deleted.
    """

    def __init__(self, job: AsyncRuntimeJob, portal: Portal, *, backend_of: Callable[[str], Any] | None = None) -> None:
        """Make one; users get theirs from a service.

        Args:
            job: The same job, for asynchronous programs.
            portal: Carries out what it does.
            backend_of: Makes a backend of its name, for `backend`.
        """
        self._job = job
        self._portal = portal
        self._backend_of = backend_of
        self._stream: CallbackStream | None = None
        self._starting = threading.Lock()

    def __repr__(self) -> str:
        view = self.view
        return f"<RuntimeJob({view.name!r}, program {view.program_name!r}, {view.phase})>"

    def __reduce__(self) -> str:
        name = self.view.name
        message = (
            f"a RuntimeJob cannot be sent to another process; send its name, {name!r}: service.job() finds it there"
        )
        raise TypeError(message)

    def _repr_html_(self) -> str:
        from quantum_runtime import rendering

        return rendering.job_html(self.view)

    # What the job is: known without asking the cluster.

    @property
    def view(self) -> JobView:
        """The newest state that is known."""
        return self._job.view

    @property
    def job_id(self) -> Name:
        """The job's name. May be called, too."""
        return Name(self.view.name)

    @property
    def backend(self) -> Any:
        """The backend, as which it may be used; it equals and prints as its name. May be called, too.

        Of a job that has not started, the one that was asked for; its name is empty if that is the cluster's default.
        """
        name = self.view.backend
        return NamedBackend(name, self._backend_of) if name and self._backend_of else Name(name)

    @property
    def program_id(self) -> str:
        """The program's name."""
        return self.view.program_name

    @property
    def inputs(self) -> dict[str, Any]:
        """What the program was given, decoded: a copy."""
        inputs: dict[str, Any] = encoding.from_text(json.dumps(self.view.inputs))
        return inputs

    @property
    def creation_date(self) -> datetime | None:
        """When the job was created, in local time, which it says of itself."""
        return self.view.created and self.view.created.astimezone()

    @property
    def tags(self) -> list[str]:
        """The job's tags."""
        return list(self.view.tags)

    @property
    def image(self) -> str:
        """Empty: the profile of the program says what it runs in. Earlier releases let jobs choose an image."""
        return ""

    @property
    def session_id(self) -> None:
        """None: jobs do not belong to sessions."""
        return

    # How it is doing: asks the cluster, unless the job is known to have ended.

    def refresh(self) -> JobView:
        """Ask the cluster for the job's state, unless it is known to be final, and return it."""
        return self._portal.call(self._job.refresh())

    def status(self) -> enum.Enum:
        """Return Qiskit's `JobStatus`: QUEUED, RUNNING, DONE, ERROR or CANCELLED. A job that ran too long is ERROR."""
        return job_status.of_phase(self.refresh().phase)

    def in_final_state(self) -> bool:
        """Return whether the job has ended."""
        return self.refresh().final

    def done(self) -> bool:
        """Return whether there is a result."""
        return self.refresh().succeeded

    def running(self) -> bool:
        """Return whether the job has a runner."""
        return self.refresh().phase == "Running"

    def cancelled(self) -> bool:
        """Return whether the job was cancelled."""
        return self.refresh().cancelled

    def errored(self) -> bool:
        """Return whether the job failed."""
        return self.refresh().failed

    def error_message(self) -> str | None:
        """Return why the job failed, with the program's traceback; None if it did not."""
        return self._portal.call(self._job.error_message())

    def metrics(self) -> dict[str, Any]:
        """Return when and where the job was what.

        ``timestamps`` has ``created``, ``running`` and ``finished`` as ISO texts, None for what has not happened;
        ``queued_seconds`` from creation to start, ``execution_seconds`` as the runner measured them;
        ``program_digest`` is the same for jobs that ran the same program; ``node`` is where it ran.
        """
        return self._portal.call(self._job.metrics())

    def states(self, timeout: float | None = None) -> Iterator[JobView]:
        """Yield the newest known state of the job, then each change; ends after the final one.

        Args:
            timeout: Seconds until the job has to have ended; None for no limit.

        Raises:
            RuntimeJobNotFound: it was deleted.
            RuntimeJobTimeoutError: it has not ended in time; it goes on.
        """
        return self._portal.iterate(self._job.states(timeout))

    # What it gives.

    def result(
        self,
        timeout: float | None = None,
        decoder: Any = None,
        old_decoder: Any = None,
        *,
        progress: bool = False,
        **_: Any,
    ) -> Any:
        """Wait until the job has ended, and return its result.

        If results are being streamed (`stream_results`, or a callback given to ``run``), this returns after the
        callback has had all of them, unless it is called from the callback. Ctrl-C leaves the job running.

        Args:
            timeout: Seconds; None, the default, for no limit.
            decoder: Instead of the job's own. What it made is kept until another one is asked for. A number means
                nothing: programs for the first releases say ``result(timeout, wait, decoder)``.
            old_decoder: Where those have the decoder.
            progress: Show how the job is doing, in a line that keeps itself up to date.
            _: What earlier releases took for polling.

        Raises:
            TypeError: ``decoder`` is none.
            RuntimeJobFailureError: the job failed; the message has the program's traceback.
            RuntimeJobMaxTimeoutError: it ran longer than it may; also a `RuntimeJobFailureError`.
            RuntimeInvalidStateError: it was cancelled.
            RuntimeJobNotFound: it was deleted.
            RuntimeJobTimeoutError: it has not ended in time; it goes on.
            IBMApiError: the result cannot be read, or is damaged.
        """
        chosen = old_decoder if isinstance(decoder, int | float) else decoder
        self._job.decoders(chosen)  # what is wrong with it is told before anybody waits
        limit = _Limit(timeout)
        with self._interruptible():
            if progress:
                from quantum_runtime import progress as bar

                bar.show(self.states(limit.left()))
            self._wait(limit)
            if (error := endings.no_result(self.view)) is not None:
                raise error
            text = self._within(limit, self._job.kept_result_text)
        return self._job.decoded(text, chosen)

    def unchecked_result(self, decoder: Any = None) -> Any:
        """Return what the program returned, even if the job failed because that is not as the program's schemas say.

        Raises:
            RuntimeInvalidStateError: the job has not ended, or was cancelled.
            RuntimeJobFailureError: the program returned nothing.
        """
        return self._job.decoded(self._portal.call(self._job.kept_result_text()), decoder)

    def wait_for_final_state(self, timeout: float | None = None, wait: object = None, **_: Any) -> None:
        """Wait until the job has ended, however, and until a callback has had everything, as `result` does.

        Args:
            timeout: Seconds; None, the default, for no limit.
            wait: Means nothing, as all else that earlier releases took for polling.
            _: The same.

        Raises:
            RuntimeJobNotFound: it was deleted.
            RuntimeJobTimeoutError: it has not ended in time; it goes on.
        """
        limit = _Limit(timeout)
        with self._interruptible():
            self._wait(limit)

    def interim_results(self, decoder: Any = None) -> list[Any]:
        """Return the interim results there are, decoded, in order. One that cannot be decoded comes as text.

        While the job runs the newest may be missing: those that are not stored yet, if a burst of them has pushed
        others out of the job's status. `stream` and callbacks wait for them.
        """
        chosen, _ = self._job.decoders(decoder)
        texts = self._portal.call(self._job.interim_texts())
        return [decoded_or_text(chosen, text, self.view.name) for text in texts]

    def logs(self) -> str:
        """Return what the program wrote to stdout and stderr; while the job runs, the newest 16 KiB of it."""
        return self._portal.call(self._job.logs())

    def stream(self, decoder: Any = None, *, final: bool = False) -> Iterator[Any]:
        """Yield the interim results, decoded, each once and in order, from the first to the job's end.

        Args:
            decoder: Instead of the job's own.
            final: Yield the result, too, as the last one, if the job completes.

        Raises:
            RuntimeJobNotFound: the job was deleted.
        """
        for chosen, text in self._portal.iterate(self._job.encoded(decoder, final=final)):
            yield decoded_or_text(chosen, text, self.view.name)

    def stream_results(self, callback: Callable[[str, Any], Any], decoder: Any = None, *, final: bool = False) -> None:
        """Have a function called with each interim result, once and in order, from the first, and return at once.

        It is called as ``callback(job_id, value)`` on a thread of its own. It may use the job, and cancel it. An
        exception it raises is logged, and streaming goes on. A result that cannot be decoded comes as text. Of a job
        that has ended it gets everything, too.

        Args:
            callback: The function.
            decoder: Instead of the job's own.
            final: Pass it the result, too, as the last one, if the job completes.

        Raises:
            RuntimeInvalidStateError: results are being streamed already.
            TypeError: ``callback`` cannot be called, or ``decoder`` is none.
        """
        if not callable(callback):
            raise TypeError(f"callback is {callback!r}, expected a function of a job's name and an interim result")
        self._job.decoders(decoder)
        with self._starting:
            if self._stream is not None and self._stream.active:
                raise endings.is_streaming(self.view)
            texts = self._job.encoded(decoder, final=final)
            self._stream = CallbackStream(self.view.name, texts, callback, self._portal)
            self._stream.begin()

    def cancel_result_streaming(self) -> None:
        """Have the function of `stream_results` called no more. The job goes on."""
        with self._starting:
            if self._stream is not None:
                self._stream.stop()
                self._stream = None

    # What can be done with it.

    def cancel(self) -> None:
        """End the job, and the streaming of its results. It is final soon after: `wait_for_final_state` tells when.

        Raises:
            RuntimeInvalidStateError: it had ended before.
        """
        self._portal.call(self._job.cancel())
        self.cancel_result_streaming()

    def update_tags(self, new_tags: Sequence[str]) -> list[str]:
        """Give the job these tags instead of those it has, and return them.

        Raises:
            IBMInputValueError: they are no list of texts, or more or longer than a job may have.
        """
        return self._portal.call(self._job.update_tags(new_tags))

    def _wait(self, limit: _Limit) -> None:
        """Return when the job has ended and the callback, if there is one, and this is not called from it, is done."""
        stream = self._stream
        if stream is not None and not stream.on_its_thread:
            self._within(limit, stream.until_over)
        self._within(limit, self._job.wait_for_final_state)

    def _within(self, limit: _Limit, action: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Carry this out in the time that is left."""
        try:
            return self._portal.call(_in_time(action, limit.left()))
        except TimeoutError:
            assert limit.seconds is not None
            raise endings.waited_long_enough(self.view, limit.seconds) from None

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Say, when the user interrupts a wait, that the job goes on."""
        try:
            yield
        except KeyboardInterrupt:
            if not self.view.final:
                name = self.view.name
                log.warning("job %s goes on; service.job(%r) finds it again, job.cancel() ends it", name, name)
            raise


class _Limit:
    """How long a user wants to wait, all in all."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Return how many seconds are left; None for no limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())


async def _in_time(action: Callable[[], Coroutine[Any, Any, T]], seconds: float | None) -> T:
    """Carry this out, and end it when time is up; what takes no time is done even if there is none left.

    Raises:
        TimeoutError: time was up.
    """
    async with asyncio.timeout(seconds):
        return await action()
