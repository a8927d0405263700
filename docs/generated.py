"""A page that is made of something else: written, or with ``--check`` compared."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_or_check(target: Path, text: str) -> None:
    """Make the page what it should be; with ``--check`` on the command line, end with a message if it is not."""
    if "--check" not in sys.argv[1:]:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        raise SystemExit(f"{target.relative_to(ROOT)} is not up to date, run `make docs`")
