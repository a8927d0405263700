"""The sample program, called as its author would, and as a user's job."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from runtime_runner import backends, contract
from runtime_runner.messenger import UserMessenger

pytestmark = pytest.mark.aer
FOLDER = Path(__file__).parent
METADATA = json.loads((FOLDER / "sample_program.json").read_text())
EXAMPLES = sorted((FOLDER / "examples").glob("*.json"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_publishes_every_iteration_and_says_so(example):
    spec = importlib.util.spec_from_file_location("sample_program", FOLDER / "sample_program.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    inputs, published = json.loads(example.read_text()), []

    result = program.main(backends.build("aer", {"aer": {}}), UserMessenger(published.append), **inputs)

    assert result == "All done!"
    messages = [json.loads(text) for text in published]
    assert [message["iteration"] for message in messages] == list(range(inputs["iterations"]))
    assert all(sum(message["counts"].values()) == 1024 for message in messages)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_has_the_inputs_the_metadata_declares(example):
    inputs, parameters = json.loads(example.read_text()), METADATA["spec"]["parameters"]
    assert inputs.keys() <= parameters["properties"].keys()
    assert inputs.keys() >= set(parameters["required"])


def test_it_runs_as_a_job():
    job = contract.Job(
        job_uid="1",
        job_name="sample",
        attempt=1,
        files={"sample_program.py": (FOLDER / "sample_program.py").read_text()},
        entrypoint="sample_program.py",
        inputs={"iterations": 3},
        backend_name="aer",
        backend={"aer": {}},
        limits=contract.Limits(execution_seconds=METADATA["max_execution_time"]),
    )
    done = subprocess.run(
        [sys.executable, "-m", "runtime_runner"], input=contract.encode(job), capture_output=True, check=True
    )
    events = [contract.parse_event(line) for line in done.stdout.splitlines()]
    assert [event.kind for event in events] == ["ready", "started", "interim", "interim", "interim", "result", "exit"]
    assert events[-2].text == '"All done!"'
