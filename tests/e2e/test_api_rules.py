"""What the API server itself refuses, and what it lets through: schemas, CEL rules and admission policies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from e2e.support.cluster import API, SYSTEM, Object, Refused, Space

if TYPE_CHECKING:
    from e2e.support.cluster import Cluster

OPERATOR = f"system:serviceaccount:{SYSTEM}:quantum-runtime"
SOURCE = "def main(backend, user_messenger):\n    return 1\n"
TEXT_SHA256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"


def runtime(kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": "quantumruntime.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def job(name: str = "held", **spec: Any) -> Object:
    """A job that never starts: its program does not matter."""
    return runtime("RuntimeJob", name, {"programRef": {"name": "any"}, "suspend": True, **spec})


def program(**spec: Any) -> Object:
    return runtime("RuntimeProgram", "p", {"maxExecutionTimeSeconds": 10, "source": {"inline": SOURCE}, **spec})


def pool(name: str = "empty", **spec: Any) -> Object:
    """A pool without pods."""
    return runtime("RunnerPool", name, {"replicas": 0, **spec})


def refusal(space: Space, plural: str, body: Object) -> str:
    with pytest.raises(Refused) as refused:
        space.create(plural, body)
    return refused.value.message


def as_operator(space: Space, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl under the operator's name, with the rights of an administrator."""
    return space.kubectl("--as", OPERATOR, "--as-group", "system:masters", *arguments, stdin=stdin, check=False)


def test_a_new_job_is_queued_in_the_answer_to_its_creation(space: Space) -> None:
    created = space.create("runtimejobs", job("new"))
    assert created["status"] == {"phase": "Queued"}
    assert created["spec"]["ttl"] == {"podSeconds": 60}
    assert created["spec"]["programRef"] == {"kind": "RuntimeProgram", "name": "any"}


def test_a_status_given_at_creation_is_ignored(space: Space) -> None:
    created = space.create("runtimejobs", job("forged") | {"status": {"phase": "Completed", "result": "1"}})
    assert created["status"] == {"phase": "Queued"}


@pytest.fixture(scope="module")
def held(space: Space) -> str:
    spec = {"inputs": {"a": {"b": [1, {"c": 2}]}}, "tags": ["x"], "ttl": {"jobSeconds": 3600}}
    space.create("runtimejobs", job("held", **spec))
    return "held"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("programRef", {"programRef": {"name": "other"}}),
        ("programRef", {"programRef": {"kind": "ClusterRuntimeProgram"}}),
        ("inputs", {"inputs": {"a": {"b": [1, {"c": 3}]}}}),
        ("inputs", {"inputs": {"z": 1}}),
        ("inputs", {"inputs": {"a": None}}),
        ("backend", {"backend": "aer"}),
        ("maxExecutionTimeSeconds", {"maxExecutionTimeSeconds": 5}),
        ("startDeadlineSeconds", {"startDeadlineSeconds": 5}),
        ("logLevel", {"logLevel": "DEBUG"}),
        ("ttl.podSeconds", {"ttl": {"podSeconds": 0}}),
        ("ttl.jobSeconds", {"ttl": {"jobSeconds": None}}),
    ],
)
def test_what_a_job_runs_cannot_be_changed(space: Space, held: str, field: str, change: Object) -> None:
    with pytest.raises(Refused, match=f"spec.{re.escape(field)}.*cannot be changed"):
        space.patch("runtimejobs", held, {"spec": change})


def test_a_job_may_be_suspended_and_resumed_at_any_time(space: Space, held: str) -> None:
    space.patch("runtimejobs", held, {"spec": {"suspend": False}})
    assert space.patch("runtimejobs", held, {"spec": {"suspend": True}})["spec"]["suspend"] is True


@pytest.mark.parametrize("tags", [["x", "y"], None])
def test_a_jobs_tags_may_be_changed_at_any_time(space: Space, held: str, tags: list[str] | None) -> None:
    assert space.patch("runtimejobs", held, {"spec": {"tags": tags}})["spec"].get("tags") == tags


def test_a_cancel_cannot_be_taken_back(space: Space) -> None:
    space.create("runtimejobs", job("regretted", cancel=True))
    for value in (False, None):
        with pytest.raises(Refused, match=r"spec\.cancel.*cannot be taken back"):
            space.patch("runtimejobs", "regretted", {"spec": {"cancel": value}})


def generation(space: Space, plural: str, name: str) -> int:
    found: int = space.cluster.request("GET", space.path(plural, name))["metadata"]["generation"]
    return found


@pytest.mark.parametrize("how", [("apply",), ("apply", "--server-side")], ids=["client-side", "server-side"])
def test_applying_a_manifest_again_changes_nothing(space: Space, how: tuple[str, ...]) -> None:
    manifest = json.dumps(job(f"applied-{len(how)}", inputs={"x": 3.0}, ttl={"podSeconds": 5, "jobSeconds": None}))
    for _ in range(2):
        space.kubectl(*how, "-f", "-", stdin=manifest)
    assert generation(space, "runtimejobs", f"applied-{len(how)}") == 1


def test_a_jobs_name_has_at_most_63_characters(space: Space) -> None:
    space.create("runtimejobs", job("n" * 63))
    assert "more than 63 characters" in refusal(space, "runtimejobs", job("n" * 64))
    assert "must be no more than 253" in refusal(space, "runtimejobs", job("n" * 300))


@pytest.mark.parametrize(
    "spec",
    [
        {"maxExecutionTimeSeconds": 0},
        {"maxExecutionTimeSeconds": -1},
        {"maxExecutionTimeSeconds": 28801},
        {"maxExecutionTimeSeconds": 10**12},
        {"maxExecutionTimeSeconds": 1.5},
        {"maxExecutionTimeSeconds": "10"},
        {"startDeadlineSeconds": 0},
        {"ttl": {"podSeconds": 86401}},
        {"ttl": {"jobSeconds": -1}},
        {"logLevel": "LOUD"},
        {"tags": ["t" * 64]},
        {"tags": [f"t{n}" for n in range(21)]},
        {"inputs": [1]},
        {"inputs": {f"k{n}": n for n in range(1025)}},
        {"programRef": {"name": "../x"}},
        {"programRef": {"name": "other-namespace/x"}},
        {"programRef": {"name": "x%2Fy"}},
        {"programRef": {"name": ""}},
        {"programRef": {"name": "x", "kind": "Secret"}},
        {"backend": "A;b"},
        {"backend": "--option"},
    ],
    ids=json.dumps,
)
def test_a_value_out_of_bounds_is_refused_with_its_field(space: Space, spec: Object) -> None:
    [field] = spec
    assert f"spec.{field}" in refusal(space, "runtimejobs", job("bounds", **spec))


@pytest.mark.parametrize(
    ("plural", "body", "field"),
    [
        ("runtimejobs", job("unknown", image="evil"), "spec.image"),
        ("runtimejobs", job("unknown", programRef={"name": "x", "namespace": "other"}), "spec.programRef.namespace"),
        ("runtimeprograms", program(serviceAccountName="admin"), "spec.serviceAccountName"),
        ("runnerpools", pool("unknown", image="evil"), "spec.image"),
        ("runnerpools", pool("unknown", replics=3), "spec.replics"),
    ],
)
def test_a_field_that_does_not_exist_is_refused(space: Space, plural: str, body: Object, field: str) -> None:
    assert f'unknown field "{field}"' in refusal(space, plural, body)


def test_kubectl_names_a_field_that_does_not_exist(space: Space) -> None:
    said = space.kubectl("apply", "-f", "-", stdin=json.dumps(job("unknown", inptus={})), check=False)
    assert 'unknown field "spec.inptus"' in said


def test_inputs_of_1_mib_are_accepted_and_still_cannot_be_changed(space: Space) -> None:
    space.create("runtimejobs", job("large", inputs={"text": "x" * 2**20}))
    space.patch("runtimejobs", "large", {"spec": {"cancel": True}})
    with pytest.raises(Refused, match="cannot be changed"):
        space.patch("runtimejobs", "large", {"spec": {"inputs": {"text": "x" * (2**20 - 1) + "y"}}})


def test_inputs_of_4_mib_are_refused_by_the_api_server(space: Space) -> None:
    assert "Request entity too large" in refusal(space, "runtimejobs", job("huge", inputs={"text": "x" * 2**22}))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"source": {"inline": SOURCE, "files": {"main.py": SOURCE}}}, "exactly one of inline, files and configMapRef"),
        (
            {"source": {"inline": SOURCE, "configMapRef": {"name": "x"}}},
            "exactly one of inline, files and configMapRef",
        ),
        ({"source": {}}, "exactly one of inline, files and configMapRef"),
        ({"source": {"files": {"other.py": SOURCE}}}, "main.py is not one of source.files"),
        ({"source": {"files": {"../main.py": SOURCE}}, "entrypoint": "a.py"}, "paths must be relative"),
        ({"source": {"files": {"a/../main.py": SOURCE}}, "entrypoint": "a.py"}, "paths must be relative"),
        ({"source": {"files": {"/main.py": SOURCE}}, "entrypoint": "a.py"}, "paths must be relative"),
        ({"source": {"files": {"a b.py": SOURCE}}, "entrypoint": "a.py"}, "paths must be relative"),
        ({"source": {"files": {f"{'n' * 251}.py": SOURCE}}, "entrypoint": "a.py"}, "more than 253 characters"),
        ({"source": {"files": {f"f{n}.py": SOURCE for n in range(129)}}, "entrypoint": "f1.py"}, "at most 128"),
        ({"entrypoint": "../../x.py"}, "spec.entrypoint"),
        ({"entrypoint": "/x.py"}, "spec.entrypoint"),
        ({"entrypoint": "--option"}, "spec.entrypoint"),
        ({"entrypoint": "$(id).py"}, "spec.entrypoint"),
        ({"maxExecutionTimeSeconds": 28801}, "spec.maxExecutionTimeSeconds"),
        ({"profile": "No Such"}, "spec.profile"),
    ],
)
def test_a_program_that_cannot_work_is_refused(space: Space, spec: Object, message: str) -> None:
    assert message in refusal(space, "runtimeprograms", program(**spec))


def test_a_program_may_have_folders_and_files_that_are_not_python(space: Space) -> None:
    files = {"pkg/start.py": SOURCE, "pkg/__init__.py": "", ".data/table-1.csv": "1,2\n"}
    space.create("runtimeprograms", program(source={"files": files}, entrypoint="pkg/start.py"))


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("RuntimeBackend", {}, "exactly one of aer, fake, generic and custom"),
        ("RuntimeBackend", {"aer": {}, "fake": {"name": "FakeX"}}, "exactly one of aer, fake, generic and custom"),
        ("RuntimeBackend", {"aer": {"method": "magic"}}, "spec.aer.method"),
        ("RuntimeBackend", {"fake": {"name": "os.system"}}, "spec.fake.name"),
        ("RuntimeBackend", {"generic": {"numQubits": 2, "couplingMap": [[0, 2]]}}, "not below numQubits"),
        ("RuntimeBackend", {"custom": {"factory": "module"}}, "spec.custom.factory"),
        (
            "ClusterRuntimeProgram",
            {"maxExecutionTimeSeconds": 1, "source": {"configMapRef": {"name": "x"}}},
            'unknown field "spec.source.configMapRef"',
        ),
    ],
)
def test_a_cluster_wide_object_that_cannot_work_is_refused(
    cluster: Cluster, kind: str, spec: Object, message: str
) -> None:
    body = runtime(kind, "refused", spec)
    with pytest.raises(Refused) as refused:
        cluster.request("POST", f"{API}/{kind.lower()}s", body, fieldValidation="Strict", dryRun="All")
    assert message in refused.value.message


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": -1},
        {"replicas": 1001},
        {"replicas": 1.5},
        {"replicas": "3"},
        {"lowWatermark": -1},
        {"lowWatermark": 1001},
        {"maxAgeSeconds": 59},
        {"maxAgeSeconds": 31536001},
        {"scaleToZeroAfterSeconds": 9},
        {"scaleToZeroAfterSeconds": 0},
        {"profile": ""},
        {"profile": "No Such"},
        {"profile": "../x"},
        {"profile": "p" * 64},
    ],
    ids=json.dumps,
)
def test_a_pool_out_of_bounds_is_refused_with_its_field(space: Space, spec: Object) -> None:
    [field] = spec
    assert f"spec.{field}" in refusal(space, "runnerpools", pool("bounds", **spec))


def test_a_pools_name_has_at_most_63_characters_because_it_is_a_label(space: Space) -> None:
    space.create("runnerpools", pool("n" * 63))
    assert "at most 63 characters" in refusal(space, "runnerpools", pool("n" * 64))


def test_a_pool_that_says_nothing_wants_one_pod(space: Space) -> None:
    body = runtime("RunnerPool", "silent", {})
    answer = space.cluster.request("POST", space.path("runnerpools"), body, fieldValidation="Strict", dryRun="All")
    assert answer["spec"] == {"replicas": 1, "maxAgeSeconds": 86400}


@pytest.mark.parametrize("how", [("apply",), ("apply", "--server-side")], ids=["client-side", "server-side"])
def test_applying_a_pool_again_changes_nothing(space: Space, how: tuple[str, ...]) -> None:
    manifest = json.dumps(pool(f"applied-{len(how)}", lowWatermark=0))
    for _ in range(2):
        space.kubectl(*how, "-f", "-", stdin=manifest)
    assert generation(space, "runnerpools", f"applied-{len(how)}") == 1


def test_a_pools_status_given_at_creation_is_ignored(space: Space) -> None:
    created = space.create("runnerpools", pool("forged") | {"status": {"pods": ["mine"], "hits": 9}})
    assert "status" not in created


@pytest.mark.parametrize(
    "forged", [{"pods": ["the-uid-of-my-pod"]}, {"hits": 10**6}, {"conditions": []}], ids=json.dumps
)
def test_nobody_but_the_operator_writes_a_pools_status(space: Space, empty_pool: str, forged: Object) -> None:
    """Who could would choose the pods that get other people's jobs."""
    with pytest.raises(Refused, match="written by the operator alone") as refused:
        space.cluster.request("PATCH", space.path("runnerpools", empty_pool, "status"), {"status": forged})
    assert refused.value.status == 403


@pytest.fixture(scope="module")
def empty_pool(space: Space) -> str:
    space.create("runnerpools", pool("empty"))
    return "empty"


def test_pools_can_be_selected_by_profile(space: Space) -> None:
    space.create("runnerpools", pool("chosen", profile="rare"))
    found = space.list("runnerpools", fieldSelector="spec.profile=rare")
    assert [body["metadata"]["name"] for body in found] == ["chosen"]


def test_jobs_can_be_selected_by_phase_program_and_backend(space: Space) -> None:
    space.create("runtimejobs", job("chosen", programRef={"name": "rare"}, backend="rare"))
    for selector in ("status.phase=Queued,spec.programRef.name=rare", "spec.backend=rare"):
        assert [body["metadata"]["name"] for body in space.list("runtimejobs", fieldSelector=selector)] == ["chosen"]


def test_a_job_that_has_ended_keeps_its_phase(space: Space) -> None:
    space.create("runtimejobs", job("over", cancel=True))
    space.kubectl("wait", "--for=jsonpath={.status.phase}=Cancelled", "--timeout=30s", "runtimejob/over")
    for change in ('{"status":{"phase":"Running"}}', '{"status":null}'):
        said = as_operator(
            space, "patch", "runtimejob", "over", "--subresource=status", "--type=merge", "--patch", change
        )
        assert "a job that has ended keeps its phase, Cancelled" in said


def test_nobody_but_the_operator_writes_a_jobs_status(space: Space, held: str) -> None:
    with pytest.raises(Refused, match="written by the operator alone") as refused:
        space.cluster.request("PATCH", space.path("runtimejobs", held, "status"), {"status": {"result": "1"}})
    assert refused.value.status == 403


def test_nobody_but_the_operator_writes_outputs_and_nobody_changes_them(space: Space) -> None:
    spec = {"jobName": "j", "jobUid": "u", "content": "Result", "index": 0, "count": 1, "size": 1}
    body = runtime("RuntimeJobOutput", "chunk", spec | {"sha256": TEXT_SHA256, "text": "x"})
    assert "written by the operator alone" in refusal(space, "runtimejoboutputs", body)
    assert "created" in as_operator(space, "create", "-f", "-", stdin=json.dumps(body))
    with pytest.raises(Refused, match="cannot be changed"):
        space.patch("runtimejoboutputs", "chunk", {"spec": {"text": "y"}})


def pod(name: str, **labels: str) -> Object:
    container = {
        "name": "c",
        "image": "none",
        "imagePullPolicy": "Never",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": security, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def test_nobody_but_the_operator_makes_a_pod_that_looks_like_a_runner(space: Space) -> None:
    runner = {"quantumruntime.dev/role": "runner"}
    assert "created by the operator alone" in refusal(space, "pods", pod("forged", **runner))
    space.create("pods", pod("ordinary"))
    with pytest.raises(Refused, match="changed by the operator alone"):
        space.patch("pods", "ordinary", {"metadata": {"labels": runner}})


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"labels": {"quantumruntime.dev/role": None}}},
        {"metadata": {"labels": {"quantumruntime.dev/job-uid": "other"}}},
        {"metadata": {"annotations": {"quantumruntime.dev/claimed-for-seconds": "9999"}}},
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "y"}]}},
        {"spec": {"activeDeadlineSeconds": 1}},
    ],
    ids=json.dumps,
)
def test_nobody_but_the_operator_changes_what_a_runner_pod_is(space: Space, runner: str, change: Object) -> None:
    with pytest.raises(Refused, match="changed by the operator alone"):
        space.patch("pods", runner, change)


def test_others_may_label_a_runner_pod_for_their_own_purposes(space: Space, runner: str) -> None:
    space.patch("pods", runner, {"metadata": {"labels": {"cost-centre": "7"}}})


@pytest.fixture(scope="module")
def runner(space: Space) -> str:
    body = pod("runner", **{"quantumruntime.dev/role": "runner", "quantumruntime.dev/job-uid": "u"})
    said = as_operator(space, "create", "-f", "-", stdin=json.dumps(body))
    assert "created" in said, said
    return "runner"


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (
            "edit",
            ["create runtimejobs", "patch runtimeprograms", "get runtimejoboutputs"],
            ["patch runtimejobs/status"],
        ),
        ("view", ["get runtimejobs", "list runtimejoboutputs"], ["create runtimejobs", "delete runtimeprograms"]),
    ],
)
def test_the_clusters_own_roles_include_ours(space: Space, role: str, may: list[str], may_not: list[str]) -> None:
    space.kubectl("create", "rolebinding", f"someone-{role}", f"--clusterrole={role}", f"--user=someone-{role}")
    for request in [*may, *may_not, "get runtimebackends", "list clusterruntimeprograms"]:
        verb, _, resource = request.partition(" ")
        said = space.kubectl(
            "auth", "can-i", verb, f"{resource.partition('/')[0]}.quantumruntime.dev",
            *([f"--subresource={resource.partition('/')[2]}"] if "/" in resource else []),
            "--as", f"someone-{role}", "--as-group", "system:authenticated", check=False,
        )  # fmt: skip
        assert ("no" if request in may_not else "yes") in said.split(), request
