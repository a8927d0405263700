"""A program's inputs as attributes: what ``program.parameters()`` returns and ``run(inputs=...)`` takes."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

from quantum_runtime import schemas
from quantum_runtime.exceptions import IBMInputValueError

_HEADER = ("Name", "Value", "Type", "Required", "Description")
_WIDEST = 48
"""Characters of one column."""


class ParameterNamespace(SimpleNamespace):
    """The inputs of one job: an attribute for each that the program describes, None until it is set.

    Attributes may be added: a program may take more than it describes. What is None is not sent. ``print()`` shows
    what there is to set. An input that the program calls ``metadata`` or ``validate`` has no attribute of its own:
    pass a dictionary to ``run`` instead.
    """

    __slots__ = ("_schema",)

    def __init__(self, schema: dict[str, Any] | None = None) -> None:
        """Start with no value set.

        Args:
            schema: JSON Schema of the inputs, as a program's ``spec.parameters``.
        """
        super().__init__(**dict.fromkeys(properties(schema or {})))
        object.__setattr__(self, "_schema", copy.deepcopy(schema or {}))

    @property
    def metadata(self) -> dict[str, Any]:
        """The JSON Schema of the inputs."""
        schema: dict[str, Any] = self._schema
        return schema

    def validate(self) -> None:
        """Check that everything that is required has a value. The cluster checks the values.

        Raises:
            IBMInputValueError: something has none; the message names it.
        """
        for name in required(self._schema):
            if getattr(self, name, None) is None:
                raise IBMInputValueError(f"Param ({name}) missing required value!")

    def __str__(self) -> str:
        described = properties(self._schema)
        names = sorted(described) + [name for name in vars(self) if name not in described]
        needed = required(self._schema)
        rows = [_HEADER]
        for name in names:
            about = described.get(name)
            about = about if isinstance(about, dict) else {}
            must = name in needed or about.get("x-required") is True
            kind = about.get("type", about.get(schemas.X_TYPE, ""))
            kind = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
            described_as = str(about.get("description", ""))
            rows.append((name, repr(vars(self).get(name)), kind, "yes" if must else "no", described_as))
        cut = [[cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 3]}..." for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

    def __reduce__(self) -> Any:
        return type(self), (self._schema,), dict(vars(self))


def given(namespace: ParameterNamespace) -> dict[str, Any]:
    """Return the inputs that have a value.

    Raises:
        IBMInputValueError: something that is required has none.
    """
    ParameterNamespace.validate(namespace)
    return {name: value for name, value in vars(namespace).items() if value is not None}


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema's properties, as far as they are ones: published metadata has all kinds of things there."""
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def required(schema: dict[str, Any]) -> list[str]:
    """Return the names of the properties that must be there."""
    found = schema.get("required")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
