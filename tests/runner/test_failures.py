"""How an exception is told (see test_program.py for the same seen by a user)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runtime_runner import failures

if TYPE_CHECKING:
    from types import TracebackType

FOLDER = Path("/tmp/program-x")


def raised(source: str, name: str = "main.py") -> BaseException:
    path = FOLDER / name
    failures.remember_source(path, source)
    try:
        exec(compile(source, str(path), "exec"), {"json": json})
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_frames_above_the_program_are_not_shown() -> None:
    text = failures.format_traceback(raised("1 / 0"), FOLDER)
    assert text.splitlines()[:3] == [
        "Traceback (most recent call last):",
        '  File "main.py", line 1, in <module>',
        "    1 / 0",
    ]


def test_frames_below_the_program_are_shown_without_their_place_on_the_machine() -> None:
    text = failures.format_traceback(raised("json.loads('{')"), FOLDER)
    assert "json/decoder.py" in text
    assert 'File "/' not in text


def test_the_programs_folder_is_not_named_in_messages() -> None:
    assert failures.describe(ImportError(f"cannot import x ({FOLDER}/helpers.py)"), FOLDER) == (
        "ImportError: cannot import x (helpers.py)"
    )


def test_of_a_traceback_that_is_too_long_the_end_is_kept() -> None:
    source = "\n".join(f"def f{n}(): {'x' * 150} = f{n + 1}()" for n in range(90)) + "\ndef f90(): 1 / 0\nf0()"
    text = failures.format_traceback(raised(source), FOLDER)
    assert len(text.encode()) <= failures.TRACEBACK_BYTES
    assert text.startswith("[... ")
    assert text.endswith("ZeroDivisionError: division by zero\n")


def test_a_recursion_is_folded() -> None:
    text = failures.format_traceback(raised("def f(): f()\nf()"), FOLDER)
    assert "Previous line repeated" in text
    assert len(text) < 2000


def test_a_huge_message_leaves_room_for_the_frames() -> None:
    text = failures.format_traceback(raised("raise ValueError('x' * 10**7)"), FOLDER)
    assert 'File "main.py", line 1' in text
    assert len(text) <= failures.TRACEBACK_BYTES


def test_a_chain_without_end_is_cut() -> None:
    source = "e = None\nfor n in range(20000):\n    new = ValueError(n)\n    new.__cause__, e = e, new\nraise e"
    text = failures.format_traceback(raised(source), FOLDER)
    assert text.count("direct cause") == 10


def test_a_chain_that_is_a_circle_is_shown() -> None:
    text = failures.format_traceback(
        raised("a = ValueError('a'); b = ValueError('b', a); a.__cause__ = b; b.__cause__ = a\nraise a"), FOLDER
    )
    assert text.endswith("ValueError: a\n")


def test_exceptions_in_groups_are_shown() -> None:
    text = failures.format_traceback(
        raised("raise ExceptionGroup('two', [ValueError('one'), TypeError('two')])"), FOLDER
    )
    assert "ValueError: one" in text
    assert "TypeError: two" in text


def test_an_exception_whose_class_is_hostile_is_told_all_the_same() -> None:
    class HostileError(Exception):
        @property
        def __traceback__(self) -> TracebackType | None:  # type: ignore[override]
            raise KeyboardInterrupt

        def __str__(self) -> str:
            raise SystemExit

    assert (
        failures.describe(HostileError(), FOLDER)
        == "HostileError: (its text cannot be shown: __str__ raised an exception)"
    )
    assert failures.format_traceback(HostileError(), FOLDER).startswith("(the traceback cannot be shown")


@pytest.mark.parametrize(("text", "size"), [("abc", 100), ("ü" * 1000, 100), ("\ud800" * 100, 100), ("x" * 101, 100)])
@pytest.mark.parametrize("keep_end", [True, False])
def test_text_is_cut_to_valid_unicode(text: str, size: int, keep_end: bool) -> None:
    assert len(failures.cut(text, size, keep_end=keep_end).encode()) <= size
