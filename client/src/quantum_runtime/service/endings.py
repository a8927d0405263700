"""What the end of a job is to who waits for its result: a result, or one of the exceptions users catch. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantum_runtime import exceptions

if TYPE_CHECKING:
    from quantum_runtime.service.view import JobView

_TOO_LONG = "MaxExecutionTimeExceeded"
_NO_RESULT = "Unable to retrieve job result. "
"""Programs look for it."""


def error_message(view: JobView) -> str | None:
    """Return what is wrong with a job, with the program's traceback; None if nothing is.

    The first words are those that programs look for.
    """
    if not view.failed:
        return None
    too_long = " ran longer than maximum execution time. Job was cancelled:\n"
    happened = too_long if view.reason == _TOO_LONG else " has failed:\n"
    return "\n".join(filter(None, (f"Job {view.name}{happened}{view.reason}: {view.message}", view.traceback)))


def no_result(view: JobView) -> exceptions.IBMError | None:
    """Return what is raised instead of returning a result, for a job that has ended; None if it has a result."""
    if view.cancelled:
        return exceptions.RuntimeInvalidStateError(
            f"{_NO_RESULT}Job {view.name} was cancelled; what it had published is kept: job.interim_results()"
        )
    if view.failed:
        kind = exceptions.RuntimeJobFailureError
        if view.reason == _TOO_LONG:
            kind = exceptions.RuntimeJobMaxTimeoutError
        message = f"{_NO_RESULT}{error_message(view)}"
        if has_result(view):
            message += "\nWhat the program returned is kept: job.unchecked_result()"
        return kind(message, job_id=view.name, reason=view.reason, traceback=view.traceback)
    if not has_result(view):
        return exceptions.IBMApiError(f"Job {view.name} is said to have completed, and its status has no result")
    return None


def nothing_returned(view: JobView) -> exceptions.IBMError | None:
    """Return what is raised instead of returning what the program returned; None if that is kept."""
    if not view.final:
        return exceptions.RuntimeInvalidStateError(f"{_NO_RESULT}Job {view.name} has not ended, it is {view.phase}")
    return None if has_result(view) else no_result(view)


def has_result(view: JobView) -> bool:
    """Return whether the program's result is kept. A job may have one that does not count, and then has failed."""
    return view.result_text is not None or view.result_ref is not None


def deleted(name: str, namespace: str) -> exceptions.IBMError:
    """Return what is raised for a job that is gone."""
    return exceptions.RuntimeJobNotFound(
        f"Job {name} is not in the namespace {namespace} any more: somebody deleted it, or the time it is kept after "
        "its end is over"
    )


def waited_long_enough(view: JobView, timeout: float) -> exceptions.IBMError:
    """Return what is raised when a job has not ended in time, or has, and its result or callback needs longer."""
    if view.final:
        return exceptions.RuntimeJobTimeoutError(
            f"Job {view.name} has ended, but what it left could not be had within {timeout:g} s: a callback is still "
            "busy with its interim results, or the result is large"
        )
    why = ": ".join(filter(None, (view.reason, view.message)))
    return exceptions.RuntimeJobTimeoutError(
        f"Job {view.name} has not ended within {timeout:g} s, it is {view.phase}{f' ({why})' if why else ''}. It goes "
        f"on: wait again, find it later with service.job({view.name!r}), or end it with job.cancel()"
    )


def already_ended(view: JobView, doing: str) -> exceptions.IBMError:
    """Return what is raised for something that cannot be done with a job that has ended."""
    return exceptions.RuntimeInvalidStateError(f"cannot {doing} job {view.name}: it has ended, it is {view.phase}")


def is_streaming(view: JobView) -> exceptions.IBMError:
    """Return what is raised when results are to be streamed twice."""
    return exceptions.RuntimeInvalidStateError(
        f"the results of job {view.name} are being streamed already; end that first: job.cancel_result_streaming()"
    )
