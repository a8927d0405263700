"""The process a program runs in: started fresh, warmed up, used once.

It speaks to the supervisor in the events of the contract, neither numbered nor stamped, on a pipe of its own. From the
moment the program is entered nothing that comes out of this process is more than the program's own word.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import importlib.metadata
import importlib.util
import logging
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from runtime_runner import (
    backends,
    compatibility,
    contract,
    descriptors,
    failures,
    limits,
    old_imports,
    on_demand,
    processes,
    program,
    warming,
)
from runtime_runner.contract import FailureReason
from runtime_runner.failures import JobError
from runtime_runner.journal import escaped_size, unnumbered
from runtime_runner.messenger import UserMessenger

if TYPE_CHECKING:
    from typing import BinaryIO

SUPERVISOR_IS_INIT = 1


class Channel:
    """Our end of the message pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, event: contract.JournalEvent) -> None:
        """Write one event. The line break before it separates it from anything the program may have written here."""
        line = memoryview(b"\n" + contract.encode(event))
        while line:
            line = line[os.write(self._descriptor, line) :]


def main() -> None:
    """Warm up, take one job, run it, say how it went."""
    requests, messages = (int(argument) for argument in sys.argv[1:3])
    for descriptor in (requests, messages):
        os.set_inheritable(descriptor, False)
    processes.die_with_parent()
    os.environ |= limits.thread_environment(os.environ)
    os.environ.setdefault("QISKIT_PARALLEL", "FALSE")  # it would fork, and forks of a process with Aer in it hang
    limits.apply(count_processes=os.getppid() == SUPERVISOR_IS_INIT)
    _be_first_to_go()
    faulthandler.enable()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    channel = Channel(messages)

    started = time.monotonic()
    versions = warm_up()
    seconds = round(time.monotonic() - started, 3)
    channel.send(unnumbered(contract.Ready, protocol=contract.PROTOCOL, versions=versions, warmup_seconds=seconds))

    with open(requests, "rb") as stream:
        if "qiskit_aer" in sys.modules:
            warming.go_on(lambda seconds: descriptors.readable(requests, seconds))
        line = stream.readline()
        if not line:
            return
        job = contract.parse_request(line)
        assert isinstance(job, contract.Job)
        outcome = _outcome(job, channel, stream)
    if outcome is not None:
        channel.send(outcome)
    os._exit(0)  # the supervisor ends what the program has left behind; atexit handlers are part of that


def warm_up() -> dict[str, str]:
    """Import what every program needs, and no more: jobs wait for this. Return the versions of what is there."""
    gc.disable()  # there is little garbage, and looking for it takes a sixth of the time
    versions = {"python": platform.python_version(), "runner": importlib.metadata.version("runtime-runner")}
    if importlib.util.find_spec("qiskit_aer") is not None:
        import qiskit
        import qiskit_aer

        versions |= {"qiskit": qiskit.__version__, "qiskit-aer": qiskit_aer.__version__}
        backends.build("warm-up", {"aer": {}})
    on_demand.make_available()
    old_imports.make_available()
    gc.freeze()  # what is loaded now stays; later collections need not look at it
    gc.enable()
    return versions


def _outcome(job: contract.Job, channel: Channel, requests: BinaryIO) -> contract.JournalEvent | None:
    process = os.getpid()
    event: contract.JournalEvent
    try:
        event = _result(_run(job, channel, requests), job.limits.result_bytes)
    except JobError as failure:
        event = unnumbered(contract.Failed, reason=failure.reason, message=failure.message, traceback=failure.traceback)
    except BaseException as error:  # nothing of the program's gets here
        message = failures.describe(error, Path.cwd())
        trace = failures.format_traceback(error, Path.cwd())
        event = unnumbered(contract.Failed, reason=FailureReason.RUNNER_ERROR, message=message, traceback=trace)
    _flush()
    return event if os.getpid() == process else None  # a forked child of the program that did not end itself


def _run(job: contract.Job, channel: Channel, requests: BinaryIO) -> str:
    folder = program.write_files(job.files, job.entrypoint)
    inputs = program.decode_inputs(job.inputs)
    backend = backends.build(job.backend_name, job.backend)
    backends.check_size(backend, job.backend_name, job.min_num_qubits)
    _set_log_level(job.log_level)
    compatibility.apply(job.compatibility)
    messenger = UserMessenger(lambda text: channel.send(unnumbered(contract.Interim, value=text)))
    _flush()
    channel.send(unnumbered(contract.Started, job_uid=job.job_uid))
    requests.readline()  # the supervisor has started the clock and calls everything written from now on the program's
    requests.close()
    return program.run(folder, job.entrypoint, backend, messenger, inputs)


def _result(text: str, limit: int) -> contract.Result:
    """Return the result in one piece; the supervisor measures it again and cuts it into pieces."""
    size = escaped_size(text)
    if size > limit:
        raise JobError(
            FailureReason.RESULT_TOO_LARGE, f"the result takes {size} bytes as JSON, the limit is {limit} bytes"
        )
    event: contract.Result = unnumbered(contract.Result, index=0, count=1, text=text, size=0, sha256="")
    return event


def _set_log_level(name: str) -> None:
    """Log to stderr from this level on; Qiskit, which logs every pass at INFO, only warnings unless debugging."""
    level = logging.getLevelNamesMapping().get(name.upper(), logging.INFO)
    logging.basicConfig(level=level, format="%(levelname)s:%(name)s: %(message)s")
    if level > logging.DEBUG:
        logging.getLogger("qiskit").setLevel(max(level, logging.WARNING))


def _flush() -> None:
    """Hand over what Python and C still hold back; the process is about to be killed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # the program may have closed or replaced it
            continue
    ctypes.CDLL(None).fflush(None)


def _be_first_to_go() -> None:
    """Have the kernel pick this process and not the supervisor when the container's memory is used up."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass
