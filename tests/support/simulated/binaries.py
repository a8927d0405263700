"""Where etcd and the Kubernetes components lie that ``tests/cluster`` has built."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

VERSIONS = Path(__file__).resolve().parents[2] / "cluster" / "versions.env"


class BinariesMissingError(RuntimeError):
    """The components have not been built on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Paths of the executables, and what they are."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    kubernetes_version: str
    etcd_version: str


def find(cache: Path | None = None) -> Binaries:
    """Return the executables in the test cluster's cache.

    Raises:
        BinariesMissingError: one of them is not there.
    """
    cache = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quantum-runtime"
    versions = _versions()
    kubernetes, etcd = versions["KUBERNETES_VERSION"], versions["ETCD_VERSION"]
    folder = cache / f"kubernetes-{kubernetes}"
    found = Binaries(
        etcd=cache / f"etcd-{etcd}" / "server",
        kube_apiserver=folder / "kube-apiserver",
        kube_controller_manager=folder / "kube-controller-manager",
        kube_scheduler=folder / "kube-scheduler",
        kubernetes_version=kubernetes,
        etcd_version=etcd,
    )
    wanted = (found.etcd, found.kube_apiserver, found.kube_controller_manager, found.kube_scheduler)
    missing = [str(path) for path in wanted if not os.access(path, os.X_OK)]
    if missing:
        raise BinariesMissingError(
            f"not built on this machine: {', '.join(missing)}; build them with `tests/cluster/cluster control-plane`"
        )
    return found


def _versions() -> dict[str, str]:
    lines = (line.split("#")[0].strip() for line in VERSIONS.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line)
