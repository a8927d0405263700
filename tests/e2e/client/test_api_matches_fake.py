"""The questions that `FakeApi` is built on, put to the real API server by the client."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS
from quantum_runtime.cluster.connection import connect
from support.api_questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from e2e.support.cluster import Cluster
    from quantum_runtime.cluster.http import HttpApi
    from support.api_questions import Question


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace where no jobs run: the operator is not asked to prepare it."""
    made = cluster.request("POST", "/api/v1/namespaces", {"metadata": {"generateName": "e2e-api-"}})
    name: str = made["metadata"]["name"]
    yield name
    cluster.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
async def api(cluster: Cluster, namespace: str) -> AsyncIterator[HttpApi]:
    api = await connect(namespace, kubeconfig=cluster.kubeconfig)
    yield api
    await api.close()


@pytest.fixture
async def name(api: HttpApi) -> AsyncIterator[str]:
    name = f"question-{uuid.uuid4().hex[:8]}"
    yield name
    with contextlib.suppress(errors.NotFound):
        await api.delete(BACKENDS, name)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.__name__.replace("_", " "))
async def test_the_real_api_server_answers_as_the_fake_does(api: HttpApi, name: str, question: Question) -> None:
    await question(api, name)
