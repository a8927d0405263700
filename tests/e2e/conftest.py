"""One cluster with the chart installed, and a namespace for every test module."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from e2e.support.cluster import SYSTEM, Cluster, Refused, Space
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster, with the chart and the profiles that the tests need installed by `make e2e`."""
    path = (
        os.environ.get("KUBECONFIG")
        or subprocess.run(
            [HERE.parent / "cluster" / "cluster", "kubeconfig"], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    wanted = yaml.safe_load((HERE / "values.yaml").read_text())["config"]["profiles"]
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


@pytest.fixture(scope="module")
def space(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A namespace of the module's own, with Pod Security "restricted" enforced."""
    purpose = re.sub(r"^test_|_", lambda m: "-" if m[0] == "_" else "", Path(request.path).stem)
    space = cluster.namespace(purpose)
    yield space
    space.remove()
