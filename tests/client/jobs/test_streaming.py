from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import exceptions
from quantum_runtime.cluster.api import JOBS, OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.fake_api import FakeApi

    from .conftest import SubmitSync


class Callback:
    """Keeps what it is called with, and does what a test wants with it."""

    def __init__(self, then: Callable[[Any], object] | None = None) -> None:
        self.heard: list[Any] = []
        self.jobs: set[str] = set()
        self.threads: set[str] = set()
        self._then = then
        self._changed = threading.Condition()

    def __call__(self, job_id: str, value: Any) -> None:
        with self._changed:
            self.heard.append(value)
            self.jobs.add(job_id)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()
        if self._then is not None:
            self._then(value)

    def has(self, count: int) -> None:
        """Return when it was called so often."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.heard) >= count, 30)


def test_a_callback_gets_every_interim_result_once_and_in_order(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    callback = Callback()
    job.stream_results(callback)
    for number in range(60):
        api.publish("toss", str(number), latest=20)
    api.finish("toss", '"heads"')
    assert job.result() == "heads"
    assert callback.heard == list(range(60))
    assert callback.jobs == {"toss"}
    assert callback.threads == {"results of toss"}


def test_a_result_is_returned_after_a_slow_callback_has_had_everything(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    returned: list[Any] = []

    def be_slow(value: int) -> None:
        job.wait_for_final_state()
        returned.append(value)

    job.stream_results(Callback(be_slow))
    api.publish("toss", "1", "2")
    api.finish("toss", "3")
    assert job.result() == 3
    assert returned == [1, 2]


def test_waiting_for_the_end_waits_for_the_callback_too(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    callback = Callback()
    job.stream_results(callback)
    api.publish("toss", *map(str, range(30)), latest=5)
    api.finish("toss")
    job.wait_for_final_state()
    assert callback.heard == list(range(30))


def test_a_callback_that_takes_longer_than_the_user_waits_is_a_timeout(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    may_go_on = threading.Event()
    callback = Callback(lambda _: may_go_on.wait(30))
    job.stream_results(callback)
    api.publish("toss", "1")
    api.finish("toss")
    callback.has(1)
    job.refresh()
    with pytest.raises(exceptions.RuntimeJobTimeoutError, match=r"Job toss has ended, but .* a callback is still busy"):
        job.result(timeout=0.01)
    may_go_on.set()
    job.result()


def test_a_slow_callback_holds_up_no_other_job(api: FakeApi, submit_sync: SubmitSync) -> None:
    may_go_on = threading.Event()
    slow, quick = submit_sync("slow"), submit_sync("quick")
    slow_callback, quick_callback = Callback(lambda _: may_go_on.wait(30)), Callback()
    slow.stream_results(slow_callback)
    quick.stream_results(quick_callback)
    api.publish("slow", "1", "2")
    slow_callback.has(1)
    api.publish("quick", "1", "2")
    api.finish("quick", "3")
    assert quick.result() == 3
    assert (slow_callback.heard, quick_callback.heard) == ([1], [1, 2])
    may_go_on.set()
    api.finish("slow", "4")
    assert slow.result() == 4
    assert slow_callback.heard == [1, 2]


def test_a_callback_attached_late_gets_everything_from_the_first(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.publish("toss", *map(str, range(50)), latest=20)
    api.spill("toss")
    callback = Callback()
    job.stream_results(callback)
    callback.has(50)
    api.finish("toss")
    job.result()
    assert callback.heard == list(range(50))


def test_a_callback_attached_to_a_job_that_has_ended_unnoticed_gets_everything(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    job = submit_sync()
    api.publish("toss", "1", "2")
    api.finish("toss", "3")
    callback = Callback()
    job.stream_results(callback)
    assert job.result() == 3
    assert callback.heard == [1, 2]


def test_a_callback_attached_to_a_job_that_is_known_to_have_ended_gets_everything(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    job = submit_sync()
    api.publish("toss", *map(str, range(30)), latest=5)
    api.finish("toss", '"heads"')
    assert job.result() == "heads"
    first, second = Callback(), Callback()
    job.stream_results(first)
    assert job.result() == "heads"
    job.stream_results(second, final=True)
    job.wait_for_final_state()
    assert first.heard == list(range(30))
    assert second.heard == [*range(30), "heads"]


def test_what_cannot_be_called_or_decode_is_refused_at_once(submit_sync: SubmitSync) -> None:
    job = submit_sync()
    with pytest.raises(TypeError, match="callback is None"):
        job.stream_results(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="result_decoder"):
        job.stream_results(Callback(), "json")
    job.stream_results(Callback())
    job.cancel_result_streaming()


def test_results_are_not_streamed_twice_at_a_time(submit_sync: SubmitSync) -> None:
    job = submit_sync()
    job.stream_results(Callback())
    with pytest.raises(exceptions.RuntimeInvalidStateError, match="are being streamed already"):
        job.stream_results(Callback())
    job.cancel_result_streaming()


def test_an_exception_in_a_callback_is_logged_and_streaming_goes_on(
    api: FakeApi, submit_sync: SubmitSync, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(value: int) -> None:
        if value == 1:
            raise ValueError("not one")

    job = submit_sync()
    callback = Callback(fail)
    job.stream_results(callback)
    api.publish("toss", "0", "1", "2")
    api.finish("toss")
    job.result()
    assert callback.heard == [0, 1, 2]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.name.startswith("quantum_runtime.")
    assert record.getMessage() == "the callback of job toss raised an exception; it goes on"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


def test_a_callback_may_cancel_its_job_and_is_not_called_again(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.react("patch", JOBS, lambda _: api.cancel_job("toss"))
    callback = Callback(lambda value: job.cancel() if value == 1 else None)
    job.stream_results(callback)
    api.publish("toss", "0", "1", "2")
    with pytest.raises(exceptions.RuntimeInvalidStateError, match="was cancelled"):
        job.result()
    assert callback.heard == [0, 1]
    assert job.interim_results() == [0, 1, 2]


def test_a_callback_may_wait_for_the_result(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    results = []
    callback = Callback(lambda _: results.append(job.result()))
    job.stream_results(callback)
    api.publish("toss", "1")
    callback.has(1)
    api.finish("toss", "2")
    assert job.result() == 2
    assert results == [2]


def test_a_callback_may_end_the_streaming(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    callback = Callback(lambda _: job.cancel_result_streaming())
    job.stream_results(callback)
    api.publish("toss", "1", "2")
    callback.has(1)
    api.finish("toss", "3")
    assert job.result() == 3
    assert callback.heard == [1]


def test_a_callback_that_exits_ends_the_streaming(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    callback = Callback(lambda _: sys.exit())
    job.stream_results(callback)
    api.publish("toss", "1", "2")
    callback.has(1)
    api.wait_until(lambda: api.open_watches == 0)
    api.finish("toss", "3")
    assert job.result() == 3
    assert callback.heard == [1]


def test_ending_what_is_not_streaming_does_nothing(submit_sync: SubmitSync) -> None:
    submit_sync().cancel_result_streaming()


def test_streaming_can_begin_anew_from_the_first(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    api.publish("toss", "1", "2")
    first, second = Callback(), Callback()
    job.stream_results(first)
    first.has(2)
    job.cancel_result_streaming()
    job.stream_results(second)
    api.publish("toss", "3")
    api.finish("toss")
    job.result()
    assert second.heard == [1, 2, 3]
    assert first.heard == [1, 2]


def test_streaming_that_has_ended_leaves_no_watch(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    job.stream_results(Callback())
    api.wait_until(lambda: api.open_watches == 1)
    job.cancel_result_streaming()
    api.wait_until(lambda: api.open_watches == 0)


def test_the_result_is_passed_to_the_callback_last_if_it_is_wanted(api: FakeApi, submit_sync: SubmitSync) -> None:
    job = submit_sync()
    callback = Callback()
    job.stream_results(callback, final=True)
    api.publish("toss", "1")
    api.finish("toss", '"heads"')
    job.wait_for_final_state()
    assert callback.heard == [1, "heads"]


def test_a_callback_has_its_own_decoder_and_gets_the_text_of_what_that_cannot_decode(
    api: FakeApi, submit_sync: SubmitSync, caplog: pytest.LogCaptureFixture
) -> None:
    class Number:
        @staticmethod
        def decode(data: str) -> int:
            return int(data) + 100

    job = submit_sync()
    callback = Callback()
    job.stream_results(callback, Number)
    api.publish("toss", "1", '"two"')
    api.finish("toss", "3")
    assert job.result() == 3
    assert callback.heard == [101, '"two"']
    assert "Number could not decode a result of job toss, its text is delivered" in caplog.messages


def test_a_job_deleted_while_it_streams_is_not_found_and_the_log_says_why_the_callback_gets_no_more(
    api: FakeApi, submit_sync: SubmitSync, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit_sync()
    callback = Callback()
    job.stream_results(callback)
    api.publish("toss", "1")
    callback.has(1)
    api.remove(JOBS, "toss")
    with pytest.raises(exceptions.RuntimeJobNotFound):
        job.result()
    assert any("no more results of job toss can be delivered: Job toss is not in" in text for text in caplog.messages)


def test_a_job_that_fails_has_told_its_callback_everything_before_it_raises(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    job = submit_sync()
    callback = Callback()
    job.stream_results(callback, final=True)
    api.publish("toss", *map(str, range(30)), latest=5)
    api.fail_job("toss", "ProgramFailed", "no")
    with pytest.raises(exceptions.RuntimeJobFailureError):
        job.result()
    assert callback.heard == list(range(30))


def test_who_attaches_where_a_watch_is_forbidden_is_told_in_the_log(
    api: FakeApi, submit_sync: SubmitSync, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit_sync()
    api.forbid("watch", JOBS)
    job.stream_results(Callback())
    with pytest.raises(exceptions.IBMNotAuthorizedError, match="may not watch"):
        job.result()
    assert any("no more results of job toss can be delivered: cannot follow" in text for text in caplog.messages)


def test_a_callback_may_run_other_jobs_and_wait_for_them(api: FakeApi, submit_sync: SubmitSync) -> None:
    tosses: list[Any] = []

    def toss_again(value: int) -> None:
        name = f"toss-{value}"
        another, heard = submit_sync(name), Callback()
        another.stream_results(heard)
        api.publish(name, str(value * 10))
        api.finish(name, str(value * 100))
        tosses.append((another.result(), heard.heard))

    job = submit_sync()
    job.stream_results(Callback(toss_again))
    api.publish("toss", "1", "2", "3")
    api.finish("toss", "0")
    assert job.result() == 0
    assert tosses == [(100, [10]), (200, [20]), (300, [30])]


def test_a_job_that_is_asked_for_its_result_by_many_threads_gives_it_to_all(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    job, callback = submit_sync(), Callback()
    job.stream_results(callback)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(job.result) for _ in range(8)]
        api.wait_until(lambda: api.open_watches > 0)
        api.publish("toss", "1")
        api.finish("toss", '"heads"')
        assert [one.result() for one in waiting] == ["heads"] * 8
    assert callback.heard == [1]


def test_streaming_that_is_ended_while_stored_results_are_read_leaves_nothing(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    job, callback = submit_sync(), Callback()
    api.publish("toss", *map(str, range(30)), latest=5)
    api.spill("toss", chunk_bytes=200)
    api.react("get", OUTPUTS, lambda _: job.cancel_result_streaming())
    job.refresh()
    job.stream_results(callback)
    api.wait_until(lambda: ("get", "runtimejoboutputs", job.view.interim_names[0]) in api.requests)
    api.wait_until(lambda: api.open_watches == 0)
    api.finish("toss", "1")
    assert job.result() == 1
    assert callback.heard == []


def test_waiting_again_and_again_leaves_nothing_behind(submit_sync: SubmitSync) -> None:
    job = submit_sync()
    job.stream_results(Callback())
    for _ in range(20):
        with pytest.raises(exceptions.RuntimeJobTimeoutError):
            job.result(timeout=0)
    assert job._stream is not None
    assert job._stream._over._waiting == set()
    job.cancel_result_streaming()


def test_a_hundred_jobs_that_have_ended_leave_no_thread_and_no_watch(api: FakeApi, submit_sync: SubmitSync) -> None:
    jobs = [submit_sync(f"job-{number}") for number in range(100)]
    callbacks = [Callback() for _ in jobs]
    for job, callback in zip(jobs, callbacks, strict=True):
        job.stream_results(callback)
    api.wait_until(lambda: api.open_watches == 100)
    for number, job in enumerate(jobs):
        api.publish(str(job.job_id), str(number))
        api.finish(str(job.job_id), str(number))
    assert [job.result() for job in jobs] == list(range(100))
    assert [callback.heard for callback in callbacks] == [[number] for number in range(100)]
    for thread in threading.enumerate():
        if thread.name.startswith("results of job-"):
            thread.join(30)
    assert api.open_watches == 0


def test_a_namesake_of_a_deleted_job_is_not_streamed(
    api: FakeApi, submit_sync: SubmitSync, caplog: pytest.LogCaptureFixture
) -> None:
    job, callback = submit_sync(), Callback()
    api.publish("toss", "1")
    job.stream_results(callback)
    callback.has(1)
    api.remove(JOBS, "toss")
    submit_sync()
    api.publish("toss", "2")
    api.finish("toss")
    with pytest.raises(exceptions.RuntimeJobNotFound):
        job.result()
    assert callback.heard == [1]
    assert any("no more results of job toss can be delivered" in text for text in caplog.messages)


def test_twenty_jobs_at_a_time_each_get_their_own_over_broken_connections(
    api: FakeApi, submit_sync: SubmitSync
) -> None:
    jobs = [submit_sync(f"job-{number}") for number in range(20)]
    callbacks = [Callback() for _ in jobs]
    for job, callback in zip(jobs, callbacks, strict=True):
        job.stream_results(callback)
    for step in range(30):
        for number, job in enumerate(jobs):
            api.publish(str(job.job_id), f"{1000 * number + step}", latest=5)
            if step % 7 == number % 7:
                api.spill(str(job.job_id))
        if step % 10 == 5:
            api.break_watches()
        if step == 20:
            api.expire()
            api.break_watches()
    for number, job in enumerate(jobs):
        api.finish(str(job.job_id), str(number))
    assert [job.result() for job in jobs] == list(range(20))
    for number, callback in enumerate(callbacks):
        assert callback.heard == [1000 * number + step for step in range(30)]
        assert callback.jobs == {f"job-{number}"}
