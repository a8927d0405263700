"""From the text of a result to its value, with the decoder the user has chosen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime_runner.encoding import Decoder

log = logging.getLogger(__name__)


def decoded_or_text(decoder: Decoder, text: str, job_id: str) -> Any:
    """Return the value; the text itself, and a warning in the log, if the decoder cannot make one of it."""
    try:
        return decoder.decode(text)
    except Exception:
        name = getattr(decoder, "__name__", None) or type(decoder).__name__
        log.warning("%s could not decode a result of job %s, its text is delivered", name, job_id, exc_info=True)
        return text
