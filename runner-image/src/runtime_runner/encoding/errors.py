"""What goes wrong between values and text, and how much of either is allowed."""

from __future__ import annotations


class EncodingError(TypeError, ValueError):
    """A value cannot be written as JSON; the message names the place inside it. Both types, as json raises both.

    Attributes:
        what: what the whole value is called in the message: "result", "message".
        problem: what is said about the place.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.what = "value"
        self.problem = problem
        self._steps: list[str] = []

    def inside(self, step: str) -> None:
        """Say that the place is inside another one: ``['history']``, ``[3]``, ``.solver``. From the inside out."""
        self._steps.append(step)

    @property
    def place(self) -> str:
        """Where it is: ``result['history'][3].solver``."""
        return self.what + "".join(reversed(self._steps))

    def __str__(self) -> str:
        return f"{self.place} {self.problem}"


class DecodingError(ValueError):
    """A tagged value does not hold what its tag says, or more than may be read."""


def type_name(value: object) -> str:
    """Return what to call the value's type in a message."""
    cls = type(value)
    return cls.__qualname__ if cls.__module__ in ("builtins", "__main__") else f"{cls.__module__}.{cls.__qualname__}"


def short(value: object) -> str:
    """Return at most 60 characters of the value's representation."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
