"""Running a program on this machine: the same runner, checks, limits and messages as in a cluster, and no sandbox.

The program runs in a process of its own, with the rights of whoever starts it: it may read their files and use the
network. Nothing limits its memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import signal
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime_runner import contract
from runtime_runner.contract import FailureReason
from runtime_runner.local import LocalRunner, RunnerError

from quantum_runtime import backends, folder, judgement
from quantum_runtime import inputs as given
from quantum_runtime.backends import Backend, BackendError
from quantum_runtime.inputs import InputError
from quantum_runtime.judgement import Refusal
from quantum_runtime.metadata import COMPATIBILITY
from quantum_runtime.outcome import NoResultError, Outcome, collect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from quantum_runtime.folder import ProgramFolder

__all__ = ["MissingQiskitError", "NoResultError", "Outcome", "run"]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

INSTALL = "install quantum-runtime with its extra 'local'"


class MissingQiskitError(RuntimeError):
    """This installation has no Qiskit to run programs with."""

    def __init__(self) -> None:
        super().__init__(f"running a program needs Qiskit and Aer, which are not installed here: {INSTALL}")


def run(
    program: ProgramFolder | Path | str,
    inputs: Mapping[str, Any] | None = None,
    *,
    backend: Backend | str = backends.DEFAULT,
    max_execution_time: int | None = None,
    log_level: str = "INFO",
    validate_results: str = "",
    compatibility: str = "",
    listener: Callable[[contract.JournalEvent], None] | None = None,
    cancel_on_interrupt: bool = False,
) -> Outcome:
    """Run a program once, and return how it went. It raises nothing for a program that fails or is refused.

    Args:
        program: A program, or the path of its file or folder.
        inputs: Keyword arguments for ``main``: Python values, or tagged JSON.
        backend: A backend, or a name that every cluster knows: ``aer``, ``fake-montreal``, ``generic-5``, ...
        max_execution_time: Seconds; it lowers the program's limit and never raises it.
        log_level: Of the root logger in the program's process.
        validate_results: ``Ignore``, ``Warn`` or ``Enforce``; empty: as the program's metadata say.
        compatibility: ``None``, or ``Qiskit0`` to restore names of earlier versions; empty: as the metadata say.
        listener: Called with everything the runner says, as it says it; an exception in it ends the run.
        cancel_on_interrupt: What Ctrl-C does: cancel the run and return its outcome (a second one kills it), or end it
            and raise KeyboardInterrupt. Only in the main thread.

    Raises:
        FolderError: there is no usable program at this path.
        MissingQiskitError: this installation has none, and the backend needs it.
        ValueError: ``max_execution_time`` is less than 1, or another argument is none of its values.
    """
    if max_execution_time is not None and max_execution_time < 1:
        raise ValueError(f"max_execution_time is {max_execution_time}, expected at least 1 second")
    if log_level not in LOG_LEVELS:
        raise ValueError(f"log_level is {log_level!r}, expected one of {', '.join(LOG_LEVELS)}")
    if compatibility not in ("", *COMPATIBILITY):
        raise ValueError(f"compatibility is {compatibility!r}, expected one of {', '.join(COMPATIBILITY)}")
    if isinstance(program, str | Path):
        program = folder.read(program)
    if compatibility:
        about = dataclasses.replace(program.metadata, compatibility=compatibility)
        program = dataclasses.replace(program, metadata=about)
    try:
        chosen = backends.by_name(backend) if isinstance(backend, str) else backend
    except BackendError as error:
        return judgement.refused(Refusal("BackendNotFound", str(error)))
    try:
        tagged = given.encode(inputs or {})
    except InputError as error:
        return judgement.refused(Refusal(FailureReason.INVALID_INPUT.value, str(error)))
    if refusal := judgement.refusal(program, tagged, chosen, max_execution_time):
        return judgement.refused(refusal)
    refusal, warning = judgement.of_inputs(program, tagged)
    if refusal:
        return judgement.refused(refusal)
    if "custom" not in chosen.spec and importlib.util.find_spec("qiskit_aer") is None:
        raise MissingQiskitError
    job = _job(program, tagged, chosen, max_execution_time, log_level)
    outcome = _run(job, listener, cancel_on_interrupt=cancel_on_interrupt)
    if warning:
        outcome = dataclasses.replace(outcome, warnings=(warning,))
    return judgement.of_results(program, outcome, mode=validate_results)


def _job(
    program: ProgramFolder, inputs: dict[str, Any], backend: Backend, max_execution_time: int | None, log_level: str
) -> contract.Job:
    about = program.metadata
    return contract.Job(
        job_uid=str(uuid.uuid4()),
        job_name=f"{program.name}-local",
        attempt=1,
        files=program.files,
        entrypoint=program.entrypoint,
        inputs=inputs,
        backend_name=backend.name,
        backend=backend.spec,
        limits=contract.Limits(execution_seconds=float(max_execution_time or about.max_execution_time)),
        log_level=log_level,
        compatibility="" if about.compatibility == "None" else about.compatibility,
        min_num_qubits=about.min_num_qubits,
    )


def _run(
    job: contract.Job, listener: Callable[[contract.JournalEvent], None] | None, *, cancel_on_interrupt: bool
) -> Outcome:
    heard: list[contract.JournalEvent] = []
    try:
        with LocalRunner(job) as runner, _interrupts(runner, cancel=cancel_on_interrupt):
            for event in runner.events():
                heard.append(event)
                if listener is not None:
                    listener(event)
    except RunnerError as error:
        reason = FailureReason.RUNNER_ERROR.value
        return dataclasses.replace(collect(heard), reason=reason, message=str(error), result_text=None)
    return collect(heard)


@contextlib.contextmanager
def _interrupts(runner: LocalRunner, *, cancel: bool) -> Iterator[None]:
    """Let Ctrl-C cancel the job, where it would raise KeyboardInterrupt."""
    handler = signal.getsignal(signal.SIGINT)
    in_charge = threading.current_thread() is threading.main_thread() and handler is signal.default_int_handler
    if not (cancel and in_charge):
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: runner.cancel())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
