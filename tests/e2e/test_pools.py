"""Runner pools: jobs that take a pod that is ready, and everything else about them is as always."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from e2e.support import pools, users
from e2e.support.cluster import SYSTEM, Refused, condition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.support.cluster import Cluster, Job, Object, Space
    from e2e.support.pools import Pool

OPERATOR = f"system:serviceaccount:{SYSTEM}:quantum-runtime"
OTHER_PROFILE = "small-memory"
"""What pools of it do is nothing to the pool that most tests share."""

LIMIT = 60
FORGERY = '{"status":{"hits":9}}'

PROGRAM = """
import os, sys

def main(backend, user_messenger, word):
    print("said", word, sys.argv, sorted(os.environ))
    user_messenger.publish(word)
    return {"word": word.upper(), "backend": backend.name, "open files": os.sysconf("SC_OPEN_MAX")}
"""

FOR_EVER = """
import time

def main(backend, user_messenger):
    user_messenger.publish("begun")
    time.sleep(3600)
"""


@dataclass(frozen=True)
class Pair:
    """The same job twice, before there was a pool and with it."""

    cold: Job
    warm: Job
    waited: dict[str, Object]
    """The pool's pods by uid, as they were while they waited."""


@pytest.fixture(scope="module")
def pair(space: Space) -> Pair:
    """Both have ended; the pool is full again."""
    program = space.program(PROGRAM, maxExecutionTimeSeconds=LIMIT)
    spec: dict[str, Any] = {"inputs": {"word": "hello"}, "ttl": {"podSeconds": 600}}
    cold = space.job(program, **spec)
    cold.ended()
    pool = pools.create(space, "warm", replicas=2)
    pool.full()
    waited = {pod["metadata"]["uid"]: pod for pod in pool.waiting_pods()}
    warm = space.job(program, **spec)
    warm.ended()
    return Pair(cold, warm, waited)


@pytest.fixture
def pool(space: Space, pair: Pair) -> Pool:
    """The pool that most tests share, full."""
    assert pair
    shared = pools.Pool(space, "warm")
    shared.full()
    return shared


@pytest.fixture
def other_pool(space: Space) -> Iterator[Pool]:
    """One of another profile, for a test that does something to it."""
    pool = pools.create(space, "other", profile=OTHER_PROFILE, replicas=1)
    yield pool
    if space.cluster.get(space.path("runnerpools", "other")) is not None:
        space.delete("runnerpools", "other")
    pool.without_pods()


def path(job: Job) -> str:
    where: str = job.read()["status"]["runner"]["path"]
    return where


def test_a_full_pool_is_ready_and_names_its_pods(space: Space, pool: Pool) -> None:
    said = space.kubectl("wait", "--for=condition=Ready", "rpool/warm", "--timeout=10s")
    assert "condition met" in said
    status = pool.read()["status"]
    assert (status["replicas"], status["readyReplicas"], status["startingReplicas"]) == (2, 2, 0)
    assert [c["type"] for c in status["conditions"]] == ["Ready"], "nothing is under way, nothing is wrong"
    by_selector = space.list("pods", labelSelector=status["selector"])
    assert {pod["metadata"]["uid"] for pod in by_selector} == set(status["pods"])
    [header, row] = space.kubectl("get", "rpool", "warm").splitlines()
    assert dict(zip(header.split(), row.split(), strict=False))["NAME"] == "warm"
    assert "PoolReady" in row


def test_a_job_takes_a_pod_that_waits_and_the_pod_becomes_its_own(pair: Pair) -> None:
    runner = pair.warm.read()["status"]["runner"]
    before = pair.waited[runner["uid"]]
    [pod] = pair.warm.live_pods()
    assert (pod["metadata"]["uid"], runner["path"]) == (runner["uid"], "warm")
    assert [owner["uid"] for owner in before["metadata"]["ownerReferences"]] != [uid(pair.warm)]
    assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == [uid(pair.warm)]
    labels = pod["metadata"]["labels"]
    assert labels.items() >= {"quantumruntime.dev/job-name": pair.warm.name, pools.JOB_LABEL: uid(pair.warm)}.items()
    assert labels[pools.POOL_LABEL] == "warm"
    assert pod["spec"]["activeDeadlineSeconds"] < before["spec"]["activeDeadlineSeconds"]
    assert pod["spec"]["activeDeadlineSeconds"] >= LIMIT


def uid(job: Job) -> str:
    it: str = job.read()["metadata"]["uid"]
    return it


def test_a_warm_job_says_what_a_cold_one_says(pair: Pair) -> None:
    cold, warm = (job.read()["status"] for job in (pair.cold, pair.warm))
    assert (cold["runner"]["path"], warm["runner"]["path"]) == ("cold", "warm")
    for field in ("phase", "result", "logs", "program", "backend"):
        assert warm[field] == cold[field], (warm[field], cold[field])
    values = [[interim["value"] for interim in status["interimResults"]["latest"]] for status in (cold, warm)]
    assert values[0] == values[1] == ['"hello"']


def test_the_sandbox_of_a_pools_pod_is_that_of_a_jobs_own(pair: Pair) -> None:
    specs = [job.live_pods()[0]["spec"] for job in (pair.cold, pair.warm)]
    for spec in specs:
        assert spec.pop("activeDeadlineSeconds")
    assert specs[0] == specs[1]


def test_a_burst_empties_the_pool_and_the_rest_start_cold_each_in_a_pod_of_its_own(space: Space, pool: Pool) -> None:
    before = pool.read()["status"]
    program = space.program(PROGRAM)
    jobs = [space.job(program, inputs={"word": str(n)}) for n in range(5)]
    statuses = [job.ended() for job in jobs]
    assert [status["phase"] for status in statuses] == ["Completed"] * 5
    assert Counter(status["runner"]["path"] for status in statuses) == {"warm": 2, "cold": 3}
    taken = {status["runner"]["uid"] for status in statuses}
    assert len(taken) == 5
    assert set(before["pods"]) <= taken
    pool.full()
    jobs_of: dict[str, set[str]] = {}
    for _, pod in space.pods.history():
        if job := pod["metadata"]["labels"].get(pools.JOB_LABEL):
            jobs_of.setdefault(pod["metadata"]["uid"], set()).add(job)
    assert {len(of) for of in jobs_of.values()} == {1}, "no pod ever had two jobs"
    counted = pool.wait(lambda s: s["hits"] + s["misses"] == before["hits"] + before["misses"] + 5, "all are counted")
    assert (counted["hits"] - before["hits"], counted["misses"] - before["misses"]) == (2, 3)


def test_time_limit_and_cancel_hold_in_a_warm_pod(space: Space, pool: Pool) -> None:
    assert pool
    program = space.program(FOR_EVER)
    limited, cancelled = space.job(program, maxExecutionTimeSeconds=2), space.job(program)
    cancelled.wait(lambda s: s.get("interimResults", {}).get("published") == 1, "it has begun")
    cancelled.patch(cancel=True)
    assert cancelled.ended()["phase"] == "Cancelled"
    status = limited.ended()
    assert status["failure"]["reason"] == "MaxExecutionTimeExceeded"
    assert 2 <= status["executionSeconds"] < 4
    assert [path(job) for job in (limited, cancelled)] == ["warm", "warm"]


def test_a_pod_that_is_deleted_is_replaced(space: Space, pool: Pool) -> None:
    before = pool.full()
    [name, *_] = [pod["metadata"]["name"] for pod in pool.waiting_pods()]
    space.delete("pods", name)
    after = set(pool.wait(lambda s: s["readyReplicas"] == 2 and set(s["pods"]) != before, "it is full again")["pods"])
    assert len(after & before) == 1


def test_kubectl_scales_a_pool_down_to_nothing_and_up_again(space: Space, other_pool: Pool) -> None:
    space.kubectl("scale", "rpool/other", "--replicas=0")
    other_pool.wait(lambda s: s["replicas"] == 0 and condition(s, "Ready")["status"] == "True", "nothing is wanted")
    other_pool.without_pods()
    space.kubectl("scale", "rpool/other", "--replicas=2")
    assert len(other_pool.full()) == 2


def test_a_deleted_pool_takes_its_pods_along_but_not_those_that_jobs_have(space: Space, other_pool: Pool) -> None:
    other_pool.full()
    program = space.program(FOR_EVER, profile=OTHER_PROFILE)
    job = space.job(program)
    job.wait(lambda s: s.get("interimResults", {}).get("published") == 1, "it has begun")
    assert path(job) == "warm"
    other_pool.full()
    space.delete("runnerpools", "other")
    other_pool.without_pods()
    job.patch(cancel=True)
    status = job.ended()
    assert (status["phase"], status["runner"]["path"]) == ("Cancelled", "warm"), "it ran until then"


@pytest.fixture
def small(cluster: Cluster) -> Iterator[Space]:
    """A namespace in which two pods may be."""
    space = cluster.namespace("quota")
    space.create("resourcequotas", {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": "2"}}})
    space.cluster.wait(
        space.path("resourcequotas"), lambda _, q: "hard" in q.get("status", {}), "the quota counts", seconds=20
    )
    yield space
    space.remove()


def test_a_pool_takes_what_the_quota_leaves_and_gives_it_back_to_jobs(small: Space) -> None:
    pool = pools.create(small, "warm", replicas=3)
    assert "exceeded quota: pods" in pool.waits("QuotaExceeded")
    pool.wait(lambda s: s["readyReplicas"] == 2, "it has what there is")
    job = small.run("def main(b, m):\n    return 1", profile=OTHER_PROFILE, ttl={"podSeconds": 0})
    status = job.ended()
    assert (status["phase"], status["runner"]["path"]) == ("Completed", "cold"), status


def forged(pool: Pool) -> Object:
    """A pod that says it is one of the pool's, and would answer as one."""
    real = pool.waiting_pods()[0]
    kept = ("restartPolicy", "securityContext", "containers", "volumes", "automountServiceAccountToken")
    metadata = {"name": "forged", "labels": real["metadata"]["labels"]}
    metadata["ownerReferences"] = real["metadata"]["ownerReferences"]
    spec = {key: real["spec"][key] for key in kept}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_nobody_smuggles_a_pod_into_a_pool(space: Space, pool: Pool) -> None:
    with pytest.raises(Refused, match="created by the operator alone"):
        space.create("pods", forged(pool))
    impostor = forged(pool)
    impostor["metadata"]["labels"] = {"app": "harmless"}
    space.create("pods", impostor)
    with pytest.raises(Refused, match="changed by the operator alone"):
        space.patch("pods", "forged", {"metadata": {"labels": forged(pool)["metadata"]["labels"]}})
    space.delete("pods", "forged")


def test_a_forged_pod_that_got_past_the_policies_is_deleted(space: Space, pool: Pool) -> None:
    space.cluster.wait_until_none(space.path("pods"), fieldSelector="metadata.name=forged")
    manifest = json.dumps(forged(pool))
    who = ("--as", OPERATOR, "--as-group", "system:masters")
    assert "created" in space.kubectl(*who, "create", "-f", "-", stdin=manifest)
    space.cluster.wait_until_none(space.path("pods"), fieldSelector="metadata.name=forged", seconds=20)
    job = space.run(PROGRAM, inputs={"word": "safe"})
    assert job.ended()["runner"]["pod"] != "forged"


@pytest.fixture(scope="module")
def people(space: Space, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kubeconfigs of users by the role they have here."""
    folder = tmp_path_factory.mktemp("people")
    roles = {role: role for role in ("view", "edit", "admin")} | {"scale": "quantum-runtime-scale"}
    return {name: users.kubeconfig(space, folder, name, may=role) for name, role in roles.items()}


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("view", {"get"}),
        ("edit", {"get"}),
        ("scale", {"get", "scale"}),
        ("admin", {"get", "scale", "create", "patch", "delete"}),
    ],
)
def test_who_may_do_what_with_pools(space: Space, people: dict[str, Path], pool: Pool, who: str, may: set[str]) -> None:
    assert pool
    attempts = {
        "get": ("get", "rpool", "warm"),
        "scale": ("scale", "rpool/warm", "--replicas=2"),
        "create": ("create", "-f", "-"),
        "patch": ("patch", "rpool", "warm", "--type=merge", "--patch", '{"spec":{"lowWatermark":1}}'),
        "status": (
            "patch",
            "rpool",
            "warm",
            "--subresource=status",
            "--type=merge",
            "--patch",
            '{"status":{"hits":9}}',
        ),
        "delete": ("delete", "rpool", "theirs"),
    }
    manifest = json.dumps(
        {
            "apiVersion": "quantumruntime.dev/v1alpha1",
            "kind": "RunnerPool",
            "metadata": {"name": "theirs", "namespace": space.name},
            "spec": {"replicas": 0},
        }
    )
    config = ("--kubeconfig", str(people[who]))
    done = {
        verb: space.cluster.kubectl(*config, *arguments, stdin=manifest, check=False)
        for verb, arguments in attempts.items()
    }
    assert {verb for verb, said in done.items() if said.returncode == 0} == may
    for verb in attempts.keys() - may:
        assert "Forbidden" in done[verb].stderr, verb
