"""What the page and the picture make of the figures. The figures here are invented; the words must follow them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from bench.headline import draw, section
from bench.headline.summary import summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

N = 501


def jobs(wall: float, paths: Sequence[str], *, difference: float = 0.0, compared: int = N) -> dict[str, Any]:
    return {
        "path": list(paths),
        "wall_ms": [wall] * len(paths),
        "prepare_ms": [20.0] * len(paths),
        "work_ms": [50.0] * len(paths),
        "compared": compared,
        "largest_difference": difference,
    }


def loop(overhead: float, path: str) -> dict[str, Any]:
    about = {"path": path, "compared": N, "largest_difference": 0.0}
    return {**about, "wall_ms": overhead + 20 + N * 50.0, "prepare_ms": 20.0, "work_ms": [50.0] * N}


@pytest.fixture
def data() -> dict[str, Any]:
    """A run in which the model is right: 1000 ms cold, 30 ms warm, every pod of the pool ready in time."""
    nothing = {path: [{"path": path, "wall_ms": wall}] * 3 for path, wall in (("cold", 1000.0), ("warm", 30.0))}
    return {
        "molecule": {
            "qubits": 4,
            "terms": 100,
            "circuits": 25,
            "parameters": 24,
            "shots": 1024,
            "ground_state": -1.07,
            "best_basis_state": -1.05,
        },
        "evaluations": N,
        "seed": 0,
        "replicas": 4,
        "energies": [-1.0] * N,
        "exact_at_start": -0.2,
        "exact_at_end": -1.06,
        "cold": {
            "overhead": nothing["cold"],
            "loop": [loop(1000.0, "cold")] * 2,
            "per_evaluation": jobs(1070.0, ["cold"] * N),
            "per_circuit": jobs(1002.8, ["cold"] * 50, compared=2),
        },
        "warm": {
            "overhead": nothing["warm"],
            "loop": [loop(30.0, "warm")] * 2,
            "per_evaluation": jobs(100.0, ["warm"] * N),
        },
        "floor": [20.0, 24.0],
    }


def test_where_the_model_is_right_it_foretells_every_arm(data: dict[str, Any]) -> None:
    for arm in summary(data).arms:
        assert arm.error == pytest.approx(0, abs=1e-9), arm.name


def test_the_ratio_of_an_arm_is_to_the_loop_on_the_same_path(data: dict[str, Any]) -> None:
    found = summary(data)
    assert found.ratio(found.per_evaluation["cold"]) == pytest.approx(N * 1070 / (1020 + N * 50))
    assert found.ratio(found.per_evaluation["warm"]) == pytest.approx(N * 100 / (50 + N * 50))
    assert found.ratio(found.per_circuit) == pytest.approx(N * 25 * 1002.8 / (1020 + N * 50))


def test_targets_that_are_met_are_said_to_be(data: dict[str, Any]) -> None:
    text = " ".join(section(data).split())
    assert "ends 0.0100 above it (target ≤ 0.03: **met**)" in text
    assert (
        "2,507 energies of the other jobs were compared with those of the first loop: all are the same number." in text
    )
    assert "at worst" in text
    assert "missed" not in text
    assert "Every job found a ready pod." in text


def test_an_end_that_is_too_far_is_said_to_miss_its_target(data: dict[str, Any]) -> None:
    data["exact_at_end"] = -1.03
    assert "ends 0.0400 above it (target ≤ 0.03: **missed**)" in " ".join(section(data).split())


def test_a_shortened_loop_is_not_held_to_the_target(data: dict[str, Any]) -> None:
    data |= {"evaluations": 21, "exact_at_end": -0.5}
    assert "a shortened loop: the target of 0.03 is for 501 evaluations" in " ".join(section(data).split())


def test_energies_that_differ_are_said_to(data: dict[str, Any]) -> None:
    data["warm"]["per_evaluation"]["largest_difference"] = 2e-16
    assert "they differ by up to 2e-16 hartree: **not the same**" in " ".join(section(data).split())


def test_a_model_that_is_wrong_is_said_to_miss_its_target_with_the_arm(data: dict[str, Any]) -> None:
    data["cold"]["per_evaluation"]["wall_ms"] = [1300.0] * N
    assert "**-18%** at worst (one job per evaluation, cold), missed." in " ".join(section(data).split())


def test_jobs_that_found_no_ready_pod_are_counted_and_compared_with_those_of_the_cold_arm(data: dict[str, Any]) -> None:
    paths = ["warm"] * 201 + ["cold"] * 300
    arm = data["warm"]["per_evaluation"]
    arm |= {"path": paths, "wall_ms": [100.0 if path == "warm" else 1605.0 for path in paths]}
    text = " ".join(section(data).split())
    assert "201 warm ones (100 ms, median) and 300 cold ones (1605 ms, median)" in text
    assert "took 1.50 times as long as those of the cold arm" in text
    assert "one job per evaluation, warm (40% of them)" in text


def test_a_job_that_did_nothing_and_started_cold_beside_a_full_pool_is_no_measure_of_warm_ones(
    data: dict[str, Any],
) -> None:
    data["warm"]["overhead"] = [*data["warm"]["overhead"], {"path": "cold", "wall_ms": 1000.0}]
    assert summary(data).overhead["warm"] == pytest.approx(30)


def test_one_job_per_circuit_is_said_to_be_extrapolated(data: dict[str, Any]) -> None:
    row = next(line for line in section(data).splitlines() if line.startswith("| one job per circuit"))
    assert "(extrapolated from 50 jobs) | 12,525 | 3.5 h |" in row


def test_the_least_that_any_design_has_is_the_models_last_row(data: dict[str, Any]) -> None:
    [row] = [line for line in section(data).splitlines() if line.startswith("| the floor")]
    # N (o + s + w) with o of 22 ms, and as many times o + s + N w
    assert row.endswith("| 501 | - | - | - | 46.1 s | 1.84 |")


def test_the_same_figures_make_the_same_section_and_are_left_as_they_were(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    assert section(data) == section(data)
    assert data == before


def test_the_picture_is_a_png_of_moderate_size(data: dict[str, Any], tmp_path: Path) -> None:
    draw(data, tmp_path / "images" / "headline.png")
    drawn = (tmp_path / "images" / "headline.png").read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) < 150_000
