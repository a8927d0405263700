"""Where the public programs run: on this machine, and on the cluster. Their tests use the fixture ``program`` alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.testing import Program, on_this_machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quantum_runtime.testing import Outcomes, Runs

CATALOG = Path(__file__).parent / "manifests" / "production"


def pytest_itemcollected(item: pytest.Item) -> None:
    """All tests of one program go to one process, where there are several: then each example runs once."""
    given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    name = given.get("name") or given.get("source") or item.path.parent.name
    item.add_marker(pytest.mark.xdist_group(f"the program {name}"))


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("here", marks=pytest.mark.aer),
        pytest.param("cluster", marks=pytest.mark.e2e),
    ],
)
def program_runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """Each test runs twice: with the runner of this environment, and as jobs of the published programs."""
    if request.param == "here":
        yield on_this_machine
        return
    from e2e.support.installed import installed_cluster
    from e2e.support.programs import OnTheCluster, publish

    cluster = installed_cluster()
    publish(cluster, CATALOG)
    space = cluster.namespace("programs")
    yield OnTheCluster(space)
    space.remove()


@pytest.fixture
def program_of(program_runs: Runs, program_outcomes: Outcomes) -> Callable[[Path], Program]:
    """Any program, by its folder: for what holds for all of them."""
    return lambda folder: Program(folder, runs=program_runs, outcomes=program_outcomes)
