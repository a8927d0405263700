from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from qiskit.providers import JobStatus
from quantum_runtime import exceptions
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS, OUTPUTS
from runtime_runner.encoding import ResultDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.service.aio_job import AsyncRuntimeJob
    from support.fake_api import FakeApi

    from .conftest import Submit


async def until(condition: Callable[[], object]) -> None:
    """Let others work until this is true."""
    while not condition():  # noqa: ASYNC110 - the cluster of the tests is not asyncio's
        await asyncio.sleep(0)


class Listening:
    """Collects what a job streams, in a task."""

    def __init__(self, job: AsyncRuntimeJob, **options: Any) -> None:
        self.heard: list[Any] = []
        self.task = asyncio.create_task(self._listen(job, options))

    async def _listen(self, job: AsyncRuntimeJob, options: dict[str, Any]) -> list[Any]:
        async for value in job.stream(**options):
            self.heard.append(value)
        return self.heard

    async def has(self, count: int) -> None:
        await until(lambda: len(self.heard) >= count)


def numbers(*values: int) -> list[str]:
    return [json.dumps(value) for value in values]


# States


async def test_states_begin_with_the_known_one_and_end_with_the_final_one(api: FakeApi, submit: Submit) -> None:
    job = submit()
    phases = []
    async for view in job.states():
        phases.append(view.phase)
        if view.phase == "Queued":
            api.start_job("toss")
        elif view.published == 0:
            api.publish("toss", "1")
        elif not view.final:
            api.finish("toss")
    assert phases == ["Queued", "Running", "Running", "Completed"]
    assert job.view.final
    assert api.requests == [("watch", "runtimejobs", "")]


async def test_the_states_of_a_job_that_has_ended_ask_nothing(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss")
    await job.refresh()
    api.requests.clear()
    assert [view.phase async for view in job.states()] == ["Completed"]
    assert api.requests == []


async def test_following_does_not_begin_with_reading_what_is_known(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss")
    await job.wait_for_final_state()
    assert api.requests == [("watch", "runtimejobs", "")]


async def test_states_that_are_not_wanted_any_more_leave_no_watch(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.start_job("toss")
    async with contextlib.aclosing(job.states()) as states:
        async for view in states:
            if view.phase == "Running":
                break
    assert api.open_watches == 0


async def test_an_older_state_does_not_replace_a_newer_one(api: FakeApi, submit: Submit) -> None:
    job = submit()
    async with contextlib.aclosing(job.states()) as states:
        await anext(states)
        api.start_job("toss")
        api.finish("toss")
        await job.refresh()
        assert (await anext(states)).phase == "Running"
        assert job.view.phase == "Completed"


async def test_refreshing_tells_a_namesake_from_the_job(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.remove(JOBS, "toss")
    submit()
    with pytest.raises(exceptions.RuntimeJobNotFound, match="Job toss is not in the namespace default any more"):
        await job.refresh()


async def test_a_job_is_not_asked_for_any_more_when_it_has_ended(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss")
    assert await job.status() is JobStatus.DONE
    api.remove(JOBS, "toss")
    assert await job.status() is JobStatus.DONE
    assert api.requests == [("get", "runtimejobs", "toss")]


async def test_a_server_that_is_unavailable_for_a_moment_is_asked_again(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.fail("get", JOBS, errors.Unavailable("one moment"))
    assert await job.status() is JobStatus.QUEUED


async def test_who_may_not_watch_is_told_which_right_is_missing(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.forbid("watch", JOBS)
    with pytest.raises(
        exceptions.IBMNotAuthorizedError, match=r"cannot follow job 'toss': .* may not watch runtimejobs"
    ):
        await job.result()


# Results


async def test_a_result_is_decoded_and_kept(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss", '{"__type__": "complex", "__value__": [1.0, 2.0]}')
    result = await job.result()
    assert result == 1 + 2j
    assert await job.result() is result


class Shouting(ResultDecoder):
    @classmethod
    def decode(cls, data: str) -> Any:
        return data.upper()


class Whispering(ResultDecoder):
    @classmethod
    def decode(cls, data: str) -> Any:
        return super().decode(data).lower()


async def test_another_decoder_decodes_anew(api: FakeApi, submit: Submit) -> None:
    job = submit(result_decoder=Whispering)
    api.finish("toss", '"Heads"')
    assert await job.result() == "heads"
    assert await job.result(decoder=Shouting) == '"HEADS"'
    assert await job.result() == "heads"


async def test_a_pair_of_decoders_is_for_interim_results_and_for_the_result(api: FakeApi, submit: Submit) -> None:
    job = submit(result_decoder=(Shouting, Whispering))
    api.publish("toss", '"One"')
    api.finish("toss", '"Heads"')
    assert await job.result() == "heads"
    assert await job.interim_results() == ['"ONE"']
    assert [value async for value in job.stream(final=True)] == ['"ONE"', "heads"]


async def test_a_result_without_value_is_none(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss", "null")
    assert await job.result() is None


async def test_a_large_result_arrives_as_a_small_one_does(api: FakeApi, submit: Submit) -> None:
    job = submit()
    value = ["ä" * 1000] * 2000
    api.finish("toss", json.dumps(value, ensure_ascii=False))
    assert await job.result() == value
    assert [verb for verb, plural, _ in api.requests if plural == "runtimejoboutputs"] == ["get"] * 8
    api.requests.clear()
    assert await job.result(decoder=Shouting) != value
    assert api.requests == []


async def test_a_result_that_was_damaged_is_not_returned(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss", '"heads"', inline_bytes=1)
    name = (await job.refresh()).result_names[0]
    api.edit(OUTPUTS, name, {"spec": {"text": '"tails"'}})
    with pytest.raises(exceptions.IBMApiError, match=f"the result of job 'toss' is damaged: RuntimeJobOutput {name}"):
        await job.result()


@pytest.mark.parametrize("namesake", [False, True])
async def test_a_job_that_is_deleted_while_its_result_is_read_is_not_found(
    api: FakeApi, submit: Submit, namesake: bool
) -> None:
    def delete(_: object) -> None:
        with contextlib.suppress(errors.NotFound):
            api.remove(JOBS, "toss")
        if namesake:
            submit()

    job = submit()
    api.finish("toss", f'"{"x" * 1_500_000}"')
    api.react("get", OUTPUTS, delete)
    with pytest.raises(exceptions.RuntimeJobNotFound, match="Job toss is not in the namespace"):
        await job.result()


async def test_a_result_whose_output_alone_was_deleted_is_named(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss", f'"{"x" * 100_000}"')
    await job.wait_for_final_state()
    (name,) = job.view.result_names
    api.remove(OUTPUTS, name)
    with pytest.raises(exceptions.IBMApiError, match=f"RuntimeJobOutput {name} is gone"):
        await job.result()


async def test_a_job_that_is_deleted_while_its_interim_results_are_read_is_not_found(
    api: FakeApi, submit: Submit
) -> None:
    job = submit()
    api.publish("toss", *map(str, range(30)), latest=5)
    api.finish("toss")
    view = await job.refresh()
    for name in view.interim_names:
        api.remove(OUTPUTS, name)
    api.remove(JOBS, "toss")
    with pytest.raises(exceptions.RuntimeJobNotFound):
        await job.interim_results()
    with pytest.raises(exceptions.RuntimeJobNotFound):
        [_ async for _ in job.stream()]


async def test_a_decoder_that_cannot_decode_the_result_raises_what_it_raises(api: FakeApi, submit: Submit) -> None:
    job = submit(result_decoder=Whispering)
    api.finish("toss", "[1]")
    with pytest.raises(AttributeError):
        await job.result()


async def test_a_failed_job_raises_its_reason_its_message_and_the_traceback(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.fail_job("toss", "ProgramFailed", "ValueError: no coin", traceback='  File "coin.py", line 3')
    with pytest.raises(exceptions.RuntimeJobFailureError) as caught:
        await job.result()
    assert str(caught.value) == (
        "Unable to retrieve job result. Job toss has failed:\nProgramFailed: ValueError: no coin\n"
        '  File "coin.py", line 3'
    )
    assert (caught.value.job_id, caught.value.reason) == ("toss", "ProgramFailed")
    assert caught.value.traceback == '  File "coin.py", line 3'
    assert await job.status() is JobStatus.ERROR


async def test_a_job_that_ran_too_long_is_a_failure_of_its_own(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.fail_job("toss", "MaxExecutionTimeExceeded", "the program ran for more than 60 s")
    with pytest.raises(exceptions.RuntimeJobMaxTimeoutError) as caught:
        await job.result()
    assert isinstance(caught.value, exceptions.RuntimeJobFailureError)
    assert str(caught.value) == (
        "Unable to retrieve job result. Job toss ran longer than maximum execution time. Job was cancelled:\n"
        "MaxExecutionTimeExceeded: the program ran for more than 60 s"
    )
    assert await job.status() is JobStatus.ERROR


async def test_a_cancelled_job_has_no_result_to_give(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.cancel_job("toss")
    with pytest.raises(exceptions.RuntimeInvalidStateError, match="Job toss was cancelled"):
        await job.result()
    assert await job.status() is JobStatus.CANCELLED


async def test_a_job_that_is_deleted_while_somebody_waits_is_not_found_at_once(api: FakeApi, submit: Submit) -> None:
    job = submit()
    waiting = asyncio.create_task(job.result())
    await until(lambda: api.open_watches)
    api.remove(JOBS, "toss")
    with pytest.raises(exceptions.RuntimeJobNotFound, match="somebody deleted it"):
        await waiting


async def test_a_job_whose_namesake_comes_while_somebody_waits_is_not_found(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.remove(JOBS, "toss")
    submit()
    api.expire()
    with pytest.raises(exceptions.RuntimeJobNotFound):
        await job.result()


@pytest.mark.parametrize("wait", ["result", "wait_for_final_state", "result_text"])
async def test_a_timeout_says_that_the_job_goes_on_and_how_to_find_it(api: FakeApi, submit: Submit, wait: str) -> None:
    job = submit()
    api.wait_for("toss", "Unschedulable", "no node has room")
    await job.refresh()
    with pytest.raises(exceptions.RuntimeJobTimeoutError) as caught:
        await getattr(job, wait)(timeout=0.01)
    assert str(caught.value) == (
        "Job toss has not ended within 0.01 s, it is Queued (Unschedulable: no node has room). It goes on: wait again, "
        "find it later with service.job('toss'), or end it with job.cancel()"
    )
    assert api.open_watches == 0


async def test_no_time_is_enough_for_what_is_known(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss", "1")
    await job.refresh()
    assert await job.result(timeout=0) == 1
    await job.wait_for_final_state(timeout=0)


async def test_a_result_that_its_program_does_not_allow_can_be_had_all_the_same(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.fail_job("toss", "InvalidResult", "not as the program's schemas say: it is no number", result='"heads"')
    with pytest.raises(exceptions.RuntimeJobFailureError, match=r"is kept: job\.unchecked_result\(\)"):
        await job.result()
    assert await job.unchecked_result() == "heads"


async def test_there_is_no_unchecked_result_of_a_job_that_runs_or_returned_nothing(
    api: FakeApi, submit: Submit
) -> None:
    job = submit()
    with pytest.raises(exceptions.RuntimeInvalidStateError, match="Job toss has not ended, it is Queued"):
        await job.unchecked_result()
    api.fail_job("toss", "OOMKilled", "more than 1 GiB")
    with pytest.raises(exceptions.RuntimeJobFailureError, match="OOMKilled"):
        await job.unchecked_result()


async def test_a_job_said_to_be_complete_without_a_result_is_no_success(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.finish("toss", None)
    with pytest.raises(exceptions.IBMApiError, match="its status has no result"):
        await job.result()


# Streams


async def test_interim_results_come_once_and_in_order_and_the_stream_ends_with_the_job(
    api: FakeApi, submit: Submit
) -> None:
    listening = Listening(submit())
    for number in range(5):
        api.publish("toss", str(number), latest=2)
        await listening.has(number + 1)
    api.finish("toss")
    assert await listening.task == [0, 1, 2, 3, 4]


async def test_the_result_comes_last_if_it_is_wanted(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.publish("toss", "1")
    api.finish("toss", '"heads"', inline_bytes=1)
    assert await Listening(job, final=True).task == [1, "heads"]


async def test_a_job_that_fails_streams_what_it_published_and_no_result(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.publish("toss", "1")
    api.fail_job("toss", "ProgramFailed", "no")
    assert await Listening(job, final=True).task == [1]


async def test_nothing_is_lost_when_connections_break_in_mid_stream(api: FakeApi, submit: Submit) -> None:
    listening = Listening(submit())
    for number in range(4):
        await until(lambda: api.open_watches)
        api.break_watches()
        api.publish("toss", str(number), latest=2)
        await listening.has(number + 1)
    api.break_watches()
    api.finish("toss")
    assert await listening.task == [0, 1, 2, 3]


async def test_nothing_is_lost_when_the_server_forgets_the_states_in_between(api: FakeApi, submit: Submit) -> None:
    listening = Listening(submit())
    api.publish("toss", *numbers(0, 1, 2), latest=2)
    api.spill("toss")
    await listening.has(3)
    await until(lambda: api.open_watches)
    api.break_watches()
    api.publish("toss", *numbers(3, 4, 5, 6, 7), latest=2)
    api.expire()
    api.spill("toss")
    await listening.has(8)
    api.finish("toss")
    assert await listening.task == list(range(8))


async def test_who_comes_late_gets_everything_from_the_first(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.publish("toss", *numbers(*range(50)), latest=20)
    api.spill("toss")
    await job.refresh()
    listening = Listening(job)
    await listening.has(50)
    api.finish("toss")
    assert await listening.task == list(range(50))


async def test_a_burst_is_delivered_as_soon_as_it_is_stored(api: FakeApi, submit: Submit) -> None:
    listening = Listening(submit())
    api.publish("toss", *numbers(*range(100)), latest=20)
    await until(lambda: api.open_watches)
    for _ in range(20):
        await asyncio.sleep(0)
    assert listening.heard == []
    api.spill("toss", chunk_bytes=300)
    await listening.has(100)
    api.finish("toss")
    assert await listening.task == list(range(100))


async def test_what_a_crash_has_lost_is_counted_in_a_warning(
    api: FakeApi, submit: Submit, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit()
    api.publish("toss", *numbers(*range(9)), latest=2)
    api.fail_job("toss", "NodeLost", "the node is gone", stored=False)
    assert await Listening(job).task == [7, 8]
    assert "7 interim results of job toss are lost" in caplog.messages


async def test_what_was_more_than_a_job_may_publish_is_counted_in_a_warning(
    api: FakeApi, submit: Submit, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit()
    interims = api.publish("toss", "0", "1")["status"]["interimResults"]
    api.set_status("toss", interimResults=interims | {"published": 5, "dropped": 3})
    api.finish("toss")
    assert await Listening(job).task == [0, 1]
    said = "published 5 interim results; 3 of them, before the newest, are kept nowhere"
    assert any(said in message for message in caplog.messages)


async def test_the_stream_of_a_deleted_job_delivers_what_was_seen_and_says_that_it_is_gone(
    api: FakeApi, submit: Submit
) -> None:
    listening = Listening(submit())
    await until(lambda: api.open_watches)
    api.publish("toss", "1", "2", "3", latest=2)
    api.remove(JOBS, "toss")
    with pytest.raises(exceptions.RuntimeJobNotFound):
        await listening.task
    assert listening.heard == [2, 3]


async def test_an_interim_result_that_cannot_be_decoded_comes_as_text(
    api: FakeApi, submit: Submit, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit()
    api.publish("toss", '"One"', "2", '"Three"')
    api.finish("toss")
    assert await Listening(job, decoder=Whispering).task == ["one", "2", "three"]
    assert await job.interim_results(Whispering) == ["one", "2", "three"]
    assert "Whispering could not decode a result of job toss, its text is delivered" in caplog.messages


async def test_outputs_that_hold_no_interim_results_are_named(api: FakeApi, submit: Submit) -> None:
    job = submit()
    names = api._store_text("toss", "InterimResults", "nonsense\n")
    ref = {"names": names, "size": 9, "sha256": "0" * 64}
    api.set_status("toss", phase="Completed", interimResults={"published": 1, "dropped": 0, "ref": ref})
    with pytest.raises(exceptions.IBMApiError, match=f"interim results of job 'toss' are damaged, in .*{names[0]}"):
        await Listening(job).task


async def test_interim_results_can_be_had_afterwards(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.publish("toss", *numbers(*range(50)), latest=20)
    api.finish("toss")
    assert await job.interim_results() == list(range(50))


async def test_interim_results_of_a_running_job_have_no_gap(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.publish("toss", *numbers(*range(30)), latest=10)
    api.spill("toss")
    assert await job.interim_results() == list(range(30))
    api.publish("toss", *numbers(*range(30, 50)), latest=10)
    assert await job.interim_results() == list(range(20))
    api.spill("toss")
    assert await job.interim_results() == list(range(50))


# Logs and messages


async def test_a_running_job_shows_the_newest_of_its_log_and_says_how_much_is_missing(
    api: FakeApi, submit: Submit, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit()
    api.log("toss", "x" * 20_000)
    assert await job.logs() == "x" * 16_384
    assert caplog.messages == [
        "the newest 16384 of 20000 bytes that job toss wrote: the rest is there when it has ended"
    ]


async def test_the_whole_log_is_there_when_the_job_has_ended(
    api: FakeApi, submit: Submit, caplog: pytest.LogCaptureFixture
) -> None:
    job = submit()
    api.log("toss", "ä" * 20_000)
    api.finish("toss")
    assert await job.logs() == "ä" * 20_000
    assert caplog.messages == []


async def test_a_job_that_said_nothing_has_an_empty_log(submit: Submit) -> None:
    assert await submit().logs() == ""


async def test_only_a_failed_job_has_an_error_message(api: FakeApi, submit: Submit) -> None:
    job = submit()
    assert await job.error_message() is None
    api.fail_job("toss", "ProgramFailed", "no")
    assert await job.error_message() == "Job toss has failed:\nProgramFailed: no"


# Cancelling and tags


async def test_cancelling_asks_for_it_in_the_spec(api: FakeApi, submit: Submit) -> None:
    job = submit()
    await job.cancel()
    assert api.object(JOBS, "toss")["spec"]["cancel"] is True
    assert job.view.cancel_requested
    api.cancel_job("toss")
    await job.wait_for_final_state()
    assert job.view.cancelled


@pytest.mark.parametrize("known", [True, False])
async def test_a_job_that_has_ended_cannot_be_cancelled(api: FakeApi, submit: Submit, known: bool) -> None:
    job = submit()
    api.finish("toss")
    if known:
        await job.refresh()
    with pytest.raises(exceptions.RuntimeInvalidStateError, match="cannot cancel job toss: it has ended, it is Comp"):
        await job.cancel()


async def test_a_cancellation_whose_answer_was_lost_is_one(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.react("patch", JOBS, lambda _: api.cancel_job("toss"))
    api.fail("patch", JOBS, errors.Unavailable("the answer got lost"), after=True)
    await job.cancel()
    assert job.view.cancelled


async def test_a_namesake_is_not_cancelled(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.remove(JOBS, "toss")
    submit()
    with pytest.raises(exceptions.RuntimeJobNotFound):
        await job.cancel()
    assert api.object(JOBS, "toss")["spec"]["cancel"] is False


async def test_who_may_not_cancel_is_told_which_right_is_missing(api: FakeApi, submit: Submit) -> None:
    job = submit()
    api.forbid("patch", JOBS)
    with pytest.raises(
        exceptions.IBMNotAuthorizedError, match=r"cannot cancel job 'toss': .* may not patch runtimejobs"
    ):
        await job.cancel()


async def test_tags_are_replaced(api: FakeApi, submit: Submit) -> None:
    job = submit(tags=["old"])
    assert await job.update_tags(["a", "b"]) == ["a", "b"]
    assert api.object(JOBS, "toss")["spec"]["tags"] == ["a", "b"]
    assert await job.update_tags([]) == []


@pytest.mark.parametrize("tags", ["abc", [1], ["x" * 64], ["x"] * 21])
async def test_what_are_no_tags_is_refused(submit: Submit, tags: Any) -> None:
    with pytest.raises(exceptions.IBMInputValueError, match="tags"):
        await submit().update_tags(tags)


async def test_a_job_shows_its_name_program_and_phase(submit: Submit) -> None:
    assert repr(submit()) == "<AsyncRuntimeJob('toss', program 'coin', Queued)>"


async def test_what_is_no_decoder_is_refused(submit: Submit) -> None:
    with pytest.raises(TypeError, match="result_decoder"):
        submit(result_decoder=3)
