"""Errors that a fake answers with when it is told to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Fault:
    """An error, and which requests it is for."""

    verb: str
    resource: object
    error: BaseException
    times: int
    after: bool
    """The request is carried out first: only its answer gets lost."""


class Faults:
    """Those that are still to come."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._coming.append(fault)

    def clear(self) -> None:
        self._coming.clear()

    def take(self, verb: str, resource: object) -> Fault | None:
        """Raise the error that is next for such a request, or return the fault if its answer is to get lost."""
        for fault in self._coming:
            if (fault.verb, fault.resource) == (verb, resource):
                fault.times -= 1
                if not fault.times:
                    self._coming.remove(fault)
                if not fault.after:
                    raise fault.error
                return fault
        return None
