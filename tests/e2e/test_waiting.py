"""What jobs wait for, and what ends their waiting: said in a condition, and over as soon as it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.support.cluster import condition
from runtime_operator.api import names
from runtime_operator.build.namespace import runner_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.support.cluster import Cluster, Job, Object, Space

HELLO = """
def main(backend, user_messenger):
    return "hello"
"""

POLICY = names.RUNNER_POLICY


@pytest.fixture(scope="module")
def program(space: Space) -> str:
    """One that says hello."""
    return space.program(HELLO, name="hello")


@pytest.fixture(scope="module", autouse=True)
def no_image(space: Space) -> Job:
    """The slowest of them: it fails after `podStartSeconds`, while the others are tested."""
    return space.run(HELLO, profile="no-image")


@pytest.fixture(scope="module", autouse=True)
def leftovers(space: Space, program: str) -> dict[str, Job]:
    """Jobs whose remains go after some time."""
    return {
        "pod": space.job(program, ttl={"podSeconds": 2}),
        "job": space.job(program, ttl={"podSeconds": 2, "jobSeconds": 3}),
    }


@pytest.fixture
def small(cluster: Cluster) -> Iterator[Space]:
    """A namespace in which no pod may be."""
    space = cluster.namespace("quota")
    quota = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": "0"}}}
    space.create("resourcequotas", quota)
    space.cluster.wait(
        space.path("resourcequotas"), lambda _, q: "hard" in q.get("status", {}), "the quota counts", seconds=20
    )
    yield space
    space.remove()


def hello(status: Object) -> None:
    assert (status["phase"], status.get("result")) == ("Completed", '"hello"'), status


def test_a_suspended_job_has_no_pod_until_it_is_resumed(space: Space, program: str) -> None:
    job = space.job(program, suspend=True)
    job.waiting("Suspended")
    status = job.read()["status"]
    assert (condition(status, "Suspended")["status"], condition(status, "Reconciling")["status"]) == ("True", "False")
    assert job.pods_ever() == []
    job.patch(suspend=False)
    hello(job.ended())


def test_a_queued_job_that_is_suspended_gives_its_pod_back(space: Space) -> None:
    job = space.run(HELLO, profile="no-node")
    job.waiting("Unschedulable")
    job.patch(suspend=True)
    job.waiting("Suspended")
    job.without_pods()
    job.patch(cancel=True)


def test_a_job_that_is_not_started_in_time_fails_and_says_what_it_waited_for(space: Space) -> None:
    job = space.run(HELLO, profile="no-node", startDeadlineSeconds=3)
    status = job.ended()
    assert (status["phase"], status["failure"]["reason"]) == ("Failed", "StartDeadlineExceeded")
    assert "within 3 s (startDeadlineSeconds)" in status["failure"]["message"]
    assert "Unschedulable" in status["failure"]["message"]


def test_a_job_over_the_namespaces_quota_waits_and_runs_once_the_quota_is_raised(small: Space) -> None:
    job = small.run(HELLO)
    assert "exceeded quota: pods" in job.waiting("QuotaExceeded")
    small.patch("resourcequotas", "pods", {"spec": {"hard": {"pods": "1"}}})
    hello(job.ended())
    assert len(job.pods_ever()) == 1


def test_a_runner_policy_that_was_opened_is_closed_before_the_next_pod(space: Space, program: str) -> None:
    hello(space.job(program).ended())
    space.patch("networkpolicies", POLICY, {"spec": {"egress": [{}], "policyTypes": ["Egress"]}})
    check_restored(space, space.job(program))


def test_a_runner_policy_that_was_deleted_is_back_before_the_next_pod(space: Space, program: str) -> None:
    hello(space.job(program).ended())
    space.delete("networkpolicies", POLICY)
    check_restored(space, space.job(program))


def check_restored(space: Space, job: Job) -> None:
    hello(job.ended())
    policy = space.cluster.request("GET", space.path("networkpolicies", POLICY))
    assert policy["spec"] == runner_policy(space.name)["spec"]
    [first] = [body for kind, body in space.pods.history() if kind == "ADDED" and is_of(body, job)]
    assert int(policy["metadata"]["resourceVersion"]) < int(first["metadata"]["resourceVersion"]), "closed too late"


def is_of(pod: Object, job: Job) -> bool:
    name: str = pod["metadata"]["labels"][names.JOB_NAME_LABEL]
    return name == job.name


def test_a_foreign_pod_of_the_runners_name_gets_nothing(space: Space, program: str) -> None:
    job = space.job(program, suspend=True)
    job.waiting("Suspended")
    name = names.child_name(job.read()["metadata"]["uid"], names.RUNNER_ROLE, 0)
    foreign = space.create("pods", foreign_pod(name))
    job.patch(suspend=False)
    status = job.ended()
    assert (status["phase"], status["failure"]["reason"]) == ("Failed", "NameConflict")
    assert name in status["failure"]["message"]
    still = space.cluster.request("GET", space.path("pods", name))
    assert still["metadata"]["uid"] == foreign["metadata"]["uid"], "it is nobody else's business"


def foreign_pod(name: str) -> Object:
    safe = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "runner",
        "image": "quantum-runtime/runner:dev",
        "imagePullPolicy": "Never",
        "stdin": True,
        "securityContext": safe,
    }
    spec = {
        "nodeSelector": {"there-is-no": "such-node"},
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return {"metadata": {"name": name}, "spec": spec}


def test_a_job_whose_image_cannot_be_pulled_says_so_and_is_given_up(no_image: Job) -> None:
    assert no_image.ended()["failure"]["reason"] == "ImagePullFailed"
    waited = [
        condition(status, "Reconciling")
        for status in no_image.states()
        if status.get("phase") == "Queued" and condition(status, "Reconciling").get("reason") == "ImagePullFailed"
    ]
    assert waited, "it was said while there was still time to do something about it"
    failure = no_image.read()["status"]["failure"]
    assert "there-is-no-such-image" in failure["message"]
    assert "given up after 40 s" in failure["message"]
    assert len(no_image.pods_ever()) == 1


def test_a_pod_goes_after_its_time_and_the_job_stays(leftovers: dict[str, Job]) -> None:
    job = leftovers["pod"]
    hello(job.ended())
    job.without_pods()
    hello(job.read()["status"])


def test_a_job_goes_after_its_time_if_it_asks_for_it(leftovers: dict[str, Job]) -> None:
    job = leftovers["job"]
    job.gone()
    assert job.phases()[-1] == "Completed", "it had ended before"
    job.without_pods()
