"""What there is to draw in what a program published or returned; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = str | int | Callable[[Any], float | None]
"""Which number of an interim result: under a key, at a position, or what a function returns (None: leave it out)."""


def number_of(interim_result: Any, value: Value | None = None) -> float | None:
    """Return the number in an interim result that `convergence` draws; None if a function says to leave it out.

    Raises:
        ValueError: there is none, or more than one and nothing says which.
    """
    if callable(value):
        number = value(interim_result)
        return None if number is None else _float(number, "what the function returned")
    if value is not None:
        try:
            return _float(interim_result[value], f"{value!r} of an interim result")
        except (LookupError, TypeError):
            raise ValueError(f"an interim result has no {value!r}: it is {_shape(interim_result)}") from None
    if _is_number(interim_result):
        return float(interim_result)
    fields = _numeric_fields(interim_result)
    if len(fields) == 1:
        return float(interim_result[fields[0]])
    if not fields:
        raise ValueError(f"there is no number in an interim result: it is {_shape(interim_result)}")
    names = ", ".join(map(repr, fields))
    raise ValueError(f"an interim result has several numbers: choose one with value=, of {names}")


def counts_of(data: Any) -> list[Mapping[Any, float]]:
    """Return the counts or probabilities by outcome in what `histogram` takes.

    Raises:
        ValueError: there are none.
    """
    if hasattr(data, "get_counts"):
        return counts_of(data.get_counts())
    if hasattr(data, "join_data"):
        return counts_of(data.join_data().get_counts())
    if isinstance(data, Mapping):
        if "quasi_dists" in data:
            return counts_of(data["quasi_dists"])
        if isinstance(data.get("counts"), Mapping):
            return counts_of(data["counts"])
        if "results" in data:
            from qiskit.result import Result

            return counts_of(Result.from_dict(dict(data)))
        if data and all(_is_number(count) for count in data.values()):
            return [data]
    elif _is_sequence(data) and len(data):
        return [counts for item in data for counts in counts_of(item)]
    raise ValueError(
        f"there are no counts in {_shape(data)}: give counts by outcome, a list of them, a Result, or what one of the "
        "programs sampler, circuit-runner, sample-program and hello-world returned or published"
    )


def _numeric_fields(item: Any) -> Sequence[Any]:
    if isinstance(item, Mapping):
        return [key for key, value in item.items() if _is_number(value)]
    if _is_sequence(item):
        return [place for place, value in enumerate(item) if _is_number(value)]
    return []


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_sequence(value: Any) -> bool:
    return hasattr(value, "__getitem__") and hasattr(value, "__len__") and not isinstance(value, str | bytes)


def _float(number: Any, what: str) -> float:
    try:
        return float(number)
    except (TypeError, ValueError):
        raise ValueError(f"{what} is no number: {_shape(number)}") from None


def _shape(item: Any) -> str:
    """Return what a value is, short enough for a message."""
    if isinstance(item, Mapping):
        return f"a dict with {', '.join(map(repr, item)) or 'nothing'}"
    text = repr(item)
    return f"{type(item).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
