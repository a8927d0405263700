"""Writes values as tagged JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runtime_runner.encoding import kinds, packing
from runtime_runner.encoding.errors import EncodingError
from runtime_runner.encoding.plain import Plain

if TYPE_CHECKING:
    from collections.abc import Iterator


class RuntimeEncoder(json.JSONEncoder):
    """Writes what programs exchange beyond plain JSON; may be subclassed as `json.JSONEncoder`.

    What it writes is JSON for every reader: NaN, infinities and integers beyond 64 bits have tags, too.
    """

    def default(self, o: Any) -> Any:
        """Return the form of a value that JSON has none for."""
        kind = kinds.find(o)
        return super().default(o) if kind is None else kind.form(o)

    def iterencode(self, o: Any, _one_shot: bool = False) -> Iterator[str]:
        """Write the value.

        Raises:
            EncodingError: It cannot be written; the message names the place.
        """
        with packing.one_text():
            try:
                plain = Plain(self.default, skip_keys=self.skipkeys).of(o)
            except RecursionError:
                raise EncodingError("is nested too deeply to be written as JSON") from None
        return super().iterencode(plain, _one_shot)
