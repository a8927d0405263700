"""Builds the object graph once and keeps it running: the only module that knows all the others."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import TYPE_CHECKING, Any

import structlog
from runtime_runner.schema.verdicts import Bounds

from runtime_operator import memory
from runtime_operator.act.execute import Executor
from runtime_operator.api import names
from runtime_operator.api.names import JobKey, PoolKey
from runtime_operator.api.v1alpha1 import Phase
from runtime_operator.handlers import lifecycle, registry
from runtime_operator.kube.client import BACKENDS, CLUSTER_PROGRAMS, JOBS, NETWORK_POLICIES, PODS, POOLS, PROGRAMS
from runtime_operator.kube.errors import KubeError
from runtime_operator.kube.events import EventRecorder
from runtime_operator.kube.http import HttpKube
from runtime_operator.kube.informer import Informer
from runtime_operator.metrics import Metrics
from runtime_operator.observe.cache import Cache, concerned
from runtime_operator.reconcile import Key, Reconciler
from runtime_operator.runners.conversations import Conversations
from runtime_operator.schema.checkers import Checkers
from runtime_operator.schema.checks import Checks
from runtime_operator.workqueue import WorkQueue

if TYPE_CHECKING:
    from runtime_operator.config import OperatorConfig
    from runtime_operator.kube.client import Kube, Object, WatchType
    from runtime_operator.schema.checks import Checking

log = structlog.get_logger(__name__)

SILENCE_SECONDS = 180.0
"""A watch that has brought nothing for so long, not even a bookmark, is dead: the liveness probe then fails."""

FIRST_LIST_RETRY_SECONDS = 2.0

PROGRESS_SECONDS = 0.05
"""How much later what a running program says is looked at: once for all of it."""

POOL_PAUSE_SECONDS = 0.05
"""Longer than a warm job needs from its claim to its program."""


async def run(config: OperatorConfig) -> None:
    """Run the operator until SIGTERM or SIGINT."""
    connection = await lifecycle.connect()
    session = connection.session()
    try:
        await Operator(config, HttpKube(session)).run(connection)
    finally:
        await session.close()
        await connection.close()


class Operator:
    """The object graph."""

    def __init__(self, config: OperatorConfig, kube: Kube, *, checking: Checking | None = None) -> None:
        self.config, self.kube = config, kube
        self.queue: WorkQueue[Key] = WorkQueue(expected=(KubeError,), is_patient=self._is_patient)
        self.cache = Cache(
            config.default_backend, default_profile=config.default_profile, builtin_backends=config.builtin_backends
        )
        self.metrics = Metrics()
        self.conversations = Conversations(kube, config.limits, self.queue.add, self._look_soon, streams=config.streams)
        self.checks = Checks(checking or _checkers(config), self.cache, self.queue.add)
        events = EventRecorder(kube, instance=socket.gethostname())
        self.executor = Executor(
            kube, self.cache, self.conversations, self.checks, events, self.metrics, self.look_at_pool
        )
        self.metrics.watch(kube.writes, self.queue.__len__, self.conversations.open_streams)
        self.reconciler = Reconciler(config, kube, self.cache, self.conversations, self.checks, self.executor)
        scopes: list[str | None] = list(config.watch_namespaces) or [None]
        self.informers = [
            Informer(kube, resource, on_change, namespace=namespace, label_selector=selector)
            for namespace in scopes
            for resource, on_change, selector in (
                (JOBS, self.job_changed, ""),
                (PODS, self.pod_changed, names.RUNNER_SELECTOR),
                (NETWORK_POLICIES, self.policy_changed, f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"),
            )
        ]

    async def run(self, connection: Any) -> None:
        """Work until a signal arrives: programs, backends and pools first, so that no decision is made without them."""
        handlers = registry.build(self.cache, self.queue, self.healthy)
        stop, kopf_stop, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        if self.config.metrics_port:
            self.metrics.serve(self.config.metrics_port)
        await self._first_lists()
        async with asyncio.TaskGroup() as tasks:
            own = [tasks.create_task(informer.run()) for informer in self.informers]
            await asyncio.gather(*(informer.synced.wait() for informer in self.informers))
            own.append(tasks.create_task(self.queue.run(self.reconciler, self.config.workers)))
            own.append(tasks.create_task(memory.trim_now_and_then()))
            watching = tasks.create_task(
                lifecycle.run(
                    handlers,
                    connection,
                    namespaces=self.config.watch_namespaces,
                    stop=kopf_stop,
                    ready=ready,
                    liveness_endpoint=f"http://0.0.0.0:{self.config.liveness_port}/healthz",
                )
            )
            await ready.wait()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            log.info("operator started", namespaces=list(self.config.watch_namespaces) or "all")
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({stopping, watching}, return_when=asyncio.FIRST_COMPLETED)
            for task in own:
                task.cancel()
            await self.conversations.close()
            await self.checks.close()
            kopf_stop.set()
            stopping.cancel()
        log.info("operator stopped", writes=dict(self.kube.writes))

    def job_changed(self, kind: WatchType, body: Object) -> None:
        """A job was created, changed or deleted."""
        if kind == "DELETED":
            key = JobKey(body["metadata"]["namespace"], body["metadata"]["name"])
            self.cache.drop_job(key, body["metadata"]["uid"])
        elif self.cache.knows(body):
            return  # the answer to a write of our own, which has been acted on
        else:
            key = self.cache.put_job(body)
        self.queue.add(key)

    def pod_changed(self, kind: WatchType, body: Object) -> None:
        """A runner pod was created, changed or deleted."""
        if kind == "DELETED":
            keys = self.cache.drop_pod(body["metadata"]["uid"])
            if (waiting := self.cache.retry_refused(body["metadata"]["namespace"])) is not None:
                self.queue.add(waiting)
        elif self.cache.knows(body):
            return  # the answer to a write of our own, which has been acted on
        else:
            keys = concerned(self.cache.put_pod(body))
        for key in keys:
            if isinstance(key, PoolKey):
                self.look_at_pool(key)
            else:
                self.queue.add(key)

    def look_at_pool(self, key: PoolKey) -> None:
        """Have a pool looked at in a moment: the job that has just taken, or missed, a pod goes first."""
        self.queue.add_after(key, POOL_PAUSE_SECONDS)

    def policy_changed(self, kind: WatchType, body: Object) -> None:
        """A NetworkPolicy of ours was created, changed or deleted: somebody may have opened the sandbox."""
        namespace = body["metadata"]["namespace"]
        if kind != "DELETED":
            self.cache.put_policy(body)
        elif body["metadata"]["name"] == names.RUNNER_POLICY:
            self.cache.unprepare(namespace)
        for job in self.cache.running_jobs(namespace):
            self.queue.add(job)

    def healthy(self) -> str:
        """Answer the liveness probe.

        Raises:
            RuntimeError: a watch has been silent for too long.
        """
        now = asyncio.get_running_loop().time()
        for informer in self.informers:
            if informer.last_contact is None or now - informer.last_contact > SILENCE_SECONDS:
                raise RuntimeError("a watch is silent")
        return "ok"

    def _look_soon(self, key: Key) -> None:
        """Have this key looked at together with what comes within the same moment."""
        self.queue.add_after(key, PROGRESS_SECONDS)

    def _is_patient(self, key: Key) -> bool:
        """Return whether jobs that wait for their start go first.

        They do where there is only something to clear away, and where a program runs of which this operator, when it
        has just started, knows nothing yet.
        """
        if not isinstance(key, JobKey):
            return False
        job = self.cache.job(key)
        if job is None or job.phase.terminal:
            return True
        return job.phase is Phase.RUNNING and not self.conversations.has_heard_of(job.runner_uid)

    async def _first_lists(self) -> None:
        """Fill the cache with what kopf's watches will keep up to date, and queue it."""
        while True:
            try:
                for namespace in self.config.watch_namespaces or (None,):
                    for body in await self._list(PROGRAMS, "RuntimeProgram", namespace):
                        self.queue.add(self.cache.put_program(body))
                    for body in await self._list(POOLS, "RunnerPool", namespace):
                        self.queue.add(self.cache.put_pool(body))
                for body in await self._list(CLUSTER_PROGRAMS, "ClusterRuntimeProgram", None):
                    self.queue.add(self.cache.put_program(body))
                for body in await self._list(BACKENDS, "RuntimeBackend", None):
                    self.cache.put_backend(body)
            except KubeError as error:
                log.warning("first list failed", error=str(error), hint="are the CRDs and the RBAC rules installed?")
                await asyncio.sleep(FIRST_LIST_RETRY_SECONDS)
            else:
                return

    async def _list(self, resource: Any, kind: str, namespace: str | None) -> list[Object]:
        """Return all objects of a kind; items of a list do not name their kind themselves."""
        items, _ = await self.kube.list(resource, namespace)
        return [{"kind": kind, **item} for item in items]


def _checkers(config: OperatorConfig) -> Checkers:
    limits = config.limits
    bounds = Bounds(cpu_seconds=limits.schema_cpu_seconds, memory_bytes=limits.schema_memory_bytes)
    return Checkers(config.schema_checkers, bounds)
