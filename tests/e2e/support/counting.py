"""A program that counts aloud, and somebody who listens."""

from __future__ import annotations

import threading
from typing import Any

COUNTING = """
import time

def main(backend, user_messenger, count, pause=0.0, first=0):
    for number in range(first, first + count):
        user_messenger.publish({"number": number})
        time.sleep(pause)
    return "x" * 100_000 if count > 50 else count
"""


class Heard:
    """What a callback was told."""

    def __init__(self, at_number: int | None = None) -> None:
        self.numbers: list[int] = []
        self.reached = threading.Event()
        self._at_number = at_number

    def __call__(self, job_id: str, interim: Any) -> None:
        self.numbers.append(interim["number"])
        if interim["number"] == self._at_number:
            self.reached.set()
