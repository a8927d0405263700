"""Manifests, compared whole with files a reviewer can read: ``tests/data/<case>/*.expected.yaml``.

After a wanted change, ``REGENERATE=1 pytest tests/controller/build`` writes the files anew: look at their diff.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from runtime_operator.build.namespace import runner_policy, runner_service_account
from runtime_operator.build.outputs import CHUNK_BYTES, ESCAPED_BYTES, output_chunks
from runtime_operator.config import OperatorConfig
from runtime_operator.decide.job import plan_job
from runtime_operator.decide.plan import CreatePod
from runtime_operator.observe.snapshots import BackendSnapshot, Observed, parse_job, parse_program
from runtime_runner.contract import digest
from support import crd
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
