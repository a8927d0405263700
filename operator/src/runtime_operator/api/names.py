"""Group, labels, annotations and the names of children: everything whose spelling others depend on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

GROUP = "quantumruntime.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

JOBS = "runtimejobs"
PROGRAMS = "runtimeprograms"
CLUSTER_PROGRAMS = "clusterruntimeprograms"
BACKENDS = "runtimebackends"
OUTPUTS = "runtimejoboutputs"
POOLS = "runnerpools"

ROLE_LABEL = f"{GROUP}/role"
RUNNER_ROLE = "runner"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "quantum-runtime"
JOB_NAME_LABEL = f"{GROUP}/job-name"
JOB_UID_LABEL = f"{GROUP}/job-uid"
ATTEMPT_LABEL = f"{GROUP}/attempt"
PROFILE_LABEL = f"{GROUP}/profile"
POOL_LABEL = f"{GROUP}/pool"
"""Name of the pool a pod was started for: it keeps it when a job has claimed it."""
TEMPLATE_LABEL = f"{GROUP}/template"
"""Digest of what a pool's pod was made from: another one, and the pod is replaced."""
CLAIMED_ANNOTATION = f"{GROUP}/claimed-for-seconds"
"""On a claimed pod, for people: how many seconds of program time its ``activeDeadlineSeconds`` was set for."""

RUNNER_CONTAINER = "runner"
RUNNER_POLICY = "quantum-runtime-runners"
RUNNER_SERVICE_ACCOUNT = "quantum-runtime-runner"
RUNNER_SELECTOR = f"{ROLE_LABEL}={RUNNER_ROLE}"


class JobKey(NamedTuple):
    """Which job: the work queue's key."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class PoolKey:
    """Which pool: the work queue's key. No tuple, so that it never equals a job's."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def child_name(job_uid: str, role: str, attempt: int = 0) -> str:
    """Return the one name this child can have: the same at every call, free of user text, at most 63 characters."""
    return f"rtj-{hashlib.sha256(f'{job_uid}/{role}/{attempt}'.encode()).hexdigest()[:20]}"
