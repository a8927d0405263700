from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import signal
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.service.portal import Portal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

portal = Portal()


async def thread() -> threading.Thread:
    return threading.current_thread()


async def add(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


class Endless:
    """A coroutine that ends only when it is cancelled, and then cleans up."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cleaned_up = False

    async def run(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.cleaned_up = True


def test_a_call_returns_what_the_coroutine_returns() -> None:
    assert portal.call(add(1, 2)) == 3


def test_a_call_raises_what_the_coroutine_raises() -> None:
    async def fail() -> None:
        raise KeyError("nothing")

    with pytest.raises(KeyError, match="nothing"):
        portal.call(fail())


def test_all_portals_of_a_process_share_one_daemon_thread() -> None:
    threads = {portal.call(thread()), Portal().call(thread())}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        threads |= set(pool.map(lambda _: Portal().call(thread()), range(20)))
    (only,) = threads
    assert only.daemon
    assert only is not threading.current_thread()


def test_a_coroutine_sees_the_context_variables_of_its_caller() -> None:
    variable = contextvars.ContextVar("variable", default="nothing")

    async def read() -> str:
        return variable.get()

    variable.set("something")
    assert portal.call(read()) == "something"
    assert portal.start(read()).result() == "something"


def test_a_call_that_takes_too_long_is_cancelled_and_has_cleaned_up() -> None:
    endless = Endless()
    with pytest.raises(TimeoutError, match=r"not done within 0\.01 s"):
        portal.call(endless.run(), timeout=0.01)
    assert endless.cleaned_up


def test_a_timeout_of_the_coroutines_own_is_raised_as_it_is() -> None:
    async def give_up() -> None:
        raise TimeoutError("my own")

    with pytest.raises(TimeoutError, match="my own"):
        portal.call(give_up(), timeout=60)


def test_a_timeout_of_no_time_still_waits_for_the_end() -> None:
    endless = Endless()
    with pytest.raises(TimeoutError):
        portal.call(endless.run(), timeout=0)


def test_a_coroutine_that_cancels_itself_has_been_cancelled() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(concurrent.futures.CancelledError):
        portal.call(cancelled())


def test_control_c_cancels_the_coroutine_waits_for_its_clean_up_and_goes_on() -> None:
    endless = Endless()

    def interrupt() -> None:
        endless.started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        portal.call(endless.run())
    assert endless.cleaned_up
    assert portal.call(add(1, 2)) == 3


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers that send signals here")
def test_control_c_at_any_moment_leaves_nothing_behind() -> None:
    said = run(
        """
        import asyncio, random, signal
        from quantum_runtime.service.portal import Portal

        running = set()

        async def states():
            running.add("states")
            try:
                for _ in range(3):
                    await asyncio.sleep(0)
                    yield
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                running.discard("states")

        async def endless():
            async for _ in states():
                pass

        async def tasks():
            return asyncio.all_tasks()

        def interrupt(*_):
            raise KeyboardInterrupt

        portal = Portal()
        portal.call(tasks())
        signal.signal(signal.SIGALRM, interrupt)
        for number in range(400):
            try:
                try:
                    # Once is enough, unless Python swallows it: in what the garbage collector calls, for example.
                    signal.setitimer(signal.ITIMER_REAL, 1e-6 + random.random() * 0.001, 1.0)
                    if number % 2:
                        portal.call(endless())
                    for _ in portal.iterate(states()):
                        pass
                finally:
                    left = set(running)
            except KeyboardInterrupt:
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert not left, number
        assert len(portal.call(tasks())) == 2  # the loop's own, and the one that asks
        """
    )
    assert "Task was destroyed" not in said
    assert "Error" not in said


def test_a_thread_that_cannot_have_a_loop_says_so_instead_of_hanging() -> None:
    run(
        """
        import asyncio
        from quantum_runtime.service.portal import Portal

        def no_loop():
            raise OSError("too many open files")

        make, asyncio.new_event_loop = asyncio.new_event_loop, no_loop
        asyncio.events.new_event_loop = no_loop
        try:
            Portal().call(asyncio.sleep(0))
        except OSError as error:
            assert "too many" in str(error)
        else:
            raise AssertionError
        asyncio.events.new_event_loop = make
        assert Portal().call(asyncio.sleep(0, 3)) == 3
        """
    )


def test_a_call_from_the_loops_own_thread_is_refused_instead_of_waiting_for_itself() -> None:
    async def call_again() -> int:
        return portal.call(add(1, 2))

    with pytest.raises(RuntimeError, match="would wait for itself"):
        portal.call(call_again())


def test_what_was_started_can_be_cancelled() -> None:
    endless = Endless()
    future = portal.start(endless.run())
    endless.started.wait()
    future.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result()


async def numbers(closed: threading.Event) -> AsyncIterator[int]:
    try:
        for number in range(3):
            await asyncio.sleep(0)
            yield number
    finally:
        closed.set()


def test_an_asynchronous_iterator_is_iterated() -> None:
    assert list(portal.iterate(numbers(threading.Event()))) == [0, 1, 2]


def test_an_iterator_that_is_abandoned_is_closed() -> None:
    closed = threading.Event()
    for number in portal.iterate(numbers(closed)):
        if number == 1:
            break
    assert closed.is_set()


def test_an_error_of_an_asynchronous_iterator_is_raised() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise KeyError("nothing")

    iterator = portal.iterate(failing())
    assert next(iterator) == 1
    with pytest.raises(KeyError):
        next(iterator)


def run(script: str) -> str:
    """Run a script in a process of its own, warnings included, and return all it says."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_process_ends_without_a_word_whatever_is_still_going_on() -> None:
    said = run(
        """
        import asyncio
        from quantum_runtime.service.portal import Portal

        async def endless(started):
            try:
                started.set()
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                print("cleaned up")

        async def main():
            started = asyncio.Event()
            task = asyncio.create_task(endless(started))
            await started.wait()
            return task

        async def items():
            try:
                while True:
                    yield 1
            finally:
                print("closed")

        portal = Portal()
        task = portal.call(main())
        iterator = portal.iterate(items())
        next(iterator)
        started = portal.start(asyncio.sleep(3600))
        """
    )
    assert sorted(said.split("\n")) == ["", "cleaned up", "closed"]


def test_a_thread_that_goes_on_when_the_main_one_has_ended_can_look_up_hosts() -> None:
    said = run(
        """
        import asyncio, threading
        from quantum_runtime.service.portal import Portal

        async def look_up():
            return await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)

        def fail():
            raise KeyError("nothing")

        def go_on():
            threading.main_thread().join()
            assert Portal().call(look_up())
            assert Portal().call(asyncio.to_thread(int, "3")) == 3
            try:
                Portal().call(asyncio.to_thread(fail))
            except KeyError:
                print("done")

        threading.Thread(target=go_on).start()
        """
    )
    assert said == "done\n"


def test_a_process_that_never_called_anything_ends_as_well() -> None:
    assert run("from quantum_runtime.service.portal import Portal; Portal()") == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_process_has_a_loop_of_its_own_and_leaves_its_parents_alone() -> None:
    said = run(
        """
        import asyncio, os, sys, warnings
        warnings.filterwarnings("ignore", "This process .* is multi-threaded")
        from quantum_runtime.service.portal import Portal

        async def pid():
            await asyncio.sleep(0.01)
            return os.getpid()

        portal = Portal()
        first = portal.start(asyncio.sleep(3600))
        assert portal.call(pid()) == os.getpid()
        child = os.fork()
        assert portal.call(pid()) == os.getpid()
        if child:
            _, status = os.waitpid(child, 0)
            assert status == 0
            assert portal.call(pid()) == os.getpid()
        sys.exit()
        """
    )
    assert said == ""
