"""Conversations with runners behind the fake cluster: streams break, operators restart, journals lag or are gone."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from runtime_operator.api.names import JobKey
from runtime_operator.kube import errors
from runtime_operator.kube.client import PODS
from runtime_operator.runners.conversation import FIRST_ATTACH_SECONDS
from runtime_operator.runners.conversations import JOURNAL_TRIES, Conversations
from runtime_runner import contract
from runtime_runner.contract import RunnerState
from support import builders
from support.clock import settle, virtual_time
from support.scripted_runner import ScriptedRunner
from support.snapshots import CONFIG
from support.world import ClusterInTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime_operator.observe.pods import Owner
    from runtime_operator.observe.snapshots import RunnerSnapshot

KEY = JobKey("default", "a-job")
JOB = contract.Job(
    job_uid="job-uid",
    job_name="a-job",
    attempt=0,
    files={"main.py": ""},
    entrypoint="main.py",
    inputs={},
    backend_name="aer",
    backend={},
    limits=contract.Limits(execution_seconds=10),
)


pytestmark = pytest.mark.usefixtures("virtual_clock")


class Talk:
    """One pod with a warm runner, and conversations that nobody decides about."""

    def __init__(self) -> None:
        self.kube = ClusterInTime()
        self.kube.put(PODS, builders.pod(uid="pod-uid"))
        self.runner = ScriptedRunner(self.kube, "default", "a-pod", waits_for_the_test)
        self.runner.ready()
        self.news: list[Owner] = []
        self.conversations = Conversations(self.kube, CONFIG.limits, self.news.append, self.news.append)

    def ensure(self, *, runs: bool = True) -> None:
        self.conversations.ensure(KEY, "a-pod", "pod-uid", runs=runs)

    def restart(self) -> None:
        """Forget everything, as a new operator does."""
        self.conversations.retain(KEY, set())
        self.conversations = Conversations(self.kube, CONFIG.limits, self.news.append, self.news.append)
        self.ensure()

    @property
    def seen(self) -> RunnerSnapshot:
        snapshot = self.conversations.snapshot("pod-uid")
        assert snapshot is not None
        return snapshot

    @property
    def sent(self) -> list[str]:
        return [request["kind"] for request in self.runner.requests]


async def waits_for_the_test(runner: ScriptedRunner) -> None:
    await asyncio.sleep(1_000_000)


@asynccontextmanager
async def talking() -> AsyncIterator[Talk]:
    talk = Talk()
    talk.ensure()
    await asyncio.sleep(1)
    yield talk
    await talk.conversations.close()


@virtual_time
async def test_a_conversation_begins_with_where_the_runner_is_and_what_it_has_said() -> None:
    async with talking() as talk:
        assert talk.sent == ["resume"]
        assert (talk.seen.connected, talk.seen.state, talk.seen.job_uid) == (True, RunnerState.READY, "")
        assert talk.news


@virtual_time
async def test_ensuring_a_conversation_twice_is_ensuring_it_once() -> None:
    async with talking() as talk:
        talk.ensure()
        await asyncio.sleep(1)
        assert len(talk.runner.process.attachments) == 1


@virtual_time
async def test_a_runner_that_comes_up_late_is_spoken_to_when_it_is_there() -> None:
    talk = Talk()
    talk.runner.process.running = False
    talk.ensure()
    await asyncio.sleep(5)
    assert not talk.seen.connected
    assert "refused" in talk.seen.trouble
    talk.runner.process.running = True
    await asyncio.sleep(2.1)
    assert talk.seen.connected
    assert talk.seen.trouble == ""
    await talk.conversations.close()


@virtual_time
async def test_nobody_attaches_before_the_container_can_be_there() -> None:
    talk = Talk()
    talk.ensure(runs=False)
    await asyncio.sleep(FIRST_ATTACH_SECONDS / 2)
    assert not talk.runner.process.attachments
    await asyncio.sleep(FIRST_ATTACH_SECONDS)
    assert talk.seen.connected
    await talk.conversations.close()


@virtual_time
async def test_a_container_that_runs_is_attached_to_at_once_whatever_was_waited_for() -> None:
    talk = Talk()
    talk.ensure(runs=False)
    await settle()
    talk.ensure(runs=True)
    await settle()
    assert talk.seen.connected
    await talk.conversations.close()


@virtual_time
async def test_nothing_of_a_conversation_that_is_over_keeps_its_stream() -> None:
    async with talking() as talk:
        stream = weakref.ref(talk.runner.process.attachments[0])
        await talk.conversations.hand_over("pod-uid", JOB)
        await asyncio.sleep(1)
        talk.runner.result('"done"')
        talk.runner._end()
        await asyncio.sleep(1)
        assert talk.seen.exit is not None
        assert stream() is None


@virtual_time
async def test_a_job_is_handed_over_and_known_when_the_runner_says_so() -> None:
    async with talking() as talk:
        talk.runner.muted = True
        await talk.conversations.hand_over("pod-uid", JOB)
        assert not talk.seen.connected, "whether the runner has the job is not known before it answers"
        talk.runner.unmute()
        await asyncio.sleep(1)
        assert (talk.seen.connected, talk.seen.job_uid, talk.seen.state) == (True, "job-uid", RunnerState.RUNNING)


@virtual_time
async def test_a_job_handed_over_twice_is_run_once() -> None:
    async with talking() as talk:
        for _ in range(3):
            await talk.conversations.hand_over("pod-uid", JOB)
            await asyncio.sleep(1)
        assert talk.runner.executions == 1
        assert talk.seen.job_uid == "job-uid"


@virtual_time
async def test_a_job_cannot_be_handed_over_without_a_stream() -> None:
    async with talking() as talk:
        talk.runner.process.drop_streams()
        await settle()
        with pytest.raises(errors.Unavailable):
            await talk.conversations.hand_over("pod-uid", JOB)
        with pytest.raises(errors.Unavailable):
            await talk.conversations.hand_over("nobody", JOB)
        assert "job" not in talk.sent


@virtual_time
async def test_half_a_request_of_a_broken_stream_does_not_swallow_the_next_one() -> None:
    async with talking() as talk:
        talk.runner.process.read(contract.encode(JOB)[:40])
        talk.runner.process.on_request = None
        talk.runner.process.drop_streams()
        await asyncio.sleep(1)
        assert talk.runner.process.requests[-1] == b'{"kind":"resume"}'


@virtual_time
async def test_what_was_said_while_the_stream_was_down_is_read_in_the_log_once() -> None:
    async with talking() as talk:
        await talk.conversations.hand_over("pod-uid", JOB)
        await asyncio.sleep(1)
        for n in range(9):
            talk.runner.interim(str(n))
            talk.runner.log(f"{n}\n")
            if n % 3 == 1:
                talk.runner.process.drop_streams()
            await asyncio.sleep(0.03 * n)
        await asyncio.sleep(5)
        assert [i.value for i in talk.seen.interims] == [str(n) for n in range(9)]
        assert talk.seen.log_tail == "".join(f"{n}\n" for n in range(9))


@virtual_time
async def test_a_new_operator_hears_everything_from_the_beginning() -> None:
    async with talking() as talk:
        await talk.conversations.hand_over("pod-uid", JOB)
        talk.runner.log("one\n")
        await asyncio.sleep(1)
        talk.restart()
        await asyncio.sleep(1)
        assert (talk.seen.job_uid, talk.seen.log_tail, talk.seen.state) == ("job-uid", "one\n", RunnerState.RUNNING)
        talk.runner.log("two\n")
        await asyncio.sleep(1)
        assert talk.seen.log_tail == "one\ntwo\n"


@virtual_time
async def test_a_log_that_lags_behind_the_stream_is_waited_for() -> None:
    async with talking() as talk:
        journal = talk.runner.process.journal
        talk.runner.process.drop_streams()
        talk.runner.log("one\n")
        late = journal.pop()
        asyncio.get_running_loop().call_later(0.5, journal.append, late)
        await asyncio.sleep(3)
        assert talk.seen.log_tail == "one\n"
        assert talk.seen.connected


@virtual_time
async def test_a_log_that_lost_an_event_is_not_passed_over() -> None:
    async with talking() as talk:
        talk.runner.process.drop_streams()
        talk.runner.log("lost\n")
        talk.runner.process.journal.pop()
        await asyncio.sleep(5)
        assert not talk.seen.connected
        assert "the container log ends at event" in talk.seen.trouble


@virtual_time
async def test_lines_that_are_no_events_are_passed_over() -> None:
    async with talking() as talk:
        talk.runner.process.say(b"Fatal Python error", b"{}", b'{"kind":"log"}', b"\xff\xfe", b"[" * 100_000)
        talk.runner.log("one\n")
        await asyncio.sleep(1)
        assert talk.seen.log_tail == "one\n"


@virtual_time
async def test_a_silent_runner_is_not_connected_and_not_shouted_at() -> None:
    talk = Talk()
    talk.runner.silent = True
    talk.ensure()
    await asyncio.sleep(100)
    assert not talk.seen.connected
    assert talk.sent == ["resume"]
    await talk.conversations.close()


@virtual_time
async def test_the_conversation_is_over_with_the_last_event() -> None:
    async with talking() as talk:
        await talk.conversations.hand_over("pod-uid", JOB)
        await asyncio.sleep(1)
        talk.runner.result("1")
        talk.runner._end()
        await asyncio.sleep(1)
        assert talk.seen.result == "1"
        assert talk.seen.exit is not None
        assert talk.runner.process.attachments == []


@virtual_time
async def test_a_cancel_is_sent_and_when_is_remembered() -> None:
    async with talking() as talk:
        await talk.conversations.hand_over("pod-uid", JOB)
        await asyncio.sleep(1)
        await talk.conversations.send_cancel("pod-uid")
        assert talk.seen.cancel_sent_at is not None
        await asyncio.sleep(1)
        assert talk.runner.cancelled.is_set()
        assert talk.seen.failure is not None


@virtual_time
async def test_the_log_of_a_pod_that_has_ended_is_read_after_the_stream_was_closed() -> None:
    async with talking() as talk:
        await talk.conversations.hand_over("pod-uid", JOB)
        await asyncio.sleep(1)
        talk.runner.process.attachments.clear()
        talk.runner.log("last words\n")
        talk.runner.kill()
        await talk.conversations.read_journal(KEY, "a-pod", "pod-uid")
        assert talk.seen.journal_read
        assert talk.seen.log_tail == "last words\n"


@virtual_time
async def test_the_log_of_a_pod_nobody_ever_spoke_to_is_read() -> None:
    talk = Talk()
    talk.runner.log("alone\n")
    talk.runner.kill()
    await talk.conversations.read_journal(KEY, "a-pod", "pod-uid")
    assert (talk.seen.journal_read, talk.seen.log_tail) == (True, "alone\n")


@virtual_time
async def test_a_log_that_cannot_be_read_is_given_up_after_a_number_of_tries() -> None:
    async with talking() as talk:
        talk.kube.fail_next("log", PODS, errors.Unavailable("kubelet away"), times=JOURNAL_TRIES)
        for _ in range(JOURNAL_TRIES - 1):
            with pytest.raises(errors.Unavailable):
                await talk.conversations.read_journal(KEY, "a-pod", "pod-uid")
            assert not talk.seen.journal_read
        await talk.conversations.read_journal(KEY, "a-pod", "pod-uid")
        assert talk.seen.journal_read


@virtual_time
async def test_the_log_of_a_pod_that_is_gone_counts_as_read() -> None:
    async with talking() as talk:
        talk.kube.remove(PODS, "default", "a-pod")
        await talk.conversations.read_journal(KEY, "a-pod", "pod-uid")
        assert talk.seen.journal_read


@virtual_time
async def test_a_conversation_with_a_pod_that_is_gone_ends() -> None:
    async with talking() as talk:
        talk.kube.remove(PODS, "default", "a-pod")
        await asyncio.sleep(10)
        assert not talk.seen.connected
        assert all(not task.get_name().startswith("conversation") for task in asyncio.all_tasks())


@virtual_time
async def test_conversations_that_are_not_retained_are_dropped() -> None:
    async with talking() as talk:
        talk.conversations.retain(KEY, {"pod-uid"})
        assert talk.seen.connected
        talk.conversations.retain(KEY, {"another"})
        await asyncio.sleep(1)
        assert talk.conversations.snapshot("pod-uid") is None
        assert talk.runner.process.attachments == []
        talk.conversations.retain(KEY, set())


@virtual_time
async def test_closing_ends_the_conversations_and_not_the_programs() -> None:
    async with talking() as talk:
        await talk.conversations.hand_over("pod-uid", JOB)
        await asyncio.sleep(1)
        await talk.conversations.close()
        await asyncio.sleep(1)
        assert talk.runner.process.running
        assert talk.runner.process.attachments == []
        assert "cancel" not in talk.sent
