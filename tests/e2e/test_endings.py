"""How programs end: each in its own way, all at once, each with a status that names the culprit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from e2e.support.cluster import condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from e2e.support.cluster import Job, Object, Space


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A program, and what its job's status must say."""

    title: str
    source: str
    phase: str = "Failed"
    reason: str = ""
    message: tuple[str, ...] = ()
    """What the failure's message must contain."""
    traceback: tuple[str, ...] = ()
    """What the failure's traceback must contain, in this order; if nothing, there must be none."""
    result: str = ""
    logs: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    profile: str = "default"


def completed(title: str, source: str, result: str, *logs: str) -> Ending:
    return Ending(title=title, source=source, phase="Completed", reason="Completed", result=result, logs=logs)


def failed(title: str, source: str, reason: str, *message: str, traceback: tuple[str, ...] = (), **more: Any) -> Ending:
    return Ending(title=title, source=source, reason=reason, message=message, traceback=traceback, **more)


RAISES = """\
import json

def parse(text):
    return json.loads(text)

def main(backend, user_messenger, **kwargs):
    print("before")
    user_messenger.publish("kept")
    return parse("{")
"""

ENDINGS = (
    completed(
        "a program that prints: its logs are in the status",
        'import sys\ndef main(backend, user_messenger):\n    print("to stdout")\n'
        '    print("to stderr", file=sys.stderr)\n    return 1',
        "1",
        "to stdout\n",
        "to stderr\n",
    ),
    completed("a program that returns nothing: null", "def main(backend, user_messenger):\n    pass", "null"),
    completed(
        "a program that publishes its result", "def main(backend, m):\n    m.publish({'a': 1}, final=True)", '{"a": 1}'
    ),
    completed(
        "2**70 arrives with all its digits",
        "def main(b, m):\n    return 2**70",
        '{"__type__": "int", "__value__": "1180591620717411303424"}',
    ),
    completed("0.1 + 0.2 arrives with all its digits", "def main(b, m):\n    return 0.1 + 0.2", "0.30000000000000004"),
    completed("ünï arrives in its own letters", 'def main(b, m):\n    print("ünï")\n    return "ünï"', "", "ünï\n"),
    completed(
        "NaN and 1.0 stay what they are",
        "def main(b, m):\n    return [float('nan'), 1.0]",
        '[{"__type__": "float", "__value__": "nan"}, 1.0]',
    ),
    failed(
        "a program that raises: its own lines, and none of the runner's",
        RAISES,
        "ProgramFailed",
        "JSONDecodeError: Expecting property name",
        traceback=('File "main.py", line 9, in main', 'return parse("{")', 'File "main.py", line 4, in parse'),
        logs=("before\n",),
    ),
    failed(
        "a syntax error: file, line and text",
        "def main(backend, user_messenger):\n    return 1\n  x = (",
        "InvalidProgram",
        "main.py:3",
        "x = (",
    ),
    failed("a program without main", "def start(backend):\n    pass", "InvalidProgram", "main.py", "main(backend, u"),
    failed(
        "a program that calls sys.exit",
        "import sys\ndef main(b, m):\n    sys.exit(3)",
        "ProgramExited",
        "sys.exit(3)",
        traceback=("line 3, in main",),
    ),
    failed(
        "a program that ends its process with os._exit",
        'import os\ndef main(b, m):\n    print("last words", flush=True)\n    os._exit(4)',
        "ProgramExited",
        "exit code 4",
        logs=("last words\n",),
    ),
    failed(
        "a program that ends with a segmentation fault",
        "import ctypes\ndef main(b, m):\n    ctypes.string_at(0)",
        "ProgramExited",
        "SIGSEGV",
        logs=("Segmentation fault", "line 3 in main"),
    ),
    failed(
        "a result that cannot be written as JSON",
        "class Machine:\n    pass\ndef main(b, m):\n    return {'parts': [Machine()]}",
        "InvalidResult",
        "main() returned",
        "Machine",
    ),
    failed(
        "an interim result that cannot be written as JSON",
        "def main(b, m):\n    m.publish(iter(''))",
        "InvalidResult",
        "message is of type str_ascii_iterator",
        traceback=("line 2, in main",),
    ),
    failed(
        "a program that uses more memory than its profile has",
        "def main(b, m):\n    m.publish('kept')\n    return len(bytearray(1 << 30))",
        "OOMKilled",
        "memory",
        profile="small-memory",
    ),
    failed(
        "an input that main does not take",
        "def main(backend, user_messenger, shots=1):\n    pass",
        "InvalidInput",
        "'shotz'",
        "shots",
        inputs={"shotz": 3},
    ),
)

LARGE_RESULT = """
import random

def main(backend, user_messenger, seed):
    return "".join(random.Random(seed).choices("abcü€😀\\n\\"", k=100_000))
"""

TALKATIVE = """
def main(backend, user_messenger):
    for i in range(300):
        print(f"line {i}", "." * 90)
    for i in range(50):
        user_messenger.publish({"i": i})
    return "done"
"""


@pytest.fixture(scope="module")
def jobs(space: Space) -> dict[str, Job]:
    """All of them, started together."""
    programs = [(e, space.program(e.source, profile=e.profile)) for e in ENDINGS]
    others = {
        "large": (space.program(LARGE_RESULT), {"seed": 7}),
        "talkative": (space.program(TALKATIVE), {}),
    }
    return {e.title: space.job(program, inputs=dict(e.inputs)) for e, program in programs} | {
        title: space.job(program, inputs=inputs) for title, (program, inputs) in others.items()
    }


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda e: e.title)
def test_a_program_ends_as_its_status_says(jobs: dict[str, Job], ending: Ending) -> None:
    status = jobs[ending.title].ended()
    assert (status["phase"], condition(status, "Succeeded")["reason"]) == (ending.phase, ending.reason), status
    assert status["executionSeconds"] >= 0
    if ending.phase == "Completed":
        check_success(status)
        assert not ending.result or status["result"] == ending.result
    else:
        check_failure(status, ending)
    for text in ending.logs:
        assert text in status["logs"]["tail"]


def check_success(status: Object) -> None:
    assert condition(status, "Succeeded")["status"] == "True"
    assert "failure" not in status
    json.loads(status["result"])


def check_failure(status: Object, ending: Ending) -> None:
    assert condition(status, "Succeeded")["status"] == "False"
    assert condition(status, "Stalled")["status"] == "True"
    assert "result" not in status
    failure = status["failure"]
    assert failure["reason"] == ending.reason
    for text in ending.message:
        assert text in failure["message"]
    assert failure["message"].splitlines()[0] in condition(status, "Succeeded")["message"]
    in_order(failure.get("traceback", ""), ending.traceback)
    assert "runtime_runner/" not in failure.get("traceback", ""), "the runner's frames are nobody's business"
    assert "/tmp" not in json.dumps(failure), "nor is the place the program was written to"


def in_order(text: str, parts: tuple[str, ...]) -> None:
    assert bool(text) == bool(parts), text
    place = 0
    for part in parts:
        place = text.find(part, place)
        assert place >= 0, f"{part!r} is not there, or not in this order:\n{text}"


def test_text_beyond_ascii_is_text(jobs: dict[str, Job]) -> None:
    status = jobs["ünï arrives in its own letters"].ended()
    assert json.loads(status["result"]) == "ünï"


def test_what_was_published_before_a_failure_is_kept(jobs: dict[str, Job]) -> None:
    for title in (
        "a program that raises: its own lines, and none of the runner's",
        "a program that uses more memory than its profile has",
    ):
        interims = jobs[title].ended()["interimResults"]
        assert (interims["published"], [i["value"] for i in interims["latest"]]) == (1, ['"kept"']), title


def test_a_result_of_200_kib_is_whole_and_beside_the_status(jobs: dict[str, Job]) -> None:
    import random

    job = jobs["large"]
    status = job.ended()
    assert (status["phase"], "result" in status) == ("Completed", False), status.get("failure")
    text, ref = job.output(status["resultRef"]), status["resultRef"]
    assert len(text.encode()) == ref["size"] > 200 * 1024
    assert hashlib.sha256(text.encode()).hexdigest() == ref["sha256"]
    assert json.loads(text) == "".join(random.Random(7).choices('abcü€😀\n"', k=100_000))
    outputs = {o["metadata"]["name"]: o for o in job.space.list("runtimejoboutputs")}
    assert {outputs[name]["metadata"]["ownerReferences"][0]["name"] for name in ref["names"]} == {job.name}


def test_more_than_the_status_holds_is_beside_it_and_whole(jobs: dict[str, Job]) -> None:
    job = jobs["talkative"]
    status = job.ended()
    interims, logs = status["interimResults"], status["logs"]
    assert (interims["published"], interims["dropped"], len(interims["latest"])) == (50, 0, 20)
    assert [json.loads(i["value"])["i"] for i in interims["latest"]] == list(range(30, 50))
    every = [json.loads(line) for line in job.output(interims["ref"]).splitlines()]
    assert [json.loads(i["value"])["i"] for i in every] == list(range(50))
    assert [i["seq"] for i in every] == sorted({i["seq"] for i in every})
    assert interims["storedSeq"] == every[-1]["seq"]
    assert logs["truncated"]
    assert len(logs["tail"].encode()) <= 16 * 1024 < logs["bytes"]
    assert logs["tail"].startswith("line "), "it begins with a whole line"
    whole = job.output(logs["ref"])
    assert len(whole.encode()) == logs["bytes"] == logs["ref"]["size"]
    assert whole.endswith(logs["tail"])
    assert [line.split()[1] for line in whole.splitlines()] == [str(i) for i in range(300)]


def test_every_job_ran_in_one_pod_and_reached_one_end(jobs: dict[str, Job]) -> None:
    for title, job in jobs.items():
        job.ended()
        assert len(job.pods_ever()) == 1, title
        phases = job.phases()
        assert phases in (["Queued", "Running", phases[-1]], ["Queued", phases[-1]]), title
