"""What the jobs of both retired clients had in common, and those of `RuntimeService` have not."""

from __future__ import annotations

import contextlib

from quantum_runtime import exceptions
from quantum_runtime.service.job import RuntimeJob

CANCEL_SECONDS = 10.0
"""How long a program may take to be stopped before `OldRuntimeJob.cancel` returns without having seen it."""


class OldRuntimeJob(RuntimeJob):
    """A job that is CANCELLED once `cancel` has returned."""

    def cancel(self) -> None:
        """End the job, and the streaming of its results, and wait until it has ended: about a second.

        Raises:
            RuntimeInvalidStateError: it had ended before.
        """
        super().cancel()
        with contextlib.suppress(exceptions.RuntimeJobTimeoutError):
            self.wait_for_final_state(CANCEL_SECONDS)
