"""Operators beside the cluster's own: processes of this machine that can be killed and asked what they wrote."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from e2e.support.cluster import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.support.cluster import Cluster, Object

DEPLOYMENT = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/quantum-runtime"
BACKSTOP_SECONDS = 120
"""A pod whose operator is away for more than half of this before the hand-over is replaced by another."""

KILLED = Path(__file__).with_name("killed_operator.py")


@contextlib.contextmanager
def stopped_in_the_cluster(cluster: Cluster) -> Iterator[None]:
    """Have no operator in the cluster meanwhile: two of them would both act."""
    scale(cluster, 0)
    try:
        yield
    finally:
        scale(cluster, 1)


def scale(cluster: Cluster, replicas: int) -> None:
    """Return when so many operators run in the cluster, and no more."""
    cluster.request("PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": replicas}})

    def settled(_: str, body: Object) -> bool:
        status = body["status"]
        current = status.get("observedGeneration") == body["metadata"]["generation"]
        return bool(current and status.get("readyReplicas", 0) == status.get("replicas", 0) == replicas)

    where, only = DEPLOYMENT.rpartition("/")[0], "metadata.name=quantum-runtime"
    cluster.wait(where, settled, f"{replicas} operators", seconds=60, fieldSelector=only)
    if not replicas:  # a pod that is going is no replica any more, but may still act
        cluster.wait_until_none(
            f"/api/v1/namespaces/{SYSTEM}/pods", labelSelector="app.kubernetes.io/component=operator"
        )


class LocalOperator:
    """An operator for one namespace: profiles and rights are those of the one in the cluster, limits are ordinary."""

    def __init__(self, cluster: Cluster, folder: Path, namespace: str) -> None:
        self._environment = {"KUBECONFIG": str(_kubeconfig(cluster, folder)), "PATH": ""}
        settings = cluster.request("GET", f"/api/v1/namespaces/{SYSTEM}/configmaps/quantum-runtime")
        config = yaml.safe_load(settings["data"]["config.yaml"])
        config["limits"] = {"backstopSeconds": BACKSTOP_SECONDS}
        config |= {"watchNamespaces": [namespace], "livenessPort": _free_port(), "metricsPort": 0, "logLevel": "DEBUG"}
        self._config = folder / "config.yaml"
        self._config.write_text(yaml.safe_dump(config))
        self.log = folder / "operator.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, killed: str = "") -> None:
        """Start it; ``killed`` is the moment at which it will die."""
        program = [str(KILLED), killed] if killed else ["-m", "runtime_operator"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *program, "--config", str(self._config)], env=self._environment, stderr=log
            )

    def change_profile(self, name: str, **settings: Any) -> None:
        """Change its configuration as an upgrade of the chart would: it is read at the next start."""
        config = yaml.safe_load(self._config.read_text())
        config["profiles"][name] |= settings
        self._config.write_text(yaml.safe_dump(config))

    def wait_killed(self) -> None:
        """Return when it has died of its own hand; fails if it lives on."""
        assert self._process is not None
        assert self._process.wait(timeout=60) == -signal.SIGKILL, self.log.read_text()[-4000:]

    def stop(self) -> Object:
        """End it as Kubernetes does; return its last words."""
        assert self._process is not None
        self._process.terminate()
        try:
            code = self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        lines = self.log.read_text().splitlines()
        assert code == 0, "\n".join(lines[-20:])
        last: Object = json.loads(lines[-1])
        return last

    def end(self) -> None:
        """Kill it, if it lives: no process is left behind, and nothing is flushed or said."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _kubeconfig(cluster: Cluster, folder: Path) -> Path:
    """Return a kubeconfig with the rights of the operator's service account."""
    account = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/quantum-runtime/token"
    token = cluster.request("POST", account, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    authority = base64.b64encode(Path(cluster.settings.ssl_ca_cert).read_bytes()).decode()
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "operator",
                "contexts": [{"name": "operator", "context": {"cluster": "kind", "user": "operator"}}],
                "clusters": [
                    {
                        "name": "kind",
                        "cluster": {"server": cluster.settings.host, "certificate-authority-data": authority},
                    }
                ],
                "users": [{"name": "operator", "user": {"token": token}}],
            }
        )
    )
    path.chmod(0o600)
    return path


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
