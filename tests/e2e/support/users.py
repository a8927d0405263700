"""Users of the cluster with rights of their own: what a person with a kubeconfig may do, and no more."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from e2e.support.cluster import Object, Space

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def kubeconfig(space: Space, folder: Path, user: str, *, may: str, everywhere: str = "") -> Path:
    """Return the kubeconfig of a new user whose default namespace this is.

    Args:
        space: Where the user works.
        folder: Where the file goes.
        user: Name of the user, a service account.
        may: ClusterRole that is granted in the namespace.
        everywhere: ClusterRole that is granted in the whole cluster; empty: none.
    """
    request = space.cluster.request
    request("POST", space.path("serviceaccounts"), {"metadata": {"name": user}})
    subject = {"kind": "ServiceAccount", "name": user, "namespace": space.name}
    request("POST", f"{RBAC}/namespaces/{space.name}/rolebindings", _binding(user, may, subject))
    if everywhere:
        name = f"{space.name}-{user}"
        request("POST", f"{RBAC}/clusterrolebindings", _binding(name, everywhere, subject))
    token = request("POST", space.path("serviceaccounts", user, "token"), {"spec": {"expirationSeconds": 3600}})
    settings = space.cluster.settings
    authority = base64.b64encode(Path(settings.ssl_ca_cert).read_bytes()).decode()
    path = folder / f"{user}.kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {"name": "test", "cluster": {"server": settings.host, "certificate-authority-data": authority}}
                ],
                "users": [{"name": user, "user": {"token": token["status"]["token"]}}],
                "contexts": [{"name": user, "context": {"cluster": "test", "user": user, "namespace": space.name}}],
                "current-context": user,
            }
        )
    )
    path.chmod(0o600)
    return path


def _binding(name: str, role: str, subject: Object) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
