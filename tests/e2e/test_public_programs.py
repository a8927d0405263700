"""The catalogue as a GitOps tool applies it. That each program does what it says is tested in ``programs/``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.support.cluster import API, condition
from e2e.support.programs import publish

if TYPE_CHECKING:
    from e2e.support.cluster import Cluster, Space

MANIFESTS = Path(__file__).parents[2] / "programs" / "manifests"
CATALOGS = ["staging", "production"]


def generations(cluster: Cluster) -> dict[str, int]:
    items = cluster.request("GET", f"{API}/clusterruntimeprograms")["items"]
    return {item["metadata"]["name"]: item["metadata"]["generation"] for item in items}


@pytest.mark.parametrize("catalog", CATALOGS)
def test_applying_a_catalogue_twice_changes_nothing(cluster: Cluster, catalog: str) -> None:
    publish(cluster, MANIFESTS / catalog)
    before = generations(cluster)
    publish(cluster, MANIFESTS / catalog)
    assert generations(cluster) == before
    difference = cluster.kubectl("diff", "--server-side", "--kustomize", str(MANIFESTS / catalog), check=False)
    assert (difference.returncode, difference.stdout) == (0, ""), "what a GitOps tool would call out of sync"


@pytest.mark.parametrize("catalog", CATALOGS)
def test_every_program_of_it_can_be_run(cluster: Cluster, catalog: str) -> None:
    publish(cluster, MANIFESTS / catalog)
    for name in generations(cluster):
        path = f"{API}/clusterruntimeprograms"
        program = cluster.wait(
            path,
            lambda _, body: (
                condition(body.get("status", {}), "Ready").get("observedGeneration") == body["metadata"]["generation"]
            ),
            "the operator looked at it",
            seconds=30,
            fieldSelector=f"metadata.name={name}",
        )
        assert condition(program["status"], "Ready")["status"] == "True", name
        assert condition(program["status"], "SchemasValid").get("status") != "False", name


def test_a_wrong_input_of_a_public_program_is_told_before_a_pod_is_used(cluster: Cluster, space: Space) -> None:
    publish(cluster, MANIFESTS / "production")
    ref = {"kind": "ClusterRuntimeProgram", "name": "vqe"}
    job = space.job("", programRef=ref, inputs={"shots": "many"})
    failure = job.ended()["failure"]
    assert failure["reason"] == "InvalidInput"
    assert "spec.inputs.shots" in failure["message"]
    assert job.pods_ever() == []


def test_a_job_of_a_public_program_is_written_in_a_few_lines_of_yaml(cluster: Cluster, space: Space) -> None:
    publish(cluster, MANIFESTS / "production")
    text = """
apiVersion: quantumruntime.dev/v1alpha1
kind: RuntimeJob
metadata: {name: ground-state}
spec:
  programRef: {kind: ClusterRuntimeProgram, name: vqe}
  inputs: {operator: {XX: 1.0, ZZ: 1.0}, shots: exact, seed: 7, optimizer: {name: COBYLA}}
"""
    space.kubectl("apply", "--filename", "-", stdin=text)
    space.kubectl("wait", "--for=condition=Succeeded", "--timeout=60s", "rtj/ground-state")
    result = json.loads(space.kubectl("get", "rtj", "ground-state", "--output", "jsonpath={.status.result}"))
    assert result["optimal_value"] == pytest.approx(-2.0, abs=1e-3)
