"""The last seen state of everything, by key. Filled by watches and by the answers to our own writes; read by `observe`.

It keeps snapshots, not objects, and of a job that is over only what clearing away needs.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from runtime_runner import backend_names

from runtime_operator.api import names
from runtime_operator.api.conditions import ConditionType
from runtime_operator.api.names import JobKey
from runtime_operator.api.v1alpha1 import Phase, ProgramKind
from runtime_operator.build.namespace import runner_policy
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
    from collections.abc import Callable, Mapping

    from runtime_operator.api.conditions import Reason
    from runtime_operator.api.v1alpha1 import ConfigMapRef
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
    """What belongs to one job but to no object: gone when the operator restarts, and found out again."""

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


class Cache:
    """See the module. Nothing here awaits; every method leaves the cache consistent."""

    def __init__(self, default_backend: str, *, builtin_backends: bool = True) -> None:
        self._default_backend, self._builtin_backends = default_backend, builtin_backends
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
        self._pods: dict[JobKey, dict[str, PodSnapshot]] = {}
        self._pod_owners: dict[str, JobKey] = {}
        self._prepared: set[str] = set()
        self._memory: dict[str, _Memory] = {}

    def observe(self, key: JobKey, runner_of: Callable[[str], RunnerSnapshot | None]) -> Observed:
        """Return everything known of the job; ``runner_of`` gives what the runner in a pod has said, by pod uid."""
        job = self._jobs.get(key)
        pods = tuple(self._pods.get(key, {}).values())
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
        )
        newest = observed.own_pods[-1].uid if observed.own_pods else ""
        return dataclasses.replace(observed, runner=runner_of(job.runner_uid or newest))

    def put_job(self, body: Mapping[str, Any]) -> JobKey:
        """Take over this version of a job, unless a newer one is known."""
        job = parse_job(body)
        if self._is_newer(body):
            if job.phase.terminal:
                job = _trimmed(job)
                self._memory.pop(job.uid, None)
            self._jobs[job.key] = job
        return job.key

    def drop_job(self, key: JobKey, uid: str) -> None:
        """Take over that a job has been deleted."""
        known = self._jobs.get(key)
        if known is not None and known.uid == uid:
            del self._jobs[key]
        self._memory.pop(uid, None)
        self._forget(uid)
        if self._pods.get(key):
            self._deleted[key] = uid

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
        key = JobKey(pod.namespace, pod.job_name)
        if self._is_newer(body):
            self._pods.setdefault(key, {})[pod.uid] = pod
            self._pod_owners[pod.uid] = key
        return self._pods.get(key, {}).get(pod.uid, pod)

    def drop_pod(self, uid: str) -> JobKey | None:
        """Take over that a runner pod is gone; return whose it was."""
        key = self._pod_owners.pop(uid, None)
        self._forget(uid)
        if key is None:
            return None
        pods = self._pods.get(key, {})
        pods.pop(uid, None)
        if not pods:
            self._pods.pop(key, None)
            self._deleted.pop(key, None)
        return key

    def note_deletion(self, pod_uid: str, now: float) -> None:
        """Take over that a pod's deletion has been accepted, before the watch says so."""
        pods = self._pods.get(self._pod_owners[pod_uid], {}) if pod_uid in self._pod_owners else {}
        pod = pods.get(pod_uid)
        if pod is not None and pod.deleting_since is None:
            pods[pod_uid] = dataclasses.replace(pod, deleting_since=now)

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

    def remember_status_write(self, job_uid: str, now: float) -> None:
        """Keep when the job's status was written last."""
        self._of(job_uid).status_written_at = now

    def remember_refusal(self, job_uid: str, reason: Reason, message: str, now: float) -> None:
        """Keep what the API server refused, and count how often in a row."""
        memory = self._of(job_uid)
        times = memory.refusal.times + 1 if memory.refusal else 1
        memory.refusal = Refusal(reason=reason, message=message, at=now, times=times)

    def forget_refusal(self, job_uid: str) -> None:
        """The API server has accepted what it refused before."""
        self._of(job_uid).refusal = None

    def _of(self, job_uid: str) -> _Memory:
        return self._memory.setdefault(job_uid, _Memory())

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
