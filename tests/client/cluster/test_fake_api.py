from __future__ import annotations

import hashlib
import json
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import JOBS, OUTPUTS
from quantum_runtime.cluster.watching import follow
from quantum_runtime.service.portal import Portal
from support import crd
from support.api_questions import QUESTIONS, job
from support.clock import virtual_time
from support.fake_api import FakeApi

if TYPE_CHECKING:
    from quantum_runtime.cluster.api import Api, Object
    from support.api_questions import Question


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.__name__.replace("_", " "))
@virtual_time
async def test_the_fake_answers_as_the_real_api_server_does(question: Question) -> None:
    api: Api = FakeApi()
    await question(api, "one")


async def made(name: str = "one") -> FakeApi:
    api = FakeApi()
    await api.create(JOBS, job(name))
    return api


@virtual_time
async def test_whatever_the_fake_operator_writes_the_real_api_server_would_keep() -> None:
    api = await made()

    def check() -> None:
        assert crd.problems("runtimejobs", api.object(JOBS, "one")) == []
        assert [problem for chunk in api.objects(OUTPUTS) for problem in crd.problems("runtimejoboutputs", chunk)] == []

    api.wait_for("one", "WaitingForRunner", "waiting for a runner")
    check()
    api.start_job("one")
    check()
    api.publish("one", *map(str, range(30)))
    api.log("one", "x" * 20_000)
    api.spill("one")
    check()
    api.finish("one", json.dumps("x" * 100_000))
    check()
    other = await made()
    other.fail_job("one", "ProgramFailed", "ValueError: no", "Traceback")
    assert crd.problems("runtimejobs", other.object(JOBS, "one")) == []
    other = await made()
    other.cancel_job("one")
    assert crd.problems("runtimejobs", other.object(JOBS, "one")) == []


def texts(api: FakeApi, ref: Object) -> str:
    return "".join(api.object(OUTPUTS, name)["spec"]["text"] for name in ref["names"])


def values(text: str) -> list[str]:
    return [json.loads(line)["value"] for line in text.splitlines()]


@virtual_time
async def test_interim_results_are_pushed_out_stored_and_in_the_end_all_there() -> None:
    api = await made()
    interims = api.publish("one", *"abcde", latest=2)["status"]["interimResults"]
    assert [entry["value"] for entry in interims["latest"]] == ["d", "e"]
    assert (interims["published"], interims["dropped"]) == (5, 0)
    assert "ref" not in interims
    interims = api.spill("one")["status"]["interimResults"]
    first = interims["ref"]["names"]
    assert values(texts(api, interims["ref"])) == ["a", "b", "c"]
    api.publish("one", *"fghi", latest=2)
    interims = api.spill("one", chunk_bytes=10)["status"]["interimResults"]
    assert interims["ref"]["names"][: len(first)] == first
    assert values(texts(api, interims["ref"])) == list("abcdefg")
    interims = api.finish("one")["status"]["interimResults"]
    assert values(texts(api, interims["ref"])) == list("abcdefghi")
    assert interims["ref"]["sha256"] == hashlib.sha256(texts(api, interims["ref"]).encode()).hexdigest()


@virtual_time
async def test_a_large_result_and_a_long_log_are_stored_beside_the_status() -> None:
    api = await made()
    api.log("one", "first\n" + "x" * 20_000)
    status = api.finish("one", '"' + "é" * 400_000 + '"')["status"]
    assert "result" not in status
    assert len(status["resultRef"]["names"]) == 2
    assert texts(api, status["resultRef"]) == '"' + "é" * 400_000 + '"'
    assert len(status["logs"]["tail"]) == 16 * 1024
    assert texts(api, status["logs"]["ref"]).startswith("first\n")
    api.remove(JOBS, "one")
    assert api.objects(OUTPUTS) == [], "they go with their job"


@virtual_time
async def test_what_a_caller_does_to_an_answer_does_not_reach_the_store() -> None:
    api = await made()
    (await api.get(JOBS, "one"))["spec"]["inputs"]["a"] = 1
    assert (await api.get(JOBS, "one"))["spec"]["inputs"] == {}


@virtual_time
async def test_a_request_can_fail_before_or_after_it_was_carried_out() -> None:
    api = FakeApi()
    lost = errors.Unavailable("lost")
    api.fail("create", JOBS, lost)
    with pytest.raises(errors.Unavailable):
        await api.create(JOBS, job("one"))
    assert api.objects(JOBS) == []
    api.fail("create", JOBS, lost, after=True)
    with pytest.raises(errors.Unavailable):
        await api.create(JOBS, job("one"))
    assert len(api.objects(JOBS)) == 1
    api.forbid("delete", JOBS)
    with pytest.raises(errors.Forbidden, match='cannot delete resource "runtimejobs" in API group'):
        await api.delete(JOBS, "one")
    assert api.requests == [("create", "runtimejobs", "one")] * 2 + [("delete", "runtimejobs", "one")]


async def test_nothing_reacts_to_a_dry_run() -> None:
    api = FakeApi()
    created: list[Object] = []
    api.react("create", JOBS, created.append)
    body = {"metadata": {"name": "a"}, "spec": {"programRef": {"name": "p"}}}
    await api.create(JOBS, body, dry_run=True)
    assert created == []
    await api.create(JOBS, body)
    assert [job["metadata"]["name"] for job in created] == ["a"]


def test_a_test_can_act_from_another_thread() -> None:
    api, portal = FakeApi(), Portal()
    api.react("create", JOBS, lambda body: api.start_job(body["metadata"]["name"]))

    async def run() -> list[str]:
        created = await api.create(JOBS, job("one"))
        phases = []
        async with aclosing(follow(api, JOBS, "one", start=created)) as states:
            async for state in states:
                assert state is not None
                phases.append(state["status"]["phase"])
                if state["status"]["phase"] == "Completed":
                    break
        return phases

    running = portal.start(run())
    api.wait_until(lambda: api.open_watches == 1)
    api.finish("one")
    assert running.result() == ["Running", "Completed"]
    api.wait_until(lambda: api.open_watches == 0)
