from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster import retrying
from quantum_runtime.cluster.api import BACKENDS, PROGRAMS, PUBLIC_PROGRAMS
from quantum_runtime.service.aio_service import AsyncRuntimeService
from support.fake_api import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

MAIN = "def main(backend, user_messenger, **kwargs):\n    return 'All done!'\n"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are repeated at once."""
    monkeypatch.setattr(retrying, "FIRST_PAUSE_SECONDS", 0.0)


@pytest.fixture
def cluster() -> FakeApi:
    return FakeApi("lab")


@pytest.fixture
def service(cluster: FakeApi) -> AsyncRuntimeService:
    return AsyncRuntimeService(cluster)


@pytest.fixture
def put_program(cluster: FakeApi) -> Callable[..., dict[str, Any]]:
    """Puts a program into the cluster, as somebody else."""

    def put(name: str, *, public: bool = False, ready: str = "True", **spec: Any) -> dict[str, Any]:
        condition = {"type": "Ready", "status": ready, "reason": "Accepted", "message": "jobs can run it"}
        if ready == "False":
            message = f"RuntimeProgram {name!r} asks for profile 'x'; there are: default"
            condition |= {"reason": "ProfileNotFound", "message": message}
        condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
        body = {
            "metadata": {"name": name},
            "spec": {"maxExecutionTimeSeconds": 300, "source": {"inline": MAIN}} | spec,
            "status": {"conditions": [condition]} if ready else {},
        }
        return cluster.put(PUBLIC_PROGRAMS if public else PROGRAMS, body)

    return put


@pytest.fixture
def put_backend(cluster: FakeApi) -> Callable[..., dict[str, Any]]:
    """Puts a RuntimeBackend into the cluster, as its platform team."""

    def put(name: str, **spec: Any) -> dict[str, Any]:
        return cluster.put(BACKENDS, {"metadata": {"name": name}, "spec": spec})

    return put
