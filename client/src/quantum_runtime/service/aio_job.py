"""A job, for asynchronous programs: nothing here polls, and nothing blocks the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from runtime_runner import encoding

from quantum_runtime import exceptions
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.cluster.retrying import patiently
from quantum_runtime.cluster.watching import follow
from quantum_runtime.service import endings, following, job_status, outputs
from quantum_runtime.service.decoding import decoded_or_text
from quantum_runtime.service.view import metrics, parse_job

if TYPE_CHECKING:
    import enum
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from runtime_runner.encoding import Decoder

    from quantum_runtime.cluster.api import Api, Object
    from quantum_runtime.service.view import InterimResult, JobView, OutputRef

log = logging.getLogger(__name__)


class AsyncRuntimeJob:
    """One run of a program.

    Methods that ask the cluster raise `IBMApiError` if it cannot be reached for a minute, `IBMNotAuthorizedError` if
    the user may not do this, and `RuntimeJobNotFound` if the job has been deleted.

    Attributes:
        job_id: The job's name.
    """

    def __init__(self, api: Api, body: Object, *, result_decoder: Any = None) -> None:
        """Make one of a RuntimeJob.

        Args:
            api: The cluster.
            body: The object.
            result_decoder: What makes values of results, if a method is not told otherwise: a decoder, or a pair of
                them, for interim results and for the result. Default: `ResultDecoder`.

        Raises:
            TypeError: ``result_decoder`` is none.
        """
        self._api = api
        self._view = parse_job(body)
        self._decoders = encoding.decoders(result_decoder)
        self._result_text: str | None = None
        self._result: tuple[Decoder, Any] | None = None
        self.job_id = self._view.name

    def __repr__(self) -> str:
        return f"<AsyncRuntimeJob({self.job_id!r}, program {self._view.program_name!r}, {self._view.phase})>"

    @property
    def view(self) -> JobView:
        """The newest state that is known, without asking the cluster."""
        return self._view

    async def refresh(self) -> JobView:
        """Ask the cluster for the job's state, unless it is known to be final, and return it."""
        if not self._view.final:
            with self._asking("read"):
                body = await patiently(lambda: self._api.get(JOBS, self.job_id))
            if body["metadata"]["uid"] != self._view.uid:  # a namesake: this one has been deleted
                raise self._deleted()
            self._see(body)
        return self._view

    async def status(self) -> enum.Enum:
        """Return Qiskit's `JobStatus`: QUEUED, RUNNING, DONE, ERROR or CANCELLED. A job that ran too long is ERROR."""
        return job_status.of_phase((await self.refresh()).phase)

    async def states(self, timeout: float | None = None) -> AsyncGenerator[JobView, None]:  # noqa: ASYNC109 - Qiskit's name
        """Yield the newest known state of the job, then each change; ends after the final one.

        Args:
            timeout: Seconds until the job has to have ended; None for no limit.

        Raises:
            RuntimeJobNotFound: it was deleted.
            RuntimeJobTimeoutError: it has not ended in time; it goes on.
        """
        view = self._view
        limit = _moment(timeout)
        yield view
        if view.final:
            return
        async with contextlib.aclosing(follow(self._api, JOBS, self.job_id, start=view.body)) as changes:
            while not view.final:
                with self._asking("follow"):
                    async with self._until(limit, timeout):
                        body = await anext(changes)
                if body is None:
                    raise self._deleted()
                view = self._see(body)
                yield view

    async def wait_for_final_state(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - Qiskit's name
        """Return when the job has ended, however.

        Args:
            timeout: Seconds; None, the default, for no limit.

        Raises:
            RuntimeJobNotFound: it was deleted.
            RuntimeJobTimeoutError: it has not ended in time; it goes on.
        """
        async with contextlib.aclosing(self.states(timeout)) as states:
            async for _ in states:
                pass

    async def result(self, timeout: float | None = None, decoder: Any = None) -> Any:  # noqa: ASYNC109 - Qiskit's name
        """Return the result, when there is one. Decoding happens here, on the event loop.

        Args:
            timeout: Seconds; None, the default, for no limit.
            decoder: Instead of the job's own. What it made is kept until another one is asked for.

        Raises:
            RuntimeJobFailureError: the job failed.
            RuntimeJobMaxTimeoutError: it ran longer than it may; also a `RuntimeJobFailureError`.
            RuntimeInvalidStateError: it was cancelled.
            RuntimeJobNotFound: it was deleted.
            RuntimeJobTimeoutError: it has not ended in time; it goes on.
            IBMApiError: the result cannot be read, or is damaged.
        """
        return self.decoded(await self.result_text(timeout), decoder)

    async def result_text(self, timeout: float | None = None) -> str:  # noqa: ASYNC109 - as `result`
        """Return the result as JSON text, when there is one; see `result`."""
        async with self._until(_moment(timeout), timeout):
            await self.wait_for_final_state()
            if (error := endings.no_result(self._view)) is not None:
                raise error
            return await self.kept_result_text()

    async def unchecked_result(self, decoder: Any = None) -> Any:
        """Return what the program returned, even if the job failed because that is not as the program's schemas say.

        Raises:
            RuntimeInvalidStateError: the job has not ended, or was cancelled.
            RuntimeJobFailureError: the program returned nothing.
        """
        return self.decoded(await self.kept_result_text(), decoder)

    async def kept_result_text(self) -> str:
        """Return what `unchecked_result` does as JSON text."""
        if self._result_text is None:
            view = await self.refresh()
            if (error := endings.nothing_returned(view)) is not None:
                raise error
            if view.result_ref is not None:
                what = f"the result of job {self.job_id!r}"
                self._result_text = await self._whole(view.result_ref, what)
            else:
                self._result_text = view.result_text
        assert self._result_text is not None
        return self._result_text

    def decoders(self, decoder: Any = None) -> tuple[Decoder, Decoder]:
        """Return what makes values of interim results, and of the result: the job's own, unless told otherwise.

        Raises:
            TypeError: ``decoder`` is none.
        """
        return self._decoders if decoder is None else encoding.decoders(decoder)

    def decoded(self, text: str, decoder: Any = None) -> Any:
        """Return the value of the result's text; the same object as the last time, if the decoder is the same."""
        chosen = self.decoders(decoder)[1]
        if self._result is None or self._result[0] is not chosen:
            self._result = (chosen, chosen.decode(text))
        return self._result[1]

    async def stream(self, decoder: Any = None, *, final: bool = False) -> AsyncGenerator[Any, None]:
        """Yield the interim results, decoded, each once and in order, from the first to the job's end.

        One that cannot be decoded is yielded as text. Those that were lost, in a crash of their node for example, or
        because the program published more than is kept, are counted in a warning in the log.

        Args:
            decoder: Instead of the job's own.
            final: Yield the result, too, as the last one, if the job completes.

        Raises:
            RuntimeJobNotFound: the job was deleted.
        """
        async with contextlib.aclosing(self.encoded(decoder, final=final)) as texts:
            async for chosen, text in texts:
                yield decoded_or_text(chosen, text, self.job_id)

    async def encoded(self, decoder: Any = None, *, final: bool = False) -> AsyncGenerator[tuple[Decoder, str], None]:
        """Yield what `stream` does as JSON texts, each with its decoder: for decoding them somewhere else."""
        of_interims, of_result = self.decoders(decoder)
        async with contextlib.aclosing(self._interims()) as interims:
            async for interim in interims:
                yield of_interims, interim.text
        if final and self._view.succeeded:
            yield of_result, await self.result_text()

    async def interim_results(self, decoder: Any = None) -> list[Any]:
        """Return the interim results there are, decoded, in order. One that cannot be decoded comes as text.

        While the job runs the newest may be missing: those that are not stored yet, if a burst of them has pushed
        others out of the job's status. `stream` waits for them.
        """
        chosen, _ = self.decoders(decoder)
        return [decoded_or_text(chosen, text, self.job_id) for text in await self.interim_texts()]

    async def interim_texts(self) -> list[str]:
        """Return what `interim_results` does as JSON texts."""
        view = await self.refresh()
        step = following.advance(following.Position(), view)
        interims = list(step.deliver)
        while step.read:
            step = following.advance(step.position, view, await self._stored(step.read))
            interims += step.deliver
        return [interim.text for interim in interims]

    async def logs(self) -> str:
        """Return what the program wrote to stdout and stderr.

        While the job runs this is the newest 16 KiB of it, then all of it. If it is more than 1 MiB, its middle is not
        kept. (These are the operator's defaults.)
        """
        view = await self.refresh()
        if view.log_ref is not None:
            return await self._whole(view.log_ref, f"the log of job {self.job_id!r}")
        if view.log_truncated:
            why = "its log was lost" if view.final else "the rest is there when it has ended"
            there = len(view.log_tail.encode())
            log.warning("the newest %d of %d bytes that job %s wrote: %s", there, view.log_bytes, self.job_id, why)
        return view.log_tail

    async def error_message(self) -> str | None:
        """Return why the job failed, with the program's traceback; None if it did not."""
        return endings.error_message(await self.refresh())

    async def metrics(self) -> dict[str, Any]:
        """Return when and where the job was what; see `RuntimeJob.metrics`."""
        return metrics(await self.refresh())

    async def cancel(self) -> None:
        """Ask for the end of the job. It is final soon after: `wait_for_final_state` tells when.

        Raises:
            RuntimeInvalidStateError: it had ended before.
        """
        if self._view.final:
            raise endings.already_ended(self._view, "cancel")
        requests = await self._patch({"cancel": True}, "cancel")
        # Of several requests an earlier one, whose answer was lost, may be what has cancelled it.
        if self._view.final and not (self._view.cancelled and requests > 1):
            raise endings.already_ended(self._view, "cancel")

    async def update_tags(self, tags: Sequence[str]) -> list[str]:
        """Give the job these tags instead of those it has, and return them.

        Raises:
            IBMInputValueError: they are no list of texts, or more or longer than a job may have.
        """
        if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
            raise exceptions.IBMInputValueError(f"tags needs to be a list of strings, not {tags!r}")
        await self._patch({"tags": list(tags)}, "change the tags of")
        return list(self._view.tags)

    async def _patch(self, spec: Object, doing: str) -> int:
        """Change the job, and return how many requests it took. It may be repeated: it says what shall be."""
        requests = 0

        async def patch() -> Object:
            nonlocal requests
            requests += 1
            return await self._api.patch(JOBS, self.job_id, {"metadata": {"uid": self._view.uid}, "spec": spec})

        with self._asking(doing):
            self._see(await patiently(patch))
        return requests

    async def _interims(self) -> AsyncGenerator[InterimResult, None]:
        """Yield the interim results from the first to the job's end, and say how many are missing."""
        position, deleted = following.Position(), None
        async with contextlib.aclosing(self.states()) as states:
            try:
                async for view in states:
                    step = following.advance(position, view)
                    for interim in step.deliver:
                        yield interim
                    while step.read:
                        step = following.advance(step.position, view, await self._stored(step.read))
                        for interim in step.deliver:
                            yield interim
                    position = step.position
            except exceptions.RuntimeJobNotFound as error:
                deleted = error
        if deleted is not None:
            step = following.abandon(position)
            position = step.position
            for interim in step.deliver:
                yield interim
        if position.missing:
            log.warning("%d interim results of job %s are lost", position.missing, self.job_id)
        if self._view.dropped:
            log.warning(
                "job %s published %d interim results; %d of them, before the newest, are kept nowhere: together they "
                "are more than a job may publish",
                *(self.job_id, self._view.published, self._view.dropped),
            )
        if deleted is not None:
            raise deleted

    async def _whole(self, ref: OutputRef, what: str) -> str:
        async with self._reading():
            return await outputs.read_whole(self._api, ref, what)

    async def _stored(self, names: Sequence[str]) -> list[InterimResult]:
        what = f"the interim results of job {self.job_id!r}"
        async with self._reading():
            texts = await outputs.read(self._api, names, what)
        try:
            return following.parse_lines(texts)
        except ValueError as error:
            message = f"{what} are damaged, in the RuntimeJobOutputs {', '.join(names)}: {error}"
            raise exceptions.IBMApiError(message) from error

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        """Tell an output that is gone from a job that is: outputs are deleted with it, in no particular order.

        Raises:
            RuntimeJobNotFound: the job was deleted.
        """
        try:
            yield
        except outputs.OutputGone:
            with self._asking("read"):
                body = await patiently(lambda: self._api.get(JOBS, self.job_id))
            if body["metadata"]["uid"] != self._view.uid or body["metadata"].get("deletionTimestamp"):
                raise self._deleted() from None
            raise

    def _see(self, body: Object) -> JobView:
        """Return this state of the job, and keep it if it is newer than the one that is known."""
        view = parse_job(body)
        if _number(view.version) >= _number(self._view.version):
            self._view = view
        return view

    def _deleted(self) -> exceptions.IBMError:
        return endings.deleted(self.job_id, self._view.namespace)

    @contextlib.contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        """Translate what the API server answers; a job of another uid is another job."""
        try:
            yield
        except errors.ApiError as error:
            gone = isinstance(error, errors.Conflict) or (
                isinstance(error, errors.NotFound) and not error.kind_is_missing
            )
            raise (
                self._deleted() if gone else exceptions.from_api(error, f"cannot {doing} job {self.job_id!r}")
            ) from error

    @contextlib.asynccontextmanager
    async def _until(self, limit: float | None, seconds: float | None) -> AsyncIterator[None]:
        """End what is in this block at a certain time of the event loop's clock, with an exception that says so."""
        try:
            async with asyncio.timeout_at(limit) as alarm:
                yield
        except TimeoutError:
            if seconds is None or not alarm.expired():
                raise
            raise endings.waited_long_enough(self._view, seconds) from None


def _number(version: str) -> int:
    """Return a resource version as what it is, though the API does not promise it."""
    return int(version) if version.isdecimal() else 0


def _moment(timeout: float | None) -> float | None:
    """Return the time of the event loop's clock at which so many seconds are over."""
    return None if timeout is None else asyncio.get_running_loop().time() + timeout
