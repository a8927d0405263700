"""What the bench makes of figures: sentences, tables, the page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench import figures, loops, page, parts
from bench.warm import page as warm_page
from bench.warm import writes

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


def _warm(*, warm: float, floor: float) -> dict[str, Any]:
    def runs(entered: float, paths: tuple[str, str] = ("", "")) -> dict[str, Any]:
        return {"entered": [entered, entered], "seen": [entered + 1, entered + 1], "paths": list(paths)}

    def all_loops(entered: float, paths: tuple[str, str] = ("", "")) -> dict[str, Any]:
        return {loop: runs(entered, paths) for loop in ("closed", "1", "2", "4")}

    arms = {
        "floor": all_loops(floor),
        "warm": all_loops(warm, ("warm", "cold")),
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
