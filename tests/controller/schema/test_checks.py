"""Checks under way: once each, kept for whoever asked, and gone with the job."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime_operator.api.names import JobKey
from runtime_operator.observe.cache import Cache
from runtime_operator.schema.checks import Checks
from runtime_runner.schema.verdicts import Request, Verdict
from structlog.testing import capture_logs
from support import builders
from support.clock import settle, virtual_time
from support.world import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime_operator.reconcile import Key

KEY = JobKey("default", "a-job")
ASKED = [Request(schema={"type": "integer"}, text="1", what="spec.inputs")]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with capture_logs():
        yield


class Setting:
    """A cache with one job whose program has parameters, and the keys that came back."""

    def __init__(self) -> None:
        self.cache, self.rules = Cache("aer"), Rules()
        self.news: list[Key] = []
        self.checks = Checks(self.rules, self.cache, self.news.append)
        for number, body in ((1, builders.job(uid="job-uid")), (2, builders.program(parameters={"type": "integer"}))):
            body["metadata"]["resourceVersion"] = str(number)
            (self.cache.put_job if body["kind"] == "RuntimeJob" else self.cache.put_program)(body)
        program = self.cache.observe(KEY, lambda _: None).program
        assert program is not None
        self.digest = program.schemas.inputs_digest

    def ensure(self) -> None:
        self.checks.ensure(KEY, "job-uid", "inputs", self.digest, ASKED)

    @property
    def verdicts(self) -> tuple[Verdict, ...] | None:
        check = self.cache.observe(KEY, lambda _: None).input_check
        return check.verdicts if check else None


@virtual_time
async def test_a_verdict_is_kept_and_brings_the_job_back() -> None:
    setting = Setting()
    setting.ensure()
    setting.ensure()
    assert (setting.verdicts, setting.news) == (None, [])
    await settle()
    assert (setting.verdicts, setting.news) == ((Verdict(),), [KEY])
    assert setting.rules.asked == ASKED, "asked once"
    assert not setting.checks._tasks


@pytest.mark.parametrize("rounds", [0, 5], ids=["before it has begun", "while it is under way"])
@virtual_time
async def test_a_check_that_nobody_wants_any_more_is_given_up(rounds: int) -> None:
    setting = Setting()
    setting.rules.seconds = 1000.0
    setting.ensure()
    await settle(rounds)
    setting.checks.drop(KEY)
    await settle()
    assert not setting.checks._tasks
    assert (setting.verdicts, setting.news) == (None, [])
    setting.rules.seconds = 0.0
    setting.ensure()
    await settle()
    assert setting.verdicts == (Verdict(),), "it can be asked for again"


@virtual_time
async def test_closing_ends_what_is_under_way() -> None:
    setting = Setting()
    setting.rules.seconds = 1000.0
    setting.ensure()
    await asyncio.sleep(1)
    await setting.checks.close()
    await settle()
    assert not setting.checks._tasks
    assert setting.news == []
