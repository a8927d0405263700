"""Manifests, compared whole with files a reviewer can read: ``tests/data/<case>/*.expected.yaml``.

After a wanted change, ``REGENERATE=1 pytest tests/controller/build`` writes the files anew: look at their diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from runtime_operator.api import names
from runtime_operator.build.namespace import runner_policy, runner_service_account
from runtime_operator.build.outputs import CHUNK_BYTES, ESCAPED_BYTES, output_chunks
from runtime_operator.build.pod import claim, pool_pod, runner_pod, template_digest
from runtime_operator.config import OperatorConfig, Profile
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.plan import CreatePod
from runtime_operator.observe.snapshots import BackendSnapshot, Observed, parse_job, parse_pod, parse_program
from runtime_runner.contract import digest
from support import crd
from support.builders import merge
from support.clock import START

DATA = Path(__file__).resolve().parents[2] / "data"
POD_CASES = sorted(path.parent.name for path in DATA.glob("*/profile.yaml"))


def compare(path: Path, manifest: Any) -> None:
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=110)
    if os.environ.get("REGENERATE"):
        path.write_text(text)
    assert yaml.safe_load(path.read_text()) == manifest


def the_pod(case: str) -> dict[str, Any]:
    """Return the pod that the plan for this case's job creates."""
    body, program, profile = (
        yaml.safe_load((DATA / case / f"{name}.yaml").read_text()) for name in ("job", "program", "profile")
    )
    for problem in (
        crd.problems("runtimejobs", body["spec"], part="spec"),
        crd.problems("runtimeprograms", program["spec"], part="spec"),
    ):
        assert not problem
    job, parsed = parse_job(body), parse_program(program)
    config = OperatorConfig.model_validate({"profiles": {"default": {"image": "never:used"}} | profile})
    seen = Observed(
        key=job.key,
        job=job,
        program=parsed,
        source=parsed.source,
        backend=BackendSnapshot(name="aer", spec={"aer": {}}),
        namespace_prepared=True,
    )
    (action,) = plan_job(seen, START, config).actions
    assert isinstance(action, CreatePod)
    return dict(action.manifest)


@pytest.mark.parametrize("case", POD_CASES)
def test_the_runner_pod(case: str) -> None:
    compare(DATA / case / "pod.expected.yaml", the_pod(case))


@pytest.mark.parametrize("case", POD_CASES)
def test_the_runner_pod_obeys_pod_security_restricted(case: str) -> None:
    """The rules of https://kubernetes.io/docs/concepts/security/pod-security-standards/ that a pod can break."""
    spec = the_pod(case)["spec"]
    context = spec["securityContext"]
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"}
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not context.keys() & {"sysctls", "seLinuxOptions", "appArmorProfile", "windowsOptions"}
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    for volume in spec["volumes"]:
        assert volume.keys() - {"name"} <= allowed
    for container in spec["containers"]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not own.keys() & {"privileged", "procMount", "runAsUser", "runAsNonRoot", "seccompProfile"}
        assert not any("hostPort" in port for port in container.get("ports", []))


@pytest.mark.parametrize("case", POD_CASES)
def test_the_runner_pod_holds_no_right_no_secret_and_no_user_text(case: str) -> None:
    pod = the_pod(case)
    spec = pod["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert "env" not in container
    assert "envFrom" not in container
    assert "args" not in container
    assert [volume["name"] for volume in spec["volumes"]] == ["scratch"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
    assert "canary" not in yaml.safe_dump(pod), "something of the job's inputs, labels or annotations reached its pod"


PROFILE = Profile(image="registry.example/runner:1")


def of_pool(profile: Profile = PROFILE, *, token: str = "t", attempt: int = 0, deadline: int = 115_512) -> Any:
    return pool_pod(
        pool_name="a-pool",
        pool_uid="22222222-2222-2222-2222-222222222222",
        namespace="team-a",
        token=token,
        attempt=attempt,
        profile_name="default",
        profile=profile,
        deadline_seconds=deadline,
    )


def claimed(body: Any) -> Any:
    """Return a pool's pod after the claim of a job."""
    served = merge(
        body, {"metadata": {"uid": "pod-uid", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"}}
    )
    pod = parse_pod({**served, "status": {}})
    patch = claim("a-job", "job-uid", 2, pod=pod, deadline_seconds=372, execution_seconds=60)
    assert patch["metadata"]["uid"] == "pod-uid"
    assert patch["metadata"]["resourceVersion"] == "7", "only in the state in which it was seen"
    return merge(served, patch)


def test_the_runner_pod_of_a_pool() -> None:
    compare(DATA / "runner_of_a_pool" / "pod.expected.yaml", of_pool())


def test_the_runner_pod_of_a_pool_once_a_job_has_claimed_it() -> None:
    compare(DATA / "runner_of_a_pool" / "claimed.expected.yaml", claimed(of_pool()))


def test_a_claimed_pod_is_a_jobs_own_but_for_its_name_and_what_it_remembers_of_the_pool() -> None:
    own = runner_pod(
        job_name="a-job",
        job_uid="job-uid",
        namespace="team-a",
        attempt=2,
        profile_name="default",
        profile=PROFILE,
        deadline_seconds=372,
    )
    warm = claimed(of_pool(attempt=5))
    assert warm["spec"] == own["spec"]
    assert warm["metadata"]["ownerReferences"] == own["metadata"]["ownerReferences"]
    extra = warm["metadata"]["labels"].items() - own["metadata"]["labels"].items()
    assert {key for key, _ in extra} == {names.POOL_LABEL, names.TEMPLATE_LABEL}
    assert own["metadata"]["labels"].items() <= warm["metadata"]["labels"].items()
    assert own["metadata"]["annotations"].items() <= warm["metadata"]["annotations"].items()


def test_a_jobs_own_pod_only_gets_its_deadline_whatever_became_of_it_meanwhile() -> None:
    pod = parse_pod(
        {
            "metadata": {
                "name": "p",
                "namespace": "n",
                "uid": "pod-uid",
                "resourceVersion": "7",
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "ownerReferences": [{"kind": "RuntimeJob", "name": "a-job", "uid": "job-uid", "controller": True}],
            }
        }
    )
    assert claim("a-job", "job-uid", 0, pod=pod, deadline_seconds=72, execution_seconds=60) == {
        "metadata": {"uid": "pod-uid", "annotations": {names.CLAIMED_ANNOTATION: "60"}},
        "spec": {"activeDeadlineSeconds": 72},
    }


def test_every_token_names_another_pod() -> None:
    pods = [of_pool(token=f"t-{n}")["metadata"]["name"] for n in range(50)]
    assert len(set(pods)) == 50
    assert all(re.fullmatch(r"rpool-[0-9a-f]{20}", name) for name in pods)


CHANGES: list[dict[str, Any]] = [
    {"image": "registry.example/runner:2"},
    {"image_pull_policy": "Always"},
    {"image_pull_secrets": ("registry",)},
    {"command": ("python", "-m", "runtime_runner")},
    {"cpu": "4"},
    {"cpu_request": "1"},
    {"memory": "2Gi"},
    {"ephemeral_storage": "1Gi"},
    {"scratch": "1Gi"},
    {"runtime_class_name": "gvisor"},
    {"priority_class_name": "high"},
    {"node_selector": {"disk": "fast"}},
    {"tolerations": ({"key": "gpu"},)},
    {"host_users": False},
]


def test_the_template_changes_with_everything_in_the_profile() -> None:
    assert {name for change in CHANGES for name in change} == set(Profile.model_fields)
    digests = {template_digest("default", PROFILE.model_copy(update=change)) for change in ({}, *CHANGES)}
    assert len(digests | {template_digest("other", PROFILE)}) == len(CHANGES) + 2
    assert all(re.fullmatch(r"[0-9a-f]{1,63}", text) for text in digests)


def test_the_template_does_not_change_with_what_differs_from_pod_to_pod() -> None:
    pods = (of_pool(), of_pool(token="u", attempt=3, deadline=9))
    assert {body["metadata"]["labels"][names.TEMPLATE_LABEL] for body in pods} == {template_digest("default", PROFILE)}


def test_the_policy_and_the_service_account_of_a_namespace() -> None:
    compare(DATA / "namespace" / "policy.expected.yaml", runner_policy("team-a"))
    compare(DATA / "namespace" / "service-account.expected.yaml", runner_service_account("team-a"))


def test_a_short_output() -> None:
    objects, ref = output_chunks("Result", '"ünï"', namespace="team-a", job_name="a-job", job_uid="job-uid")
    compare(DATA / "outputs" / "chunks.expected.yaml", objects)
    assert ref.names == (objects[0]["metadata"]["name"],)
    assert (ref.size, ref.sha256) == digest('"ünï"')


@pytest.mark.parametrize(
    "text",
    [
        "x" * (CHUNK_BYTES + 1),
        "x" + "ü" * CHUNK_BYTES,
        "\U0001f600" * (CHUNK_BYTES // 2),
        "<&>" * CHUNK_BYTES,
        "\x1b[31m" * (CHUNK_BYTES // 2),
        '"\\\n' * CHUNK_BYTES,
    ],
    ids=["plain", "cut inside a character", "emoji", "markup, which Go escapes", "terminal colours", "quotes"],
)
def test_chunks_joined_are_the_text_and_each_fits_etcd(text: str) -> None:
    objects, ref = output_chunks("Logs", text, namespace="team-a", job_name="a-job", job_uid="job-uid")
    assert "".join(o["spec"]["text"] for o in objects) == text
    assert (ref.size, ref.sha256) == digest(text)
    assert [o["spec"]["index"] for o in objects] == list(range(len(objects)))
    for body in objects:
        assert not crd.problems("runtimejoboutputs", body)
        spec = body["spec"]
        assert (spec["size"], spec["sha256"]) == digest(spec["text"])
        assert spec["count"] == len(objects)
        assert spec["size"] <= CHUNK_BYTES
        assert escaped_by_go(spec["text"]) <= ESCAPED_BYTES


def test_the_same_text_makes_the_same_chunks() -> None:
    once, again = (output_chunks("Logs", "x" * 10**6, namespace="n", job_name="j", job_uid="job-uid") for _ in range(2))
    assert once == again
    other, _ = output_chunks("Result", "x" * 10**6, namespace="n", job_name="j", job_uid="job-uid")
    assert not {o["metadata"]["name"] for o in once[0]} & {o["metadata"]["name"] for o in other}


def escaped_by_go(text: str) -> int:
    six = sum(text.count(chr(n)) for n in range(32) if chr(n) not in "\n\r\t\b\f") + sum(text.count(c) for c in "<>&")
    two = sum(text.count(c) for c in '"\\\n\r\t\b\f')
    return len(text.encode()) + 5 * six + two
