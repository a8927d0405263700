"""The layer ``Qiskit0``: names that Qiskit had before 1.0 and 2.0, restored for a program that asks for them.

A program asks with ``compatibility: Qiskit0`` (`contract.Job.compatibility`). The layer is applied in the worker,
before the program's first import, and only then: it changes classes of Qiskit and names of NumPy for the whole process.
What it restores is a table, `names.RESTORED`. Names in modules are looked up when a program uses them.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from runtime_runner import stand_ins

if TYPE_CHECKING:
    from types import ModuleType

LAYERS = ("Qiskit0",)
"""What a program may ask for."""

_applied: list[str] = []


def apply(layer: str) -> None:
    """Restore the names of this layer, for this process and for good. The empty text is no layer; twice is once.

    Raises:
        ValueError: there is no such layer.
    """
    if not layer or layer in _applied:
        return
    if layer not in LAYERS:
        raise ValueError(f"there is no compatibility layer {layer!r}; there is {', '.join(LAYERS)}")
    from runtime_runner.compatibility import names  # a large table: not for programs that do without
    from runtime_runner.compatibility.shims import Alias, Attribute, Module

    _applied.append(layer)
    modules = {name: shim.names for name, shim in names.RESTORED.items() if isinstance(shim, Module)}
    aliases = {name: shim.real for name, shim in names.RESTORED.items() if isinstance(shim, Alias)}
    sys.meta_path.append(stand_ins.Finder(modules, aliases))
    in_modules: dict[str, dict[str, str]] = {}
    for name, shim in names.RESTORED.items():
        if not isinstance(shim, Attribute):
            continue
        attribute = name.rpartition(".")[2]
        if ":" in shim.owner or shim.replaces:
            setattr(stand_ins.look_up(shim.owner), attribute, stand_ins.look_up(shim.source))
        else:
            in_modules.setdefault(shim.owner, {})[attribute] = shim.source
    for owner, places in in_modules.items():
        _add_lazily(importlib.import_module(owner), places)


def _add_lazily(module: ModuleType, places: dict[str, str]) -> None:
    """Let a module have more names, each looked up when it is first asked for."""
    before = getattr(module, "__getattr__", None)

    def get(name: str) -> Any:
        if name not in places:
            if before is not None:
                return before(name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)
        value = stand_ins.look_up(places[name])
        setattr(module, name, value)
        return value

    module.__dict__["__getattr__"] = get
    if module.__name__ == "qiskit":  # which programs import with an asterisk
        module.__dict__["__all__"] = [*module.__all__, *(name for name in places if not name.startswith("_"))]
