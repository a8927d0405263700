"""Fifty jobs at once, with an operator that counts what it writes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from e2e.support.operators import LocalOperator, stopped_in_the_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.support.cluster import Cluster, Job, Space

JOBS = 50

SQUARE = """
def main(backend, user_messenger, number):
    user_messenger.publish(number)
    return number * number
"""


@pytest.fixture(scope="module")
def operator(cluster: Cluster, space: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOperator]:
    """The only operator there is meanwhile, for this namespace."""
    operator = LocalOperator(cluster, tmp_path_factory.mktemp("operator"), space.name)
    with stopped_in_the_cluster(cluster):
        operator.start()
        try:
            yield operator
        finally:
            operator.end()


@pytest.mark.timeout(300)
def test_fifty_jobs_complete_and_each_costs_few_writes(space: Space, operator: LocalOperator) -> None:
    program = space.program(SQUARE)
    jobs: list[Job] = [space.job(program, inputs={"number": n}, ttl={"podSeconds": 0}) for n in range(JOBS)]
    for number, job in enumerate(jobs):
        status = job.ended(seconds=240)
        assert (status["phase"], status["result"]) == ("Completed", str(number * number)), status
        assert [i["value"] for i in status["interimResults"]["latest"]] == [str(number)]
    for job in jobs:
        job.without_pods()
        assert len(job.pods_ever()) == 1
    writes: Counter[str] = Counter(operator.stop()["writes"])
    assert writes.pop("create pods") == JOBS
    assert writes.pop("patch pods") == JOBS, "one claim a job"
    assert writes.pop("delete pods") <= 2 * JOBS, "a deletion that has not been seen yet may be asked for again"
    assert writes.pop("patch runtimejobs/status") <= 5 * JOBS, "no room, starting, handed over, running, ended"
    assert writes.pop("create networkpolicies") == 1
    assert writes.pop("create serviceaccounts") == 1
    assert writes.pop("patch runtimeprograms/status") == 1
    assert not writes, "and nothing else"
