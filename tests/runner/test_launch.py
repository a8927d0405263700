"""The worker is started before anything else is done, and nothing is left of that when a program is entered."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.harness import Journal


def test_nothing_but_this_is_imported_before_the_worker_is_started(bare_python: str) -> None:
    code = "import sys; a = {*sys.modules}; import runtime_runner.__main__; print(*sorted({*sys.modules} - a))"
    imported = subprocess.run([bare_python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    own = ["runtime_runner", "runtime_runner.__main__", "runtime_runner.launch"]
    assert [name for name in imported.split() if name != "__future__"] == own


def test_the_garbage_collector_is_on_when_the_program_is_entered(run: Callable[..., Journal]) -> None:
    assert run("import gc\ndef main(backend, user_messenger): return gc.isenabled()").result == "true"
