"""What ``main`` takes, and what is wrong with a job's inputs: of the function itself, or of its source. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import inspect
    from collections.abc import Collection, Iterable, Sequence

OURS = 2
"""Arguments of main that the runner gives, by position: backend and user_messenger."""


def inputs(parameters: Sequence[inspect.Parameter]) -> list[inspect.Parameter]:
    """Return what is taken by name."""
    taken = _taken(parameters)
    by_name = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [p for p in by_name if p.name not in taken]


def takes_ours(parameters: Sequence[inspect.Parameter]) -> bool:
    """Return whether backend and user_messenger can be given."""
    return len(_positional(parameters)) >= OURS or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def takes_anything(parameters: Iterable[inspect.Parameter]) -> bool:
    """Return whether there are ``**kwargs``."""
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def complaints(parameters: Sequence[inspect.Parameter], given: Collection[str]) -> str:
    """Return, in the user's words, what Python would say about inputs of these names; empty if they fit."""
    taken, accepted = _taken(parameters), inputs(parameters)
    problems = [f"has an input {name!r}, which main() gets from the runner" for name in taken if name in given]
    if not takes_anything(parameters):
        names = [p.name for p in accepted]
        known = ", ".join(names) or "no inputs"
        unknown = [name for name in given if name not in (*names, *taken)]
        problems += [f"has an input {name!r}, which main() does not take (it takes {known})" for name in unknown]
    required = [p.name for p in accepted if p.default is p.empty]
    problems += [f"lacks the input {name!r}, which main() needs" for name in required if name not in given]
    return f"the job {'; it '.join(problems)}" if problems else ""


def _positional(parameters: Iterable[inspect.Parameter]) -> list[inspect.Parameter]:
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _taken(parameters: Iterable[inspect.Parameter]) -> list[str]:
    return [p.name for p in _positional(parameters)[:OURS] if p.kind is p.POSITIONAL_OR_KEYWORD]
