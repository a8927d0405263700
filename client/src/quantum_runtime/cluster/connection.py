"""Which cluster, which user and which namespace: from an argument, a kubeconfig, or the pod this runs in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from quantum_runtime.cluster import kubeconfig as settings
from quantum_runtime.cluster.errors import ConnectionSettingsError

if TYPE_CHECKING:
    from quantum_runtime.cluster.http import HttpApi

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, the API server's certificate authority, and the name of its namespace."""


async def connect(
    namespace: str | None = None,
    *,
    kubeconfig: str | Path | None = None,
    context: str | None = None,
    silence_seconds: float | None = None,
) -> HttpApi:
    """Return the cluster that the user means; no request is sent yet.

    The kubeconfig is the one given, otherwise those that ``KUBECONFIG`` names, otherwise ``~/.kube/config``. Without
    any, the cluster is the one in whose pod this runs. It is only read: tokens that are renewed stay in memory.

    Args:
        namespace: Default: that of the context; without one, that of the pod this runs in; otherwise ``default``.
        kubeconfig: A file.
        context: One of the kubeconfig's contexts. Default: its current one.
        silence_seconds: How long a connection may say nothing before it counts as lost; see `HttpApi`.

    Raises:
        ConnectionSettingsError: there is no cluster to speak to, or the settings cannot be used.
    """
    # The official client takes half a second to import.
    from quantum_runtime.cluster.http import SILENCE_SECONDS, HttpApi
    from quantum_runtime.cluster.login import KubeconfigLogin, PodLogin

    patience = {"silence_seconds": SILENCE_SECONDS if silence_seconds is None else silence_seconds}
    files = settings.files(kubeconfig)
    if files:
        chosen = settings.choose(files, context)
        login = KubeconfigLogin(chosen)
        await login.begin()
        return HttpApi(login, namespace or chosen.namespace or _namespace_of_the_pod() or "default", **patience)
    if not os.environ.get("KUBERNETES_SERVICE_HOST"):
        message = (
            "there is no cluster to speak to: no kubeconfig was given, KUBECONFIG is not set, there is no "
            "~/.kube/config, and this does not run in a pod of a cluster"
        )
        raise ConnectionSettingsError(message)
    if context is not None:
        message = f"there is no kubeconfig, and so no context {context!r}; this runs in a pod, as its service account"
        raise ConnectionSettingsError(message)
    return HttpApi(PodLogin(SERVICE_ACCOUNT), namespace or _namespace_of_the_pod() or "default", **patience)


def _namespace_of_the_pod() -> str:
    try:
        return (SERVICE_ACCOUNT / "namespace").read_text().strip()
    except OSError:
        return ""
