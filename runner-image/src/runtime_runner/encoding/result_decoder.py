"""How a user's side makes objects of results."""

from __future__ import annotations

import json
from typing import Any, Protocol

from runtime_runner.encoding.decoder import RuntimeDecoder


class Decoder(Protocol):
    """What can be given as a decoder: `ResultDecoder`, a class derived from it, or anything with such a method."""

    def decode(self, data: str) -> Any:
        """Return what a result's text stands for."""


class ResultDecoder:
    """Makes an object of a result's text. Subclasses override `decode` and may call ``super().decode(data)``."""

    @classmethod
    def decode(cls, data: str) -> Any:
        """Return what the text stands for; the text itself if it is not JSON.

        Raises:
            DecodingError: It is JSON, but something tagged in it cannot be read.
        """
        try:
            return json.loads(data, cls=RuntimeDecoder)
        except json.JSONDecodeError:
            return data


def decoders(result_decoder: Any = None) -> tuple[Decoder, Decoder]:
    """Return the decoders for interim results and for the final one.

    Args:
        result_decoder: None for `ResultDecoder`, a decoder for both, or a pair (interim, final), where None stands for
            `ResultDecoder`.

    Raises:
        TypeError: it is none of these.
    """
    pair = result_decoder if isinstance(result_decoder, (tuple, list)) else (result_decoder, result_decoder)
    if len(pair) != 2:
        raise TypeError(f"result_decoder must be a decoder or a pair (interim, final), not {len(pair)} of them")
    interim, final = (ResultDecoder if decoder is None else decoder for decoder in pair)
    for decoder in (interim, final):
        if not callable(getattr(decoder, "decode", None)):
            raise TypeError(f"result_decoder must have a method decode(data), which {decoder!r} has not")
    return interim, final
