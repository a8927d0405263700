"""What is done about a job, by what is seen of it: every row is a sentence, what is seen, and what should happen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.api.conditions import Reason, format_time
from runtime_operator.api.v1alpha1 import ProgramKind
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.plan import (
    ClaimPod,
    Converse,
    CreatePod,
    DeleteJob,
    DeletePod,
    HandOver,
    PrepareNamespace,
    ReadJournal,
    ReadSource,
    SendCancel,
    StoreInterims,
    StoreOutputs,
)
from runtime_operator.observe.snapshots import (
    BackendSnapshot,
    InterimResult,
    OutputRef,
    Outputs,
    Refusal,
    Source,
    StoredInterims,
)
from runtime_runner import contract
from runtime_runner.contract import RunnerState
from support import snapshots
from support.clock import START
from support.snapshots import (
    CONFIG,
    POD_NAME,
    SOURCE,
    ended,
    exit_event,
    failed_event,
    job,
    observed,
    pod,
    program,
    promised,
    runner,
    running,
)

if TYPE_CHECKING:
    from runtime_operator.config import OperatorConfig
    from runtime_operator.decide.plan import Plan
    from runtime_operator.observe.snapshots import JobSnapshot, Observed

AFTER = START + 100


@dataclass(frozen=True, kw_only=True)
class Row:
    """Only what a row names is compared."""

    title: str
    seen: Observed
    now: float = START + 3
    config: OperatorConfig = CONFIG
    does: tuple[type, ...] = ()
    phase: str = ""
    """Of the status that is to be written; empty: none is."""
    reason: str = ""
    says: tuple[str, ...] = ()
    """Parts of the message."""
    again: float | None = None
    notice: bool = field(default=False)


def condition(type_: str, status: str, at: float = START) -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": "Because", "message": "", "lastTransitionTime": format_time(at)}


def refused(reason: Reason, *, times: int = 1, at: float = START + 3) -> Refusal:
    return Refusal(reason=reason, message="exceeded quota", at=at, times=times)


def over(*, at: float = AFTER, phase: str = "Completed", completion: float | None = None, **ttl: Any) -> JobSnapshot:
    state = "True" if phase == "Completed" else "False"
    completed = format_time(at if completion is None else completion)
    status = {"phase": phase, "completionTime": completed, "conditions": [condition("Succeeded", state, at)]}
    return job(status=status, ttl=ttl)


def storing(seq: int) -> JobSnapshot:
    return dataclasses.replace(
        promised(), stored_interims=StoredInterims(names=("a",), size=1, sha256="0" * 64, seq=seq)
    )


MISSING = observed(program=None)
INTERIMS = (InterimResult(seq=8, time=START + 2, value="8"),)
FROM_CONFIG_MAP = program(source={"config_map_ref": {"name": "source"}})
CANCELLED = failed_event("Cancelled", "the pod was told to stop")
LARGE = '"' + "x" * (64 * 1024) + '"'

# fmt: off
QUEUED = [
    Row(title="a namespace is prepared before its first pod", seen=observed(namespace_prepared=False),
        does=(PrepareNamespace,), again=0.0),
    Row(title="a namespace that cannot be prepared is tried again after a while, and the job says why",
        seen=observed(namespace_prepared=False, refusal=refused(Reason.NAMESPACE_NOT_PREPARED)),
        phase="Queued", reason="NamespaceNotPrepared", again=1.0),
    Row(title="a ConfigMap is read before the pod is created", seen=observed(program=FROM_CONFIG_MAP),
        does=(ReadSource,), again=0.0),
    Row(title="a pod is created, and nobody is told yet", seen=observed(), does=(CreatePod,), again=5.0),
    Row(title="a job that waits for a program says so and looks again when its patience ends", seen=MISSING,
        phase="Queued", reason="ProgramNotFound", says=("'a-program'", "in namespace default", "waiting"), again=7.0),
    Row(title="a program that has just been deleted may come back: the job waits once more",
        seen=dataclasses.replace(MISSING, reference_lost_at=START + 100), now=START + 102,
        phase="Queued", reason="ProgramNotFound", again=8.0),
    Row(title="a suspended job needs no program", seen=observed(program=None, job=job(suspend=True)), now=START + 60,
        phase="Queued", reason="Suspended"),
    Row(title="a program that did not come in time fails the job", seen=MISSING, now=START + 10,
        phase="Failed", reason="ProgramNotFound", says=("there is no RuntimeProgram 'a-program'",), notice=True),
    Row(title="a cluster program has no namespace to name",
        seen=observed(program=None, job=job(program_ref={"kind": "ClusterRuntimeProgram", "name": "p"})),
        now=START + 10,
        phase="Failed", reason="ProgramNotFound", says=("there is no ClusterRuntimeProgram 'p'",), notice=True),
    Row(title="a job that waits for a backend says which", seen=observed(backend=None, job=job(backend="aer-2")),
        phase="Queued", reason="BackendNotFound", says=("'aer-2'",), again=7.0),
    Row(title="a backend that nobody chose is the default one", seen=observed(backend=None), now=START + 10,
        phase="Failed", reason="BackendNotFound", says=("'aer'",), notice=True),
    Row(title="a missing ConfigMap is looked for again and again",
        seen=observed(program=FROM_CONFIG_MAP, source=Source(files=None, problem="there is no ConfigMap 'source'")),
        does=(ReadSource,),
        phase="Queued", reason="SourceNotFound", says=("no ConfigMap 'source'",), again=2.0),
    Row(title="a ConfigMap without the entrypoint may still get it",
        seen=observed(program=FROM_CONFIG_MAP, source=Source(files={"a.py": ""})), does=(ReadSource,),
        phase="Queued", reason="EntrypointNotFound", says=("'main.py'", "a.py"), again=2.0),
    Row(title="files in the program itself will not get the entrypoint any more",
        seen=observed(program=program(source={"files": {"a.py": ""}})), phase="Failed", reason="EntrypointNotFound",
        says=("'main.py'", "a.py"), notice=True),
    Row(title="a source above the limit names size and limit",
        seen=observed(program=program(source={"inline": "x" * (750 * 1024 + 1)})), phase="Failed",
        reason="SourceTooLarge", says=("768001 bytes", "768000"), notice=True),
    Row(title="a backend that is known to be too small is refused with both figures",
        seen=observed(program=program(backend_requirements={"min_num_qubits": 6}),
                      backend=BackendSnapshot(name="five", spec={"generic": {"numQubits": 5}})),
        phase="Failed", reason="BackendTooSmall", says=("6 qubits", "'five' has 5", "'a-program'"), notice=True),
    Row(title="a fake device has as many qubits as the device",
        seen=observed(program=program(backend_requirements={"min_num_qubits": 28}),
                      backend=BackendSnapshot(name="ibmq_montreal", spec={"fake": {"name": "FakeMontrealV2"}})),
        phase="Failed", reason="BackendTooSmall", says=("28 qubits", "'ibmq_montreal' has 27"), notice=True),
    Row(title="a backend that is just large enough will do",
        seen=observed(program=program(backend_requirements={"min_num_qubits": 5}),
                      backend=BackendSnapshot(name="five", spec={"generic": {"numQubits": 5}})),
        does=(CreatePod,), again=5.0),
    Row(title="of a simulator only its runner knows the size",
        seen=observed(program=program(backend_requirements={"min_num_qubits": 5000})), does=(CreatePod,), again=5.0),
    Row(title="a backend that is nearly a well-known one is suggested",
        seen=observed(backend=None, job=job(backend="fake-montrael")), now=START + 10,
        phase="Failed", reason="BackendNotFound", says=("'fake-montrael'", "did you mean fake-montreal"), notice=True),
    Row(title="schemas above the limit name size and limit",
        seen=observed(program=program(parameters={"description": "x" * 70_000})), phase="Failed",
        reason="SchemaTooLarge", says=("70019 bytes", "65536"), notice=True),
    Row(title="a limit above the program's is refused with both figures",
        seen=observed(job=job(max_execution_time_seconds=301)), phase="Failed",
        reason="MaxExecutionTimeAboveProgram", says=("301", "300"), notice=True),
    Row(title="inputs above the limit are refused with both figures",
        seen=observed(job=dataclasses.replace(job(), inputs_bytes=1024 * 1024 + 1)), phase="Failed",
        reason="InvalidInput", says=("1048577", "1048576"), notice=True),
    Row(title="a spec that cannot be understood fails the job with the field",
        seen=observed(job=dataclasses.replace(job(), spec=None, spec_error="spec.tags: not a list")), phase="Failed",
        reason="InvalidSpec", says=("spec.tags",), notice=True),
    Row(title="a program whose spec cannot be understood fails the job with the field",
        seen=observed(program=dataclasses.replace(program(), spec=None, spec_error="spec.source: no"), source=None),
        phase="Failed", reason="InvalidSpec", says=("'a-program'", "spec.source: no"), notice=True),
    Row(title="a profile that does not exist is named, and so are those that do",
        seen=observed(program=program(profile="gpu")), phase="Failed", reason="ProfileNotFound",
        says=("'gpu'", "default"), notice=True),
    Row(title="a pod that is on its way is removed when the program has gone meanwhile",
        seen=observed(program=None, pods=(pod(),)), does=(DeletePod,), phase="Queued", reason="ProgramNotFound",
        again=7.0),
    Row(title="a suspended job waits without a pod and without a clock", seen=observed(job=job(suspend=True)),
        now=START + 10_000, phase="Queued", reason="Suspended", again=None),
    Row(title="a job suspended while its pod starts loses the pod",
        seen=observed(job=job(suspend=True), pods=(pod(),)), does=(DeletePod,), phase="Queued", reason="Suspended"),
    Row(title="a job that is resumed says so first: its start deadline counts from there",
        seen=observed(job=job(status={"phase": "Queued", "conditions": [condition("Suspended", "True")]})),
        now=START + 10_000, phase="Queued", reason="WaitingForRunner", again=0.0),
    Row(title="a resumed job has its whole start deadline",
        seen=observed(job=job(status={"phase": "Queued", "conditions": [condition("Suspended", "False",
        START + 900)]})),
        now=START + 1000, does=(CreatePod,), again=5.0),
    Row(title="a job that did not start in time fails, and says what it waited for",
        seen=observed(job=job(status={"phase": "Queued", "conditions": [condition("Reconciling", "True")]})),
        now=START + 600, phase="Failed", reason="StartDeadlineExceeded", says=("600 s", "Because"), notice=True),
    Row(title="a job's own start deadline counts", seen=observed(job=job(start_deadline_seconds=3), pods=(pod(),)),
        does=(DeletePod,), phase="Failed", reason="StartDeadlineExceeded", says=("3 s",), notice=True),
    Row(title="a start deadline is an appointment", seen=observed(job=job(start_deadline_seconds=4)),
        does=(CreatePod,), again=1.0),
    Row(title="a queued job is cancelled without a notice", seen=observed(job=job(cancel=True)),
        phase="Cancelled", reason="Cancelled", says=("before the program was started",)),
    Row(title="a queued job that is cancelled loses its pod", seen=observed(job=job(cancel=True), pods=(pod(),)),
        does=(DeletePod,), phase="Cancelled", reason="Cancelled"),
    Row(title="cancelling wins over everything that is wrong", seen=observed(job=job(cancel=True), program=None),
        phase="Cancelled", reason="Cancelled"),
    Row(title="a refusal is waited out before the next try", seen=observed(refusal=refused(Reason.QUOTA_EXCEEDED,
        times=3)),
        phase="Queued", reason="QuotaExceeded", again=4.0),
    Row(title="a refusal is not waited out for ever", seen=observed(refusal=refused(Reason.QUOTA_EXCEEDED, at=START)),
        does=(CreatePod,), again=5.0),
    Row(title="a pod refused for days is still tried every minute",
        seen=observed(job=job(start_deadline_seconds=604800), refusal=refused(Reason.POD_REFUSED, times=5000)),
        phase="Queued", reason="PodRefused", again=60.0),
    Row(title="a foreign pod of that name fails the job", seen=observed(refusal=refused(Reason.NAME_CONFLICT)),
        phase="Failed", reason="NameConflict", notice=True),
    Row(title="a pod without a node yet is waited for in silence",
        seen=observed(pods=(pod(scheduled=False, scheduled_since=None, phase="Pending", node=""),)), again=2.0),
    Row(title="a pod that no node has room for is said to be so",
        seen=observed(pods=(pod(scheduled=False, phase="Pending", waiting_reason="Unschedulable",
        waiting_message="0/3"),)),
        phase="Queued", reason="Unschedulable", says=("0/3",), again=2.0),
    Row(title="a pod with a node is spoken to before it runs", seen=observed(pods=(pod(phase="Pending"),)),
        does=(Converse,), again=2.0),
    Row(title="a start that takes long is said to be going on",
        seen=observed(pods=(pod(phase="Pending", waiting_reason="ContainerCreating"),)), now=START + 5,
        does=(Converse,), phase="Queued", reason="WaitingForRunner", says=("ContainerCreating",), again=295.0),
    Row(title="an image that cannot be pulled is said at once",
        seen=observed(pods=(pod(phase="Pending", waiting_reason="ErrImagePull", waiting_message="no such image"),)),
        does=(Converse,), phase="Queued", reason="ImagePullFailed", says=("no such image",), again=2.0),
    Row(title="an image that cannot be pulled in the time allowed fails the job",
        seen=observed(pods=(pod(phase="Pending", waiting_reason="ErrImagePull"),)), now=START + 300, does=(DeletePod,),
        phase="Failed", reason="ImagePullFailed", says=("300 s",), notice=True),
    Row(title="a pod that does not come up in the time allowed fails the job",
        seen=observed(pods=(pod(phase="Pending", waiting_reason="CreateContainerError", waiting_message="no"),)),
        now=START + 300, does=(DeletePod,), phase="Failed", reason="RunnerStartFailed",
        says=("300 s", "CreateContainerError: no"), notice=True),
    Row(title="a pod that waited long for a node has its whole time to come up",
        seen=observed(pods=(pod(phase="Pending", scheduled_since=START + 400),)), now=START + 406, does=(Converse,),
        phase="Queued", reason="WaitingForRunner", again=194.0),
    Row(title="a pod that ended without the job is followed by another one",
        seen=observed(pods=(pod(phase="Failed", exit_code=2),)), does=(CreatePod,), again=5.0),
    Row(title="a pod that is being deleted is not waited for", seen=observed(pods=(pod(deleting_since=START),)),
        does=(CreatePod,), again=5.0),
    Row(title="the last of the pods that are tried ends the job",
        seen=observed(pods=(pod(phase="Failed", exit_code=2, attempt=2, reason="Error"),)), phase="Failed",
        reason="RunnerStartFailed", says=("3 pods", "Error, exit code 2"), notice=True),
    Row(title="pods of an earlier job of the same name do not count",
        seen=observed(pods=(pod(job_uid="other", attempt=2, exit_code=2),)), does=(CreatePod,), again=5.0),
    Row(title="a runner that answers is claimed, and the job is promised to it",
        seen=observed(pods=(pod(),), runner=runner()), does=(ClaimPod,), phase="Running", reason="Running",
        says=(POD_NAME,), again=0.0),
    Row(title="a runner that is still warming up is not claimed yet: the deadline has no room for a slow start",
        seen=observed(pods=(pod(),), runner=runner(state=RunnerState.STARTING)), does=(Converse,), again=2.0),
    Row(title="what an older pod's runner said is nothing",
        seen=observed(pods=(pod(),), runner=runner(pod_uid="older")), does=(Converse,), again=2.0),
    Row(title="a pod whose deadline is too early for a whole run is replaced",
        seen=observed(pods=(pod(deadline_seconds=300),), runner=runner()), does=(DeletePod,), again=597.0),
    Row(title="a runner that has another job is not given this one",
        seen=observed(pods=(pod(),), runner=runner(job_uid="other")), does=(DeletePod,), again=597.0),
    Row(title="a runner that talks nonsense is not given a job",
        seen=observed(pods=(pod(),), runner=runner(broken=True)), does=(DeletePod,), again=597.0),
]

RUNNING = [
    Row(title="a promised job is handed over to the runner that has none",
        seen=observed(job=promised(), pods=(pod(deadline_seconds=315),), runner=runner()), does=(HandOver,), again=1.0),
    Row(title="a promise whose claim did not get through is claimed before the hand-over",
        seen=observed(job=promised(), pods=(pod(),), runner=runner()), does=(ClaimPod,), phase="Running",
        reason="Running", again=0.0),
    Row(title="a job promised before a restart is spoken for before anything else",
        seen=observed(job=promised(), pods=(pod(),)), does=(Converse,), again=1.0),
    Row(title="a stream that is not open is waited for",
        seen=observed(job=promised(), pods=(pod(),), runner=running(connected=False, silent_since=START + 2)),
        does=(Converse,), again=1.0),
    Row(title="a runner that stays silent is reported, and waited for",
        seen=observed(job=promised(), pods=(pod(),),
                      runner=running(connected=False, silent_since=START, trouble="no route")),
        now=START + 10, does=(Converse,), phase="Running", reason="RunnerUnreachable", says=("no route",), again=1.0),
    Row(title="a runner that stays silent is not reported more than once a second",
        seen=observed(job=promised(), pods=(pod(),), runner=running(connected=False, silent_since=START),
                      status_written_at=START + 9.5),
        now=START + 10, does=(Converse,), again=1.0),
    Row(title="a source is read again after a restart",
        seen=observed(job=promised(), pods=(pod(),), runner=runner(), program=FROM_CONFIG_MAP), does=(ReadSource,),
        again=0.0),
    Row(title="a program that changed before the hand-over changes the promise first",
        seen=observed(job=promised(digest="sha256:" + "0" * 64), pods=(pod(),), runner=runner()), phase="Running",
        reason="Running", again=0.0),
    Row(title="a program deleted before the hand-over fails the job",
        seen=observed(job=promised(), pods=(pod(),), runner=runner(), program=None), does=(DeletePod,), phase="Failed",
        reason="ProgramNotFound", notice=True),
    Row(title="a job whose program disappears while it runs keeps running",
        seen=observed(job=promised(), pods=(pod(),), runner=running(), program=None, source=None), phase="Running",
        reason="Running"),
    Row(title="a job whose backend disappears while it runs keeps running",
        seen=observed(job=promised(), pods=(pod(),), runner=running(), backend=None), phase="Running",
        reason="Running"),
    Row(title="a pod whose deadline has become too early is given back before the hand-over",
        seen=observed(job=promised(), pods=(pod(deadline_seconds=305),), runner=runner()), does=(DeletePod,),
        phase="Queued", reason="WaitingForRunner", again=0.0),
    Row(title="a job cancelled before the hand-over is never handed over",
        seen=observed(job=promised(cancel=True), pods=(pod(),), runner=runner()), does=(DeletePod,), phase="Cancelled",
        reason="Cancelled"),
    Row(title="suspending a running job changes nothing",
        seen=observed(job=promised(suspend=True), pods=(pod(),), runner=running(), status_written_at=START + 2.5),
        again=0.5),
    Row(title="progress is reported", seen=observed(job=promised(), pods=(pod(),), runner=running()), phase="Running",
        reason="Running", says=("the program is running",)),
    Row(title="progress is reported once a second",
        seen=observed(job=promised(), pods=(pod(),), runner=running(), status_written_at=START + 2.5), again=0.5),
    Row(title="interim results that the status has no room for are stored before it is written",
        seen=observed(job=promised(), pods=(pod(),), runner=running(spilled_bytes=1), interims_stored_at=START + 2),
        does=(StoreInterims,), again=0.0),
    Row(title="the longer the program runs the longer they wait, and the status does not",
        seen=observed(job=promised(), pods=(pod(),), runner=running(spilled_bytes=1), status_written_at=START + 101,
                      interims_stored_at=START + 101), now=START + 102, phase="Running", reason="Running", again=3.0),
    Row(title="many of them do not wait",
        seen=observed(job=promised(), pods=(pod(),), runner=running(spilled_bytes=256 * 1024),
                      interims_stored_at=START + 101), now=START + 102, does=(StoreInterims,), again=0.0),
    Row(title="a cancel is passed on", seen=observed(job=promised(cancel=True), pods=(pod(),), runner=running()),
        does=(SendCancel,), again=5.0),
    Row(title="a cancel that is under way is waited for",
        seen=observed(job=promised(cancel=True), pods=(pod(),), runner=running(cancel_sent_at=START)), again=2.0),
    Row(title="a cancel that is not answered costs the pod",
        seen=observed(job=promised(cancel=True), pods=(pod(),), runner=running(cancel_sent_at=START - 2)),
        does=(DeletePod,)),
    Row(title="a pod that is being deleted is not deleted again",
        seen=observed(job=promised(cancel=True), pods=(pod(deleting_since=START + 2),),
                      runner=running(cancel_sent_at=START - 2)), again=119.0),
    Row(title="a cancel does not cost the pod just because the stream is being opened",
        seen=observed(job=promised(cancel=True), pods=(pod(),), runner=running(connected=False, silent_since=START)),
        does=(Converse,), again=1.0),
    Row(title="a cancel of a job whose runner cannot be reached costs the pod",
        seen=observed(job=promised(cancel=True), pods=(pod(),), runner=running(connected=False,
        silent_since=START - 2)),
        does=(Converse, DeletePod), again=1.0),
    Row(title="a silent node is waited for",
        seen=observed(job=promised(), pods=(pod(ready_lost_since=START),), runner=running(),
        status_written_at=START + 3),
        again=1.0),
    Row(title="a node that was silent too long has lost the job",
        seen=observed(job=promised(), pods=(pod(ready_lost_since=START),), runner=running()), now=START + 120,
        does=(DeletePod,), phase="Failed", reason="NodeLost", says=("node-1", "120 s"), notice=True),
    Row(title="a pod that cannot be deleted for so long has lost the job",
        seen=observed(job=promised(), pods=(pod(deleting_since=START),), runner=running()), now=START + 120,
        phase="Failed", reason="NodeLost", notice=True),
    Row(title="a runner with another job is not this job's",
        seen=observed(job=promised(), pods=(pod(),), runner=running(job_uid="other")), does=(DeletePod,),
        phase="Failed",
        reason="RunnerError", says=("other",), notice=True),
    Row(title="what a runner with another job returns is not this job's result",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(job_uid="other")), does=(DeletePod,), phase="Failed",
        reason="RunnerError", notice=True),
]

ENDING = [
    Row(title="a returned result completes the job", seen=observed(job=promised(), pods=(pod(),), runner=ended()),
        phase="Completed", reason="Completed", says=("1.000 s",)),
    Row(title="a result wins over a cancel that came too late",
        seen=observed(job=promised(cancel=True), pods=(pod(),), runner=ended()), phase="Completed", reason="Completed"),
    Row(title="a result wins over a pod that is gone", seen=observed(job=promised(), runner=ended()), phase="Completed",
        reason="Completed"),
    Row(title="an exception fails the job",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(failure=failed_event("ProgramFailed"))),
        phase="Failed", reason="ProgramFailed", says=("it broke",), notice=True),
    Row(title="a cancelled program cancels the job",
        seen=observed(job=promised(cancel=True), pods=(pod(),), runner=ended(failure=CANCELLED)), phase="Cancelled",
        reason="Cancelled"),
    Row(title="a pod told to stop by somebody else says who when it has ended",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(failure=CANCELLED))),
    Row(title="a pod that met its deadline ran too long",
        seen=observed(job=promised(), pods=(pod(phase="Failed", reason="DeadlineExceeded", deadline_seconds=314),),
                      runner=ended(failure=CANCELLED)),
        phase="Failed", reason="MaxExecutionTimeExceeded", says=("314 s",), notice=True),
    Row(title="an evicted pod is said to be evicted",
        seen=observed(job=promised(), pods=(pod(phase="Failed", reason="Evicted", message="low on disk"),),
                      runner=ended(failure=CANCELLED)),
        phase="Failed", reason="Evicted", says=("low on disk",), notice=True),
    Row(title="a pod that somebody deleted is said to be deleted",
        seen=observed(job=promised(), pods=(pod(phase="Failed", reason="Error", exit_code=1,
        deleting_since=START + 2),),
                      runner=ended(failure=CANCELLED)),
        phase="Failed", reason="RunnerLost", says=("deleted",), notice=True),
    Row(title="a runner that ends without a result and without a reason is broken",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(result=None)), phase="Failed", reason="RunnerError",
        notice=True),
    Row(title="a large result is stored before the status names it",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(result=LARGE)), does=(StoreOutputs,), again=0.0),
    Row(title="a stored result is named by the status",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(result=LARGE),
                      outputs=Outputs(result=OutputRef(names=("a", "b"), size=len(LARGE), sha256="0" * 64))),
        phase="Completed", reason="Completed"),
    Row(title="interim results beyond the newest are stored at the end",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(interims=INTERIMS, spilled_bytes=1)),
        does=(StoreInterims,), again=0.0),
    Row(title="once the older ones are stored, the newest follow at the end",
        seen=observed(job=storing(7), pods=(pod(),), runner=ended(interims=INTERIMS)),
        does=(StoreInterims,), again=0.0),
    Row(title="with all of them stored, the status says where",
        seen=observed(job=storing(8), pods=(pod(),), runner=ended(interims=INTERIMS)), phase="Completed",
        reason="Completed"),
    Row(title="those of a job whose node is lost are stored before it fails",
        seen=observed(job=promised(), pods=(pod(ready_lost_since=START - 120),), runner=running(spilled_bytes=1)),
        does=(StoreInterims,), again=0.0),
    Row(title="interim results that were dropped cannot be stored",
        seen=observed(job=promised(), pods=(pod(),),
                      runner=ended(exit=exit_event(interim_published=21, interim_dropped=21))),
        phase="Completed", reason="Completed"),
    Row(title="a log beyond its tail is stored",
        seen=observed(job=promised(), pods=(pod(),), runner=ended(log_bytes=1)), does=(StoreOutputs,),
        again=0.0),
    Row(title="a log whose pod is gone cannot be stored",
        seen=observed(job=promised(), runner=ended(log_bytes=1)), phase="Completed",
        reason="Completed"),
    Row(title="a log on a node that is lost is not waited for",
        seen=observed(job=promised(), pods=(pod(ready_lost_since=START - 120),),
        runner=ended(log_bytes=1)),
        phase="Completed", reason="Completed"),
    Row(title="the log of a pod that ended in silence is read first",
        seen=observed(job=promised(), pods=(pod(phase="Failed", exit_code=137),), runner=running()),
        does=(ReadJournal,),
        again=0.0),
    Row(title="the log is read even if nobody ever spoke to the runner",
        seen=observed(job=promised(), pods=(pod(phase="Failed", exit_code=137),)), does=(ReadJournal,), again=0.0),
    Row(title="a pod killed for its memory says so",
        seen=observed(job=promised(), pods=(pod(phase="Failed", exit_code=137, reason="OOMKilled"),),
                      runner=running(journal_read=True)),
        phase="Failed", reason="OOMKilled", says=("memory",), notice=True),
    Row(title="a pod that ended without a word is lost",
        seen=observed(job=promised(), pods=(pod(phase="Failed", exit_code=137, reason="Error"),),
                      runner=running(journal_read=True)),
        phase="Failed", reason="RunnerLost", says=("Error, exit code 137", "not started again"), notice=True),
    Row(title="a pod that ended after a cancel was cancelled",
        seen=observed(job=promised(cancel=True), pods=(pod(phase="Failed", exit_code=137),),
                      runner=running(journal_read=True)),
        phase="Cancelled", reason="Cancelled"),
    Row(title="a pod that is gone has lost the job", seen=observed(job=promised()), phase="Failed", reason="RunnerLost",
        says=("deleted", "not started again"), notice=True),
    Row(title="a pod that took the promised one's place does not get the job",
        seen=observed(job=promised(), pods=(pod(uid="new", attempt=1),), runner=runner(pod_uid="new")), phase="Failed",
        reason="RunnerLost", notice=True),
    Row(title="a runner that talks nonsense fails the job and loses its pod",
        seen=observed(job=promised(), pods=(pod(),), runner=running(broken=True,
        trouble="the result is not JSON text")),
        does=(DeletePod,), phase="Failed", reason="RunnerError", says=("not JSON text",), notice=True),
    *(
        Row(title=f"the last words of a pod whose log is lost: {title}",
            seen=observed(job=promised(), runner=running(journal_read=True),
                          pods=(pod(phase="Failed", exit_code=code, reason="Error", termination_message=words),)),
            phase=phase, reason=reason, notice=phase == "Failed")
        for title, code, words, phase, reason in (
            ("its result", 0,
             '{"job_uid": "job-uid", "succeeded": true, "execution_seconds": 2, "result": "1"}', "Completed",
             "Completed"),
            ("a result that the supervisor's exit code denies", 137,
             '{"job_uid": "job-uid", "succeeded": true, "execution_seconds": 2, "result": "1"}', "Failed",
             "RunnerLost"),
            ("success without the result", 0,
             '{"job_uid": "job-uid", "succeeded": true, "execution_seconds": 2}', "Failed", "RunnerLost"),
            ("its failure", 1,
             '{"job_uid": "job-uid", "succeeded": false, "execution_seconds": 2, "reason": "ProgramFailed"}',
             "Failed", "ProgramFailed"),
            ("a stop that nobody of ours asked for", 1,
             '{"job_uid": "job-uid", "succeeded": false, "execution_seconds": 2, "reason": "Cancelled"}',
             "Failed", "RunnerLost"),
            ("another job's", 0,
             '{"job_uid": "other", "succeeded": true, "execution_seconds": 2, "result": "1"}', "Failed", "RunnerLost"),
            ("a reason nobody knows", 1,
             '{"job_uid": "job-uid", "succeeded": false, "execution_seconds": 2, "reason": "X"}', "Failed",
             "RunnerLost"),
            ("nonsense", 1, "panic!", "Failed", "RunnerLost"),
        )
    ),
]

AFTER_THE_END = [
    Row(title="a job that has ended keeps its pod for a while", seen=observed(job=over(), pods=(pod(exit_code=0),)),
        now=AFTER, again=60.0),
    Row(title="the pod goes when its time has come", seen=observed(job=over(), pods=(pod(exit_code=0),)),
        now=AFTER + 60,
        does=(DeletePod,)),
    Row(title="the pod goes at once if so wanted", seen=observed(job=over(pod_seconds=0), pods=(pod(),)), now=AFTER,
        does=(DeletePod,)),
    Row(title="a pod that is on its way out is not deleted again",
        seen=observed(job=over(), pods=(pod(deleting_since=AFTER),)), now=AFTER + 60),
    Row(title="another job's pod is none of our business", seen=observed(job=over(), pods=(pod(job_uid="other"),)),
        now=AFTER + 60),
    Row(title="the job itself stays unless asked otherwise", seen=observed(job=over()), now=AFTER + 10**9),
    Row(title="the job goes when its time has come", seen=observed(job=over(job_seconds=100)), now=AFTER + 100,
        does=(DeleteJob,)),
    Row(title="the next appointment is the earlier one", seen=observed(job=over(job_seconds=10), pods=(pod(),)),
        now=AFTER, again=10.0),
    Row(title="after the pod the job's time is still to come", seen=observed(job=over(job_seconds=100), pods=(pod(),)),
        now=AFTER + 60, does=(DeletePod,), again=40.0),
    Row(title="a node whose clock is an hour behind does not make a job go at once",
        seen=observed(job=over(job_seconds=100, completion=AFTER - 3600)), now=AFTER, again=100.0),
    Row(title="a deletion takes the job's pods along", now=AFTER, does=(DeletePod,),
        seen=observed(job=dataclasses.replace(promised(), deleting=True), pods=(pod(), pod(uid="x", job_uid="other")))),
    Row(title="a job that is gone takes its pods along", seen=observed(job=None, deleted_uid="job-uid", pods=(pod(),)),
        does=(DeletePod,)),
    Row(title="pods of a job that nobody ever saw are left to their owner",
        seen=observed(job=None, pods=(pod(job_uid=""), pod()))),
]

# fmt: on


@pytest.mark.parametrize("row", QUEUED + RUNNING + ENDING + AFTER_THE_END, ids=lambda row: row.title)
def test_a_job(row: Row) -> None:
    plan = plan_job(row.seen, row.now, row.config)
    assert tuple(type(action) for action in plan.actions) == row.does
    written = snapshots.written(plan)
    assert written.get("phase", "") == row.phase, written
    succeeded = [c for c in written.get("conditions", []) if c["type"] == "Succeeded"]
    assert "".join(c["reason"] for c in succeeded) == row.reason
    for part in row.says:
        assert part in succeeded[0]["message"]
    assert plan.requeue_after == (None if row.again is None else pytest.approx(row.again))
    assert (plan.notice is not None) == row.notice
    assert plan_job(row.seen, row.now, row.config) == plan


def the_plan(seen: Observed, now: float = START + 3) -> Plan:
    return plan_job(seen, now, CONFIG)


def test_a_claim_sets_the_deadline_by_the_nodes_clock_and_for_this_very_pod() -> None:
    ahead = runner(node_time=START + 600 + 2, node_time_at=START + 2)
    (claim,) = the_plan(observed(pods=(pod(start_time=START + 600),), runner=ahead)).actions
    assert isinstance(claim, ClaimPod)
    assert claim.patch["metadata"]["uid"] == snapshots.POD_UID
    assert claim.patch["spec"] == {"activeDeadlineSeconds": 3 + 300 + 1 + 10 + 1}


def test_a_hand_over_says_everything_the_runner_needs() -> None:
    wanted = promised(inputs={"n": 3}, max_execution_time_seconds=20, log_level="DEBUG")
    seen = observed(job=wanted, pods=(pod(deadline_seconds=35),), runner=runner())
    (action,) = the_plan(seen).actions
    assert isinstance(action, HandOver)
    assert action.pod_uid == snapshots.POD_UID
    assert action.request == contract.Job(
        job_uid="job-uid",
        job_name="a-job",
        attempt=0,
        files={"main.py": SOURCE},
        entrypoint="main.py",
        inputs={"n": 3},
        backend_name="aer",
        backend={"aer": {}},
        limits=contract.Limits(execution_seconds=20.0),
        log_level="DEBUG",
    )


def test_a_hand_over_says_what_the_program_needs_of_qiskit_and_of_its_backend() -> None:
    special = program(compatibility="Qiskit0", backend_requirements={"min_num_qubits": 5})
    seen = observed(job=job(), program=special, pods=(pod(deadline_seconds=315),), runner=runner())
    status = snapshots.written(the_plan(seen))
    assert status["program"]["compatibility"] == "Qiskit0"
    (action,) = the_plan(dataclasses.replace(seen, job=job(status=status))).actions
    assert isinstance(action, HandOver)
    assert (action.request.compatibility, action.request.min_num_qubits) == ("Qiskit0", 5)


def test_a_second_pod_has_another_name_and_a_higher_attempt() -> None:
    (action,) = the_plan(observed(pods=(pod(phase="Failed", exit_code=2),))).actions
    assert isinstance(action, CreatePod)
    assert action.manifest["metadata"]["name"] != POD_NAME
    assert action.manifest["metadata"]["labels"]["quantumruntime.dev/attempt"] == "1"


def test_a_cluster_program_is_promised_by_its_kind() -> None:
    seen = observed(
        job=job(program_ref={"kind": "ClusterRuntimeProgram", "name": "a-program"}),
        program=program(kind=ProgramKind.CLUSTER),
        pods=(pod(),),
        runner=runner(),
    )
    assert snapshots.written(the_plan(seen))["program"]["kind"] == "ClusterRuntimeProgram"
