"""What the command line exits with: one table for the help, the documentation and the commands."""

from __future__ import annotations

from quantum_runtime.outcome import EXIT_CODES

FAILED = 1
USAGE = 2
REFUSED = 3
BACKEND = 4
NOT_FOUND = 7
NO_CLUSTER = 69
NOT_ALLOWED = 77
NOT_ENDED = 124
INTERRUPTED = 130

MEANING = {
    0: "success; of `run --follow` and `result`: there is a result",
    FAILED: "the program failed, or cannot be run, or its result cannot be used; or the command failed",
    USAGE: "wrong usage, or a program or file that cannot be read",
    REFUSED: "the inputs, or other values that were asked for, are refused",
    BACKEND: "the backend is not there, too small, or cannot be built",
    5: "the program ran longer than its time limit",
    6: "the program used more memory than its limit",
    NOT_FOUND: "there is no such job or program (any more)",
    NO_CLUSTER: "no cluster: no kubeconfig, no answer, or one without Qiskit Runtime",
    70: "the runner broke",
    75: "the platform ended the job: no room, a lost node, an eviction; another try may succeed",
    NOT_ALLOWED: "the cluster does not know you, or does not allow it",
    NOT_ENDED: "the job has not ended, or not within --timeout",
    INTERRUPTED: "the job was cancelled, or Ctrl-C ended the command",
}
"""Exit code -> what it says, in the order of the numbers."""


def of_reason(reason: str) -> int:
    """Return the code for how a job ended; `FAILED` for a reason that is not known here."""
    return EXIT_CODES.get(reason, FAILED)


def reasons(code: int) -> list[str]:
    """Return the reasons of jobs that a code stands for."""
    return [str(reason) for reason, its in EXIT_CODES.items() if its == code]


def table() -> str:
    """Return the codes as lines for the help."""
    return "\n".join(f"  {code:<4} {meaning}" for code, meaning in MEANING.items())
