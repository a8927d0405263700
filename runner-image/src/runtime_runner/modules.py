"""What to tell a program that imports a module this runner does not have, or a name that Qiskit no longer has.

Standard library only.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from runtime_runner import failures
from runtime_runner.contract import FailureReason
from runtime_runner.failures import JobError

if TYPE_CHECKING:
    from pathlib import Path

    from runtime_runner.compatibility.shims import Shim

_SCIENCE = {
    "cvxopt": "cvxopt",
    "matplotlib": "matplotlib",
    "mthree": "mthree",
    "networkx": "networkx",
    "pandas": "pandas",
    "qiskit_algorithms": "qiskit-algorithms",
    "qiskit_experiments": "qiskit-experiments",
    "qiskit_machine_learning": "qiskit-machine-learning",
    "qiskit_nature": "qiskit-nature",
    "runningman": "runningman",
    "sklearn": "scikit-learn",
    "sympy": "sympy",
}
"""What the extra ``science`` has beyond ``aer``: import name -> distribution."""

_PUBLISHED_FOR_FEW = {"mthree", "runningman"}
_FEW = "on x86-64 with Python before 3.13"

_OF_NUMPY = re.compile(r"`np\.(\w+)` was removed")
_MISSING_NAME = re.compile(r"cannot import name '([^']+)' from '([^']+)'")


def of_science() -> list[str]:
    """Return the modules that the profile ``science`` adds, as far as they are published for this interpreter."""
    return [name for name in _SCIENCE if name not in _PUBLISHED_FOR_FEW or _is_one_of_few()]


def failure(error: BaseException, folder: Path) -> JobError | None:
    """Return what a program's exception means if it is about a module that is not there, otherwise None.

    A module among the program's own files is its own affair, and so is an exception that it has made up.
    """
    if not isinstance(error, ModuleNotFoundError) or type(error.name) is not str:
        return None
    if not str(error).startswith("No module named "):  # as the import system says it
        return None
    top = error.name.partition(".")[0]
    if (folder / top).exists() or (folder / f"{top}.py").exists():
        return None
    message = f"the program imports {error.name!r}, which {_whose(error.name)}{_where(error.name)}"
    trace = failures.format_traceback(error, folder)
    return JobError(FailureReason.MISSING_MODULE, failures.cut(message, failures.MESSAGE_BYTES), trace)


def hint(error: BaseException) -> str:
    """Return a sentence about a name that programs for earlier versions of Qiskit have and Qiskit no longer has."""
    try:
        return _hint(error)
    except BaseException:  # out of the exception's own methods, or its object's
        return ""


def _hint(error: BaseException) -> str:
    if isinstance(error, AttributeError) and isinstance(error.name, str):
        owner: Any = error.obj
        owners = [owner.__name__] if issubclass(type(owner), ModuleType) else _classes(owner)
        return next(filter(None, (_known(f"{place}.{error.name}") for place in owners)), "")
    if isinstance(error, AttributeError) and (match := _OF_NUMPY.match(str(error))):
        return _known(f"numpy.{match[1]}")
    if isinstance(error, ImportError) and (match := _MISSING_NAME.match(str(error))):
        return _known(f"{match[2]}.{match[1]}")
    return ""


def _whose(name: str) -> str:
    top = name.partition(".")[0]
    return "this runner does not have" if top == name or not _is_there(top) else f"this runner's {top} does not have"


def _where(name: str) -> str:
    if known := _known(name):
        return f"; {known}"
    top = name.partition(".")[0]
    if top not in _SCIENCE or _is_there(top):
        return ""
    limited = top in _PUBLISHED_FOR_FEW and not _is_one_of_few()
    return "; the runner profile 'science' has it" + (f", if its image was built {_FEW}" if limited else "")


def _known(name: str) -> str:
    """Say what has become of a name, or of the longest part of it that is known."""
    from runtime_runner.compatibility import names, shims  # a large table: not before something is missing

    part = known_part(name)
    if part in names.LOST:
        return f"{part} is gone since {names.LOST[part].gone}: {names.LOST[part].text}"
    if not part:
        return ""
    shim = names.RESTORED[part]
    if not supplies(shim, name[len(part) + 1 :]):
        return f"{name} is gone since {shim.gone}: `compatibility: Qiskit0` restores {part} without it"
    text = f"{part} is gone since {shim.gone}: `compatibility: Qiskit0` restores it"
    needed = shim.real if isinstance(shim, shims.Alias) else ""
    return text + (" in the runner profile 'science'" if needed in _SCIENCE and not _is_there(needed) else "")


def known_part(name: str) -> str:
    """Return the longest part of a dotted name, from its beginning, that the tables know; empty if there is none."""
    from runtime_runner.compatibility import names

    while name and name not in names.RESTORED and name not in names.LOST:
        name = name.rpartition(".")[0]
    return name


def supplies(shim: Shim, inside: str) -> bool:
    """Return whether a shim has what is called this inside it; of a package that is not here, nobody can say."""
    from runtime_runner.compatibility import shims

    if not inside or isinstance(shim, shims.Attribute):
        return True
    if isinstance(shim, shims.Module):
        return inside.partition(".")[0] in shim.names
    if not _is_there(shim.real):
        return True
    return _is_there(f"{shim.real}.{inside}") or hasattr(importlib.import_module(shim.real), inside)


def _classes(owner: object) -> list[str]:
    cls = owner if isinstance(owner, type) else type(owner)
    return [f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in cls.__mro__ if base.__module__]


def _is_there(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _is_one_of_few() -> bool:
    return sys.version_info < (3, 13) and platform.machine() == "x86_64"
