"""Which waiting pods a job may take, and which pods are believed to be a pool's."""

from __future__ import annotations

from typing import Any

import pytest
from runtime_operator.api.names import PoolKey
from runtime_operator.api.v1alpha1 import RunnerPoolSpec
from runtime_operator.decide.warm import candidates, is_believed, is_ready
from runtime_operator.observe.pools import PoolPod, PoolSnapshot
from runtime_runner.contract import RunnerState
from support import snapshots
from support.clock import START
from support.snapshots import CONFIG

LIMITS = CONFIG.limits
RUN = 300


def waiting_pod(uid: str = "p", runner: dict[str, Any] | None = None, *, taken: bool = False, **fields: Any) -> PoolPod:
    defaults = {
        "uid": uid,
        "name": uid,
        "job_uid": "",
        "job_name": "",
        "pool": "a-pool",
        "pool_uid": "pool-uid",
        "template": "t",
        "deadline_seconds": 100_000,
    }
    return PoolPod(
        pod=snapshots.pod(**(defaults | fields)),
        runner=snapshots.runner(**({"pod_uid": uid} | (runner or {}))),
        taken=taken,
    )


def choice(*pods: PoolPod, now: float = START) -> list[str]:
    return [pod.uid for pod in candidates(pods, "t", RUN, LIMITS, now)]


def test_the_oldest_pod_is_taken_first() -> None:
    young, old = waiting_pod("young", created=START), waiting_pod("old", created=START - 10)
    assert choice(young, old) == ["old", "young"]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(waiting_pod(taken=True), id="somebody is claiming it"),
        pytest.param(waiting_pod(template="other"), id="it was made from another template"),
        pytest.param(waiting_pod(running=False), id="the kubelet has not said that it runs"),
        pytest.param(waiting_pod(exit_code=0), id="its container has ended"),
        pytest.param(waiting_pod(phase="Failed"), id="it has failed"),
        pytest.param(waiting_pod(deleting_since=START), id="it is being deleted"),
        pytest.param(waiting_pod(ready_lost_since=START), id="its node is lost"),
        pytest.param(waiting_pod(runner={"connected": False}), id="the stream to it is not open"),
        pytest.param(waiting_pod(runner={"state": RunnerState.STARTING}), id="it is warming up"),
        pytest.param(waiting_pod(runner={"broken": True}), id="its runner makes no sense"),
        pytest.param(waiting_pod(runner={"job_uid": "other"}), id="its runner has a job"),
        pytest.param(waiting_pod(runner={"pod_uid": "other"}), id="what is known is of another pod's runner"),
        pytest.param(waiting_pod(deadline_seconds=RUN), id="its deadline is too early for the run"),
    ],
)
def test_a_pod_is_not_taken_if(entry: PoolPod) -> None:
    assert choice(entry) == []


def test_a_pod_that_nobody_has_spoken_to_is_not_ready() -> None:
    assert not is_ready(snapshots.pod(), None)


def test_what_is_left_until_the_deadline_is_counted_by_the_nodes_clock() -> None:
    needed = RUN + LIMITS.stop_grace_seconds + LIMITS.backstop_seconds
    assert choice(waiting_pod(deadline_seconds=int(needed) + 51), now=START + 50) == ["p"]
    assert choice(waiting_pod(deadline_seconds=int(needed) + 1), now=START + 50) == []


def pool(**status: Any) -> PoolSnapshot:
    return PoolSnapshot(
        key=PoolKey("default", "a-pool"),
        uid="pool-uid",
        generation=1,
        created=START,
        deleting=False,
        spec=RunnerPoolSpec(),
        spec_error="",
        status=status,
    )


def test_a_pod_is_believed_if_this_operator_or_the_one_before_it_made_it() -> None:
    pod = waiting_pod("p").pod
    assert is_believed(pod, pool(), {"p"})
    assert is_believed(pod, pool(pods=["p"]), set())


def test_labels_and_an_owner_reference_are_not_believed() -> None:
    assert not is_believed(waiting_pod("p").pod, pool(pods=["q"]), {"r"})


def test_a_pod_of_an_earlier_pool_of_this_name_is_not_believed() -> None:
    assert not is_believed(waiting_pod("p", pool_uid="earlier").pod, pool(pods=["p"]), {"p"})
