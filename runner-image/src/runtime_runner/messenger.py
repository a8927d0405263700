"""What a program talks to its user with while it runs.

The rule when a program uses both ways to give its result: what `main` returns wins, unless it is None; of several
``publish(..., final=True)`` the last one counts.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from runtime_runner import encoding

if TYPE_CHECKING:
    import json
    from collections.abc import Callable


class UserMessenger:
    """Passed to ``main`` as ``user_messenger``. May be used from several threads.

    Users make one themselves to call their ``main`` in a notebook or a test; it then prints what is published, interim
    and final results alike.
    """

    # A subclass need not call __init__: there was none to call.
    _send: Callable[[str], None] | None = None
    _lock = threading.RLock()
    _final: str | None = None

    def __init__(self, send: Callable[[str], None] | None = None) -> None:
        self._send = send
        self._lock = threading.RLock()  # re-entrant: a signal handler of the program may publish, too

    def publish(
        self, message: Any, encoder: type[json.JSONEncoder] = encoding.RuntimeEncoder, final: bool = False
    ) -> None:
        """Send an interim result to the user, or set the final one.

        Args:
            message: Anything the encoder can write.
            encoder: Writes it as JSON.
            final: Make this the job's result, unless ``main`` returns one.

        Raises:
            EncodingError: The message cannot be written as JSON (a TypeError and a ValueError, as of `json.dumps`).
        """
        text = encoding.to_text(message, encoder=encoder, what="message")
        with self._lock:
            if final:
                self._final = text
            if self._send is None:
                print(text)  # noqa: T201 - what it is for
            elif not final:
                self._send(text)


def final_text(messenger: UserMessenger, returned: Any) -> str:
    """Return the job's result as JSON text.

    Raises:
        EncodingError: What was returned cannot be written as JSON.
    """
    if returned is None and messenger._final is not None:
        return messenger._final
    return encoding.to_text(returned)
