"""The way from synchronous code into asynchronous code: one event loop, in one background thread of the process.

All synchronous services and jobs share it: connections belong to a loop, and a thread for each job would be one too
many. It starts with the first call and ends with the process. A process made by ``os.fork`` gets one of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator

T = TypeVar("T")

SHUTDOWN_SECONDS = 5.0
"""How long the end of the process waits for coroutines to clean up."""

_SLICE_SECONDS = 0.5 if os.name == "nt" else threading.TIMEOUT_MAX
"""Longest uninterrupted wait: on Windows Ctrl-C is not noticed while a thread waits for another."""


class Portal:
    """Carries out coroutines for code that is not asynchronous. All instances share the process's one loop."""

    def call(self, coro: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Carry out a coroutine and return what it returns, or raise what it raises.

        However this call ends, the coroutine has ended, too: after a timeout or a KeyboardInterrupt it is cancelled,
        and its clean-up waited for.

        Args:
            coro: It sees the context variables of the caller.
            timeout: Seconds it may take; None for no limit.

        Raises:
            TimeoutError: it has taken longer.
            RuntimeError: called from the loop's own thread, where waiting would be for ever.
        """
        thread = _running_thread(coro)
        if threading.current_thread() is thread.thread:
            coro.close()
            message = (
                "a synchronous method was called from the thread that carries out the asynchronous ones, and would "
                "wait for itself; use the asynchronous classes there"
            )
            raise RuntimeError(message)
        run = _Run(thread.loop, coro)
        try:
            in_time = run.wait(timeout)
        except BaseException:
            run.cancel()
            run.wait(None)
            raise
        if not in_time:
            run.cancel()
            run.wait(None)
            if run.cancelled():
                raise TimeoutError(f"not done within {timeout:g} s")
        return run.result()

    def start(self, coro: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin to carry out a coroutine, and return its future, which can be cancelled."""
        return asyncio.run_coroutine_threadsafe(coro, _running_thread(coro).loop)

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Yield what an asynchronous iterator yields; one that is abandoned is closed."""
        end = object()

        async def step() -> Any:
            return await anext(items, end)

        async def close() -> None:
            if (aclose := getattr(items, "aclose", None)) is not None:
                await aclose()

        try:
            while (item := self.call(step())) is not end:
                yield item
        finally:
            if _thread is not None and threading.current_thread() is _thread.thread:
                self.start(close())  # it was garbage, and the collector happened to run here
            elif not _ended:  # else it has been closed with its loop
                self.call(close())


class _Run(Generic[T]):
    """One coroutine on its way through the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, T]) -> None:
        self._loop = loop
        self._coro = coro
        self._task: asyncio.Task[T] | None = None
        self._ended = threading.Event()
        loop.call_soon_threadsafe(self._begin)  # with a copy of the caller's context, which the task inherits

    def wait(self, timeout: float | None) -> bool:
        """Return whether it has ended within so many seconds."""
        left = timeout
        while left is None or left > _SLICE_SECONDS:
            if self._ended.wait(_SLICE_SECONDS):
                return True
            left = None if left is None else left - _SLICE_SECONDS
        return self._ended.wait(left)

    def cancel(self) -> None:
        self._loop.call_soon_threadsafe(self._stop)

    def cancelled(self) -> bool:
        return self._task is not None and self._task.cancelled()

    def result(self) -> T:
        assert self._task is not None
        if self._task.cancelled():
            raise concurrent.futures.CancelledError
        return self._task.result()

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._coro)
        self._task.add_done_callback(lambda _: self._ended.set())

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()


class _LoopThread:
    """A daemon thread with an event loop that runs until `stop`."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run, name="quantum-runtime", daemon=True)
        self.thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Cancel everything, and wait a while until it has ended."""
        self.loop.call_soon_threadsafe(self._stopping.set)
        self.thread.join(SHUTDOWN_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._main())  # cancels what is left when the end has come

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._ready.set()
        await self._stopping.wait()


_lock = threading.Lock()
_thread: _LoopThread | None = None
_ended = False
_inherited: list[_LoopThread] = []
"""Loops of parent processes: kept, and left alone. To close anything of theirs here would disturb the parent's."""


def _running_thread(coro: Coroutine[Any, Any, Any]) -> _LoopThread:
    """Return the process's thread, started if need be.

    Raises:
        RuntimeError: the process is ending; the coroutine is closed.
    """
    global _thread
    with _lock:
        if _ended:
            coro.close()
            raise RuntimeError("the process is ending")
        if _thread is None:
            _thread = _LoopThread()
        return _thread


@atexit.register
def _shut_down() -> None:
    global _ended
    with _lock:
        _ended = True
        thread = _thread
    if thread is not None:
        thread.stop()


def _begin_anew() -> None:
    """Run in a forked child, where the thread does not exist although the loop believes that it runs."""
    global _lock, _thread
    _lock = threading.Lock()
    if _thread is not None:
        _inherited.append(_thread)
        for task in asyncio.all_tasks(_thread.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # they run on, in the parent
        _thread = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
