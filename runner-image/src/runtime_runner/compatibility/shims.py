"""What a row of the layer's table is: a name, or a module, and what stands for it now. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """A name in a module that still exists, or a method of a class that still exists."""

    owner: str
    """The module, or ``module:class``."""
    source: str
    """What the name stands for today, as ``module:name``."""
    gone: str
    """The release that no longer had it; where a name replaces one, its earlier arguments."""
    does: str
    """What it does now, in one phrase."""
    replaces: bool = False
    """There is one of this name, which takes fewer arguments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """A module whose names have moved, or are ours."""

    names: dict[str, str]
    """Name -> ``module:name``."""
    gone: str
    does: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """A module that exists under another name."""

    real: str
    gone: str
    does: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A name that stays away."""

    gone: str
    text: str
    """Why, or what to use instead."""


Shim = Attribute | Module | Alias
