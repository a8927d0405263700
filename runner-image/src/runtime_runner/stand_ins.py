"""Modules that no longer exist, made of things that do: supplied by finders that are consulted last.

A finder is appended to `sys.meta_path`, so a module that is really there is never replaced. What it supplies is lazy:
nothing is imported before a name is used. It knows two kinds of modules, both as tables of names: a *collection* has
named things from several places; an *alias* is another module under a second name, with everything below it. A name
that was importable from a package that still exists (``from package import name``) is supplied as well, because Python
looks for a module ``package.name`` when the package has no such attribute.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Collections = dict[str, dict[str, str]]
"""Name of a module -> name in it -> where it is, as ``module:name`` or, for a module, ``module``."""


class Finder(Loader):
    """Finds stand-ins, for `sys.meta_path`; it is its own loader."""

    def __init__(self, collections: Mapping[str, Mapping[str, str]], aliases: Mapping[str, str]) -> None:
        self._collections = collections
        self._aliases = aliases

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of a stand-in, if this is one, or part of one."""
        package, _, attribute = name.rpartition(".")
        if name in self._collections or attribute in self._collections.get(package, ()) or self._real(name):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the stand-in; nothing is imported yet."""
        real = self._real(spec.name)
        return _Alias(spec.name, real) if real else _Collection(spec.name, self._collections.get(spec.name, {}))

    def exec_module(self, module: ModuleType) -> None:
        """Put the thing itself in place of a module, if a thing it is."""
        package, _, attribute = module.__name__.rpartition(".")
        place = self._collections.get(package, {}).get(attribute)
        if place is not None and module.__name__ not in self._collections:
            sys.modules[module.__name__] = look_up(place)

    def _real(self, name: str) -> str | None:
        alias = max((one for one in self._aliases if f"{name}.".startswith(f"{one}.")), key=len, default=None)
        if alias is None:
            return None
        real = self._aliases[alias] + name[len(alias) :]
        return real if _exists(real) else None


class _Collection(ModuleType):
    """Looks names up when they are asked for."""

    def __init__(self, name: str, places: Mapping[str, str]) -> None:
        super().__init__(name, f"Names of {name}, which no longer exists, as far as they have a successor.")
        self._places = places
        self.__all__ = list(places)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._places:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        value = look_up(self._places[name])
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return self.__all__


class _Alias(ModuleType):
    """Another module; it is no copy, so that classes are the same whichever way they were imported."""

    def __init__(self, name: str, real: str) -> None:
        super().__init__(name, f"{real} by the name it once had.")
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        module = importlib.import_module(self._real)
        if name == "__all__":
            return getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
        return getattr(module, name)

    def __dir__(self) -> list[str]:
        return dir(importlib.import_module(self._real))


def look_up(place: str) -> Any:
    """Return what is at ``module:name``, or the module itself if there is no colon."""
    module, _, name = place.partition(":")
    thing = importlib.import_module(module)
    return getattr(thing, name) if name else thing


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # not even its package, or a package that is no package
        return False
