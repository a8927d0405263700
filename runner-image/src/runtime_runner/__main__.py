r"""``python -m runtime_runner``: the supervisor on this process's stdin and stdout.

By hand, a pipe is enough; the exit code is one of `contract.ExitCode`::

    printf '%s\\n' "$job_line" | python -m runtime_runner
"""

import os
import sys

from runtime_runner import launch


def main() -> int:
    """Run the supervisor; the worker, whose imports take longest, is started before our own."""
    worker = launch.start_worker()
    from runtime_runner import processes

    # before the first job is handed over: until then nothing but the image's own code runs in the worker
    processes.forbid_inspection()
    processes.adopt_orphans()
    from runtime_runner.supervisor import Supervisor

    return Supervisor(worker).run()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # nothing is left to clean up, and the reader is waiting for our end
