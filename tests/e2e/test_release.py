"""What Helm knows about the installation."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from e2e.support.cluster import SYSTEM

if TYPE_CHECKING:
    from e2e.support.cluster import Cluster

CRDS = Path(__file__).parents[2] / "crds"


def test_the_release_holds_the_crds_so_that_an_upgrade_upgrades_them(cluster: Cluster) -> None:
    manifest = subprocess.run(
        ["helm", "get", "manifest", "quantum-runtime", "--namespace", SYSTEM, "--kubeconfig", str(cluster.kubeconfig)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    held = [body["metadata"] for body in yaml.safe_load_all(manifest) if body["kind"] == "CustomResourceDefinition"]
    assert {metadata["name"] for metadata in held} == {
        path.stem + ".quantumruntime.dev" for path in CRDS.glob("*.yaml")
    }
    assert all(metadata["annotations"]["helm.sh/resource-policy"] == "keep" for metadata in held)
