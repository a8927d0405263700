"""The runner pod: everything in it comes from the profile, the operator's configuration and the job's identity.

Nothing a user writes reaches it but the names of job and profile, as labels. The job itself arrives on stdin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_operator.api import names

if TYPE_CHECKING:
    from runtime_operator.config import Profile

RUNNER_UID = 65532
GRACE_SECONDS = 3
"""Between the kubelet's SIGTERM and its SIGKILL: the supervisor needs well under one."""


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
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.child_name(job_uid, names.RUNNER_ROLE, attempt),
            "namespace": namespace,
            "labels": {
                names.ROLE_LABEL: names.RUNNER_ROLE,
                names.MANAGED_BY_LABEL: names.MANAGED_BY,
                names.JOB_NAME_LABEL: job_name,
                names.JOB_UID_LABEL: job_uid,
                names.ATTEMPT_LABEL: str(attempt),
                names.PROFILE_LABEL: profile_name,
            },
            "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
            "ownerReferences": [owner_reference(job_name, job_uid)],
        },
        "spec": spec,
    }


def owner_reference(job_name: str, job_uid: str) -> dict[str, Any]:
    """Return what makes an object go when its job goes, also while the operator is down."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": "RuntimeJob",
        "name": job_name,
        "uid": job_uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


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
