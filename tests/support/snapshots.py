"""What decisions see, with everything a test does not care about filled in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names
from runtime_operator.api.names import JobKey
from runtime_operator.api.v1alpha1 import JobSpec, Phase, ProgramKind, ProgramSpec
from runtime_operator.config import OperatorConfig
from runtime_operator.decide.plan import ClaimPod, Plan
from runtime_operator.observe.schemas import Schemas
from runtime_operator.observe.snapshots import (
    BackendSnapshot,
    JobSnapshot,
    Observed,
    PodSnapshot,
    ProgramSnapshot,
    RunnerSnapshot,
    Source,
    program_digest,
)
from runtime_runner import contract
from runtime_runner.contract import RunnerState

from support.clock import START

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = JobKey("default", "a-job")
JOB_UID = "job-uid"
POD_UID = "pod-uid"
POD_NAME = names.child_name(JOB_UID, names.RUNNER_ROLE, 0)
SOURCE = "def main(backend, user_messenger, **kwargs):\n    return kwargs\n"


def config(*, profiles: Mapping[str, Any] | None = None, **limits: Any) -> OperatorConfig:
    """Return a configuration with one profile; keywords are limits."""
    return OperatorConfig.model_validate(
        {"profiles": profiles or {"default": {"image": "registry.example/runner:1"}}, "limits": limits}
    )


CONFIG = config()


def job(*, status: Mapping[str, Any] | None = None, uid: str = JOB_UID, **spec: Any) -> JobSnapshot:
    """Return a job of ``a-program``, created at `START`; keywords are its spec's."""
    return JobSnapshot(
        key=KEY,
        uid=uid,
        generation=1,
        created=START,
        deleting=False,
        spec=JobSpec.model_validate({"program_ref": {"name": "a-program"}} | spec),
        spec_error="",
        status=status if status is not None else {"phase": "Queued"},
    )


def promised(*, pod_uid: str = POD_UID, digest: str | None = None, **spec: Any) -> JobSnapshot:
    """Return a job that its status has promised to a pod, with `program` as it is or by another digest."""
    status = {
        "phase": Phase.RUNNING.value,
        "conditions": [],
        "program": {"kind": "RuntimeProgram", "name": "a-program", "digest": digest or DIGEST},
        "backend": {"name": "aer"},
        "runner": {"pod": POD_NAME, "uid": pod_uid, "node": "node-1", "path": "cold", "attempt": 0},
    }
    return job(status=status, **spec)


def program(*, kind: ProgramKind = ProgramKind.NAMESPACED, **spec: Any) -> ProgramSnapshot:
    """Return ``a-program``, which has one file."""
    defaults = {"max_execution_time_seconds": 300, "source": {"inline": SOURCE}}
    parsed = ProgramSpec.model_validate(defaults | spec)
    return ProgramSnapshot(
        kind=kind,
        namespace="default" if kind is ProgramKind.NAMESPACED else "",
        name="a-program",
        uid="program-uid",
        generation=1,
        spec=parsed,
        spec_error="",
        status={},
        schemas=Schemas.of(parsed),
    )


DIGEST = program_digest(program(), Source(files={"main.py": SOURCE}))
"""Of `program`."""


def pod(**fields: Any) -> PodSnapshot:
    """Return the job's first pod, running on a node."""
    defaults: dict[str, Any] = {
        "namespace": "default",
        "name": POD_NAME,
        "uid": POD_UID,
        "job_uid": JOB_UID,
        "job_name": "a-job",
        "attempt": 0,
        "version": "1",
        "pool": "",
        "pool_uid": "",
        "profile": "default",
        "template": "",
        "running": True,
        "phase": "Running",
        "node": "node-1",
        "created": START,
        "start_time": START,
        "scheduled": True,
        "scheduled_since": START,
        "deadline_seconds": 1000,
        "waiting_reason": "",
        "waiting_message": "",
        "exit_code": None,
        "reason": "",
        "message": "",
        "termination_message": "",
        "deleting_since": None,
        "ready_lost_since": None,
    }
    known = {field.name for field in dataclasses.fields(PodSnapshot)}
    return PodSnapshot(**{name: value for name, value in (defaults | fields).items() if name in known})


def runner(**fields: Any) -> RunnerSnapshot:
    """Return a runner that answers, is warm and has no job."""
    defaults: dict[str, Any] = {
        "pod_uid": POD_UID,
        "connected": True,
        "state": RunnerState.READY,
        "node_time": START,
        "node_time_at": START,
    }
    return RunnerSnapshot(**(defaults | fields))


def running(**fields: Any) -> RunnerSnapshot:
    """Return a runner that has entered the job's program."""
    return runner(**({"state": RunnerState.RUNNING, "job_uid": JOB_UID, "started": START + 2} | fields))


def exit_event(*, succeeded: bool = True, **fields: Any) -> contract.Exit:
    defaults: dict[str, Any] = {
        "seq": 9,
        "time": START + 3,
        "execution_seconds": 1.0,
        "interim_published": 0,
        "interim_dropped": 0,
        "log_bytes": 0,
        "log_dropped_bytes": 0,
    }
    return contract.Exit(succeeded=succeeded, **(defaults | fields))


def failed_event(reason: str, message: str = "it broke", traceback: str = "") -> contract.Failed:
    return contract.Failed(
        seq=8, time=START + 3, reason=contract.FailureReason(reason), message=message, traceback=traceback
    )


def ended(*, failure: contract.Failed | None = None, result: str | None = '"done"', **fields: Any) -> RunnerSnapshot:
    """Return a runner that has said its last word."""
    outcome: dict[str, Any] = (
        {"failure": failure, "exit": exit_event(succeeded=False)}
        if failure
        else {"result": result, "exit": exit_event()}
    )
    return running(**({"state": RunnerState.ENDED, "connected": False} | outcome | fields))


def observed(**fields: Any) -> Observed:
    """Return a queued job whose program, backend and namespace are there."""
    defaults: dict[str, Any] = {
        "key": KEY,
        "job": job(),
        "program": program(),
        "backend": BackendSnapshot(name="aer", spec={"aer": {}}),
        "namespace_prepared": True,
    }
    merged = defaults | fields
    if "source" not in merged and merged["program"] is not None:
        merged["source"] = merged["program"].source
    return Observed(**merged)


def written(plan: Plan) -> dict[str, Any]:
    """Return the status that a plan writes: its own, or the promise of its claim; empty if none."""
    promises = [action.promise for action in plan.actions if isinstance(action, ClaimPod)]
    return dict(plan.status or next(iter(promises), {}))
