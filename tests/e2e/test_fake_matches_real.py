"""The questions that `FakeKube` is built on, put to the real API server, and a conversation with a real container."""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runtime_operator.handlers.lifecycle import connect
from runtime_operator.kube import errors
from runtime_operator.kube.client import PODS, Resource
from runtime_operator.kube.http import HttpKube
from support.conformance import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime_operator.kube.client import Object
    from support.conformance import Question

pytestmark = pytest.mark.e2e

NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)
CLUSTER = Path(__file__).parent.parent / "cluster" / "cluster"
ECHO = """
import sys
for line in sys.stdin:
    if line == "end\\n": break
    print("heard", line, end="", flush=True)
"""


@pytest.fixture
async def kube() -> AsyncIterator[HttpKube]:
    connection = await connect()
    async with connection.session() as session:
        yield HttpKube(session)
    await connection.close()


@pytest.fixture
async def namespace(kube: HttpKube) -> AsyncIterator[str]:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"fake-{uuid.uuid4().hex[:8]}"}}
    made = await kube.create(NAMESPACES, None, body)
    yield made["metadata"]["name"]
    await kube.delete(NAMESPACES, None, made["metadata"]["name"], uid=made["metadata"]["uid"])


@pytest.fixture(scope="session")
def image() -> str:
    """A Python image that the cluster has."""
    name = subprocess.run([CLUSTER, "base-image"], check=True, capture_output=True, text=True).stdout.split()[-1]
    subprocess.run([CLUSTER, "load", name], check=True, capture_output=True)
    return name


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.__name__.replace("_", " "))
async def test_the_real_api_server_answers_as_the_fake_does(kube: HttpKube, namespace: str, question: Question) -> None:
    await question(kube, namespace)


async def test_a_conversation_ends_with_the_process_and_its_log_keeps_the_lines(
    kube: HttpKube, namespace: str, image: str
) -> None:
    await kube.create(PODS, namespace, _pod(image))
    await _phase(kube, namespace, "Running")
    stream = await kube.attach(namespace, "echo", "runner")
    lines = stream.lines()
    await stream.send(b"one\ntwo\n")
    assert [await anext(lines), await anext(lines)] == [b"heard one", b"heard two"]

    second = await kube.attach(namespace, "echo", "runner")
    await second.send(b"three\n")
    assert await anext(lines) == b"heard three", "both streams see everything"
    await second.close()
    with pytest.raises(errors.Unavailable):
        await second.send(b"four\n")

    await stream.send(b"end\n")
    assert [line async for line in lines] == []
    assert await kube.pod_log(namespace, "echo", "runner") == b"heard one\nheard two\nheard three\n"

    await _phase(kube, namespace, "Succeeded")
    with pytest.raises(errors.Unavailable, match="refused"):
        await kube.attach(namespace, "echo", "runner")


async def test_an_attach_to_a_container_that_does_not_start_is_refused(kube: HttpKube, namespace: str) -> None:
    await kube.create(PODS, namespace, _pod("no.such/image:1"))
    while not (await kube.get(PODS, namespace, "echo") or {})["spec"].get("nodeName"):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    with pytest.raises((errors.Unavailable, errors.NotFound), match="refused"):
        await kube.attach(namespace, "echo", "runner")
    assert await kube.pod_log(namespace, "echo", "runner") is None


def _pod(image: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "echo"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "runner", "image": image, "stdin": True, "command": ["python3", "-c", ECHO]}],
        },
    }


async def _phase(kube: HttpKube, namespace: str, wanted: str) -> None:
    async with asyncio.timeout(60):
        while (await kube.get(PODS, namespace, "echo") or {})["status"]["phase"] != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
