"""Nodes without machines: pods get there what a kubelet would give them, and behind each plays a `SimulatedRunner`.

A pod of another kind (no runner of ours) has a container that ends successfully after as many seconds as its annotation
`SECONDS_ANNOTATION` says. Written is what a kubelet writes at least: one status when the pod runs, one when it has
ended, and the deletion. Probes, volumes, images and a pod's own deadline are not played.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime_operator.api import names
from runtime_operator.api.conditions import format_exact_time, format_time
from runtime_operator.kube.client import PODS, Resource
from runtime_operator.kube.errors import KubeError
from runtime_operator.kube.informer import Informer
from runtime_runner import contract

from support.simulated.runner import SimulatedRunner

if TYPE_CHECKING:
    from runtime_operator.kube.client import Kube, Object, WatchType

NODES = Resource("", "v1", "nodes", namespaced=False)
LEASES = Resource("coordination.k8s.io", "v1", "leases")
LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS, RENEW_SECONDS = 40, 10.0
SECONDS_ANNOTATION = "simulated.test/seconds"
REQUESTS_AT_ONCE = 64
"""All nodes together: many kubelets would send as many, one each."""

Trace = Callable[[str, str, float], None]
"""Called with what happened, to which job, and when (seconds since the epoch)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How long things take, in seconds; each by chance up to ``spread`` (a fraction) shorter or longer."""

    start: float = 0.0
    """From the pod's arrival at the node to its container's first line."""
    warmup: float = 0.0
    """From there to ``ready``."""
    relist: float = 0.0
    """From a container's end to the pod's status saying so."""
    spread: float = 0.0

    def of(self, seconds: float) -> float:
        """Return one drawn duration."""
        return seconds * random.uniform(1 - self.spread, 1 + self.spread)


LIKE_REAL = Pace(start=0.5, warmup=0.45, relist=0.5, spread=0.2)
"""As measured on the kind cluster, one pod at a time."""


@dataclass(slots=True)
class _Pod:
    namespace: str
    name: str
    uid: str
    job: str
    conditions: list[Object]
    seconds: float | None
    """How long a container that is no runner runs."""
    runner: SimulatedRunner | None = None
    ended: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    outcome: contract.TerminationMessage | None = None
    started: str = ""
    deleting: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Kubelet:
    """All nodes of one process."""

    def __init__(
        self,
        kube: Kube,
        nodes: list[str],
        port: int,
        *,
        pods_per_node: int = 2000,
        pace: Pace | None = None,
        trace: Trace = lambda *_: None,
    ) -> None:
        self._kube, self._nodes, self._port = kube, set(nodes), port
        self._pods_per_node, self._pace, self._trace = pods_per_node, pace or Pace(), trace
        self._pods: dict[str, _Pod] = {}
        self._by_name: dict[tuple[str, str], _Pod] = {}
        self._requests = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._informer = Informer(kube, PODS, self._changed)

    def running(self, namespace: str, pod: str) -> SimulatedRunner | None:
        """Return the runner in this pod, if it has not ended: what can be attached to."""
        found = self._by_name.get((namespace, pod))
        return found.runner if found is not None and found.runner is not None and not found.ended.is_set() else None

    def known(self, namespace: str, pod: str) -> SimulatedRunner | None:
        """Return the runner in this pod, ended or not: what has a log."""
        found = self._by_name.get((namespace, pod))
        return found.runner if found is not None else None

    def finish(self) -> None:
        """Have all programs that run return now."""
        for pod in list(self._pods.values()):
            if pod.runner is not None:
                pod.runner.finish()

    async def run(self) -> None:
        """Register the nodes, then play them until cancelled."""
        for name in sorted(self._nodes):
            await self._kube.create(NODES, None, self._node(name))
            await self._kube.create(LEASES, LEASE_NAMESPACE, _lease(name))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._informer.run())
            tasks.create_task(self._heartbeat())

    # Nodes

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for name in sorted(self._nodes):
                body = {"spec": {"renewTime": _micro_time()}}
                try:
                    await self._kube.patch(LEASES, LEASE_NAMESPACE, name, body)
                except KubeError:
                    continue  # the next one is in time, too

    def _node(self, name: str) -> Object:
        room = {"cpu": "10000", "memory": "100Ti", "ephemeral-storage": "100Ti", "pods": str(self._pods_per_node)}
        now = format_time(time.time())
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "simulated"}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {
                "capacity": room,
                "allocatable": room,
                "conditions": [ready | {"lastHeartbeatTime": now, "lastTransitionTime": now}],
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
            },
        }

    # Pods

    def _changed(self, kind: WatchType, body: Object) -> None:
        meta = body["metadata"]
        if kind == "DELETED":
            self._gone(meta["uid"])
            return
        job = _job_of(body)
        if kind == "ADDED" and job:
            self._trace("pod created", job, time.time())
        if body["spec"].get("nodeName") not in self._nodes:
            return
        pod = self._pods.get(meta["uid"])
        if pod is None and body["status"].get("phase", "Pending") == "Pending":
            self._trace("scheduled", job, time.time())
            pod = _Pod(
                namespace=meta["namespace"],
                name=meta["name"],
                uid=meta["uid"],
                job=job,
                conditions=[c for c in body["status"].get("conditions", []) if c["type"] == "PodScheduled"],
                seconds=_seconds(body),
            )
            self._pods[pod.uid] = self._by_name[pod.namespace, pod.name] = pod
            pod.task = asyncio.create_task(self._live(pod))
        if pod is not None and "deletionTimestamp" in meta and not pod.deleting.is_set():
            pod.deleting.set()
            if pod.runner is not None:
                pod.runner.terminate()
            pod.ended.set()

    async def _live(self, pod: _Pod) -> None:
        """Everything that happens to a pod on its node."""
        await asyncio.sleep(self._pace.of(self._pace.start))
        if not pod.deleting.is_set():
            pod.started = format_time(time.time())
            if pod.seconds is None:
                pod.runner = SimulatedRunner(
                    warmup_seconds=self._pace.of(self._pace.warmup),
                    on_end=lambda words: self._container_ended(pod, words),
                    on_event=lambda what: self._trace(what, _current_job(pod), time.time()),
                )
            else:
                self._trace("started", pod.job, time.time())
                asyncio.get_running_loop().call_later(pod.seconds, self._container_ended, pod, None)
            await self._write(pod, _running(pod))
            self._trace("running written", pod.job, time.time())
        await pod.ended.wait()
        await asyncio.sleep(self._pace.of(self._pace.relist))
        if pod.started:
            await self._write(pod, _ended(pod))
        await pod.deleting.wait()
        async with self._requests:
            await self._kube.delete(PODS, pod.namespace, pod.name, uid=pod.uid, grace_seconds=0)

    def _container_ended(self, pod: _Pod, words: contract.TerminationMessage | None) -> None:
        pod.outcome = words
        pod.ended.set()
        if pod.runner is None:
            self._trace("ended", pod.job, time.time())
        else:
            asyncio.get_running_loop().call_soon(pod.runner.hang_up)

    def _gone(self, uid: str) -> None:
        pod = self._pods.pop(uid, None)
        if pod is None:
            return
        if self._by_name.get((pod.namespace, pod.name)) is pod:
            del self._by_name[pod.namespace, pod.name]
        if pod.runner is not None:
            pod.runner.kill()
            pod.runner.hang_up()
        if pod.task is not None:
            pod.task.cancel()

    async def _write(self, pod: _Pod, status: Object) -> None:
        """Write a pod's status; a busy API server is asked again, as a kubelet does."""
        for attempt in range(10):
            try:
                async with self._requests:
                    body = {"metadata": {"uid": pod.uid}, "status": status}
                    await self._kube.patch(PODS, pod.namespace, pod.name, body, subresource="status")
            except KubeError:
                await asyncio.sleep(0.1 * 2**attempt)
            else:
                return


def _job_of(body: Object) -> str:
    labels = body["metadata"].get("labels", {})
    return str(labels.get(names.JOB_NAME_LABEL) or labels.get("batch.kubernetes.io/job-name", ""))


def _current_job(pod: _Pod) -> str:
    """Return whose job runs in the pod: a pool's pod has none when it comes."""
    return (pod.runner.job_name if pod.runner is not None else "") or pod.job


def _seconds(body: Object) -> float | None:
    if body["metadata"].get("labels", {}).get(names.ROLE_LABEL) == names.RUNNER_ROLE:
        return None
    return float(body["metadata"].get("annotations", {}).get(SECONDS_ANNOTATION, "0"))


def _lease(name: str) -> Object:
    spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": _micro_time()}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}


def _micro_time() -> str:
    return format_exact_time(time.time())[:-1].ljust(26, "0")[:26] + "Z"


def _conditions(pod: _Pod, ready: bool) -> list[Object]:
    now = format_time(time.time())
    given = {"Initialized": True, "PodReadyToStartContainers": ready, "ContainersReady": ready, "Ready": ready}
    reason = {} if ready else {"reason": "PodCompleted"}
    return pod.conditions + [
        {"type": kind, "status": str(value), "lastTransitionTime": now} | ({} if value else reason)
        for kind, value in given.items()
    ]


def _status(pod: _Pod, phase: str, state: Object, *, ready: bool) -> Object:
    name = names.RUNNER_CONTAINER if pod.seconds is None else "main"
    container = {
        "name": name,
        "state": state,
        "lastState": {},
        "ready": ready,
        "started": ready,
        "restartCount": 0,
        "image": "simulated",
        "imageID": "simulated",
        "containerID": f"simulated://{pod.uid}",
    }
    return {
        "phase": phase,
        "conditions": _conditions(pod, ready),
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}],
        "startTime": pod.started,
        "containerStatuses": [container],
    }


def _running(pod: _Pod) -> Object:
    return _status(pod, "Running", {"running": {"startedAt": pod.started}}, ready=True)


def _ended(pod: _Pod) -> Object:
    words = pod.outcome
    succeeded = pod.seconds is not None if words is None else words.succeeded
    code = (0 if succeeded else 1) if words is None or words.job_uid else contract.ExitCode.NO_JOB
    terminated = {
        "exitCode": int(code),
        "reason": "Completed" if succeeded else "Error",
        "startedAt": pod.started,
        "finishedAt": format_time(time.time()),
        "containerID": f"simulated://{pod.uid}",
        "message": "" if words is None else contract.encode_termination(words),
    }
    return _status(pod, "Succeeded" if succeeded else "Failed", {"terminated": terminated}, ready=False)
