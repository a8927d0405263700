"""The plain alternatives: what runs the same program in the same container without us."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from runtime_operator.api import names
from runtime_operator.kube.client import PODS, Resource

from bench import bare, cluster, program
from bench.loops import Run
from bench.timeline import Timeline

if TYPE_CHECKING:
    from runtime_operator.config import Profile
    from runtime_operator.kube.client import Kube, Object

BATCH_JOBS = Resource("batch", "v1", "jobs")
WORKFLOWS = Resource("argoproj.io", "v1alpha1", "workflows")
CONTROLLER_POD = "workflow-controller"
"""Argo's, in the namespace of its workflows."""
RUN_LABEL = "bench-run"
"""On every pod: the run it belongs to."""


class Plain(ABC):
    """Objects of one kind, each of which becomes a pod. Used as a context: it opens the user's watch."""

    resource: Resource
    container = names.RUNNER_CONTAINER

    def __init__(self, kube: Kube, namespace: str, profile: Profile) -> None:
        self._kube, self._namespace, self._profile = kube, namespace, profile
        self._objects = cluster.Follower(kube, self.resource, namespace)

    async def __aenter__(self) -> Plain:
        await bare.prepare(self._kube, self._namespace)
        await self._objects.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._objects.__aexit__(*error)

    async def ready(self, jobs: int) -> None:
        """Wait until no pod is left."""
        await cluster.no_pods(self._kube, self._namespace)

    async def run(self, name: str) -> Run:
        """Run one, and delete it with its pod.

        Raises:
            AssertionError: it has failed.
        """
        timeline = Timeline()

        def changed(body: Object) -> bool:
            outcome = self.outcome(body.get("status", {}))
            if not outcome:
                return False
            timeline.mark("seen")
            assert outcome == "Succeeded", body["status"]
            return True

        ended = self._objects.until(name, changed)
        timeline.mark("created")
        created = await self._kube.create(self.resource, self._namespace, self.manifest(name))
        await ended
        pods, _ = await self._kube.list(PODS, self._namespace, label_selector=f"{RUN_LABEL}={name}")
        assert len(pods) == 1, [pod["metadata"]["name"] for pod in pods]
        printed = await bare.moments(self._kube, self._namespace, pods[0]["metadata"]["name"], self.container)
        timeline.mark("main entered", printed["main entered"])
        uid = created["metadata"]["uid"]
        await self._kube.delete(
            self.resource, self._namespace, name, uid=uid, grace_seconds=0, propagation="Background"
        )
        return Run.of(timeline)

    @abstractmethod
    def manifest(self, name: str) -> Object:
        """Return the object."""

    @abstractmethod
    def outcome(self, status: Object) -> str:
        """Return ``Succeeded``, another word for another end, or nothing as long as it has not ended."""

    def pod(self, name: str) -> Object:
        """Return its pod: spec and limits of a runner pod, but ``python`` with a script in it."""
        command = ("python3", "-c", bare.script(program.SOURCE))
        pod = bare.manifest(name, self._namespace, self._profile, command)
        pod["metadata"]["labels"] = {RUN_LABEL: name}
        return pod


class BarePod(Plain):
    """A pod for each."""

    resource = PODS

    def manifest(self, name: str) -> Object:
        """Return the pod."""
        return self.pod(name)

    def outcome(self, status: Object) -> str:
        """Return the pod's last phase."""
        phase: str = status.get("phase", "")
        return phase if phase in ("Succeeded", "Failed") else ""


class KubernetesJob(Plain):
    """A Job of Kubernetes' own for each."""

    resource = BATCH_JOBS

    def manifest(self, name: str) -> Object:
        """Return a Job that is tried once."""
        pod = self.pod(name)
        template = {"metadata": {"labels": pod["metadata"]["labels"]}, "spec": pod["spec"]}
        return cluster.described("Job", name, {"backoffLimit": 0, "template": template}, api_version="batch/v1")

    def outcome(self, status: Object) -> str:
        """Return what the Job's last condition says."""
        words = {"Complete": "Succeeded", "Failed": "Failed"}
        said = (one["type"] for one in status.get("conditions", ()) if one["status"] == "True")
        return next((words[kind] for kind in said if kind in words), "")


class ArgoWorkflow(Plain):
    """A Workflow of one step for each."""

    resource = WORKFLOWS
    container = "main"

    async def ready(self, jobs: int) -> None:
        """Wait until no pod is left but that of the controller."""
        await cluster.no_pods(self._kube, self._namespace, but=lambda pod: pod["metadata"]["name"] == CONTROLLER_POD)

    def manifest(self, name: str) -> Object:
        """Return a Workflow whose one template is the runner's container."""
        pod = self.pod(name)
        container = {key: value for key, value in pod["spec"]["containers"][0].items() if key not in ("name", "stdin")}
        template = {
            "name": "main",
            "metadata": {"labels": pod["metadata"]["labels"]},
            "container": container,
            "volumes": pod["spec"]["volumes"],
        }
        spec = {
            "entrypoint": "main",
            "templates": [template],
            "serviceAccountName": "argo",  # its executor, beside the container, talks to the API server
            "securityContext": pod["spec"]["securityContext"],
        }
        return cluster.described("Workflow", name, spec, api_version=WORKFLOWS.api_version)

    def outcome(self, status: Object) -> str:
        """Return the Workflow's last phase."""
        phase: str = status.get("phase", "")
        return phase if phase in ("Succeeded", "Failed", "Error") else ""
