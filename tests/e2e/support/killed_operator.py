"""An operator that kills itself at a named moment: ``killed_operator.py MOMENT --config FILE``.

The moments are around calls of the real operator's methods, found by name: one that no longer exists is an error.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from runtime_operator import __main__ as operator
from runtime_operator.act import execute
from runtime_operator.act.claims import Claims
from runtime_operator.act.statuses import Statuses
from runtime_operator.runners.conversation import Conversation
from runtime_operator.runners.conversations import Conversations
from runtime_runner import contract

if TYPE_CHECKING:
    from collections.abc import Callable


def die() -> None:
    """End as a node's power failure would end it: nothing is flushed, nothing is said."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Die when this method is about to be called."""
    _wrap(owner, name, when, early=True)


def after(owner: Any, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Die when this method has just returned."""
    _wrap(owner, name, when, early=False)


def never(owner: Any, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Have this method wait for ever: of two writes that are made at the same time, this one is not made."""
    original = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(*arguments: Any, **named: Any) -> Any:
        if when(*arguments):
            await asyncio.Event().wait()
        return await original(*arguments, **named)

    setattr(owner, name, wrapped)


def _wrap(owner: Any, name: str, when: Callable[..., bool], *, early: bool) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(*arguments: Any, **named: Any) -> Any:
        if early and when(*arguments):
            die()
        answer = await original(*arguments, **named)
        if not early and when(*arguments):
            die()
        return answer

    setattr(owner, name, wrapped)


def _is_second_interim(_: Conversation, event: object, _length: int) -> bool:
    global interims
    interims += isinstance(event, contract.Interim)
    return interims >= 2


def _says(phase: str) -> Callable[..., bool]:
    return lambda _statuses, _job, wanted: wanted.get("phase") == phase


def claimed_not_promised() -> None:
    """Claim and promise are written at the same time: only the claim got through."""
    never(Statuses, "write_job", _says("Running"))
    after(Claims, "_claimed")


def promised_not_claimed() -> None:
    """Only the promise got through."""
    never(Claims, "_claimed")
    after(Statuses, "write_job", _says("Running"))


interims = 0

MOMENTS: dict[str, Callable[[], None]] = {
    "queued, before its pod was created": lambda: before(execute.Executor, "_create_pod"),
    "queued, after its pod was created": lambda: after(execute.Executor, "_create_pod"),
    "claimed, not promised": claimed_not_promised,
    "promised, not claimed": promised_not_claimed,
    "claimed and promised, before it may be entered": lambda: before(Conversations, "enter"),
    "between the entry and the first event": lambda: after(Conversations, "enter"),
    "in mid-stream": lambda: after(Conversation, "_hear", _is_second_interim),
    "after the chunks, before the status": lambda: after(execute, "store_outputs"),
    "after the result, before the status": lambda: before(Statuses, "write_job", _says("Completed")),
}

if __name__ == "__main__":
    MOMENTS[sys.argv.pop(1)]()
    sys.exit(operator.main())
