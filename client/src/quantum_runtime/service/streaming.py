"""Calls a user's function with what a job publishes, on a thread of its own: a slow function holds up nobody else."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

from quantum_runtime.exceptions import IBMError
from quantum_runtime.service.decoding import decoded_or_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from runtime_runner.encoding import Decoder

    from quantum_runtime.service.portal import Portal

log = logging.getLogger(__name__)

_END = None


class CallbackStream:
    """Delivers the texts of one job's results to one function, in order, until there are no more or it is stopped.

    Texts are fetched as fast as they come, by the event loop, and wait in a queue. Decoding happens on the function's
    thread, too. The thread is a daemon: a program that ends does not wait for it.
    """

    def __init__(
        self,
        job_id: str,
        texts: AsyncGenerator[tuple[Decoder, str], None],
        callback: Callable[[str, Any], Any],
        portal: Portal,
    ) -> None:
        self._job_id = job_id
        self._callback = callback
        self._portal = portal
        self._queue: queue.SimpleQueue[tuple[Decoder, str] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._over: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._deliver_all, name=f"results of {job_id}", daemon=True)
        self._fetching = portal.start(self._fetch(texts))
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether the function may still be called."""
        return not self._over.done() and not self._stopped.is_set()

    @property
    def on_its_thread(self) -> bool:
        """Whether this is asked from inside the function."""
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        """Call the function no more. A call that is under way goes on."""
        self._stopped.set()
        self._fetching.cancel()
        self._queue.put(_END)

    async def until_over(self) -> None:
        """Return when the function has had everything, or the stream was stopped."""
        if not self._over.done():
            await asyncio.shield(asyncio.wrap_future(self._over))

    async def _fetch(self, texts: AsyncGenerator[tuple[Decoder, str], None]) -> None:
        try:
            async with contextlib.aclosing(texts):
                async for item in texts:
                    self._queue.put(item)
        except IBMError as error:
            log.warning("no more results of job %s can be delivered: %s", self._job_id, error)
        except Exception:
            log.exception("no more results of job %s can be delivered", self._job_id)
        finally:
            self._queue.put(_END)

    def _deliver_all(self) -> None:
        try:
            while (item := self._queue.get()) is not _END and not self._stopped.is_set():
                self._deliver(*item)
        except SystemExit:
            log.debug("the callback of job %s called sys.exit(), which ends its thread alone", self._job_id)
        finally:
            self._fetching.cancel()
            self._over.set_result(None)

    def _deliver(self, decoder: Decoder, text: str) -> None:
        value = decoded_or_text(decoder, text, self._job_id)
        try:
            self._callback(self._job_id, value)
        except Exception:
            log.warning("the callback of job %s raised an exception; it goes on", self._job_id, exc_info=True)
