"""The table that `make compat` prints."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

TOOL = Path(__file__).parents[2] / "tools" / "compat.py"

REPORT = """<?xml version="1.0"?>
<testsuites><testsuite>
  <testcase classname="programs.sampler.test_sampler" name="test_a[local]" time="1.5"/>
  <testcase classname="programs.sampler.test_sampler" name="test_b[local]" time="0.5"/>
  <testcase classname="programs.vqe.test_vqe" name="test_a" time="2"><failure message="no"/></testcase>
  <testcase classname="programs.vqe.test_vqe" name="test_b" time="2"/>
  <testcase classname="" name="programs.hello_world.test_hello_world" time="0"><error message="import"/></testcase>
  <testcase classname="programs.test_programs" name="test_it_calls_nothing_that_is_deprecated[sampler-bell]" time="1">
    <failure message="DeprecationWarning"/></testcase>
  <testcase classname="programs.test_programs" name="test_it_calls_nothing_that_is_deprecated[vqe-lih_exact]" time="1"/>
  <testcase classname="programs.qaoa.test_qaoa" name="test_a" time="0"><skipped/></testcase>
</testsuite></testsuites>
"""


@pytest.fixture(scope="module")
def compat() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compat", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["compat"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(compat: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs the tool with a report in place of an environment."""

    def run(report: str, *arguments: str) -> int:
        file = tmp_path / "report.xml"
        file.write_text(report)
        monkeypatch.setattr(
            compat, "_column", lambda version, *_: compat.Column(f"qiskit {version}", compat._read(file))
        )
        monkeypatch.setattr(sys, "argv", ["compat", *arguments])
        return int(compat.main())

    return run


def test_a_program_passes_fails_or_has_no_tests_and_deprecated_calls_are_shown(
    run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("sampler", "vqe", "hello-world", "qaoa")
    code = run(REPORT, *(part for name in names for part in ("--program", name)), "--qiskit", "9.9")
    assert code == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "program      qiskit 9.9",
        "-----------  --------------------------------",
        "sampler      passed   2.0 s, deprecated calls",
        "vqe          FAILED 1 of 2",
        "hello-world  FAILED 1 of 1",
        "qaoa         no tests ran",
    ]


def test_versions_are_columns_and_the_table_can_be_had_for_a_summary(run: Any, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    code = run(REPORT, "--program", "sampler", "--qiskit", "1", "--qiskit", "2", "--markdown", str(summary))
    assert code == 0
    assert summary.read_text().splitlines() == [
        "| program | qiskit 1 | qiskit 2 |",
        "| --- | --- | --- |",
        "| sampler | passed   2.0 s, deprecated calls | passed   2.0 s, deprecated calls |",
    ]
