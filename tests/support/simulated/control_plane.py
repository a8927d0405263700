"""etcd, API server, scheduler and controller manager as plain processes on loopback, in a folder of their own.

etcd writes to disk with its usual fsync, the API server has its default admission plugins and its default limits on
requests. Scheduler and controller manager may send as many requests as they like: with their own defaults (50 and 20 a
second) they, not what is measured, would set the pace.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import yaml
from runtime_operator.kube.client import SERVICE_ACCOUNTS, Resource

from support.simulated import binaries, certificates, connecting
from support.simulated.processes import Process, allow_many_files, free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from runtime_operator.kube.http import HttpKube

CRDS = Path(__file__).resolve().parents[3] / "crds"
START_SECONDS = 60.0
OPERATOR = "quantum-runtime-operator"
"""The operator's service account. As in a pod it shows a token: a client certificate would be verified again at every
request, 10 ms of CPU a job that no real operator costs. Its rights are a cluster administrator's, but given by RBAC,
and its requests are subject to priority and fairness as everybody's: `system:masters` would be exempt from both."""
NAMESPACE = "kube-system"
TOKEN_SECONDS = 24 * 3600

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False)
_ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", namespaced=False)
_QUICK = ("--kube-api-qps=5000", "--kube-api-burst=5000")


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """One that answers."""

    folder: Path
    url: str
    admin: Path
    """Kubeconfig of a user whom nothing holds up: for whoever measures, and for the simulated kubelets."""
    operator: Path
    """Kubeconfig of the operator."""
    serving: certificates.Pair
    """Certificate for the kubelets' address (127.0.0.1), which the API server verifies."""
    authority: Path
    versions: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)

    def check(self) -> None:
        """Do nothing while all of it runs.

        Raises:
            RuntimeError: one of the processes has ended.
        """
        for process in self.processes.values():
            process.check()


@asynccontextmanager
async def running(
    folder: Path, *, api_server_flags: Sequence[str] = (), controller_manager_flags: Sequence[str] = ()
) -> AsyncIterator[ControlPlane]:
    """Yield a control plane with our CRDs installed; its data goes to the folder, which stays.

    Raises:
        BinariesMissingError: the components have not been built here.
        RuntimeError: one of them ended at once.
        TimeoutError: it did not become ready within a minute.
    """
    found = binaries.find()
    allow_many_files()  # a stream to a runner is three of them
    authority = certificates.Authority(folder)
    etcd_port, peer_port, port, manager_port, scheduler_port = free_ports(5)
    url = f"https://127.0.0.1:{port}"
    plane = ControlPlane(
        folder=folder,
        url=url,
        admin=authority.kubeconfig("measurement", url, organization="system:masters"),
        operator=folder / f"{OPERATOR}.kubeconfig",
        serving=authority.issue("kubelet", addresses=("IP:127.0.0.1",)),
        authority=authority.pair.certificate,
        versions={"kubernetes": found.kubernetes_version, "etcd": found.etcd_version},
    )

    def start(name: str, program: Path, *flags: str) -> None:
        plane.processes[name] = Process(name, [str(program), *flags], folder / f"{name}.log")

    try:
        etcd_url, peer_url = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
        start(
            "etcd",
            found.etcd,
            "--name=one",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=one={peer_url}",
            "--quota-backend-bytes=8589934592",
            "--log-level=warn",
        )
        start("kube-apiserver", found.kube_apiserver, *_api_server(authority, port, etcd_url), *api_server_flags)
        await _until_ready(plane)
        manager = authority.kubeconfig("system:kube-controller-manager", url)
        accounts = folder / "accounts.key"
        start(
            "kube-controller-manager",
            found.kube_controller_manager,
            f"--kubeconfig={manager}",
            f"--secure-port={manager_port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder}",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={accounts}",
            f"--root-ca-file={authority.pair.certificate}",
            *_QUICK,
            *controller_manager_flags,
        )
        scheduler = authority.kubeconfig("system:kube-scheduler", url)
        start(
            "kube-scheduler",
            found.kube_scheduler,
            f"--kubeconfig={scheduler}",
            f"--secure-port={scheduler_port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder}",
            "--leader-elect=false",
            *_QUICK,
        )
        async with connecting.client(plane.admin) as kube:
            await _install(kube)
        authority.token_kubeconfig(OPERATOR, url, await _token(plane))
        yield plane
    finally:
        for process in reversed(plane.processes.values()):
            await process.stop()


def _api_server(authority: certificates.Authority, port: int, etcd_url: str) -> list[str]:
    serving = authority.issue("kube-apiserver", addresses=("IP:127.0.0.1", "DNS:localhost"))
    to_kubelets = authority.issue("kube-apiserver-kubelet-client", organization="system:masters")
    accounts = authority.issue("accounts")
    return [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={authority.pair.certificate}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--kubelet-certificate-authority={authority.pair.certificate}",
        f"--kubelet-client-certificate={to_kubelets.certificate}",
        f"--kubelet-client-key={to_kubelets.key}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={accounts.certificate}",
        f"--service-account-signing-key-file={accounts.key}",
    ]


async def _until_ready(plane: ControlPlane) -> None:
    """Wait until the API server says that it is."""
    connection = connecting.connect(plane.admin)
    async with asyncio.timeout(START_SECONDS), connection.session() as session:
        while True:
            plane.check()
            try:
                async with session.get("readyz") as response:
                    if response.status == 200:
                        break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    await connection.close()


async def _install(kube: HttpKube) -> None:
    """Install the CRDs and the operator's rights, and wait until both count and pods can be made."""
    definitions = [yaml.safe_load(path.read_text()) for path in sorted(CRDS.glob("*.yaml"))]
    for definition in definitions:
        await kube.create(_DEFINITIONS, None, definition)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": OPERATOR}}
    await kube.create(SERVICE_ACCOUNTS, NAMESPACE, account)
    binding: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": OPERATOR},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "namespace": NAMESPACE, "name": OPERATOR}],
    }
    await kube.create(_ROLE_BINDINGS, None, binding)
    async with asyncio.timeout(START_SECONDS):
        for definition in definitions:
            while not await _established(kube, definition["metadata"]["name"]):  # noqa: ASYNC110 - once, at the start
                await asyncio.sleep(0.1)


async def _token(plane: ControlPlane) -> str:
    """Return a token of the operator's service account."""
    connection = connecting.connect(plane.admin)
    wish = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    path = f"{SERVICE_ACCOUNTS.path(NAMESPACE, OPERATOR)}/token"
    async with (
        connection.session() as session,
        session.post(path, json={**wish, "spec": {"expirationSeconds": TOKEN_SECONDS}}) as response,
    ):
        response.raise_for_status()
        token = str((await response.json())["status"]["token"])
    await connection.close()
    return token


async def _established(kube: HttpKube, name: str) -> bool:
    body = await kube.get(_DEFINITIONS, None, name) or {}
    conditions = body.get("status", {}).get("conditions", [])
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def environment(kubeconfig: Path) -> dict[str, str]:
    """Return the environment for a child process that uses this kubeconfig."""
    return {**os.environ, "KUBECONFIG": str(kubeconfig)}
