"""Argo Workflows, built from its Go module, as long as it is measured: its defaults, one namespace, all rights."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from runtime_operator.kube.client import PODS, Resource

from bench import bare, cluster
from bench.floor.arm import CRD_SECONDS, CRDS
from bench.warm.plain import CONTROLLER_POD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime_operator.kube.client import Kube, Object

FOLDER = Path(__file__).parents[1] / "argo"
CONTROLLER, EXECUTOR = "quantum-runtime/argo-workflow-controller", "quantum-runtime/argo-argoexec"
BUILD_SECONDS = 3600
START_SECONDS = 60

ACCOUNTS = Resource("", "v1", "serviceaccounts")
CONFIG_MAPS = Resource("", "v1", "configmaps")
CLUSTER_ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", namespaced=False)


def version() -> str:
    """Return the version that is measured."""
    lines = (FOLDER / "versions.env").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("ARGO_VERSION="))


async def built() -> tuple[Path | None, str]:
    """Build it, or find it built; return the folder with its CRDs, or None and the reason why it cannot be built."""
    process = await asyncio.create_subprocess_exec(
        str(FOLDER / "build"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(BUILD_SECONDS):
        out, err = await process.communicate()
    if process.returncode:
        return None, err.decode().strip()
    return Path(out.decode().split()[-1]) / "crds", ""


@contextlib.asynccontextmanager
async def installed(kube: Kube, namespace: str, crds: Path) -> AsyncIterator[None]:
    """Have its controller run in this namespace, for this namespace, with all the rights there are."""
    definitions = _definitions(crds)
    ours = [
        await kube.create(CRDS, None, one)
        for one in definitions
        if await kube.get(CRDS, None, one["metadata"]["name"]) is None
    ]
    await asyncio.sleep(CRD_SECONDS)
    await bare.prepare(kube, namespace)
    binding = await kube.create(CLUSTER_ROLE_BINDINGS, None, _binding(namespace))
    try:
        await kube.create(ACCOUNTS, namespace, _account())
        settings = {"metadata": {"name": "workflow-controller-configmap"}, "data": {}}
        await kube.create(CONFIG_MAPS, namespace, {"apiVersion": "v1", "kind": "ConfigMap", **settings})
        await kube.create(PODS, namespace, _controller(namespace))
        async with asyncio.timeout(START_SECONDS):
            while not await _runs(kube, namespace):  # noqa: ASYNC110 - nothing is measured here
                await asyncio.sleep(cluster.POLL_SECONDS)
        yield
    finally:
        await kube.delete(CLUSTER_ROLE_BINDINGS, None, binding["metadata"]["name"], uid=binding["metadata"]["uid"])
        for one in ours:
            await kube.delete(CRDS, None, one["metadata"]["name"], uid=one["metadata"]["uid"])


def _definitions(folder: Path) -> list[Object]:
    return [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("argoproj.io_*.yaml"))]


async def _runs(kube: Kube, namespace: str) -> bool:
    log = await kube.pod_log(namespace, CONTROLLER_POD, "controller")
    return b"Started workflow garbage collection" in (log or b"")


def _account() -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "argo"}}


def _binding(namespace: str) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{namespace}-argo"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "argo", "namespace": namespace}],
    }


def _controller(namespace: str) -> Object:
    container: dict[str, Any] = {
        "name": "controller",
        "image": f"{CONTROLLER}:{version()}",
        "imagePullPolicy": "Never",
        "args": [
            "--configmap=workflow-controller-configmap",
            f"--executor-image={EXECUTOR}:{version()}",
            "--executor-image-pull-policy=Never",
            "--namespaced",
            f"--managed-namespace={namespace}",
        ],
        "env": [{"name": "LEADER_ELECTION_DISABLE", "value": "true"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    }
    metadata = {"name": CONTROLLER_POD, "namespace": namespace}
    spec = {"serviceAccountName": "argo", "restartPolicy": "Always", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
