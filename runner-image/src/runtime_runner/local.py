"""The same supervisor behind subprocess pipes: one job on this machine, with no cluster at all.

What differs from a pod: nothing isolates the program, which runs with the rights of whoever started it. It ends with
the process that started it, and it keeps its temporary files in a folder that is removed with it. Standard library
only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from runtime_runner import contract, launch, processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

END_SECONDS = 10.0
"""How long the supervisor may take to end everything once it was told to leave; it needs some milliseconds."""

COMPLAINT_BYTES = 4096
"""Kept of what the supervisor itself writes to stderr, which it does only when it breaks."""


class RunnerError(RuntimeError):
    """The runner broke or did not take the job: neither the program's fault nor its user's."""


class LocalRunner:
    """One runner with its job. Leaving the ``with`` block ends everything the job has started.

    The thread that makes it must outlive it: on Linux the runner ends with that thread.
    """

    def __init__(self, job: contract.Job, *, python: str = sys.executable) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="quantum-runtime-", ignore_cleanup_errors=True)
        self._complaints = Path(self._folder.name, "stderr")
        scratch = Path(self._folder.name, "tmp")
        scratch.mkdir()
        environment = {
            **os.environ,
            "TMPDIR": str(scratch),
            launch.TERMINATION_LOG_VARIABLE: os.devnull,  # where this runs in a pod, the file is not ours to write
        }
        self._cancelled = False
        self._writing = threading.Lock()
        with self._complaints.open("wb") as stderr:
            self._process = subprocess.Popen(
                # -P: a module in the user's working directory does not replace one of the standard library
                [python, "-P", "-m", "runtime_runner.local", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                start_new_session=True,  # the terminal's Ctrl-C is for whoever started it to pass on
            )
        try:
            self._send(job)
        except BaseException:  # Ctrl-C: nobody has this object yet to close it
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def events(self) -> Iterator[contract.JournalEvent]:
        """Yield what the runner says, as it says it, up to `contract.Exit`.

        Raises:
            RunnerError: it ended before it said how the job ended, or did not take the job.
        """
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                event = contract.parse_event(line)
            except contract.ProtocolError as error:
                raise RunnerError(f"the runner wrote a line that is no event: {error}") from None
            if isinstance(event, contract.Refused):
                raise RunnerError(f"the runner refused the job: {event.message}")
            if isinstance(event, contract.Resumed):
                continue
            yield event
            if isinstance(event, contract.Exit):
                return
        code = self._process.wait()
        raise RunnerError(
            f"the runner ended with exit code {code} and did not say how the job ended{self._complaint()}"
        )

    def cancel(self) -> None:
        """Ask the program to end; asked again, end it at once. The events then tell how it went.

        May be called from a signal handler, and from another thread.
        """
        if self._cancelled:
            self._process.terminate()
        self._cancelled = True
        self._send(contract.Cancel())

    def close(self) -> None:
        """End the runner and everything the job has started, and remove its files. May be called again."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()

    def _send(self, request: contract.Request) -> None:
        """Write a request; a runner that has ended says so in its events."""
        stream = self._process.stdin
        assert stream is not None
        # a signal handler may call this while its own thread is in here: then the job is not yet handed over
        if not self._writing.acquire(blocking=False):
            self._process.terminate()
            return
        try:
            with suppress(BrokenPipeError, ValueError):
                stream.write(contract.encode(request))
                stream.flush()
        finally:
            self._writing.release()

    def _complaint(self) -> str:
        with suppress(OSError), self._complaints.open("rb") as file:
            file.seek(max(0, self._complaints.stat().st_size - COMPLAINT_BYTES))
            if text := file.read().decode("utf-8", "replace").strip():
                return f":\n{text}"
        return ""


def main() -> int:
    """Be the runner of the process whose number is the first argument, and end with it."""
    processes.die_with_parent(signal.SIGTERM)  # the supervisor then ends its worker before itself
    if os.getppid() != int(sys.argv[1]):
        return contract.ExitCode.NO_JOB
    from runtime_runner import __main__ as runner

    return runner.main()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # as the runner's own module does
