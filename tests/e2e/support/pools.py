"""A runner pool as its owners see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from e2e.support.cluster import RUNNERS, condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.support.cluster import Object, Space

POOL_LABEL = "quantumruntime.dev/pool"
JOB_LABEL = "quantumruntime.dev/job-uid"


@dataclass(frozen=True)
class Pool:
    """One RunnerPool."""

    space: Space
    name: str

    def read(self) -> Object:
        """Return it as it is now."""
        return self.space.cluster.request("GET", self.space.path("runnerpools", self.name))

    def wait(self, until: Callable[[Object], bool], what: str, *, seconds: float = 30) -> Object:
        """Return the pool's status once this is true of it and says something about the present spec."""

        def reached(_: str, body: Object) -> bool:
            status = body.get("status", {})
            return status.get("observedGeneration") == body["metadata"]["generation"] and until(status)

        where, only = self.space.path("runnerpools"), f"metadata.name={self.name}"
        body = self.space.cluster.wait(where, reached, what, seconds=seconds, fieldSelector=only)
        status: Object = body["status"]
        return status

    def full(self) -> set[str]:
        """Return the uids of the pods that wait, once there are as many as are wanted and all are written down."""

        def is_full(status: Object) -> bool:
            wanted = self.read()["spec"]["replicas"]
            waiting = {pod["metadata"]["uid"] for pod in self.waiting_pods()}  # what the status says may be seconds old
            return bool(status["readyReplicas"] == len(waiting) == wanted and set(status["pods"]) == waiting)

        return set(self.wait(is_full, "it is full")["pods"])

    def waits(self, reason: str) -> str:
        """Return why the pool is not ready, once it is not for this reason."""

        def is_so(status: Object) -> bool:
            ready = condition(status, "Ready")
            return (ready["status"], ready["reason"]) == ("False", reason)

        message: str = condition(self.wait(is_so, f"not ready for {reason}"), "Ready")["message"]
        return message

    def waiting_pods(self) -> list[Object]:
        """Return its pods that no job has and that are not being deleted."""
        pods = self.space.list("pods", labelSelector=f"{POOL_LABEL}={self.name},!{JOB_LABEL}")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def without_pods(self, *, seconds: float = 20) -> None:
        """Return when none of its pods waits any more."""
        selector = f"{RUNNERS},{POOL_LABEL}={self.name},!{JOB_LABEL}"
        self.space.cluster.wait_until_none(self.space.path("pods"), seconds=seconds, labelSelector=selector)


def create(space: Space, name: str, **spec: Any) -> Pool:
    """Create a pool of the default profile, unless the spec says otherwise."""
    body = {"apiVersion": "quantumruntime.dev/v1alpha1", "kind": "RunnerPool", "metadata": {"name": name}}
    space.create("runnerpools", body | {"spec": spec})
    return Pool(space, name)
