"""A small world in virtual time: the API server, a kubelet with scripted runners, and operators that can be killed.

`ClusterInTime` is `FakeKube` with the loop's clock in its timestamps, an ordered list of writes, and the rules of the
RuntimeJob CRD applied to every status. `World` starts an operator's whole object graph over it: the same one that
`wiring` builds, with informers in the place of kopf's watches.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from runtime_operator import reconcile
from runtime_operator.act import claims, execute, statuses
from runtime_operator.api.conditions import format_time
from runtime_operator.api.names import PoolKey
from runtime_operator.api.v1alpha1 import Phase
from runtime_operator.kube import errors
from runtime_operator.kube.client import BACKENDS, CLUSTER_PROGRAMS, EVENTS, JOBS, PODS, POOLS, PROGRAMS
from runtime_operator.kube.informer import Informer
from runtime_operator.runners import conversation, conversations
from runtime_operator.wiring import Operator
from runtime_runner.schema import rules

from support import builders, crd
from support.fake_kube import FakeKube
from support.scripted_runner import ScriptedRunner, now, three_interims
from support.snapshots import CONFIG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    import pytest
    from runtime_operator.config import OperatorConfig
    from runtime_operator.kube.client import Object, Resource, WatchType
    from runtime_operator.reconcile import Key
    from runtime_runner.schema.verdicts import Request, Verdict

    from support.scripted_runner import Program

POD_SCHEDULED_SECONDS = 0.5
RUNNER_READY_SECONDS = 0.5
POD_REMOVED_SECONDS = 0.2


def use_virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the operator read the test's time."""
    for module in (claims, execute, statuses, reconcile, conversation, conversations):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=now))


class ClusterInTime(FakeKube):
    """See the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        self.node_clock_skew = 0.0
        self.requests: list[str] = []
        """Every write that was sent, in order."""
        self.on_step: Callable[[str, str], bool] = lambda moment, write: False
        """Called ``before`` and ``after`` every write; True kills the operator at this very point."""

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        await self._step("before", f"create {resource}")
        made = await super().create(resource, namespace, body)
        await self._step("after", f"create {resource}")
        return made

    async def patch(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, subresource: str = ""
    ) -> Object | None:
        write = f"patch {resource}/{subresource}" if subresource else f"patch {resource}"
        await self._step("before", write)
        made = await super().patch(resource, namespace, name, body, subresource=subresource)
        await self._step("after", write)
        return made

    async def delete(self, resource: Resource, namespace: str | None, name: str, *, uid: str, **more: Any) -> None:
        await self._step("before", f"delete {resource}")
        await super().delete(resource, namespace, name, uid=uid, **more)
        await self._step("after", f"delete {resource}")

    def peek(self, resource: Resource, name: str) -> Object:
        """Return the object itself, for those who look often."""
        return self._of(resource)["default", name]

    def pods(self) -> Sequence[Object]:
        return self.objects(PODS)

    def the_job(self, name: str = "a-job") -> Object:
        return next(job for job in self.objects(JOBS) if job["metadata"]["name"] == name)

    async def _step(self, moment: str, write: str) -> None:
        if moment == "before" and EVENTS.plural not in write:
            self.requests.append(write)
        if self.on_step(moment, write):
            await asyncio.Event().wait()

    def _patched(self, resource: Resource, key: tuple[str, str], body: Object, subresource: str) -> Object | None:
        there = self._of(resource).get(key)
        if resource == JOBS and subresource == "status" and there is not None:
            status = builders.merge(there.get("status"), body.get("status", {}))
            before = there.get("status", {}).get("phase", "Queued")
            if Phase(before).terminal and status.get("phase") != before:
                raise errors.Invalid("a job that has ended keeps its phase", status=422, reason="Invalid")
            assert not (wrong := crd.problems("runtimejobs", status, part="status")), wrong
        return super()._patched(resource, key, body, subresource)

    def _store(self, resource: Resource, key: tuple[str, str], new: Object | None) -> Object:
        if new is not None:
            old = self._of(resource).get(key, {})
            stamps: Object = {}
            if not old:
                stamps["metadata"] = {"creationTimestamp": format_time(now())}
            elif "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"]:
                stamps["metadata"] = {"deletionTimestamp": format_time(now())}
            if new.get("status", {}).get("startTime") and not old.get("status", {}).get("startTime"):
                stamps["status"] = {"startTime": format_time(now() + self.node_clock_skew)}
            if resource == JOBS and not new.get("status"):
                stamps["status"] = {"phase": "Queued"}  # the CRD's default
            new = builders.merge(new, stamps)
        return super()._store(resource, key, new)


class Rules:
    """Applies schemas at once and without a child, as `Checkers` would: virtual time waits for no process."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answers: dict[str, Verdict] = {}
        """By what a request is about: what is said instead of what the rules say."""
        self.trouble: list[Exception] = []
        """What is raised instead, one after the other."""
        self.seconds = 0.0

    async def check(self, requests: Sequence[Request], *, share: str) -> list[Verdict]:
        self.asked += requests
        await asyncio.sleep(self.seconds)
        if self.trouble:
            raise self.trouble.pop(0)
        verdicts = zip(requests, rules.check(requests), strict=True)
        return [self.answers.get(request.what, verdict) for request, verdict in verdicts]

    async def close(self) -> None:
        pass


class World:
    """A cluster with one program and one backend, a kubelet, and at most one operator at a time."""

    def __init__(self, config: OperatorConfig = CONFIG, *, program: Program = three_interims) -> None:
        self.kube = ClusterInTime()
        self.config = config
        self.program = program
        self.runners: list[ScriptedRunner] = []
        self.kubelet_works = True
        """False: pods stay as they were created."""
        self.prepare_runner: Callable[[ScriptedRunner], None] = lambda runner: None
        self.kube.put(PROGRAMS, builders.program())
        self.kube.put(BACKENDS, builders.backend())
        self.checking = Rules()
        self.operator: Operator | None = None
        self.passes = 0
        """How often any key was worked on: what a hot loop shows in."""
        self.crashes: list[BaseException] = []
        """What no part of the operator should ever raise."""
        self._tasks: list[asyncio.Task[Any]] = []
        self._kubelet = asyncio.create_task(self._run_kubelet())
        self._pod_tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Start an operator that knows nothing yet."""
        operator = self.operator = Operator(self.config, self.kube, checking=self.checking)
        await operator._first_lists()
        informers = [*operator.informers]
        for resource, kind, heard in (
            (BACKENDS, "RuntimeBackend", self._backend_changed),
            (PROGRAMS, "RuntimeProgram", self._program_changed),
            (CLUSTER_PROGRAMS, "ClusterRuntimeProgram", self._program_changed),
            (POOLS, "RunnerPool", self._pool_changed),
        ):
            informers.append(Informer(self.kube, resource, self._hearing(operator, kind, heard)))
        self._tasks = [asyncio.create_task(informer.run()) for informer in informers]
        await asyncio.gather(*(informer.synced.wait() for informer in informers))
        self._tasks.append(asyncio.create_task(operator.queue.run(self._noting_crashes(operator), 4)))

    def kill(self) -> None:
        """SIGKILL: every task stops where it is, streams break."""
        assert self.operator is not None
        for task in self._tasks:
            task.cancel()
        for task in self.operator.conversations._tasks:
            task.cancel()
        for key in list(self.operator.checks._tasks):
            self.operator.checks.drop(key)
        for runner in self.runners:
            runner.process.attachments.clear()
        self.operator = None

    def kill_at(self, moment: str, write: str, *, nth: int = 1) -> None:
        """Kill the operator ``before`` or ``after`` its nth write of this kind, once."""
        seen = 0

        def step(at: str, what: str) -> bool:
            nonlocal seen
            if self.operator is None or (at, what) != (moment, write):
                return False
            seen += 1
            if seen != nth:
                return False
            self.kill()
            return True

        self.kube.on_step = step

    async def restart(self) -> None:
        self.kill()
        await asyncio.sleep(0)
        await self.start()

    async def until(self, condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
        """Let time pass until this is so."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not condition():
            assert loop.time() < end, f"not so after {seconds} s; the job: {self.kube.objects(JOBS)}"
            await asyncio.sleep(max(0.01, seconds / 10_000))

    async def until_phase(self, *phases: str, name: str = "a-job", seconds: float = 120.0) -> Object:
        await self.until(lambda: self.status(name)["phase"] in phases, seconds=seconds)
        return self.status(name)

    def apply(self, name: str = "a-job", **spec: Any) -> Object:
        """Play the user."""
        return self.kube.put(JOBS, builders.job(name, **spec))

    def set(self, name: str = "a-job", **spec: Any) -> None:
        self.kube.edit(JOBS, "default", name, {"spec": spec})

    def status(self, name: str = "a-job") -> Object:
        status: Object = self.kube.peek(JOBS, name)["status"]
        return status

    def reason(self, name: str = "a-job") -> str:
        """Return the reason of the Succeeded condition, or nothing if there is none yet."""
        conditions = self.status(name).get("conditions", [])
        return next((c["reason"] for c in conditions if c["type"] == "Succeeded"), "")

    @property
    def runner(self) -> ScriptedRunner:
        """The newest."""
        return self.runners[-1]

    @property
    def executions(self) -> int:
        """How often any runner has entered the program."""
        return sum(runner.executions for runner in self.runners)

    async def close(self) -> None:
        assert not self.crashes, self.crashes
        if self.operator is not None:
            self.kill()
        self._kubelet.cancel()
        for task in self._pod_tasks.values():
            task.cancel()
        await asyncio.sleep(0)

    # The kubelet

    async def _run_kubelet(self) -> None:
        async for _, pod in self.kube.watch(PODS, resource_version="0"):
            uid = pod["metadata"]["uid"]
            current = next((p for p in self.kube.pods() if p["metadata"]["uid"] == uid), None)
            if current is None:
                continue
            if "deletionTimestamp" in current["metadata"] and f"stop {uid}" not in self._pod_tasks:
                self._pod_tasks[f"stop {uid}"] = asyncio.create_task(self._stop_pod(current))
            elif uid not in self._pod_tasks and self.kubelet_works:
                self._pod_tasks[uid] = asyncio.create_task(self._start_pod(current))

    async def _start_pod(self, pod: Object) -> None:
        await asyncio.sleep(POD_SCHEDULED_SECONDS)
        if self._exists(pod):
            runner = ScriptedRunner(self.kube, pod["metadata"]["namespace"], pod["metadata"]["name"], self.program)
            self.prepare_runner(runner)
            self.runners.append(runner)
            await asyncio.sleep(RUNNER_READY_SECONDS)
            runner.ready()

    async def _stop_pod(self, pod: Object) -> None:
        for runner in self.runners:
            if runner.pod == pod["metadata"]["name"]:
                runner.terminate()
        await asyncio.sleep(POD_REMOVED_SECONDS)
        if self._exists(pod):
            self.kube.remove(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _exists(self, pod: Object) -> bool:
        return any(p["metadata"]["uid"] == pod["metadata"]["uid"] for p in self.kube.pods())

    def _noting_crashes(self, operator: Operator) -> Callable[[Key], Awaitable[float | None]]:
        async def work(key: Key) -> float | None:
            self.passes += 1
            try:
                return await operator.reconciler(key)
            except errors.KubeError:
                raise
            except Exception as crash:
                self.crashes.append(crash)
                raise

        return work

    # What kopf's handlers do

    def _hearing(
        self, operator: Operator, kind: str, heard: Callable[[Operator, WatchType, Object], None]
    ) -> Callable[[WatchType, Object], None]:
        def on_change(change: WatchType, body: Object) -> None:
            heard(operator, change, {"kind": kind, **body})

        return on_change

    def _pool_changed(self, operator: Operator, change: WatchType, body: Object) -> None:
        if change == "DELETED":
            key = PoolKey(body["metadata"]["namespace"], body["metadata"]["name"])
            operator.cache.drop_pool(key, body["metadata"]["uid"])
        else:
            key = operator.cache.put_pool(body)
        operator.queue.add(key)

    def _program_changed(self, operator: Operator, change: WatchType, body: Object) -> None:
        key = (
            operator.cache.drop_program(body, time.time()) if change == "DELETED" else operator.cache.put_program(body)
        )
        operator.queue.add(key)
        for job in operator.cache.waiting_jobs(key[1]):
            operator.queue.add(job)

    def _backend_changed(self, operator: Operator, change: WatchType, body: Object) -> None:
        if change == "DELETED":
            operator.cache.drop_backend(body, time.time())
        else:
            operator.cache.put_backend(body)
        for job in operator.cache.waiting_jobs():
            operator.queue.add(job)


@contextlib.asynccontextmanager
async def running_world(config: OperatorConfig = CONFIG, *, program: Program = three_interims) -> AsyncIterator[World]:
    """Enter with an operator at work."""
    world = World(config, program=program)
    await world.start()
    try:
        yield world
    finally:
        await world.close()
