"""The way from synchronous code into asynchronous code: one event loop, in one background thread of the process.

All synchronous services and jobs share it: connections belong to a loop, and a thread for each job would be one too
many. It starts with the first call and ends with the process. A process made by ``os.fork`` gets one of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import math
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

T = TypeVar("T")

SHUTDOWN_SECONDS = 5.0
"""How long the end of the process waits for coroutines to clean up."""

_SLICE_SECONDS = 0.5
"""Longest uninterrupted wait of the main thread: a signal that comes just before a wait does not end it, and on Windows
none does. Python has its handlers run, and so Ctrl-C raised, when the main thread wakes up."""


class Portal:
    """Carries out coroutines for code that is not asynchronous. All instances share the process's one loop."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing is carried out any more, because the process is ending: on a daemon thread one may see it."""
        return _ended

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
        in_time = False
        try:
            run.begin()
            in_time = run.wait(timeout)
        finally:
            if not in_time:  # too late, or interrupted, anywhere in the lines above
                run.end()
        if not in_time and run.cancelled():
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
    """One coroutine on its way through the loop.

    A KeyboardInterrupt may come at any moment, also while `begin` is being carried out: the loop may have heard of it
    then or not. Therefore the loop alone decides what happens to the coroutine, in the order in which it is told.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, T]) -> None:
        self._loop = loop
        self._coro = coro
        self._task: asyncio.Task[T] | None = None
        self._over = False
        # No threading.Event: an interrupt in the middle of one leaves it locked, and then the loop would wait for it.
        self._waiting = threading.Lock()
        self._waiting.acquire()

    def begin(self) -> None:
        """Have the loop begin; the task inherits a copy of the caller's context."""
        self._loop.call_soon_threadsafe(self._begin)

    def end(self) -> None:
        """Cancel the coroutine and return when it has ended; one that has not begun never will."""
        self._loop.call_soon_threadsafe(self._stop)
        self.wait(None)

    def wait(self, timeout: float | None) -> bool:
        """Return whether it has ended within so many seconds."""
        longest = _SLICE_SECONDS if threading.current_thread() is threading.main_thread() else threading.TIMEOUT_MAX
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not self._over:
            left = end - time.monotonic()
            self._waiting.acquire(timeout=max(0.0, min(left, longest)))
            if left <= 0:
                break
        return self._over

    def cancelled(self) -> bool:
        return self._task is not None and self._task.cancelled()

    def result(self) -> T:
        assert self._task is not None
        if self._task.cancelled():
            raise concurrent.futures.CancelledError
        return self._task.result()

    def _begin(self) -> None:
        if not self._over:
            self._task = self._loop.create_task(self._coro)
            self._task.add_done_callback(self._end)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self._coro.close()
            self._end()

    def _end(self, _: object = None) -> None:
        if not self._over:
            self._over = True
            self._waiting.release()


class _LoopThread:
    """A daemon thread with an event loop that runs until `stop`."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            OSError: there can be no loop: too many files are open, for example.
        """
        self.loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run, name="quantum-runtime", daemon=True)
        self.thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Cancel everything, and wait a while until it has ended."""
        self.loop.call_soon_threadsafe(self._stopping.set)
        self.thread.join(SHUTDOWN_SECONDS)

    def _run(self) -> None:
        main = self._main()
        try:
            asyncio.run(main)  # cancels what is left when the end has come
        except BaseException as error:
            if self._ready.is_set():
                raise
            main.close()
            self._failure = error
            self._ready.set()

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_default_executor(_Threads())
        self._stopping = asyncio.Event()
        self._ready.set()
        await self._stopping.wait()


class _Threads(concurrent.futures.ThreadPoolExecutor):
    """What the loop looks up names of hosts with: a thread each time, which is seldom.

    The usual pool refuses work as soon as the main thread has ended, though other threads of the program may go on, and
    wait for jobs over connections that have to be made anew.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def carry_out() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        threading.Thread(target=carry_out, name="quantum-runtime-worker", daemon=True).start()
        return future


_lock = threading.Lock()
_thread: _LoopThread | None = None
_ended = False
_inherited: list[_LoopThread] = []
"""Loops of parent processes: kept, and left alone. To close anything of theirs here would disturb the parent's."""


def _running_thread(coro: Coroutine[Any, Any, Any]) -> _LoopThread:
    """Return the process's thread, started if need be. If that fails the coroutine is closed.

    Raises:
        RuntimeError: the process is ending.
        OSError: there can be no loop.
    """
    global _thread
    try:
        with _lock:
            if _ended:
                raise RuntimeError("the process is ending")
            if _thread is None:
                _thread = _LoopThread()
            return _thread
    except BaseException:
        coro.close()
        raise


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
