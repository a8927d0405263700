"""The first thing a newcomer does: apply ``sample-program`` and a job, look at it with kubectl, read the result."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.support.cluster import Job, condition

if TYPE_CHECKING:
    from e2e.support.cluster import Object, Space

SOURCE = Path(__file__).parents[2] / "programs" / "sample_program" / "sample_program.py"

JOB = """
apiVersion: quantumruntime.dev/v1alpha1
kind: RuntimeJob
metadata: {name: sample}
spec:
  programRef: {name: sample-program}
  inputs: {iterations: 3}
  tags: [demo]
"""

STATUS = {
    "phase": str,
    "conditions": list,
    "observedGeneration": int,
    "startTime": str,
    "completionTime": str,
    "queuedSeconds": float,
    "executionSeconds": float,
    "program": {"kind": str, "name": str, "digest": str},
    "runner": {"pod": str, "uid": str, "node": str, "path": str, "attempt": int},
    "backend": {"name": str},
    "result": str,
    "interimResults": {"published": int, "dropped": int, "latest": list},
    "logs": {"tail": str, "bytes": int, "truncated": bool},
}
"""Every name that users script against. A field that is added here is documented; none may be lost."""


@pytest.fixture(scope="module")
def sample(space: Space) -> Job:
    """The job, applied as a user applies it."""
    space.program(SOURCE.read_text(), name="sample-program", description="A sample program.")
    said = space.kubectl("apply", "--filename", "-", stdin=JOB)
    assert said == "runtimejob.quantumruntime.dev/sample created\n"
    return Job(space, "sample")


@pytest.fixture(scope="module")
def status(sample: Job) -> Object:
    """Its status after `kubectl wait`, which a script would use."""
    said = sample.space.kubectl("wait", "--for=condition=Succeeded", "--timeout=60s", "runtimejob/sample")
    assert said == "runtimejob.quantumruntime.dev/sample condition met\n"
    found: Object = sample.read()["status"]
    return found


def test_it_publishes_three_interim_results_in_order_and_ends_with_all_done(status: Object) -> None:
    interims = status["interimResults"]
    assert (interims["published"], interims["dropped"]) == (3, 0)
    values = [json.loads(interim["value"]) for interim in interims["latest"]]
    assert [value["iteration"] for value in values] == [0, 1, 2]
    assert all(sum(value["counts"].values()) > 0 for value in values)
    for name in ("seq", "time"):
        assert [i[name] for i in interims["latest"]] == sorted({i[name] for i in interims["latest"]})
    assert (status["phase"], status["result"]) == ("Completed", '"All done!"')


def test_every_field_of_the_status_has_the_name_that_is_promised(status: Object) -> None:
    check_shape(status, STATUS, "status")
    for interim in status["interimResults"]["latest"]:
        check_shape(interim, {"seq": int, "time": str, "value": str}, "status.interimResults.latest[]")
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"Succeeded": "True"}
    assert re.fullmatch("sha256:[0-9a-f]{64}", status["program"]["digest"])
    assert (status["runner"]["path"], status["runner"]["attempt"]) == ("cold", 0)


def check_shape(found: Object, wanted: Object, place: str) -> None:
    assert set(found) == set(wanted), place
    for name, kind in wanted.items():
        if isinstance(kind, dict):
            check_shape(found[name], kind, f"{place}.{name}")
        else:
            assert isinstance(found[name], (int, float) if kind is float else kind), f"{place}.{name}"


def test_its_times_are_those_of_its_life(sample: Job, status: Object) -> None:
    created = datetime.fromisoformat(sample.read()["metadata"]["creationTimestamp"])
    started, completed = (datetime.fromisoformat(status[name]) for name in ("startTime", "completionTime"))
    assert created <= started <= completed
    assert abs((started - created).total_seconds() - status["queuedSeconds"]) <= 1
    assert abs((completed - started).total_seconds() - status["executionSeconds"]) <= 1
    published = [datetime.fromisoformat(i["time"]) for i in status["interimResults"]["latest"]]
    assert started <= published[0]
    assert (published[-1] - completed).total_seconds() < 1


def test_what_a_program_has_said_is_in_the_status_while_it_runs(space: Space) -> None:
    job = space.run(
        "import time\ndef main(b, m):\n    print('begun')\n    m.publish(1)\n    time.sleep(3)\n    return 2",
        name="live",
    )
    body = job.wait(lambda s: s.get("interimResults", {}).get("published") == 1, "an interim result")
    assert (body["status"]["phase"], body["status"]["logs"]["tail"]) == ("Running", "begun\n")
    assert job.ended()["phase"] == "Completed"


def test_kubectl_get_reads_well(sample: Job, status: Object) -> None:
    header, row = sample.space.kubectl("get", "rtj", "sample").splitlines()
    assert header.split() == ["NAME", "PROGRAM", "BACKEND", "PHASE", "REASON", "INTERIM", "SECONDS", "AGE"]
    assert row.split()[:6] == ["sample", "sample-program", "aer", "Completed", "Completed", "3"]
    wide = sample.space.kubectl("get", "runtimejobs", "--output", "wide")
    assert status["runner"]["pod"] in wide
    assert status["runner"]["node"] in wide
    assert "sample" in sample.space.kubectl("get", "quantum")
    assert sample.space.kubectl("get", "rtj", "--field-selector", "status.phase=Completed", "--output", "name")


def test_kubectl_describe_reads_well(sample: Job, status: Object) -> None:
    text = sample.space.kubectl("describe", "rtj", "sample")
    for line in (
        r"Phase: +Completed",
        r'Result: +"All done!"',
        r"Published: +3",
        r"Message: +the program returned after [0-9.]+ s",
        r"Events: +<none>",
    ):
        assert re.search(line, text), f"{line}\n{text}"


def test_its_program_says_that_it_is_ready(sample: Job, status: Object) -> None:
    program = sample.space.cluster.request("GET", sample.space.path("runtimeprograms", "sample-program"))
    assert condition(program["status"], "Ready")["status"] == "True"
    assert program["status"]["digest"] == status["program"]["digest"]
    assert program["status"]["entrypoint"] == "main.py"
    _, row = sample.space.kubectl("get", "rtp", "sample-program").splitlines()
    assert row.split()[:3] == ["sample-program", "True", "Accepted"]
