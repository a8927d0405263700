"""The program of every arm: it says when it was entered, and returns at once."""

from __future__ import annotations

NAME = "warm"
SOURCE = """\
import time
def main(backend, user_messenger, **kwargs):
    user_messenger.publish(time.time())
    return "done"
"""
