"""The runner pod: everything in it comes from the profile, the operator's configuration and its owner's identity.

Nothing a user writes reaches it but the names of job, pool and profile, as labels. The job itself arrives on stdin. A
job's own pod and a pool's differ in metadata and deadline alone; `claim` makes a pool's pod the job's.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names

if TYPE_CHECKING:
    from runtime_operator.config import Profile
    from runtime_operator.observe.snapshots import PodSnapshot

RUNNER_UID = 65532
GRACE_SECONDS = 3
"""Between the kubelet's SIGTERM and its SIGKILL: the supervisor needs well under one."""

SAFE_TO_EVICT_ANNOTATION = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""A node with a job's pod is not removed; an idle pod may go with its node, because the pool replaces it."""


def runner_pod(
    *,
    job_name: str,
    job_uid: str,
    namespace: str,
    attempt: int,
    profile_name: str,
    profile: Profile,
    deadline_seconds: int,
) -> dict[str, Any]:
    """Return the pod that will run this job.

    ``deadline_seconds`` is generous at creation and lowered by the claim, when the node's clock is known.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.child_name(job_uid, names.RUNNER_ROLE, attempt),
            "namespace": namespace,
            "labels": _labels(profile_name) | _job_labels(job_name, job_uid, attempt),
            "annotations": {SAFE_TO_EVICT_ANNOTATION: "false"},
            "ownerReferences": [owner_reference(job_name, job_uid)],
        },
        "spec": _spec(profile, deadline_seconds),
    }


def pool_pod(
    *,
    pool_name: str,
    pool_uid: str,
    namespace: str,
    token: str,
    attempt: int,
    profile_name: str,
    profile: Profile,
    deadline_seconds: int,
) -> dict[str, Any]:
    """Return a pod that will wait for a job. The token makes its name: another one, another pod.

    ``attempt`` says how many of the pool's pods before it failed to start, one after the other; the claim replaces it
    by the job's. ``deadline_seconds`` has room for the longest wait and the longest run; the claim lowers it.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pool_pod_name(pool_uid, token),
            "namespace": namespace,
            "labels": _labels(profile_name)
            | {
                names.POOL_LABEL: pool_name,
                names.TEMPLATE_LABEL: template_digest(profile_name, profile),
                names.ATTEMPT_LABEL: str(attempt),
            },
            "annotations": {SAFE_TO_EVICT_ANNOTATION: "true"},
            "ownerReferences": [owner_reference(pool_name, pool_uid, kind="RunnerPool")],
        },
        "spec": _spec(profile, deadline_seconds),
    }


def pool_pod_name(pool_uid: str, token: str) -> str:
    """Return the name of a pool's pod: free of user text, and nobody else's who does not know the token."""
    return f"rpool-{hashlib.sha256(f'{pool_uid}/{token}'.encode()).hexdigest()[:20]}"


def template_digest(profile_name: str, profile: Profile) -> str:
    """Return a short digest of everything in a pool's pod but its identity and deadline.

    It changes with the profile's content and with what this module makes of it, and fits a label.
    """
    made = [_labels(profile_name), _spec(profile, 0)]
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:32]


def claim(
    job_name: str, job_uid: str, attempt: int, *, pod: PodSnapshot, deadline_seconds: int, execution_seconds: int
) -> dict[str, Any]:
    """Return the merge patch that claims the pod for the job, for ``execution_seconds`` of program time.

    A pool's pod becomes the job's, if it is still in the state that was seen. A job's own pod only gets its deadline:
    nobody else may claim it, so its state does not matter.
    """
    metadata: dict[str, Any] = {
        "uid": pod.uid,
        "annotations": {names.CLAIMED_ANNOTATION: str(execution_seconds)},
    }
    if pod.pool_uid:
        metadata["resourceVersion"] = pod.version
        metadata["ownerReferences"] = [owner_reference(job_name, job_uid)]
        metadata["labels"] = _job_labels(job_name, job_uid, attempt)
        metadata["annotations"][SAFE_TO_EVICT_ANNOTATION] = "false"
    return {"metadata": metadata, "spec": {"activeDeadlineSeconds": deadline_seconds}}


def owner_reference(name: str, uid: str, *, kind: str = "RuntimeJob") -> dict[str, Any]:
    """Return what makes an object go when its job or pool goes, also while the operator is down."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _labels(profile_name: str) -> dict[str, str]:
    return {
        names.ROLE_LABEL: names.RUNNER_ROLE,
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.PROFILE_LABEL: profile_name,
    }


def _job_labels(job_name: str, job_uid: str, attempt: int) -> dict[str, str]:
    return {names.JOB_NAME_LABEL: job_name, names.JOB_UID_LABEL: job_uid, names.ATTEMPT_LABEL: str(attempt)}


def _spec(profile: Profile, deadline_seconds: int) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": deadline_seconds,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "serviceAccountName": names.RUNNER_SERVICE_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": False,
        # No name can be looked up anyway; with a resolver that is nowhere, a look-up fails at once.
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["127.0.0.1"], "options": [{"name": "timeout", "value": "1"}]},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": RUNNER_UID,
            "runAsGroup": RUNNER_UID,
            "fsGroup": RUNNER_UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(profile)],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": profile.scratch}}],
    }
    spec |= {
        key: value
        for key, value in {
            "imagePullSecrets": [{"name": name} for name in profile.image_pull_secrets],
            "runtimeClassName": profile.runtime_class_name,
            "priorityClassName": profile.priority_class_name,
            "nodeSelector": profile.node_selector,
            "tolerations": list(profile.tolerations),
        }.items()
        if value
    }
    if profile.host_users is not None:
        spec["hostUsers"] = profile.host_users
    return spec


def _container(profile: Profile) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": names.RUNNER_CONTAINER,
        "image": profile.image,
        "imagePullPolicy": profile.image_pull_policy,
        "stdin": True,
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {
                "cpu": profile.cpu_request,
                "memory": profile.memory,
                "ephemeral-storage": profile.ephemeral_storage,
            },
            "limits": {
                "cpu": profile.cpu,
                "memory": profile.memory,
                "ephemeral-storage": profile.ephemeral_storage,
            },
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
    }
    if profile.command:
        container["command"] = list(profile.command)
    return container
