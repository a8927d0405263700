from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest
from quantum_runtime.cli import moments, objects, table

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (2 * MINUTE, "2m"),
        (3 * MINUTE + 20, "3m20s"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE + 30, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (5 * HOUR + 20 * MINUTE, "5h20m"),
        (8 * HOUR + 20 * MINUTE, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (3 * DAY + 4 * HOUR, "3d4h"),
        (8 * DAY + 4 * HOUR, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + 5 * DAY, "2y5d"),
        (9 * YEAR + 5 * DAY, "9y"),
    ],
)
def test_an_age_is_written_as_kubectl_writes_it(seconds: int, shown: str) -> None:
    assert table.age(NOW - timedelta(seconds=seconds), NOW) == shown


def test_columns_are_three_spaces_apart_and_end_without_any() -> None:
    assert table.render(["NAME", "AGE"], [["a", "5s"], ["long-name", None]]) == (
        "NAME        AGE\na           5s\nlong-name   <none>\n"
    )


def test_a_phase_has_a_colour_and_the_width_of_its_letters() -> None:
    lines = table.render(["PHASE", "N"], [[table.coloured("Failed"), 1], [table.coloured("Queued"), 2]]).splitlines()
    assert lines[1] == f"{click.style('Failed', fg='red')}   1"
    assert lines[2] == "Queued   2"


def test_a_cell_cannot_bring_colours_of_its_own() -> None:
    assert table.render(["A"], [["\x1b[31mFailed\x1b[0m!"]]) == "A\n\\x1b[31mFailed\\x1b[0m!\n"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d12h", NOW - timedelta(hours=36)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-01-31T15:00+02:00", datetime(2026, 1, 31, 13, tzinfo=UTC)),
        ("2026-01-31T15:00Z", datetime(2026, 1, 31, 15, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31).astimezone()),
    ],
)
def test_a_moment_is_so_long_ago_or_a_date(text: str, moment: datetime) -> None:
    assert moments.since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "2", "2x", "yesterday", "2026-13-01", "99999999999w"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match="2026-01-31"):
        moments.since(text, NOW)


def test_json_of_objects_holds_nothing_that_a_terminal_acts_on() -> None:
    assert objects.as_json({"a": "Größe\x1b\x9b\U000e0001\u202e"}) == (
        '{\n    "a": "Größe\\u001b\\u009b\\udb40\\udc01\\u202e"\n}'
    )
