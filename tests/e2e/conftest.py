"""One cluster with the chart installed, and a namespace for every test module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.support.installed import installed_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.support.cluster import Cluster, Space

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster that `make e2e` has prepared."""
    return installed_cluster()


@pytest.fixture(scope="module")
def space(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Space]:
    """A namespace of the module's own, with Pod Security "restricted" enforced."""
    purpose = re.sub(r"^test_|_", lambda m: "-" if m[0] == "_" else "", Path(request.path).stem)
    space = cluster.namespace(purpose)
    yield space
    space.remove()
