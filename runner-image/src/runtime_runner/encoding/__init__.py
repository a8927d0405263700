"""Values to and from tagged JSON: the wire format of Qiskit Runtime, ``{"__type__": tag, "__value__": ...}``.

Used by the runner and by clients. Importing it loads neither NumPy nor Qiskit: a value of a type exists only where the
type's module is loaded, and a tag's reader loads what it needs. `docs/data.md` is the list of types for users.

`kinds` is the table; `plain` goes through a value and names the place of what cannot be written; `packing` bounds what
compressed data may expand to; the other modules write and read the types of one library each.
"""

from runtime_runner.encoding.decoder import RuntimeDecoder
from runtime_runner.encoding.encoder import RuntimeEncoder
from runtime_runner.encoding.errors import DecodingError, EncodingError
from runtime_runner.encoding.kinds import TYPE, VALUE
from runtime_runner.encoding.result_decoder import Decoder, ResultDecoder, decoders
from runtime_runner.encoding.texts import from_text, to_text

__all__ = [
    "RuntimeEncoder",
    "RuntimeDecoder",
    "ResultDecoder",
    "Decoder",
    "decoders",
    "to_text",
    "from_text",
    "EncodingError",
    "DecodingError",
    "TYPE",
    "VALUE",
]
