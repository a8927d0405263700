"""Reads tagged JSON, of our writers and of the clients of the old service."""

from __future__ import annotations

import json
from typing import Any

from runtime_runner.encoding import kinds, packing
from runtime_runner.encoding.errors import DecodingError


class RuntimeDecoder(json.JSONDecoder):
    """Reads what `RuntimeEncoder` wrote; a tag it does not know leaves the object as it is.

    What a tag stands for is made by this package alone: nothing is imported by a name in the data, nothing unpickled.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, object_hook=self.object_hook, **kwargs)

    def decode(self, s: str, *args: Any) -> Any:
        """Read a text.

        Raises:
            DecodingError: What is tagged is not what its tag says, or too much, or nested too deeply.
            json.JSONDecodeError: It is not JSON.
        """
        with packing.one_text():
            try:
                return super().decode(s, *args)
            except RecursionError:
                raise DecodingError("it is nested too deeply") from None

    def object_hook(self, obj: dict[str, Any]) -> Any:
        """Return the value an object stands for."""
        tag = obj.get(kinds.TYPE)
        read = kinds.READERS.get(tag) if isinstance(tag, str) and kinds.VALUE in obj else None
        if read is None:
            return obj
        try:
            return kinds.function(read)(obj[kinds.VALUE], obj)
        except RecursionError:
            raise
        except Exception as error:
            raise _unreadable(tag, error) from error
        except BaseException as error:
            if type(error).__name__ == "PanicException":  # of compiled Rust, in Qiskit; it is no Exception
                raise _unreadable(tag, error) from None
            raise


def _unreadable(tag: object, error: BaseException) -> DecodingError:
    reason = str(error) if isinstance(error, DecodingError) else f"{type(error).__name__}: {error}"
    return DecodingError(f"what is tagged {tag!r} cannot be read: {reason}")
