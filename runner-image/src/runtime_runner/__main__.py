r"""``python -m runtime_runner``: the supervisor on this process's stdin and stdout.

By hand, a pipe is enough; the exit code is one of `contract.ExitCode`::

    printf '%s\n' "$job_line" | python -m runtime_runner
"""

from runtime_runner import processes

processes.forbid_inspection()  # before anything else is imported, opened or read

import os  # noqa: E402
import sys  # noqa: E402

from runtime_runner import supervisor  # noqa: E402

if __name__ == "__main__":
    code = supervisor.main()
    sys.stdout.flush()
    os._exit(code)  # nothing is left to clean up, and the reader is waiting for our end
