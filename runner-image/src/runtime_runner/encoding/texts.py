"""One value, one text: what the runner sends and receives."""

from __future__ import annotations

import json
from typing import Any

from runtime_runner.encoding.decoder import RuntimeDecoder
from runtime_runner.encoding.encoder import RuntimeEncoder
from runtime_runner.encoding.errors import EncodingError
from runtime_runner.encoding.plain import Plain, came_from_elsewhere


def to_text(value: Any, *, encoder: type[json.JSONEncoder] = RuntimeEncoder, what: str = "result") -> str:
    """Return the value as JSON text, byte for byte what the encoder writes.

    Raises:
        EncodingError: it cannot be written, or not so that others can read it. (A custom encoder may raise anything.)
    """
    try:
        text = json.dumps(value, cls=encoder)
    except RecursionError:
        raise _named(EncodingError("is nested too deeply to be written as JSON"), what) from None
    except EncodingError as error:
        raise _named(error, what) from error.__cause__
    except (TypeError, ValueError, OverflowError) as error:
        found = _culprit(value, encoder) or EncodingError(f"cannot be written as JSON: {error}")
        raise _named(found, what) from (error if came_from_elsewhere(error) else None)
    if encoder is not RuntimeEncoder:
        _check(text, encoder, what)
    return text


def from_text(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: not JSON, or a tagged value that cannot be read (`DecodingError`).
    """
    return json.loads(text, cls=RuntimeDecoder)


def _named(error: EncodingError, what: str) -> EncodingError:
    error.what = what
    return error


def _culprit(value: Any, encoder: type[json.JSONEncoder]) -> EncodingError | None:
    """Find what an encoder that is not ours could not write."""
    try:
        Plain(encoder().default).of(value)
    except EncodingError as error:
        return error
    except RecursionError:
        return EncodingError("is nested too deeply to be written as JSON")
    return None


def _check(text: Any, encoder: type, what: str) -> None:
    try:
        text.encode()
        json.loads(text)
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        written = f"what {encoder.__name__} wrote for {what}"
        raise _named(EncodingError(f"is not JSON: {error}"), written) from error
