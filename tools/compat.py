"""``make compat``: every program's test against the newest Qiskit, in an environment that is thrown away afterwards.

    make compat                                       the newest qiskit and qiskit-aer there are
    make compat COMPAT="--qiskit 2.2 --qiskit newest" two versions, side by side
    make compat COMPAT="--pre --markdown summary.md"  release candidates, too; the table for a summary of CI

Ends with 1 if a test failed or an environment could not be made. Deprecated calls are shown and are no failure yet.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "programs"
NEWEST = "newest"
SHOWN = ("qiskit", "qiskit-aer")
DEPRECATIONS = "test_it_calls_nothing_that_is_deprecated"
TOOLS = ("pytest", "pytest-asyncio", "pytest-timeout")


@dataclass
class Verdict:
    """How a program's tests went with one version."""

    seconds: float = 0.0
    tests: int = 0
    failures: int = 0
    deprecated: bool = False

    def __str__(self) -> str:
        if not self.tests:
            return "no tests ran"
        if self.failures:
            return f"FAILED {self.failures} of {self.tests}"
        return f"passed {self.seconds:5.1f} s" + (", deprecated calls" if self.deprecated else "")

    @property
    def passed(self) -> bool:
        """Whether all of its tests, and at least one, have passed."""
        return bool(self.tests) and not self.failures


@dataclass
class Column:
    """One environment: the versions in it, and the programs' verdicts."""

    title: str
    verdicts: dict[str, Verdict]


def main() -> int:
    """Run the tests, print the table; return 1 if anything failed."""
    asked = _arguments()
    columns = []
    for version in dict.fromkeys(asked.qiskit or [NEWEST]):
        with tempfile.TemporaryDirectory(prefix="compat-") as folder:
            try:
                columns.append(_column(version, Path(folder), asked))
            except subprocess.CalledProcessError as error:
                print(f"no environment with qiskit {version}: {error}", file=sys.stderr)
                columns.append(Column(f"qiskit {version}", {}))
    names = asked.program or _names()
    rows = [[name, *(str(column.verdicts.get(name, Verdict())) for column in columns)] for name in names]
    head = ["program", *(column.title for column in columns)]
    print(f"\n{_text_table(head, rows)}")
    if asked.markdown:
        with asked.markdown.open("a") as file:  # as the summaries of CI services want it
            file.write(f"{_markdown_table(head, rows)}\n")
    return 0 if all(column.verdicts.get(name, Verdict()).passed for column in columns for name in names) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Every program's test against the newest Qiskit, or other versions.")
    parser.add_argument("--qiskit", action="append", metavar="VERSION", help=f"or {NEWEST!r}; may be given again")
    parser.add_argument("--program", action="append", metavar="NAME", choices=_names(), help="only this one; likewise")
    parser.add_argument("--pre", action="store_true", help="take release candidates for the newest version, too")
    parser.add_argument("--python", default=sys.executable, help="interpreter or version of the environment")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="append the table to this file")
    return parser.parse_args()


def _names() -> list[str]:
    return sorted(path.parent.name.replace("_", "-") for path in PROGRAMS.glob("*/test_*.py"))


def _column(version: str, folder: Path, asked: argparse.Namespace) -> Column:
    """Make the environment, run the tests in it and read what became of them."""
    python, report = folder / "venv/bin/python", folder / "report.xml"
    wanted = "qiskit" if version == NEWEST else f"qiskit=={version}"
    print(f"making an environment with {wanted}", file=sys.stderr)
    uv = os.environ.get("UV", "uv")
    subprocess.run([uv, "venv", "--quiet", "--python", asked.python, folder / "venv"], check=True)
    packages = [wanted, *TOOLS, f"{ROOT / 'client'}[local]", f"{ROOT / 'runner-image'}[aer]"]
    pre = ["--prerelease", "allow"] if asked.pre else []
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *pre, *packages], check=True, cwd=ROOT)

    chosen = [PROGRAMS / name.replace("-", "_") for name in asked.program or _names()]
    tests = [*map(str, chosen), f"{PROGRAMS / 'test_programs.py'}::{DEPRECATIONS}"]
    options = ["-q", "-m", "not e2e", "-p", "no:cacheprovider", f"--junitxml={report}"]
    subprocess.run([python, "-m", "pytest", *options, *tests], check=False, cwd=ROOT)
    return Column(_versions(python), _read(report) if report.exists() else {})


def _versions(python: Path) -> str:
    code = f"import importlib.metadata as m; print(', '.join(f'{{n}} {{m.version(n)}}' for n in {SHOWN!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _read(report: Path) -> dict[str, Verdict]:
    """Return the verdicts in a JUnit report, by program."""
    verdicts: dict[str, Verdict] = defaultdict(Verdict)
    for case in ET.parse(report).getroot().iter("testcase"):
        module = case.get("classname", "").split(".")
        failed = case.find("failure") is not None or case.find("error") is not None
        name = case.get("name", "")
        if name.startswith(DEPRECATIONS):
            program = name[len(DEPRECATIONS) :].strip("[]").partition("-")[0].replace("_", "-")  # [folder-example]
            verdicts[program].deprecated |= failed
        elif case.find("skipped") is None:
            # programs.NAME.test_NAME; a file that cannot be imported has its path in the name instead
            parts = module if len(module) > 2 else name.replace("/", ".").split(".")
            program = next((part[5:] for part in parts if part.startswith("test_")), "").replace("_", "-")
            verdict = verdicts[program]
            verdict.tests += 1
            verdict.failures += failed
            verdict.seconds += float(case.get("time", 0))
    return dict(verdicts)


def _text_table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _markdown_table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    sys.exit(main())
