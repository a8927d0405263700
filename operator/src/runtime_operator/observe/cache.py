"""The last seen state of everything, by key. Filled by watches and by the answers to our own writes; read by `observe`.

It keeps snapshots, not objects, and of a job that is over only what clearing away needs.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from runtime_runner import backend_names

from runtime_operator.api import names
from runtime_operator.api.conditions import ConditionType, Reason
from runtime_operator.api.names import JobKey, PoolKey
from runtime_operator.api.v1alpha1 import Phase, ProgramKind
from runtime_operator.build.namespace import runner_policy
from runtime_operator.decide.warm import is_believed
from runtime_operator.observe.demand import Ledger
from runtime_operator.observe.pods import Pods, owner
from runtime_operator.observe.pools import ObservedPool, PoolPod, parse_pool
from runtime_operator.observe.snapshots import (
    BackendSnapshot,
    Observed,
    Refusal,
    Source,
    StoredInterims,
    parse_backend,
    parse_job,
    parse_pod,
    parse_program,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runtime_operator.api.v1alpha1 import ConfigMapRef
    from runtime_operator.observe.pods import Owner
    from runtime_operator.observe.pools import PoolSnapshot
    from runtime_operator.observe.schemas import Checked, ResultSchemas
    from runtime_operator.observe.snapshots import (
        JobSnapshot,
        Outputs,
        PodSnapshot,
        ProgramSnapshot,
        RunnerSnapshot,
    )

ProgramKey = tuple[ProgramKind, str, str]
"""Kind, namespace (empty for cluster programs), name."""

Subject = Literal["inputs", "results", "program"]
"""What a check was about: a job's inputs, its result and interim results, or a program's schemas themselves."""

_KEPT_OF_AN_ENDED_JOB = ("phase", "completionTime", "runner", "observedGeneration")

_GONE_REMEMBERED = 10_000
"""How many deleted objects are remembered, so that an answer that comes late does not bring one back."""


@dataclasses.dataclass(slots=True)
class _Memory:
    """What belongs to one job or pool but to no object: gone when the operator restarts, and found out again."""

    source: Source | None = None
    source_from: ConfigMapRef | None = None
    """Where it was read: a program may change to another ConfigMap, or to other keys."""
    checks: dict[Subject, Checked] = dataclasses.field(default_factory=dict)
    result_schemas: ResultSchemas | None = None
    """Those of the program as it was, if it has changed since the job was handed over."""
    stored_interims: StoredInterims | None = None
    interims_stored_at: float = 0.0
    outputs: Outputs | None = None
    refusal: Refusal | None = None
    status_written_at: float = 0.0
    unclaimed: str = ""
    """Uid of the pod that the job's status was promised to, but whose claim failed."""


class Cache:
    """See the module. Nothing here awaits; every method leaves the cache consistent."""

    def __init__(
        self, default_backend: str, *, default_profile: str = "default", builtin_backends: bool = True
    ) -> None:
        self.pods = Pods()
        self.demand = Ledger()
        self._default_backend, self._builtin_backends = default_backend, builtin_backends
        self._default_profile = default_profile
        self._versions: dict[str, int] = {}
        self._gone: dict[str, None] = {}
        """Uids, oldest first."""
        self._jobs: dict[JobKey, JobSnapshot] = {}
        self._deleted: dict[JobKey, str] = {}
        self._programs: dict[ProgramKey, ProgramSnapshot] = {}
        self._program_checks: dict[ProgramKey, Checked] = {}
        self._backends: dict[str, BackendSnapshot] = {}
        self._lost_at: dict[ProgramKey | str, float] = {}
        """When a program or (by name) a backend was deleted."""
        self._pools: dict[PoolKey, PoolSnapshot] = {}
        self._made: dict[str, set[str]] = {}
        """Uids of the pods that were created for a pool, by its uid."""
        self._prepared: set[str] = set()
        self._memory: dict[str, _Memory] = {}

    def observe(self, key: JobKey, runner_of: Callable[[str], RunnerSnapshot | None]) -> Observed:
        """Return everything known of the job; ``runner_of`` gives what the runner in a pod has said, by pod uid."""
        job = self._jobs.get(key)
        pods = self.pods.of(key)
        if job is None:
            return Observed(key=key, job=None, deleted_uid=self._deleted.get(key, ""), pods=pods)
        program_key, backend = self._program_key(job), (job.spec.backend if job.spec else None) or self._default_backend
        program = self._programs.get(program_key) if program_key else None
        memory = self._memory.get(job.uid, _Memory())
        observed = Observed(
            key=key,
            job=_with_stored(job, memory.stored_interims),
            program=program,
            source=_source(program, memory),
            backend=self._backend(backend),
            reference_lost_at=max(self._lost_at.get(key, 0.0) for key in (program_key or "", backend)),
            pods=pods,
            input_check=_check_of(memory, "inputs", program.schemas.inputs_digest if program else ""),
            result_schemas=_result_schemas(job, program, memory),
            result_check=_check_of(memory, "results", job.result_schemas),
            interims_stored_at=memory.interims_stored_at,
            outputs=memory.outputs,
            namespace_prepared=key.namespace in self._prepared,
            refusal=memory.refusal,
            status_written_at=memory.status_written_at,
            unclaimed=self._is_unclaimed(job, memory),
        )
        newest = next(reversed(observed.own_pods), None)
        profile = program.spec.profile if program and program.spec else None
        has_pod = newest is not None and not newest.ended and newest.deleting_since is None
        wants_pod = job.phase is Phase.QUEUED and not has_pod
        return dataclasses.replace(
            observed,
            runner=runner_of(job.runner_uid or (newest.uid if newest else "")),
            idle=tuple(self._idle(key.namespace, profile, runner_of)) if wants_pod else (),
        )

    def observe_pool(self, key: PoolKey, runner_of: Callable[[str], RunnerSnapshot | None]) -> ObservedPool:
        """Return everything known of the pool; ``runner_of`` as for `observe`."""
        pool = self._pools.get(key)
        pods = tuple(self._pool_pods(key, runner_of))
        if pool is None:
            return ObservedPool(key=key, pool=None, pods=pods)
        memory = self._memory.get(pool.uid, _Memory())
        return ObservedPool(
            key=key,
            pool=pool,
            pods=pods,
            made=frozenset(self._made.get(pool.uid, ())),
            claimed=self.pods.claimed(key),
            demand=self.demand.of(pool, self._profile(pool)),
            namespace_prepared=key.namespace in self._prepared,
            refusal=memory.refusal,
            status_written_at=memory.status_written_at,
        )

    def put_job(self, body: Mapping[str, Any]) -> JobKey:
        """Take over this version of a job, unless a newer one is known."""
        job = parse_job(body)
        if self._is_newer(body):
            if job.phase is not Phase.QUEUED:
                self.demand.started(job.uid)
            if job.phase.terminal:
                job = _trimmed(job)
                self._memory.pop(job.uid, None)
            self._jobs[job.key] = job
        return job.key

    def job(self, key: JobKey) -> JobSnapshot | None:
        """Return the job, if there is one."""
        return self._jobs.get(key)

    def drop_job(self, key: JobKey, uid: str) -> None:
        """Take over that a job has been deleted."""
        known = self._jobs.get(key)
        if known is not None and known.uid == uid:
            del self._jobs[key]
        self._memory.pop(uid, None)
        self.demand.started(uid)
        self._forget(uid)
        if self.pods.of(key):
            self._deleted[key] = uid

    def put_pool(self, body: Mapping[str, Any]) -> PoolKey:
        """Take over this version of a pool, unless a newer one is known."""
        pool = parse_pool(body)
        if self._is_newer(body):
            self.demand.open(pool)
            self._pools[pool.key] = pool
        return pool.key

    def drop_pool(self, key: PoolKey, uid: str) -> None:
        """Take over that a pool has been deleted."""
        known = self._pools.get(key)
        if known is not None and known.uid == uid:
            del self._pools[key]
        self._memory.pop(uid, None)
        self._made.pop(uid, None)
        self.demand.close(uid)
        self._forget(uid)

    def pools(self, namespace: str, profile: str | None) -> list[PoolSnapshot]:
        """Return the pools of this namespace that hold pods of this profile (None: the default one)."""
        wanted = profile or self._default_profile
        return [
            pool for key, pool in self._pools.items() if key.namespace == namespace and self._profile(pool) == wanted
        ]

    def pool(self, key: PoolKey) -> PoolSnapshot | None:
        """Return the pool, if there is one."""
        return self._pools.get(key)

    def put_program(self, body: Mapping[str, Any]) -> ProgramKey:
        """Take over this version of a program, unless a newer one is known."""
        program = parse_program(body)
        key = (program.kind, program.namespace, program.name)
        if self._is_newer(body):
            self._keep_result_schemas(key, program)
            self._programs[key] = program
        return key

    def drop_program(self, body: Mapping[str, Any], now: float) -> ProgramKey:
        """Take over that a program has been deleted."""
        meta = body["metadata"]
        key = (ProgramKind(body["kind"]), meta.get("namespace", ""), meta["name"])
        known = self._programs.get(key)
        if known is not None and known.uid == meta["uid"]:
            self._keep_result_schemas(key, None)
            del self._programs[key]
            self._program_checks.pop(key, None)
            self._lost_at[key] = now
        self._forget(meta["uid"])
        return key

    def program(self, key: ProgramKey) -> ProgramSnapshot | None:
        """Return the program, if there is one."""
        return self._programs.get(key)

    def program_check(self, key: ProgramKey) -> Checked | None:
        """Return what is known of the program's schemas as they are now."""
        program, check = self._programs.get(key), self._program_checks.get(key)
        return check if program is not None and check is not None and check.of == program.schemas.digest else None

    def put_backend(self, body: Mapping[str, Any]) -> None:
        """Take over a backend."""
        self._backends[body["metadata"]["name"]] = parse_backend(body)

    def drop_backend(self, body: Mapping[str, Any], now: float) -> None:
        """Take over that a backend has been deleted."""
        if self._backends.pop(body["metadata"]["name"], None) is not None:
            self._lost_at[body["metadata"]["name"]] = now

    def put_pod(self, body: Mapping[str, Any]) -> PodSnapshot:
        """Take over this version of a runner pod, unless a newer one is known."""
        pod = parse_pod(body)
        if self._is_newer(body):
            self.pods.put(pod)
        return self.pods.get(pod.uid) or pod

    def knows(self, body: Mapping[str, Any]) -> bool:
        """Return whether this very version of an object was taken over before."""
        meta = body["metadata"]
        return self._versions.get(meta["uid"]) == int(meta["resourceVersion"])

    def put_made_pod(self, pool_uid: str, body: Mapping[str, Any]) -> PodSnapshot:
        """Take over a pod that was just created for a pool."""
        pod = self.put_pod(body)
        self._made.setdefault(pool_uid, set()).add(pod.uid)
        return pod

    def drop_pod(self, uid: str) -> tuple[Owner, ...]:
        """Take over that a runner pod is gone; return who has to know."""
        pod = self.pods.get(uid)
        key = self.pods.drop(uid)
        self._forget(uid)
        for made in self._made.values():
            made.discard(uid)
        if key is None or pod is None:
            return ()
        if isinstance(key, JobKey) and not self.pods.of(key):
            self._deleted.pop(key, None)
        return concerned(pod)

    def put_policy(self, body: Mapping[str, Any]) -> None:
        """Take over a runners' NetworkPolicy: its namespace is prepared only while the policy says what it should."""
        namespace = body["metadata"]["namespace"]
        if body["metadata"]["name"] != names.RUNNER_POLICY:
            return
        if body.get("spec") == runner_policy(namespace)["spec"]:
            self._prepared.add(namespace)
        else:
            self._prepared.discard(namespace)

    def is_prepared(self, namespace: str) -> bool:
        """Return whether the namespace has the runners' policy as it should be."""
        return namespace in self._prepared

    def unprepare(self, namespace: str) -> None:
        """Have the namespace prepared again before the next pod in it."""
        self._prepared.discard(namespace)

    def waiting_jobs(self, namespace: str = "") -> list[JobKey]:
        """Return the queued jobs, of this namespace or of all."""
        return [
            key for key, job in self._jobs.items() if job.phase is Phase.QUEUED and namespace in ("", key.namespace)
        ]

    def running_jobs(self, namespace: str) -> list[JobKey]:
        """Return the jobs of this namespace that have been given to a pod and are not over."""
        return [key for key, job in self._jobs.items() if job.phase is Phase.RUNNING and key.namespace == namespace]

    def remember_source(self, job_uid: str, ref: ConfigMapRef, source: Source) -> None:
        """Keep the files that were read for this job."""
        memory = self._of(job_uid)
        memory.source, memory.source_from = source, ref

    def remember_check(self, key: JobKey | ProgramKey, uid: str, subject: Subject, checked: Checked) -> None:
        """Keep what schemas said, as long as the job or program they were asked for is there."""
        if isinstance(key, JobKey):
            job = self._jobs.get(key)
            if job is not None and job.uid == uid and not job.phase.terminal:
                self._of(uid).checks[subject] = checked
            return
        program = self._programs.get(key)
        if program is not None and program.uid == uid:
            self._program_checks[key] = checked

    def remember_stored_interims(self, job_uid: str, stored: StoredInterims, now: float) -> None:
        """Keep where the job's interim results are, until its status says so."""
        memory = self._of(job_uid)
        memory.stored_interims, memory.interims_stored_at = stored, now

    def remember_outputs(self, job_uid: str, outputs: Outputs) -> None:
        """Keep where the job's large outputs are."""
        self._of(job_uid).outputs = outputs

    def remember_status_write(self, uid: str, now: float) -> None:
        """Keep when the status of this job or pool was written last."""
        self._of(uid).status_written_at = now

    def remember_refusal(self, uid: str, reason: Reason, message: str, now: float) -> None:
        """Keep what the API server refused to this job or pool, and count how often in a row."""
        memory = self._of(uid)
        times = memory.refusal.times + 1 if memory.refusal else 1
        memory.refusal = Refusal(reason=reason, message=message, at=now, times=times)

    def retry_refused(self, namespace: str) -> JobKey | None:
        """Let the job that has waited longest for the namespace's quota try again; None: nobody waits for it."""
        if not self.demand.is_refused_in(namespace):
            return None
        waiting = [
            (self._jobs[key].created, key)
            for key in self.waiting_jobs(namespace)
            if (refusal := self._of(self._jobs[key].uid).refusal) and refusal.reason is Reason.QUOTA_EXCEEDED
        ]
        if not waiting:
            return None
        _, key = min(waiting)
        memory = self._of(self._jobs[key].uid)
        assert memory.refusal is not None
        memory.refusal = dataclasses.replace(memory.refusal, at=0.0)
        return key

    def forget_refusal(self, uid: str) -> None:
        """The API server has accepted what it refused before."""
        self._of(uid).refusal = None

    def remember_unclaimed(self, job_uid: str, pod_uid: str) -> None:
        """Keep that the pod this job was promised to could not be claimed, so that nobody has got the job."""
        self._of(job_uid).unclaimed = pod_uid

    def _of(self, uid: str) -> _Memory:
        return self._memory.setdefault(uid, _Memory())

    def _profile(self, pool: PoolSnapshot) -> str:
        return (pool.spec.profile if pool.spec else None) or self._default_profile

    def _pool_pods(self, key: PoolKey, runner_of: Callable[[str], RunnerSnapshot | None]) -> Iterator[PoolPod]:
        for pod in self.pods.of(key):
            yield PoolPod(pod=pod, runner=runner_of(pod.uid), taken=self.pods.is_taken(pod.uid))

    def _idle(
        self, namespace: str, profile: str | None, runner_of: Callable[[str], RunnerSnapshot | None]
    ) -> Iterator[PoolPod]:
        """Yield the pods of this profile that wait for a job and are known to be ours."""
        for pool in self.pools(namespace, profile):
            made = self._made.get(pool.uid, set())
            for entry in self._pool_pods(pool.key, runner_of):
                if is_believed(entry.pod, pool, made):
                    yield entry

    def _is_unclaimed(self, job: JobSnapshot, memory: _Memory) -> bool:
        """Return whether the pod that the job's status names never became the job's: nobody has got the job then."""
        if not job.runner_uid:
            return False
        promised = self.pods.get(job.runner_uid)
        return memory.unclaimed == job.runner_uid or (promised is not None and not promised.job_uid)

    def _backend(self, name: str) -> BackendSnapshot | None:
        known = self._backends.get(name)
        if known is None and self._builtin_backends and (spec := backend_names.resolve(name)) is not None:
            return BackendSnapshot(name=name, spec=spec)
        return known

    def _keep_result_schemas(self, key: ProgramKey, program: ProgramSnapshot | None) -> None:
        """Before a program changes: keep for the jobs that run it what their results are to be checked with."""
        old = self._programs[key].schemas.results if key in self._programs else None
        new = program.schemas.results if program is not None else None
        if old is None or (new is not None and new.digest == old.digest):
            return
        for job in self._jobs.values():
            if job.result_schemas == old.digest and not job.phase.terminal and self._program_key(job) == key:
                self._of(job.uid).result_schemas = old

    def _program_key(self, job: JobSnapshot) -> ProgramKey | None:
        if job.spec is None:
            return None
        ref = job.spec.program_ref
        return (ref.kind, job.key.namespace if ref.kind is ProgramKind.NAMESPACED else "", ref.name)

    def _is_newer(self, body: Mapping[str, Any]) -> bool:
        """Return whether this version of the object is not older than the known one, and remember it.

        Resource versions of one kind of object can be compared as numbers: KEP-5504, and true of etcd ever since.
        """
        meta = body["metadata"]
        version = int(meta["resourceVersion"])
        if version < self._versions.get(meta["uid"], 0) or meta["uid"] in self._gone:
            return False
        self._versions[meta["uid"]] = version
        return True

    def _forget(self, uid: str) -> None:
        self._versions.pop(uid, None)
        self._gone[uid] = None
        if len(self._gone) > _GONE_REMEMBERED:
            del self._gone[next(iter(self._gone))]


def concerned(pod: PodSnapshot) -> tuple[Owner, ...]:
    """Return who has to look at a change of this pod: its owner, and the pool from which its job took it."""
    key = owner(pod)
    return (key, PoolKey(pod.namespace, pod.pool)) if pod.pool and isinstance(key, JobKey) else (key,)


def _with_stored(job: JobSnapshot, stored: StoredInterims | None) -> JobSnapshot:
    if stored is None or stored.seq <= job.stored_interims.seq:
        return job
    return dataclasses.replace(job, stored_interims=stored)


def _source(program: ProgramSnapshot | None, memory: _Memory) -> Source | None:
    """Return the program's files: its own, or those read from the ConfigMap that it names now."""
    if program is None or program.spec is None:
        return None
    ref = program.spec.source.config_map_ref
    return program.source if ref is None else memory.source if memory.source_from == ref else None


def _check_of(memory: _Memory, subject: Subject, digest: str) -> Checked | None:
    """Return what the schemas of this digest said."""
    checked = memory.checks.get(subject)
    return checked if checked is not None and checked.of == digest else None


def _result_schemas(job: JobSnapshot, program: ProgramSnapshot | None, memory: _Memory) -> ResultSchemas | None:
    """Return the schemas that the job's status names: the program's own, or those it had when the job was started."""
    for schemas in (program.schemas.results if program else None, memory.result_schemas):
        if schemas is not None and schemas.digest == job.result_schemas:
            return schemas
    return None


def _trimmed(job: JobSnapshot) -> JobSnapshot:
    kept = {name: job.status[name] for name in _KEPT_OF_AN_ENDED_JOB if name in job.status}
    kept["conditions"] = [
        {name: condition[name] for name in ("type", "status", "lastTransitionTime")}
        for condition in job.status.get("conditions", [])
        if condition["type"] == ConditionType.SUCCEEDED
    ]
    spec = job.spec.model_copy(update={"inputs": {}}) if job.spec else None
    return dataclasses.replace(job, spec=spec, status=kept, stored_interims=StoredInterims())
