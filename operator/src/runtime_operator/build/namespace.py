"""What a namespace needs before the first runner pod in it: no way in, no way out, no rights."""

from __future__ import annotations

from typing import Any

from runtime_operator.api import names


def runner_policy(namespace: str) -> dict[str, Any]:
    """Return the NetworkPolicy that denies runners everything in both directions, DNS included."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(names.RUNNER_POLICY, namespace),
        "spec": {
            "podSelector": {"matchLabels": {names.ROLE_LABEL: names.RUNNER_ROLE}},
            "policyTypes": ["Ingress", "Egress"],
        },
    }


def runner_service_account(namespace: str) -> dict[str, Any]:
    """Return the service account of runner pods: bound to nothing, its token never mounted."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(names.RUNNER_SERVICE_ACCOUNT, namespace),
        "automountServiceAccountToken": False,
    }


def _metadata(name: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY}}
