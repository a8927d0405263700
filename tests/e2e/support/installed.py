"""The cluster that `make e2e` has prepared, or a word about what is missing."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml
from e2e.support.cluster import SYSTEM, Cluster, Refused
from urllib3.exceptions import HTTPError

E2E = Path(__file__).parents[1]


@cache
def installed_cluster() -> Cluster:
    """Return the cluster with the chart and the profiles that the tests need; fails the test if there is none."""
    path = (
        os.environ.get("KUBECONFIG")
        or subprocess.run(
            [E2E.parent / "cluster" / "cluster", "kubeconfig"], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    wanted = yaml.safe_load((E2E / "values.yaml").read_text())["config"]["profiles"]
    problem = "there is no kubeconfig" if not Path(path).exists() else ""
    if not problem:
        cluster = Cluster(Path(path))
        try:
            configured = cluster.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/quantum-runtime")
            operator = cluster.get(f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/quantum-runtime")
        except (Refused, HTTPError) as error:
            problem = f"the cluster does not answer ({type(error).__name__})"
        else:
            profiles = yaml.safe_load(configured["data"]["config.yaml"])["profiles"] if configured else {}
            if not operator:
                problem = f"the chart is not installed in {SYSTEM}"
            elif not operator["status"].get("readyReplicas"):
                problem = "the operator is not running"
            elif any(not settings.items() <= profiles.get(name, {}).items() for name, settings in wanted.items()):
                problem = "the chart is not installed with tests/e2e/values.yaml"
    if problem:
        pytest.fail(f"{problem}: run `make e2e`", pytrace=False)
    return cluster
