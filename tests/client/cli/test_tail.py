from __future__ import annotations

from quantum_runtime.cli.tail import Position, after, last_lines, rest


def read(*states: tuple[str, int]) -> tuple[str, list[int], Position]:
    """Return what a reader gets of these (newest text, bytes in all), what was skipped, and where it is then."""
    position, text, skipped = Position(), "", []
    for newest, total in states:
        news = after(position, newest, total)
        position, text = news.position, text + news.text
        skipped.append(news.skipped)
    return text, skipped, position


def test_what_is_new_is_shown_once() -> None:
    assert read(("one\n", 4), ("one\ntwo\n", 8), ("one\ntwo\n", 8)) == ("one\ntwo\n", [0, 0, 0], Position(8, 0))


def test_a_text_that_has_lost_its_beginning_goes_on_where_the_reader_is() -> None:
    assert read(("one\ntwo\n", 8), ("two\nthree\n", 14))[0] == "one\ntwo\nthree\n"


def test_what_the_reader_never_saw_is_counted() -> None:
    text, skipped, position = read(("one\n", 4), ("nine\n", 40), ("nine\nten\n", 44))
    assert (text, skipped) == ("one\nnine\nten\n", [0, 31, 0])
    assert position == Position(seen=44, skipped=31)


def test_a_reader_that_comes_late_is_told_what_was_before() -> None:
    assert read(("end\n", 1000)) == ("end\n", [996], Position(1000, 996))


def test_bytes_are_counted_and_not_characters() -> None:
    assert read(("Größe\n", 8), ("Größe\n量子\n", 15))[0] == "Größe\n量子\n"


def test_a_log_that_is_read_anew_by_the_platform_is_not_shown_again() -> None:
    text, skipped, _ = read(("one\ntwo\n", 8), ("", 0), ("one\n", 4), ("one\ntwo\nsix\n", 12))
    assert (text, skipped) == ("one\ntwo\nsix\n", [0, 0, 0, 0])


def test_the_whole_log_closes_the_gap_at_the_end() -> None:
    _, _, position = read(("one\n", 4))
    news = rest(position, "one\ntwo\nthree\n")
    assert (news.text, news.skipped) == ("two\nthree\n", 0)


def test_the_last_lines_are_those_between_line_feeds() -> None:
    assert last_lines("one\ntwo\nthree\n", 2) == "two\nthree\n"
    assert last_lines("one\ntwo\rtwo and a half\x0c\nthree", 2) == "two\rtwo and a half\x0c\nthree"
    assert last_lines("one\n", 5) == "one\n"
    assert last_lines("one\n", 0) == ""
    assert last_lines("", 3) == ""
