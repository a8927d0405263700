"""Calls a user's function with what a job publishes, on a thread of its own: a slow function holds up nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
from typing import TYPE_CHECKING, Any

from quantum_runtime.exceptions import IBMError
from quantum_runtime.service.decoding import decoded_or_text

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import AsyncGenerator, Callable

    from runtime_runner.encoding import Decoder

    from quantum_runtime.service.portal import Portal

log = logging.getLogger(__name__)

_END = None


class _End:
    """Something that happens once, on some thread, and that coroutines wait for; one that gives up leaves nothing.

    In a process that was forked meanwhile it has happened: there is no such thread.
    """

    def __init__(self) -> None:
        self._come = False
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def has_come(self) -> bool:
        return self._come or os.getpid() != self._process

    def come(self) -> None:
        with self._lock:
            self._come = True
            for loop, event in self._waiting:
                loop.call_soon_threadsafe(event.set)

    async def wait(self) -> None:
        if self.has_come:
            return
        one = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._come:
                return
            self._waiting.add(one)
        try:
            await one[1].wait()
        finally:
            with self._lock:
                self._waiting.discard(one)


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
        self._texts = texts
        self._callback = callback
        self._portal = portal
        self._queue: queue.SimpleQueue[tuple[Decoder, str] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._over = _End()
        self._thread = threading.Thread(target=self._deliver_all, name=f"results of {job_id}", daemon=True)
        self._fetching: concurrent.futures.Future[None] | None = None

    def begin(self) -> None:
        """Begin to fetch and to deliver. If that fails, or is interrupted, nothing goes on."""
        try:
            self._thread.start()
            self._fetching = self._portal.start(self._fetch())
        except BaseException:
            self.stop()
            raise

    @property
    def active(self) -> bool:
        """Whether the function may still be called."""
        return not self._over.has_come and not self._stopped.is_set()

    @property
    def on_its_thread(self) -> bool:
        """Whether this is asked from inside the function."""
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        """Call the function no more. A call that is under way goes on."""
        self._stopped.set()
        self._queue.put(_END)
        self._stop_fetching()

    async def until_over(self) -> None:
        """Return when the function has had everything, or the stream was stopped."""
        await self._over.wait()

    def _stop_fetching(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    async def _fetch(self) -> None:
        try:
            async with contextlib.aclosing(self._texts) as texts:
                while not self._stopped.is_set() and (item := await anext(texts, None)) is not None:
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
            self._stop_fetching()
            self._over.come()

    def _deliver(self, decoder: Decoder, text: str) -> None:
        value = decoded_or_text(decoder, text, self._job_id)
        try:
            self._callback(self._job_id, value)
        except Exception:
            if self._portal.has_ended:  # it waited for something, and cannot any more; nobody reads the log now
                return
            log.warning("the callback of job %s raised an exception; it goes on", self._job_id, exc_info=True)
