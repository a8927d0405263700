"""What the chart installs, as `helm template` renders it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from runtime_operator.api import names
from runtime_operator.api.v1alpha1 import JobSpec, ProgramSpec, RunnerPoolSpec
from runtime_operator.build.pod import SAFE_TO_EVICT_ANNOTATION
from runtime_operator.config import OperatorConfig
from runtime_operator.kube import client
from runtime_operator.kube.client import Resource
from support import crd

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "quantum-runtime"
NAMESPACE = "quantum-runtime-system"
Object = dict[str, Any]


def helm(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["helm", command, *arguments], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )


@cache
def render(*settings: str, release: str = "quantum-runtime") -> list[Object]:
    """Return every object the chart renders with these values."""
    flags = [flag for setting in settings for flag in ("--set", setting)]
    done = helm("template", release, str(CHART), "--namespace", NAMESPACE, "--include-crds", *flags)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(kind: str, *settings: str) -> list[Object]:
    return [body for body in render(*settings) if body["kind"] == kind]


def one(kind: str, *settings: str) -> Object:
    [body] = of_kind(kind, *settings)
    return body


def config(*settings: str) -> OperatorConfig:
    return OperatorConfig.model_validate(yaml.safe_load(one("ConfigMap", *settings)["data"]["config.yaml"]))


def operators_rules(*settings: str) -> list[tuple[str, Object]]:
    """Return (namespace or "", rule) for everything the operator may do."""
    return [
        (body["metadata"].get("namespace", ""), rule)
        for kind in ("ClusterRole", "Role")
        for body in of_kind(kind, *settings)
        if body["metadata"]["name"] == "quantum-runtime"
        for rule in body["rules"]
    ]


def test_helm_finds_nothing_to_complain_about() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chart_is_up_to_date_with_what_it_is_made_from() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "charts" / "sync.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_chart_operator_and_images_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    for member in ("operator", "runner-image"):
        project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
        assert project["version"] == chart["appVersion"]
    assert all(profile.image.endswith(f":{chart['appVersion']}") for profile in config().profiles.values())
    assert operator_container()["image"].endswith(f":{chart['appVersion']}")


# The operator


def operator_pod(*settings: str) -> Object:
    template: Object = one("Deployment", *settings)["spec"]["template"]
    return template


def operator_container(*settings: str) -> Object:
    [container] = operator_pod(*settings)["spec"]["containers"]
    return dict(container)


def test_the_operator_reads_the_configuration_in_the_values() -> None:
    loaded = config("config.limits.resultBytes=4194303", "config.profiles.big.image=other:1")
    assert loaded.limits.result_bytes == 4194303
    assert loaded.profiles.keys() == {"default", "science", "big"}
    arguments = operator_container()["args"]
    [mount] = operator_container()["volumeMounts"]
    assert arguments == ["--config", f"{mount['mountPath']}/config.yaml"]


def test_a_profile_whose_image_is_not_wanted_can_be_removed() -> None:
    assert config("config.profiles.science=null").profiles.keys() == {"default"}


def test_the_operators_memory_has_room_for_the_children_that_check_schemas() -> None:
    children = config().schema_checkers * config().limits.schema_memory_bytes
    limit = operator_container()["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("Mi")) * 1024 * 1024 - children >= 512 * 1024 * 1024


def test_the_operator_restarts_when_its_configuration_changes() -> None:
    before, after = operator_pod(), operator_pod("config.logLevel=DEBUG")
    assert before["metadata"]["annotations"] != after["metadata"]["annotations"]


def test_there_are_never_two_operators() -> None:
    spec = one("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_probes_follow_the_configured_port() -> None:
    container = operator_container("config.livenessPort=9000")
    assert {"name": "liveness", "containerPort": 9000} in container["ports"]
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "liveness"}


def test_metrics_have_a_port_of_their_own_unless_they_are_off() -> None:
    assert {"name": "metrics", "containerPort": config().metrics_port} in operator_container()["ports"]
    assert [port["name"] for port in operator_container("config.metricsPort=0")["ports"]] == ["liveness"]


def test_prometheus_is_told_where_the_metrics_are_if_asked() -> None:
    assert not of_kind("Service")
    assert not of_kind("ServiceMonitor")
    service = one("Service", "metrics.service.enabled=true", "config.metricsPort=9100")
    assert service["spec"]["ports"] == [{"name": "metrics", "port": 9100, "targetPort": "metrics"}]
    labels = operator_pod()["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    monitor = one("ServiceMonitor", "metrics.serviceMonitor.enabled=true")
    service = one("Service", "metrics.serviceMonitor.enabled=true")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def test_a_service_for_metrics_that_are_off_is_refused() -> None:
    done = helm("template", "x", str(CHART), "--set", "metrics.service.enabled=true", "--set", "config.metricsPort=0")
    assert done.returncode != 0
    assert "config.metricsPort" in done.stderr


def test_the_operators_pod_satisfies_pod_security_restricted() -> None:
    spec = operator_pod()["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_every_object_carries_the_usual_labels() -> None:
    for body in render("jobNamespaces={jobs}"):
        if body["kind"] != "CustomResourceDefinition":
            assert body["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
            assert body["metadata"]["labels"]["app.kubernetes.io/instance"] == "quantum-runtime"


def test_where_and_how_the_operator_runs_can_be_set() -> None:
    spec = operator_pod(
        "imagePullSecrets[0].name=pull",
        "priorityClassName=high",
        "nodeSelector.disk=fast",
        "tolerations[0].key=quantum",
        "affinity.nodeAffinity.a=b",
    )["spec"]
    assert spec["imagePullSecrets"] == [{"name": "pull"}]
    assert spec["priorityClassName"] == "high"
    assert spec["nodeSelector"] == {"disk": "fast"}
    assert spec["tolerations"] == [{"key": "quantum"}]
    assert spec["affinity"] == {"nodeAffinity": {"a": "b"}}


def test_objects_are_named_after_the_release() -> None:
    names = {body["metadata"]["name"] for body in render(release="other") if body["kind"] == "Deployment"}
    assert names == {"other-quantum-runtime"}


# Rights

SETTINGS = [pytest.param((), id="all namespaces"), pytest.param(("config.watchNamespaces={a,b}",), id="two namespaces")]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_operator_has_no_rights_beyond_its_needs(settings: tuple[str, ...]) -> None:
    for _, rule in operators_rules(*settings):
        words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not words & {"*", "secrets", "pods/exec", "nodes", "escalate", "bind", "impersonate", "update"}
        assert "deletecollection" not in words
        assert "delete" not in rule["verbs"] or rule["resources"] in (["runtimejobs"], ["pods"])


def test_the_operator_has_rights_on_every_resource_it_speaks_of() -> None:
    granted = {
        (group, resource)
        for _, rule in operators_rules()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if "/" not in resource
    }
    needed = {(r.group, r.plural) for r in vars(client).values() if isinstance(r, Resource)}
    assert granted == needed | {("apiextensions.k8s.io", "customresourcedefinitions")}


def test_with_a_list_of_namespaces_the_operator_has_rights_there_alone() -> None:
    rules = operators_rules("config.watchNamespaces={a,b}")
    everywhere = {resource for namespace, rule in rules if not namespace for resource in rule["resources"]}
    assert everywhere == {"clusterruntimeprograms", "clusterruntimeprograms/status", "runtimebackends"}
    local = {place: [rule for namespace, rule in rules if namespace == place] for place in ("a", "b")}
    assert local["a"] == local["b"]
    assert {namespace for namespace, _ in rules} == {"", "a", "b"}
    [bound] = {body["subjects"][0]["namespace"] for body in of_kind("RoleBinding", "config.watchNamespaces={a,b}")}
    assert bound == NAMESPACE


def test_users_can_neither_write_a_status_nor_an_output() -> None:
    roles = {body["metadata"]["name"]: body["rules"] for body in of_kind("ClusterRole")}
    for name in (f"quantum-runtime-{role}" for role in ("admin", "edit", "view", "publish", "scale", "catalogue")):
        for rule in roles[name]:
            assert {resource for resource in rule["resources"] if "/" in resource} <= {"runnerpools/scale"}
            assert "runtimejoboutputs" not in rule["resources"] or rule["verbs"] == ["get", "list", "watch"]


def test_pools_are_seen_by_all_users_but_made_and_scaled_by_admins_alone() -> None:
    roles = {body["metadata"]["name"]: body for body in of_kind("ClusterRole")}

    def verbs(role: str, resource: str) -> set[str]:
        rules = roles[f"quantum-runtime-{role}"]["rules"]
        return {verb for rule in rules if resource in rule["resources"] for verb in rule["verbs"]}

    for role in ("view", "edit"):
        assert verbs(role, "runnerpools") == {"get", "list", "watch"}
        assert not verbs(role, "runnerpools/scale")
    assert {"create", "patch", "delete"} <= verbs("admin", "runnerpools")
    assert verbs("admin", "runnerpools/scale") == verbs("scale", "runnerpools/scale") == {"get", "patch", "update"}
    aggregated = [key for key in roles["quantum-runtime-admin"]["metadata"]["labels"] if "aggregate-to" in key]
    assert aggregated == ["rbac.authorization.k8s.io/aggregate-to-admin"]
    assert not [key for key in roles["quantum-runtime-scale"]["metadata"]["labels"] if "aggregate-to" in key]


def test_publishing_to_the_whole_cluster_is_granted_to_nobody() -> None:
    bound = {body["roleRef"]["name"] for kind in ("ClusterRoleBinding", "RoleBinding") for body in of_kind(kind)}
    assert bound == {"quantum-runtime", "quantum-runtime-catalogue"}


def test_admission_policies_know_the_operator_by_its_service_account() -> None:
    account = one("ServiceAccount")["metadata"]
    user = f"system:serviceaccount:{account['namespace']}:{account['name']}"
    policies = of_kind("ValidatingAdmissionPolicy")
    assert len(policies) == 2
    assert all(f"'{user}'" in yaml.safe_dump(policy, width=1000).replace("''", "'") for policy in policies)
    assert {body["spec"]["policyName"] for body in of_kind("ValidatingAdmissionPolicyBinding")} == {
        policy["metadata"]["name"] for policy in policies
    }


def test_admission_policies_keep_pools_pods_from_being_forged() -> None:
    outcomes, runners = (policy["spec"] for policy in of_kind("ValidatingAdmissionPolicy"))
    resources = {r for rule in outcomes["matchConstraints"]["resourceRules"] for r in rule["resources"]}
    assert {"runtimejobs/status", "runnerpools/status"} <= resources
    guarded = runners["validations"][1]["expression"]
    for label in vars(names):
        if label.endswith("_LABEL") and label != "MANAGED_BY_LABEL":
            assert f"'{getattr(names, label).removeprefix(names.GROUP + '/')}'" in guarded
    for annotation in (names.CLAIMED_ANNOTATION, SAFE_TO_EVICT_ANNOTATION):
        assert f"'{annotation}'" in guarded


def test_admission_policies_hold_where_the_operator_works() -> None:
    for binding in of_kind("ValidatingAdmissionPolicyBinding", "config.watchNamespaces={a,b}"):
        [expression] = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert expression["values"] == ["a", "b"]
    assert not of_kind("ValidatingAdmissionPolicy", "admissionPolicies.enabled=false")


# What comes with it


def test_the_charts_crds_are_those_in_crds_and_survive_an_uninstall() -> None:
    crds = {body["metadata"]["name"]: body for body in of_kind("CustomResourceDefinition")}
    for path in (ROOT / "crds").glob("*.yaml"):
        original = yaml.safe_load(path.read_text())
        rendered = crds.pop(original["metadata"]["name"])
        assert rendered["metadata"].pop("annotations")["helm.sh/resource-policy"] == "keep"
        assert rendered["metadata"].pop("labels")["app.kubernetes.io/part-of"] == "quantum-runtime"
        assert rendered == original
    assert not crds


def test_the_default_backend_exists_and_backends_can_be_added_and_removed() -> None:
    names = {body["metadata"]["name"] for body in of_kind("RuntimeBackend")}
    assert config().default_backend in names
    changed = of_kind("RuntimeBackend", "backends.generic-5=null", "backends.mine.custom.factory=a:b")
    assert {body["metadata"]["name"] for body in changed} == names - {"generic-5"} | {"mine"}


def test_pools_are_created_only_if_asked_for() -> None:
    assert not of_kind("RunnerPool")
    pool = one("RunnerPool", "pools.warm.namespace=team-a", "pools.warm.replicas=4", "pools.warm.lowWatermark=1")
    assert (pool["metadata"]["name"], pool["metadata"]["namespace"]) == ("warm", "team-a")
    assert RunnerPoolSpec.model_validate(pool["spec"]).replicas == 4
    assert not crd.problems("runnerpools", pool)


def test_a_pool_can_have_every_field_of_its_kind_in_the_values() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    (known,) = schema["properties"]["pools"]["patternProperties"].values()
    assert known["properties"].keys() - {"namespace"} == {field.alias for field in RunnerPoolSpec.model_fields.values()}


def test_namespaces_for_jobs_enforce_pod_security_restricted_and_are_kept() -> None:
    namespace = one("Namespace", "jobNamespaces={team-a}")["metadata"]
    assert namespace["name"] == "team-a"
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert namespace["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert not of_kind("Namespace")


def test_the_notes_hold_a_first_program_and_job_ready_to_paste() -> None:
    notes = (CHART / "templates" / "NOTES.txt").read_text()
    [manifests] = re.findall(r"<<'EOF'\n(.*?)^EOF$", notes, flags=re.DOTALL | re.MULTILINE)
    program, job = yaml.safe_load_all(manifests)
    source = ProgramSpec.model_validate(program["spec"]).source.inline
    assert source
    compile(source, "main.py", "exec")
    assert JobSpec.model_validate(job["spec"]).program_ref.name == program["metadata"]["name"]


@pytest.mark.parametrize(
    "setting",
    [
        "unknown=1",
        "image.repo=x",
        "image.pullPolicy=Sometimes",
        "config.unknown=1",
        "config.limits.resultBytes=0",
        "config.profiles.default.privileged=true",
        "config.livenessPort=99999",
        "backends.x.quantum.a=b",
        "backends.x=5",
        "pools.x.replicas=3",
        "pools.x.namespace=Not_A_Name",
        "config.pools.maxStarting=0",
        "config.metricsPort=-1",
        "metrics.serviceMonitor.interval=often",
        "jobNamespaces={Not_A_Name}",
        "crds.upgrade=perhaps",
        "admissionPolicies.enabled=maybe",
    ],
)
def test_a_value_the_chart_does_not_know_is_refused_with_its_name(setting: str) -> None:
    done = helm("template", "quantum-runtime", str(CHART), "--set", setting)
    assert done.returncode != 0
    section = re.split(r"[.=]", setting)[0]
    assert section in done.stderr
