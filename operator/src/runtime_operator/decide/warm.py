"""Which of the pods that wait in pools a job may take now, and which pods are a pool's at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_runner.contract import RunnerState

from runtime_operator.decide import deadlines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from runtime_operator.config import Limits
    from runtime_operator.observe.pools import PoolPod, PoolSnapshot
    from runtime_operator.observe.snapshots import PodSnapshot, RunnerSnapshot


def is_ready(pod: PodSnapshot, runner: RunnerSnapshot | None) -> bool:
    """Return whether the pod's runner is warm, can be spoken to at once and has no job.

    The runner's word alone would be enough to use it, but until the kubelet has said that it runs, the kubelet is about
    to write the pod, and a claim of its present version would fail.
    """
    return (
        pod.running
        and not pod.ended
        and pod.deleting_since is None
        and pod.ready_lost_since is None
        and runner is not None
        and runner.pod_uid == pod.uid
        and runner.connected
        and not runner.broken
        and runner.state is RunnerState.READY
        and not runner.job_uid
    )


def candidates(
    pods: Iterable[PoolPod], template: str, execution_seconds: float, limits: Limits, now: float
) -> list[PodSnapshot]:
    """Return those that a job may take now, the best first: the oldest, because it has the least time left.

    ``template`` is the digest that the job's profile has now. A pod whose deadline, which can only be lowered, is too
    early for the whole run is none; with the deadlines that pools give, this happens only after limits were raised.
    """
    found = [
        entry.pod
        for entry in pods
        if not entry.taken
        and entry.pod.template == template
        and is_ready(entry.pod, entry.runner)
        and entry.runner is not None
        and deadlines.pod_deadline_seconds(entry.pod, entry.runner, execution_seconds, limits, now) is not None
    ]
    return sorted(found, key=lambda pod: (pod.created, pod.name))


def is_believed(pod: PodSnapshot, pool: PoolSnapshot, made: Collection[str]) -> bool:
    """Return whether an operator made this pod for this very pool: labels and owner alone can be forged.

    Its uid has to be one that this operator got as the answer to a creation (``made``), or that the pool's status,
    which the operator alone may write, names: what its predecessor made. See docs/decisions/0024.
    """
    return pod.pool_uid == pool.uid and (pod.uid in made or pod.uid in pool.recorded)
