"""Schemas that are made to hurt: each ends as a problem, and the caller goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from runtime_runner.schema import bounded, child
from runtime_runner.schema.bounded import Bounds, Request, Verdict

SOUND = Request(schema={"type": "integer"}, text="1", what="inputs")


def doubling(depth: int) -> dict[str, Any]:
    """A schema of this size that has to be applied 2 ** depth times."""
    steps: dict[str, Any] = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(depth)}
    return {"$defs": {**steps, str(depth): {"type": "string"}}, "$ref": "#/$defs/0"}


def branching(depth: int) -> dict[str, Any]:
    steps: dict[str, Any] = {str(n): {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(depth)}
    return {"$defs": {**steps, str(depth): False}, "$ref": "#/$defs/0"}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        pytest.param({"pattern": "^(a+)+$"}, '"' + "a" * 60 + 'b"', id="a regular expression that backtracks"),
        pytest.param({"patternProperties": {"^(a|a)*$": {}}}, '{"' + "a" * 60 + 'b": 1}', id="one for properties"),
        pytest.param(doubling(60), '"x"', id="references that double"),
        pytest.param(branching(60), '"x"', id="alternatives that double"),
        pytest.param({"uniqueItems": True}, "[" + ",".join(f'{{"a":{n}}}' for n in range(40_000)) + "]", id="pairs"),
        pytest.param({"items": {"enum": [[n] for n in range(5_000)]}}, "[" + "[4999]," * 50_000 + "[1]]", id="an enum"),
    ],
)
def test_a_schema_that_takes_too_long_is_a_problem_and_says_so(schema: Any, text: str) -> None:
    asked = [SOUND, Request(schema=schema, text=text, what="inputs"), SOUND]
    before, slow, after = bounded.check(asked, limits=Bounds(cpu_seconds=1))
    assert before == Verdict()
    assert slow.problem == "the schema needs more than 1 s of CPU time to be applied"
    assert slow.too_expensive
    assert not slow.violations
    assert after == slow, "the limits are for all requests together"


def test_a_value_that_takes_too_much_memory_is_a_problem_and_says_so() -> None:
    bounds = Bounds(memory_bytes=64 * 1024 * 1024)
    (verdict,) = bounded.check([Request(schema={}, text="[" + "{}," * 1_300_000 + "{}]", what="result")], limits=bounds)
    assert verdict == Verdict(problem="the schema needs more than 64 MiB of memory to be applied", too_expensive=True)


def test_a_schema_that_is_itself_too_much_is_a_problem() -> None:
    schema = {"properties": {f"property {n}": {"type": "integer"} for n in range(200_000)}}
    (verdict,) = bounded.check([Request(schema=schema, text="{}", what="inputs")], limits=Bounds(cpu_seconds=1))
    assert verdict.too_expensive


def test_the_largest_result_with_a_schema_for_each_number_is_within_the_limits() -> None:
    text = "[" + ",".join(["0.12345678901234567"] * 210_000) + "]"
    assert len(text) > 4_000_000
    schema = {"type": "array", "items": {"type": "number"}}
    assert bounded.check([Request(schema=schema, text=text, what="result")]) == [Verdict()]


def test_verdicts_come_in_the_order_of_their_requests() -> None:
    asked = [Request(schema={"const": n % 3}, text="1", what=f"interim result {n}") for n in range(100)]
    verdicts = bounded.check(asked)
    assert [not verdict.violations for verdict in verdicts] == [n % 3 == 1 for n in range(100)]
    assert verdicts[99].violations[0].path == "interim result 99"


def test_nothing_to_check_starts_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert bounded.check([]) == []


def test_a_child_that_fails_of_itself_is_not_held_against_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [sys.executable, "-c", "raise SystemExit('no module named jsonschema')"]
    monkeypatch.setattr(child, "command", lambda bounds: broken)
    (verdict,) = bounded.check([SOUND])
    assert not verdict.too_expensive
    assert "no module named jsonschema" in verdict.problem


def test_no_reference_opens_a_socket_or_a_file(tmp_path: Any) -> None:
    """The audit hook sees everything the interpreter opens after the rules have been imported."""
    script = """
import sys
from runtime_runner.schema import rules
from runtime_runner.schema.verdicts import Request
list(rules.check([Request(schema={"$schema": "http://json-schema.org/draft-07/schema#"}, text="1", what="x")]))
def hook(event, args):
    if event.startswith("socket.") or event.startswith("urllib.") or event == "open":
        print(event, args)
sys.addaudithook(hook)
for ref in ("http://127.0.0.1:9/a.json", "https://example.com/a", "file:///etc/passwd", "//example.com/a"):
    for keyword in ("$ref", "$dynamicRef"):
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {"a": {keyword: ref}}}
        (verdict,) = rules.check([Request(schema=schema, text='{"a": 1}', what="x")])
        assert "only references within" in verdict.problem, verdict
print("done")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ran.stdout == "done\n"


def test_a_child_ignores_the_environment_and_the_folder_it_is_started_in(tmp_path: Any) -> None:
    (tmp_path / "jsonschema.py").write_text("raise SystemExit('not me')")
    (tmp_path / "runtime_runner.py").write_text("raise SystemExit('not me')")
    ran = subprocess.run(
        child.command(Bounds()), input=b"", capture_output=True, cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("code", "says", "too_expensive"),
    [
        (None, "within 30 s", True),
        (-signal.SIGXCPU, "2 s of CPU time", True),
        (child.EXIT_MEMORY, "128 MiB", True),
        (-signal.SIGSEGV, "SIGSEGV", True),
        (-255, "signal 255", True),
        (1, "exit code 1", False),
        (-signal.SIGKILL, "from outside (SIGKILL)", False),
    ],
)
def test_how_a_child_ended_says_whose_fault_it_was(code: int | None, says: str, too_expensive: bool) -> None:
    sentence, expensive = child.cause_of_death(code, Bounds())
    assert says in sentence
    assert expensive is too_expensive
