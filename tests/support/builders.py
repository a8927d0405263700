"""Objects as the API server would show them, with everything a test does not care about filled in."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from runtime_operator.api import names

if TYPE_CHECKING:
    from runtime_operator.kube.client import Object

_numbers = itertools.count(1)

MAIN = "def main(backend, user_messenger, **kwargs):\n    return kwargs\n"


def merge(target: Any, patch: Any) -> Any:
    """Return the target with a JSON merge patch applied (RFC 7386); neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def metadata(name: str, namespace: str | None = "default", *, uid: str = "", **more: Any) -> Object:
    where = {"namespace": namespace} if namespace else {}
    return {
        "name": name,
        **where,
        "uid": uid or f"00000000-0000-0000-0000-{next(_numbers):012}",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "generation": 1,
        **more,
    }


def job(
    name: str = "a-job", namespace: str = "default", *, uid: str = "", status: Object | None = None, **spec: Any
) -> Object:
    """Return a RuntimeJob of ``a-program``; keywords are merged into its spec."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": "RuntimeJob",
        "metadata": metadata(name, namespace, uid=uid),
        "spec": merge({"programRef": {"kind": "RuntimeProgram", "name": "a-program"}, "inputs": {}}, spec),
        **({"status": status} if status is not None else {}),
    }


def program(
    name: str = "a-program", namespace: str | None = "default", *, kind: str = "RuntimeProgram", **spec: Any
) -> Object:
    """Return a RuntimeProgram, or with ``namespace=None`` and another kind a ClusterRuntimeProgram."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "metadata": metadata(name, namespace),
        "spec": {"maxExecutionTimeSeconds": 300, "entrypoint": "main.py", "source": {"inline": MAIN}} | spec,
    }


def backend(name: str = "aer", **spec: Any) -> Object:
    """Return a RuntimeBackend: the Aer simulator, unless keywords say what else."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": "RuntimeBackend",
        "metadata": metadata(name, None),
        "spec": spec or {"aer": {}},
    }


def pool(
    name: str = "a-pool", namespace: str = "default", *, uid: str = "", status: Object | None = None, **spec: Any
) -> Object:
    """Return a RunnerPool of one pod of the default profile, unless keywords say what else its spec holds."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": "RunnerPool",
        "metadata": metadata(name, namespace, uid=uid),
        "spec": {"replicas": 1, "maxAgeSeconds": 86400} | spec,
        **({"status": status} if status is not None else {}),
    }


def pod(
    name: str = "a-pod",
    namespace: str = "default",
    *,
    uid: str = "",
    labels: dict[str, str] | None = None,
    owner: Object | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """Return a runner pod that nobody has seen yet; ``owner`` is the job it belongs to."""
    body: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(name, namespace, uid=uid, labels={names.ROLE_LABEL: names.RUNNER_ROLE} | (labels or {})),
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 2,
            "containers": [{"name": names.RUNNER_CONTAINER, "image": "runner:test", "stdin": True}],
            **spec,
        },
        "status": status if status is not None else {"phase": "Pending"},
    }
    if owner is not None:
        body["metadata"]["ownerReferences"] = [owner_reference(owner)]
    return body


def owner_reference(owner: Object) -> Object:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }


def running_status(*, ready: bool = True) -> Object:
    """Return the status of a pod whose runner runs."""
    answer = "True" if ready else "False"
    return {
        "phase": "Running",
        "startTime": "2026-01-01T00:00:00Z",
        "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "ContainersReady", "status": answer},
            {"type": "Ready", "status": answer},
        ],
        "containerStatuses": [
            {
                "name": names.RUNNER_CONTAINER,
                "ready": ready,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}},
            }
        ],
    }


def ended_status(*, exit_code: int = 0, reason: str = "", message: str = "") -> Object:
    """Return the status of a pod whose runner has ended; ``message`` is the termination message."""
    terminated: Object = {
        "exitCode": exit_code,
        "reason": reason or ("Error" if exit_code else "Completed"),
        "startedAt": "2026-01-01T00:00:01Z",
        "finishedAt": "2026-01-01T00:00:02Z",
    }
    if message:
        terminated["message"] = message
    return {
        "phase": "Failed" if exit_code else "Succeeded",
        "startTime": "2026-01-01T00:00:00Z",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {
                "name": names.RUNNER_CONTAINER,
                "ready": False,
                "started": False,
                "restartCount": 0,
                "state": {"terminated": terminated},
            }
        ],
    }
