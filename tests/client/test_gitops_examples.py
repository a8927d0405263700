"""The examples for Argo CD and Flux point at what is in this repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from quantum_runtime import catalog

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "gitops"
CATALOGS = catalog.load(ROOT / "programs" / catalog.CATALOG_FILE).catalogs


def documents(name: str) -> dict[str, dict[str, Any]]:
    return {body["kind"]: body for body in yaml.safe_load_all((EXAMPLES / name).read_text())}


def is_a_catalogue(path: str) -> bool:
    return (ROOT / path / "kustomization.yaml").is_file() and Path(path).name in CATALOGS


def test_an_application_follows_a_catalogue_removes_what_leaves_it_and_applies_on_the_server() -> None:
    found = documents("argocd/application.yaml")
    spec, project = found["Application"]["spec"], found["AppProject"]
    assert is_a_catalogue(spec["source"]["path"])
    assert spec["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]
    assert spec["project"] == project["metadata"]["name"]
    assert spec["source"]["repoURL"] in project["spec"]["sourceRepos"]
    assert project["spec"]["clusterResourceWhitelist"] == [
        {"group": "quantumruntime.dev", "kind": "ClusterRuntimeProgram"}
    ]


def test_an_application_set_has_an_application_for_every_catalogue() -> None:
    spec = documents("argocd/applicationset.yaml")["ApplicationSet"]["spec"]
    elements = spec["generators"][0]["list"]["elements"]
    path = spec["template"]["spec"]["source"]["path"]
    assert {element["catalog"] for element in elements} == set(CATALOGS)
    assert all(is_a_catalogue(path.replace("{{.catalog}}", element["catalog"])) for element in elements)


def test_flux_follows_a_catalogue_removes_what_leaves_it_and_waits_until_programs_are_ready() -> None:
    found = documents("flux/production.yaml")
    spec, source = found["Kustomization"]["spec"], found["GitRepository"]
    assert is_a_catalogue(spec["path"])
    assert (spec["prune"], spec["wait"]) == (True, True)
    assert spec["sourceRef"] == {"kind": "GitRepository", "name": source["metadata"]["name"]}
    assert "targetNamespace" not in spec


@pytest.mark.parametrize("plural", ["runtimeprograms", "clusterruntimeprograms", "runtimejobs"])
def test_argo_cd_is_told_the_health_of_every_kind_that_people_apply(plural: str) -> None:
    definition = yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text())["spec"]
    checks = documents("argocd/health.yaml")["ConfigMap"]["data"]
    check = checks[f"resource.customizations.health.{definition['group']}_{definition['names']['kind']}"]
    status = definition["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    for field in ("phase", "observedGeneration", "conditions"):
        if f"status.{field}" in check:
            assert field in status
    assert check.rstrip().endswith("return hs")
