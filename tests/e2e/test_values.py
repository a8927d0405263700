"""One value of every type that travels goes to a program and comes back, through a manifest, a pod and a status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from e2e.support.cluster import Job
from runtime_runner import encoding
from support.values import EXAMPLES

if TYPE_CHECKING:
    from e2e.support.cluster import Space

pytestmark = pytest.mark.filterwarnings("ignore:from_dict has been deprecated")

GIVE_BACK = """
def main(backend, user_messenger, **values):
    user_messenger.publish(values["complex"])
    return values
"""


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    return {name: example.make() for name, example in EXAMPLES.items()}


@pytest.fixture(scope="module")
def job(space: Space, sent: dict[str, Any]) -> Job:
    """A job with all of them, written to a file and applied as a person does."""
    inputs = {key: json.loads(encoding.to_text(value)) for key, value in _keywords(sent).items()}
    manifest = {
        "apiVersion": "quantumruntime.dev/v1alpha1",
        "kind": "RuntimeJob",
        "metadata": {"name": "values"},
        "spec": {"programRef": {"name": space.program(GIVE_BACK, name="give-back")}, "inputs": inputs},
    }
    space.kubectl("create", "--filename", "-", stdin=json.dumps(manifest))
    return Job(space, "values")


@pytest.fixture(scope="module")
def back(job: Job) -> dict[str, Any]:
    status = job.ended()
    assert status["phase"] == "Completed", status
    text = job.output(status["resultRef"]) if "resultRef" in status else status["result"]
    assert [encoding.from_text(i["value"]) for i in status["interimResults"]["latest"]] == [
        EXAMPLES["complex"].make()
    ], "interim results travel likewise"
    found: dict[str, Any] = encoding.from_text(text)
    return found


def _keywords(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values by names that `main` can take them by."""
    return {name.replace(" ", "_"): value for name, value in values.items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_comes_back_as_documented(sent: dict[str, Any], back: dict[str, Any], name: str) -> None:
    received = back[name.replace(" ", "_")]
    assert EXAMPLES[name].same(sent[name], received), f"{sent[name]!r} came back as {received!r}"
