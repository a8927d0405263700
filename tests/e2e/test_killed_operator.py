"""An operator that is killed at the worst moments, and what its successor finds: every job ends exactly once.

Nine operators, each with a namespace and a job of its own, die at nine moments, and are started again at once.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from e2e.support.cluster import Job
from e2e.support.killed_operator import MOMENTS
from e2e.support.operators import LocalOperator, stopped_in_the_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.support.cluster import Cluster, Object, Space

COUNTS = 6

PROGRAM = f"""
import os, time, uuid

def main(backend, user_messenger, size):
    start = str(uuid.uuid4())
    print("started", start)
    for i in range({COUNTS}):
        user_messenger.publish({{"start": start, "host": os.uname().nodename, "i": i}})
        time.sleep(0.3)
    print("ended", start)
    return start + "." * size
"""

LARGE = 100_000
NAME = "survivor"


@dataclass(frozen=True)
class Life:
    """A job whose operator was killed."""

    space: Space
    program: str
    operator: LocalOperator
    size: int

    @property
    def job(self) -> Job:
        """The job."""
        return Job(self.space, NAME)


@pytest.fixture(scope="module")
def lives(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Life]]:
    """All of them: started, killed, and started again."""
    lives = {moment: life(cluster, moment, tmp_path_factory.mktemp("operator")) for moment in MOMENTS}
    with stopped_in_the_cluster(cluster), ThreadPoolExecutor(len(MOMENTS)) as threads:
        try:
            list(threads.map(die_and_rise, lives, lives.values()))
            yield lives
        finally:
            for one in lives.values():
                one.operator.end()
                one.space.remove()


def life(cluster: Cluster, moment: str, folder: Path) -> Life:
    space = cluster.namespace("killed")
    size = LARGE if "chunks" in moment else 0
    return Life(space, space.program(PROGRAM), LocalOperator(cluster, folder, space.name), size)


def die_and_rise(moment: str, life: Life) -> None:
    life.operator.start(killed=moment)
    life.space.job(life.program, name=NAME, inputs={"size": life.size}, ttl={"podSeconds": 600})
    life.operator.wait_killed()
    life.operator.start()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_job_whose_operator_was_killed_ends_as_if_nothing_had_happened(lives: dict[str, Life], moment: str) -> None:
    life = lives[moment]
    status = life.job.ended()
    assert status["phase"] == "Completed", status
    [pod] = life.job.pods_ever()
    values = [json.loads(interim["value"]) for interim in status["interimResults"]["latest"]]
    start = values[0]["start"]
    assert values == [{"start": start, "host": pod["metadata"]["name"], "i": i} for i in range(COUNTS)]
    assert status["interimResults"]["published"] == COUNTS
    assert status["logs"]["tail"] == f"started {start}\nended {start}\n", "it ran once, and was heard once"
    assert json.loads(result(life, status)) == start + "." * life.size
    check_once(life, status)


def result(life: Life, status: Object) -> str:
    if not life.size:
        text: str = status["result"]
        return text
    ref = status["resultRef"]
    whole = life.job.output(ref)
    assert (len(whole.encode()), hashlib.sha256(whole.encode()).hexdigest()) == (ref["size"], ref["sha256"])
    outputs = {output["metadata"]["name"] for output in life.space.list("runtimejoboutputs")}
    assert outputs == set(ref["names"]), "nothing is stored twice"
    return whole


def check_once(life: Life, status: Object) -> None:
    """The job went through its phases once, its end was written once, and its runner entered the program once."""
    phases = life.job.phases()
    assert phases in (["Queued", "Running", "Completed"], ["Queued", "Completed"]), phases
    ends = [state for state in life.job.states() if state.get("phase") == "Completed"]
    assert ends == [status], "the end is final"
    journal = life.space.kubectl("logs", status["runner"]["pod"]).splitlines()
    assert [json.loads(line)["kind"] for line in journal].count("started") == 1
