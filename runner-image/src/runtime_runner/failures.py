"""How a program's failure is told: one line, and a traceback that shows the program and not the machine it ran on."""

from __future__ import annotations

import linecache
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from runtime_runner.contract import FailureReason

MESSAGE_BYTES = 1024
TRACEBACK_BYTES = 16 * 1024

_FRAMES = 100
"""Frames read of one exception, counted from where it was raised; identical ones in a row are folded later."""

_CHAIN = 10
"""Exceptions shown of a chain of causes."""

_RUNNER = str(Path(__file__).parent)

OF_PROGRAMS = frozenset(
    {
        FailureReason.INVALID_PROGRAM,
        FailureReason.INVALID_INPUT,
        FailureReason.PROGRAM_FAILED,
        FailureReason.PROGRAM_EXITED,
        FailureReason.MISSING_MODULE,
        FailureReason.INVALID_RESULT,
        FailureReason.RESULT_TOO_LARGE,
    }
)
"""What a worker may report once the program, too, can write its messages: nothing that blames somebody else."""

OF_WORKERS = OF_PROGRAMS | {
    FailureReason.BACKEND_TOO_SMALL,
    FailureReason.INVALID_BACKEND,
    FailureReason.RUNNER_ERROR,
}
"""What a worker may report before the program is entered."""


class JobError(Exception):
    """The job cannot succeed any more; says why and whose fault that is."""

    def __init__(self, reason: FailureReason, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.traceback = traceback


def program_failed(
    error: BaseException, folder: Path, reason: FailureReason = FailureReason.PROGRAM_FAILED, *, hint: str = ""
) -> JobError:
    """Return the failure that an exception out of the program means, seen from the program's folder."""
    message = describe(error, folder)
    if hint:
        message = cut(f"{message} ({hint})", MESSAGE_BYTES)
    return JobError(reason, message, format_traceback(error, folder))


def describe(error: BaseException, folder: Path) -> str:
    """Return type and text of an exception, whatever its ``__str__`` does."""
    try:
        text = str(error)
    except BaseException:
        text = "(its text cannot be shown: __str__ raised an exception)"
    name = type(error).__name__
    return cut(shorten_text(f"{name}: {text}" if text else name, folder), MESSAGE_BYTES)


def format_traceback(error: BaseException, folder: Path) -> str:
    """Return the traceback as Python prints it, with the program's frames and what they called, at most 16 KiB."""
    try:
        _cut_chain(error)
        shown = traceback.TracebackException.from_exception(error, limit=-_FRAMES)
        _show_program_frames(shown, folder, set())
        lines = [cut(line, TRACEBACK_BYTES // 4) for line in shown.format()]
        text = shorten_text("".join(lines), folder)
    except BaseException as problem:  # for lack of memory, or because the exception's class is malicious
        return f"(the traceback cannot be shown: {type(problem).__name__})"
    return cut(text, TRACEBACK_BYTES, keep_end=True)


def cut(text: str, size: int, *, keep_end: bool = False) -> str:
    """Return text that is valid UTF-8 of at most so many bytes, and tells when something is missing."""
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= size:
        return raw.decode()
    mark = f"[... {len(raw)} bytes in all ...]"
    room = size - len(mark) - 1
    if keep_end:
        return f"{mark}\n{raw[-room:].decode('utf-8', 'ignore')}"
    return f"{raw[:room].decode('utf-8', 'ignore')} {mark}"


def shorten_text(text: str, folder: Path) -> str:
    """Return the text without the program folder's place on this machine."""
    return text.replace(f"{folder}/", "")


def remember_source(path: Path, text: str) -> None:
    """Let tracebacks show source lines even when the program has removed or changed its files."""
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))


def _cut_chain(error: BaseException) -> None:
    for _ in range(_CHAIN):
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None:
            return
        error = following
    error.__cause__ = error.__context__ = None


def _show_program_frames(shown: traceback.TracebackException, folder: Path, seen: set[int]) -> None:
    if id(shown) in seen:
        return
    seen.add(id(shown))
    frames = [f for f in shown.stack if not f.filename.startswith((_RUNNER, "<frozen "))]
    first = next((i for i, f in enumerate(frames) if f.filename.startswith(f"{folder}/")), 0)
    shown.stack = traceback.StackSummary.from_list([_shortened(f, folder) for f in frames[first:]])
    for other in (shown.__cause__, shown.__context__, *(shown.exceptions or ())):
        if other is not None:
            _show_program_frames(other, folder, seen)


def _shortened(frame: traceback.FrameSummary, folder: Path) -> traceback.FrameSummary:
    with suppress(AttributeError):  # set once its source line has been read
        _ = frame.line
    frame.filename = _shorten_path(frame.filename, folder)
    return frame


def _shorten_path(path: str, folder: Path) -> str:
    if path.startswith(f"{folder}/"):
        return path[len(str(folder)) + 1 :]
    for place in sorted(filter(None, sys.path), key=len, reverse=True):
        if path.startswith(f"{place}/"):
            return f"{Path(place).name}{path[len(place) :]}"
    return path if path.startswith("<") else Path(path).name
