"""The simulated runner against the real supervisor: the same requests, the same events in the same order."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from runner.conftest import make_bare_install
from runner.harness import Runner, make_job
from runtime_runner import contract
from support.simulated.runner import SimulatedRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
    import time

    def main(backend, user_messenger, seconds=0, interims=0, log_lines=0, result="done"):
        for number in range(log_lines):
            print(f"line {number}")
        for number in range(interims):
            time.sleep(seconds / (interims + 1))
            user_messenger.publish(number)
        time.sleep(seconds / (interims + 1))
        return result
"""

Step = bytes | type[contract.AnyEvent]
"""Requests to send in one piece, or an event to wait for."""


def requests(*several: contract.Request) -> bytes:
    return b"".join(contract.encode(one) for one in several)


def job(**inputs: Any) -> contract.Job:
    return make_job(PROGRAM, inputs)


OTHER = dataclasses.replace(job(), job_uid="uid-2")
BUSY = job(interims=3, log_lines=2, result={"counts": [1, 2]})
ENDLESS = job(seconds=1000)

DIALOGUES: dict[str, tuple[Step, ...]] = {
    "a runner that is asked where it is": (contract.Ready, requests(contract.Resume()), contract.Resumed),
    "a job with interim results and a log": (contract.Ready, requests(BUSY), contract.Exit),
    "a job handed over together with the question that follows it": (
        contract.Ready,
        requests(BUSY, contract.Resume()),
        contract.Exit,
    ),
    "the same job twice, and another one": (contract.Ready, requests(BUSY, BUSY, OTHER), contract.Exit),
    "a job that is held until it may be entered": (
        contract.Ready,
        requests(dataclasses.replace(BUSY, hold=True), contract.Resume()),
        contract.Resumed,
        requests(contract.Enter(job_uid="uid-2"), contract.Enter(job_uid="uid-1")),
        contract.Exit,
    ),
    "a job that is cancelled while it runs": (
        contract.Ready,
        requests(ENDLESS),
        contract.Started,
        requests(contract.Cancel()),
        contract.Exit,
    ),
    "a runner that is cancelled before it has a job": (contract.Ready, requests(contract.Cancel()), contract.Exit),
    "a line that is no request": (contract.Ready, b'{"kind": "unknown"}\n', contract.Refused),
}


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_bare_install(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def real(bare_python: str) -> Iterator[Runner]:
    runner = Runner([bare_python])
    yield runner
    runner.close()


class Listener:
    """Somebody attached to a simulated runner."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[contract.AnyEvent] = asyncio.Queue()

    def say(self, data: bytes) -> None:
        self.events.put_nowait(contract.parse_event(data))

    def end(self) -> None:
        raise AssertionError("it is the kubelet that ends streams")


@pytest.mark.parametrize("dialogue", DIALOGUES.values(), ids=DIALOGUES.keys())
async def test_a_simulated_runner_says_what_a_real_one_says(real: Runner, dialogue: tuple[Step, ...]) -> None:
    assert outline(await played_to_a_simulated_one(dialogue)) == outline(played_to_a_real_one(real, dialogue))


def played_to_a_real_one(runner: Runner, dialogue: tuple[Step, ...]) -> list[contract.AnyEvent]:
    said: list[contract.AnyEvent] = []
    for step in dialogue:
        if isinstance(step, bytes):
            runner.send(step)
            continue
        said.append(runner.next_event())
        while not isinstance(said[-1], step):
            said.append(runner.next_event())
    return said


async def played_to_a_simulated_one(dialogue: tuple[Step, ...]) -> list[contract.AnyEvent]:
    runner, listener = SimulatedRunner(), Listener()
    runner.attached(listener)
    said: list[contract.AnyEvent] = []
    for step in dialogue:
        if isinstance(step, bytes):
            runner.hear(step)
            continue
        said.append(await listener.events.get())
        while not isinstance(said[-1], step):
            said.append(await listener.events.get())
    assert runner.log().splitlines() == [contract.encode(event).rstrip() for event in said]
    return said


def outline(said: list[contract.AnyEvent]) -> tuple[list[Any], str]:
    """Return what is said and in which order, without times and versions; log lines may come in other pieces."""
    numbers = [event.seq for event in said if not isinstance(event, contract.Resumed | contract.Refused)]
    assert numbers == list(range(1, len(numbers) + 1))
    text = "".join(event.text for event in said if isinstance(event, contract.Log))
    return [_essence(event) for event in said if not isinstance(event, contract.Log)], text


def _essence(event: contract.AnyEvent) -> Any:
    match event:
        case contract.Ready():
            return (event.kind, event.protocol)
        case contract.Failed():  # how a stopped program ended is told by the real one alone
            return (event.kind, event.reason, event.message.split(";")[0])
        case _:
            left_out = ("seq", "time", "execution_seconds")
            return (event.kind, {k: v for k, v in dataclasses.asdict(event).items() if k not in left_out})
