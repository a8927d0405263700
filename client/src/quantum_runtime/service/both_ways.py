"""Attributes that were methods in one release and properties in another: ``job.job_id`` and ``job.job_id()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Name(str):
    """A text that returns itself when it is called."""

    __slots__ = ()

    def __call__(self) -> str:
        """Return the text."""
        return str(self)


class NamedBackend:
    """A backend that is looked up when something other than its name is asked for.

    It equals and prints as its name. Called, it returns the backend object.
    """

    def __init__(self, name: str, backend_of: Callable[[str], Any]) -> None:
        self.name = Name(name)
        self._backend_of = backend_of

    def __call__(self) -> Any:
        """Return the backend."""
        return self._backend_of(str(self.name))

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # asked by copy and pickle, of an object that may not be complete yet
            raise AttributeError(attribute)
        return getattr(self(), attribute)

    def __eq__(self, other: object) -> bool:
        return str(self.name) == str(other)

    def __hash__(self) -> int:
        return hash(str(self.name))

    def __str__(self) -> str:
        return str(self.name)

    __repr__ = __str__
