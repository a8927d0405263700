"""What ``backend`` was declared as in programs of the retired service."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class ProgramBackend(ABC):
    """Base class of what a program gets as ``backend``; every backend of the runner counts as one.

    Programs name it in annotations and ask ``isinstance(backend, ProgramBackend)``; tests of programs derive from it.
    """

    @abstractmethod
    def run(self, circuits: Any, **run_config: Any) -> Any:
        """Run one circuit or a list of them and return a job, whose ``result()`` is a Qiskit ``Result``."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return callable(getattr(other, "run", None)) if cls is ProgramBackend else NotImplemented
