"""``python -m runtime_operator --config FILE``: run the operator until told to stop.

Exit codes: 0 stopped by a signal, 2 the configuration cannot be used.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from runtime_operator import config, logs, wiring


def main() -> int:
    """Run the operator; return its exit code."""
    parser = argparse.ArgumentParser(prog="runtime_operator", description="Runs RuntimeJobs as sandboxed pods.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration, a YAML file")
    arguments = parser.parse_args()
    try:
        settings = config.load(arguments.config)
    except config.ConfigError as error:
        print(f"configuration: {error}", file=sys.stderr)  # noqa: T201 - before logging is set up
        return 2
    logs.configure(settings.log_level)
    asyncio.run(wiring.run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
