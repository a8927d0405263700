"""When a rate counts as held, and what is read from the API server's metrics and an operator's profile."""

from __future__ import annotations

import cProfile
import json
from typing import TYPE_CHECKING

from bench.scale import api_server, profiling, steps

if TYPE_CHECKING:
    from pathlib import Path

LOAD = steps.Load(step="test", rate=10, seconds=30, work=1.0)
BEGAN = 1000.0


def jobs(count: int = 300, *, delay: float = 0.2, later_delay: float | None = None) -> list[dict[str, float]]:
    """Return what was seen of jobs made evenly over the step; those of the last third may take longer."""
    made = [BEGAN + LOAD.seconds * number / count for number in range(count)]
    late = BEGAN + LOAD.seconds * 2 / 3
    delays = [delay if moment < late or later_delay is None else later_delay for moment in made]
    return [
        {"created": moment, "terminal seen": moment + LOAD.work + wait}
        for moment, wait in zip(made, delays, strict=True)
    ]


class TestARate:
    def test_is_held_if_every_job_ends_soon(self) -> None:
        assert steps.held(BEGAN, LOAD, jobs())

    def test_is_held_by_a_system_that_is_slow_and_gets_no_slower(self) -> None:
        assert steps.held(BEGAN, LOAD, jobs(delay=1.8))

    def test_is_not_held_if_jobs_are_left_over(self) -> None:
        left = [{"created": job["created"]} for job in jobs()[-20:]]
        assert not steps.held(BEGAN, LOAD, jobs()[:-20] + left)

    def test_is_held_if_one_of_a_hundred_is_left_over(self) -> None:
        assert steps.held(BEGAN, LOAD, jobs()[:-3] + [{"created": job["created"]} for job in jobs()[-3:]])

    def test_is_not_held_if_the_queue_grows(self) -> None:
        assert not steps.held(BEGAN, LOAD, jobs(delay=0.9, later_delay=1.9))

    def test_is_held_if_what_grows_is_small(self) -> None:
        assert steps.held(BEGAN, LOAD, jobs(delay=0.1, later_delay=0.9))


def test_changes_are_counted_by_verb_and_resource_and_reads_are_not() -> None:
    text = "\n".join(
        [
            "# HELP apiserver_request_total Counter of requests",
            'apiserver_request_total{code="201",resource="pods",subresource="",verb="POST"} 3',
            'apiserver_request_total{code="409",resource="pods",subresource="",verb="POST"} 1',
            'apiserver_request_total{code="200",resource="runtimejobs",subresource="status",verb="PATCH"} 1.5e+01',
            'apiserver_request_total{code="200",resource="pods",subresource="",verb="LIST"} 9',
        ]
    )
    assert steps.changes(text) == {"create pods": 4, "patch runtimejobs/status": 15}


def test_a_profile_is_told_in_shares_of_the_time_that_was_not_waited(tmp_path: Path) -> None:
    profile = cProfile.Profile()
    profile.runcall(lambda: [json.dumps({"a": list(range(100))}) for _ in range(300)])
    profile.dump_stats(tmp_path / "profile")
    said = profiling.summary(tmp_path / "profile", jobs=3)
    assert said["groups"]["JSON"] > 50
    assert abs(sum(said["groups"].values()) - 100) < 1
    name, _, calls_per_job = said["functions"][0]
    assert "json" in name
    assert calls_per_job == 100


def test_an_api_servers_profile_is_told_by_what_its_time_was_spent_on() -> None:
    top = """\
Type: cpu
Showing nodes accounting for 6.54s, 100% of 6.54s total
      flat  flat%   sum%        cum   cum%
         0     0%     0%      1.19s 18.20%  k8s.io/apiextensions-apiserver/x/customresource.(*StatusREST).Update
     0.01s  0.15%  0.15%      0.94s 14.37%  runtime.gcBgMarkWorker
         0     0%  0.15%      0.94s 14.37%  runtime.gcBgMarkWorker.func2
         0     0%  0.46%      0.19s  2.91%  crypto/tls.(*Conn).HandshakeContext (inline)
"""
    assert api_server.shares(top) == {
        "status of RuntimeJobs": 18.2,
        "collecting garbage": 14.37,
        "TLS handshakes": 2.91,
    }
