from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime.cluster.api import JOBS, PUBLIC_PROGRAMS
from support.fake_api import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def cluster() -> FakeApi:
    """A cluster whose catalogue has ``sample-program``."""
    fake = FakeApi("lab")
    spec = {
        "description": "A sample runtime program.",
        "maxExecutionTimeSeconds": 300,
        "source": {"inline": "def main(backend, user_messenger, **kwargs): ..."},
        "parameters": {"properties": {"iterations": {"type": "integer"}}, "required": ["iterations"]},
    }
    fake.put(PUBLIC_PROGRAMS, {"metadata": {"name": "sample-program"}, "spec": spec})
    return fake


@pytest.fixture
def run_job(cluster: FakeApi) -> Callable[[str], None]:
    """Does with a job what the operator and the program do."""

    def run(name: str) -> None:
        cluster.start_job(name)
        cluster.publish(name, *(f'{{"iteration": {number}}}' for number in range(3)))
        cluster.finish(name, '"All done!"')

    return run


@pytest.fixture
def spec_of(cluster: FakeApi) -> Callable[[str], dict[str, Any]]:
    """What a job was created with, as far as it was asked for."""

    def spec(name: str) -> dict[str, Any]:
        there = cluster.object(JOBS, name)["spec"]
        return {key: there[key] for key in ("inputs", "backend") if key in there}

    return spec
