"""A program as they were written in 2021, with metadata in the style of that year, runs unchanged as a job."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from quantum_runtime import folder, manifest
from runtime_runner import encoding

if TYPE_CHECKING:
    from e2e.support.cluster import Object, Space

FOLDER = Path(__file__).parents[1] / "data" / "old_program"
INPUTS = json.loads((FOLDER / "inputs.json").read_text())


def applied(space: Space, name: str, **spec: Any) -> str:
    """Make a program of the folder, as `quantum-runtime render` does; only the name and these fields are added."""
    body = manifest.program_manifest(folder.read(FOLDER))
    body["metadata"]["name"] = name
    body["spec"] |= spec
    said = space.kubectl("apply", "--server-side", "--filename", "-", stdin=manifest.to_yaml(body))
    assert said == f"runtimeprogram.quantumruntime.dev/{name} serverside-applied\n"
    return name


@pytest.fixture(scope="module")
def status(space: Space) -> Object:
    """Of a job on a device that has been retired."""
    program = applied(space, "old-program", compatibility="Qiskit0")
    return space.job(program, inputs=INPUTS, backend="ibmq_montreal").ended()


def test_it_finds_the_lowest_angle_and_teleports_it(status: Object) -> None:
    assert status["phase"] == "Completed", status
    result = encoding.from_text(status["result"])
    assert result["backend"] == "ibmq_montreal"
    assert result["values"] == pytest.approx([math.cos(angle) for angle in INPUTS["angles"]], abs=0.15)
    assert result["lowest"] == pytest.approx(math.pi)
    assert result["teleported"] > 0.8, "the fake device is noisy"


def test_the_layer_is_in_the_status_and_its_warnings_in_the_log(status: Object) -> None:
    assert status["program"]["compatibility"] == "Qiskit0"
    assert "without effect: rep_delay" in status["logs"]["tail"]


def test_without_the_layer_it_is_told_what_it_needs(space: Space) -> None:
    failure = space.job(applied(space, "no-layer"), inputs=INPUTS).ended()["failure"]
    assert failure["reason"] == "ProgramFailed"
    assert failure["message"].endswith(
        "(qiskit.execute is gone since Qiskit 1.0: `compatibility: Qiskit0` restores it)"
    )
