"""What the bench makes of figures: sentences, tables, the page."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from runtime_operator.config import Pools
from runtime_operator.kube.client import PODS
from support.fake_kube import FakeKube

from bench import cluster, figures, loops, machine, page, parts
from bench.warm import measuring, product, writes
from bench.warm import page as warm_page

if TYPE_CHECKING:
    from pathlib import Path

METRICS = """\
# HELP quantum_runtime_api_writes_total Requests to the API server that change something.
# TYPE quantum_runtime_api_writes_total counter
quantum_runtime_api_writes_total{resource="pods",verb="patch"} 8.0
quantum_runtime_api_writes_total{resource="runtimejobs/status",verb="patch"} 16.0
quantum_runtime_api_writes_total{resource="leases",verb="patch"} 90.0
# HELP quantum_runtime_queue_length Objects that wait to be worked on.
# TYPE quantum_runtime_queue_length gauge
quantum_runtime_queue_length 0.0
"""


@pytest.mark.parametrize(
    ("value", "strictly", "sentence"),
    [
        (1.31, False, "Target ≤ 1.5: **1.31**, met."),
        (1.5, False, "Target ≤ 1.5: **1.50**, met."),
        (1.5, True, "Target < 1.5: **1.50**, missed."),
        (1.62, False, "Target ≤ 1.5: **1.62**, missed."),
    ],
)
def test_a_verdict_says_what_was_wanted_and_what_was_found(value: float, strictly: bool, sentence: str) -> None:
    assert figures.verdict(value, 1.5, strictly=strictly) == sentence


def test_a_table_row_has_the_median_and_the_slow_ones() -> None:
    assert figures.percentiles([float(n) for n in range(1, 101)], 1) == "50.5 | 91.0 | 100.0 | 100.0"


def test_arrivals_are_the_same_for_every_arm_and_as_many_per_second_as_asked() -> None:
    moments = loops.arrivals(1000, 4.0)
    assert moments == loops.arrivals(1000, 4.0)
    assert moments == sorted(moments)
    assert 225 < moments[-1] < 275


@pytest.mark.parametrize("rate", measuring.RATES)
@pytest.mark.parametrize("runs", [3, 20, 60])
def test_jobs_that_take_turns_with_the_floor_leave_the_pool_no_time_to_refill(runs: int, rate: float) -> None:
    moments = loops.arrivals(loops.share(measuring.Counts(runs).at(rate)), rate)
    longest = max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0.0)
    assert longest < Pools().quiet_seconds


async def test_arms_take_turns_in_rounds_and_one_has_no_pods_while_it_is_the_others_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def at_once() -> None:
        return

    monkeypatch.setattr(machine, "quiet", at_once)
    turns: list[str] = []
    one, other = _Arm("one", turns), _Arm("other", turns)
    of_one, of_other = await loops.in_turn([one, other], 3, rate=1e6)
    round_of = [[f"{arm} is ready for 2 jobs", f"{arm} runs a job", f"{arm} runs a job"] for arm in ("one", "other")]
    assert turns == 2 * ["other is ready for 0 jobs", *round_of[0], "one is ready for 0 jobs", *round_of[1]]
    assert [run.name for run in of_one] == [run.name for run in of_other]
    assert len({run.name for run in of_one}) == 4


async def test_used_pods_are_there_until_the_next_loop_is_made_ready() -> None:
    kube = FakeKube()
    for name, labels in {"used": {"quantumruntime.dev/job-name": "open-2-0-0"}, "ready": {}}.items():
        metadata = {"name": name, "namespace": "here", "uid": name, "labels": labels}
        kube.put(PODS, {"metadata": metadata, "spec": {}, "status": {}})
    pool = cluster.described("RunnerPool", product.POOL, {"replicas": 1, "lowWatermark": 0})
    pool["metadata"] |= {"namespace": "here", "generation": 1}
    kube.put(product.POOLS, pool | {"status": {"observedGeneration": 1, "readyReplicas": 1, "pods": ["ready"]}})
    await product.Resting(kube, "here").ready(1)
    assert [pod["metadata"]["name"] for pod in kube.objects(PODS)] == ["ready"]


def test_the_operators_writes_are_read_from_its_metrics_without_its_lease() -> None:
    assert writes.parsed(METRICS) == {"patch pods": 8, "patch runtimejobs/status": 16}


def test_writes_per_job_leave_out_those_of_the_pools_status() -> None:
    assert writes.per_job({"patch pods": 10, "create pods": 10, writes.OF_POOL: 7}, 10) == 2.0


def test_the_section_on_warm_pools_judges_from_the_figures() -> None:
    text = warm_page.section(_warm(warm=30.0, floor=20.0))
    assert "created → `main` entered, p50 ÷ p50: Target ≤ 1.5: **1.50**, met." in text
    assert "| job, warm hit | one at a time | 2 | 50 % | 30.0 |" in text
    assert "| bare pod | one at a time | 2 |  | 1000 |" in text
    assert "p50 ÷ p50: Target ≤ 1.5: **2.00**, missed." in warm_page.section(_warm(warm=40.0, floor=20.0))


def test_the_pool_that_is_refilled_beside_has_its_rows_and_no_target_but_that_for_writes() -> None:
    text = warm_page.section(_warm(warm=30.0, floor=20.0))
    assert "| job, warm hit, pool refilled beside | 2 per second | 2 | 100 % | 60.0 |" in text
    assert "| job, warm hit, pool refilled beside | one at a time |" not in text
    assert "API writes per job, pool refilled beside: Target ≤ 5: **4.00**, met." in text


def test_warm_jobs_whose_end_came_late_are_counted_in_all_loops_and_no_others() -> None:
    data = _warm(warm=30.0, floor=20.0)
    data["arms"]["refilled"]["4"]["seen"] = [60.0 + 1000.0, 60.0 + 1000.1]
    data["arms"]["cold"]["4"]["seen"] = [9000.0, 9000.0]
    assert "1 of 10 warm jobs' ends came late, more than 1,000 ms after" in warm_page.section(data)


def test_the_step_that_costs_most_is_named() -> None:
    text = warm_page.section(_warm(warm=30.0, floor=20.0))
    assert "| created → claim seen | 5.5 | 9.5 | 4.0 |" in text
    assert "Most of what the operator adds is in the step *created → claim seen*: 4.0 ms." in text


def test_why_argo_could_not_be_built_is_on_the_page() -> None:
    data = _warm(warm=30.0, floor=20.0)
    del data["arms"]["argo"]
    data["argo"] = {"version": "v1", "reason": "no Go here"}
    text = warm_page.section(data)
    assert "no Go here" in text
    assert "| Argo Workflow |" not in text


def test_the_page_has_the_parts_that_were_measured_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "DATA", tmp_path)
    moments = {name: 1.0 * number for number, name in enumerate(["created", "pod created", "scheduled"])}
    moments |= {"worker started": 3.0, "ready": 4.0, "main entered": 5.0, "program returned": 6.0, "status seen": 7.0}
    bare = {"created": 0.0, "python started": 3.0, "main entered": 5.0, "status seen": 9.0}
    page.keep("cold", machine="one", date="2026-01-01", data={"jobs": [moments], "pods": [bare]})
    page.keep("warm", machine="another", date="2026-01-02", data=_warm(warm=30.0, floor=20.0))
    text = page.page()
    assert text.index("## Warm pools") < text.index("## Cold start")
    assert "| `cold` | 2026-01-01 | one |" in text
    assert json.loads((tmp_path / "cold.json").read_text())["data"]["jobs"] == [moments]


def test_figures_that_no_part_has_written_are_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "DATA", tmp_path)
    monkeypatch.setattr(page, "ROOT", tmp_path)
    (tmp_path / "forgotten.json").write_text("{}")
    with pytest.raises(ValueError, match="forgotten"):
        page.page()


def test_every_part_that_has_figures_has_what_a_part_needs() -> None:
    for path in page.DATA.glob("*.json"):
        part = parts.load(path.stem)
        assert callable(part.measure)
        assert callable(part.section)


class _Arm:
    """One that notes what it is asked for."""

    def __init__(self, name: str, asked: list[str]) -> None:
        self._name, self._asked = name, asked

    async def ready(self, jobs: int) -> None:
        if self._asked[-1:] != [there := f"{self._name} is ready for {jobs} jobs"]:
            self._asked.append(there)

    async def run(self, name: str) -> loops.Run:
        self._asked.append(f"{self._name} runs a job")
        return loops.Run(entered=1.0, seen=2.0)


def _warm(*, warm: float, floor: float) -> dict[str, Any]:
    def runs(entered: float, paths: tuple[str, str] = ("", "")) -> dict[str, Any]:
        return {"entered": [entered, entered], "seen": [entered + 1, entered + 1], "paths": list(paths)}

    def all_loops(entered: float, paths: tuple[str, str] = ("", "")) -> dict[str, Any]:
        return {loop: runs(entered, paths) for loop in ("closed", "1", "2", "4")}

    arms = {
        "floor": all_loops(floor),
        "warm": all_loops(warm, ("warm", "cold")),
        "refilled": {rate: runs(2 * warm, ("warm", "warm")) for rate in ("1", "2", "4")},
        **{arm: all_loops(1000.0, ("cold", "cold")) for arm in ("cold", "drained", "missing")},
        **{arm: {"closed": runs(1000.0), "1": runs(1000.0)} for arm in ("pod", "job", "argo")},
    }
    return {
        "arms": arms,
        "writes": {"jobs": 2, "requests": {"create pods": 2, "patch pods": 2, "patch runtimejobs/status": 4}},
        "steps": {
            "floor": {"claimed": [5.0, 6.0], "entered": [10.0, 11.0], "seen": [20.0, 21.0]},
            "warm": {"claimed": [9.0, 10.0], "entered": [14.0, 15.0], "seen": [25.0, 26.0]},
        },
        "sample": {"warm": [500.0, 600.0], "python": [1500.0, 1600.0]},
        "image_bytes": 200 * 2**20,
        "argo": {"version": "v1", "reason": ""},
        "memory": "256Mi",
        "cpu_request": "10m",
    }
