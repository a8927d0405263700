"""``python -m bench PART...``: measure, keep the figures in docs/benchmarks/, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import datetime

from bench import machine, page, parts


def main() -> None:
    """Measure the parts that were asked for and write the page; with ``--check``, only compare it with its data."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(parts.MODULES)}")
    parser.add_argument("--runs", type=int, help="jobs of each kind (default: 20, with --quick 3)")
    parser.add_argument("--quick", action="store_true", help="as little as shows that it works; nothing is written")
    parser.add_argument("--image", default="quantum-runtime/runner:dev", help="the runner image on the node")
    parser.add_argument("--check", action="store_true", help="fail if the page is not what its data make")
    options = parser.parse_args()
    for name in options.parts:
        if name not in parts.MODULES:
            parser.error(f"there is no part {name}, only {', '.join(parts.MODULES)}")
    options.runs = options.runs or (3 if options.quick else 20)
    if options.check:
        if not page.PAGE.exists() or page.PAGE.read_text() != page.page():
            raise SystemExit(
                f"{page.PAGE.relative_to(page.ROOT)} is not what its data make: run `python -m bench` without a part"
            )
        return
    for name in options.parts:
        print(f"measuring {name} ...", flush=True)
        part = parts.load(name)
        data = asyncio.run(part.measure(options))
        if options.quick:
            print(part.section(data))
        else:
            today = datetime.datetime.now(datetime.UTC).date().isoformat()
            page.keep(name, machine=machine.description(), date=today, data=data)
    if not options.quick:
        page.PAGE.write_text(page.page())
        print(f"{page.PAGE.relative_to(page.ROOT)} is written", flush=True)


if __name__ == "__main__":
    main()
