"""What commands print, compared whole with files a reviewer can read: ``tests/data/cli/*.txt``.

After a wanted change, ``REGENERATE=1 pytest tests/client/cli/test_goldens.py`` writes the files anew: look at their
diff.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from client.cli.conftest import GOLDENS, compare, transcript
from quantum_runtime.cluster.api import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.cli.conftest import Terminal

    Scene = Callable[[Terminal], object]

TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "toss.py", line 2, in main\n'
    "    return iteration\n"
    "NameError: name 'iteration' is not defined"
)


def nothing(_: Terminal) -> None:
    """A cluster in which nothing has happened yet."""


def programs(on: Terminal) -> None:
    on.program("toss", description="Tosses coins.")
    on.program("vqe", public=True, description="Finds an energy.", maxExecutionTimeSeconds=18000)
    on.program("broken", ready="False", profile="gpu")


def one_of_each(on: Terminal) -> None:
    """A job in every phase, an hour after the first was made."""
    on.program()
    on.program("vqe", public=True)
    on.job("toss-done", inputs={"iterations": 3, "seed": 7}, tags=["monday", "coins"], maxExecutionTimeSeconds=60)
    on.api.start_job("toss-done")
    on.api.publish("toss-done", '{"heads": 1}', '{"heads": 2}')
    on.api.log("toss-done", "tossing\ndone\n")
    on.api.finish("toss-done", '{"heads": 3, "share": 1.0}')
    on.job("toss-failed", inputs={"iterations": 3})
    on.api.start_job("toss-failed")
    on.api.fail_job("toss-failed", "ProgramFailed", "NameError: name 'iteration' is not defined", TRACEBACK)
    on.job("vqe-cancelled", program="vqe", public=True, backend="fake-montreal", cancel=True)
    on.api.cancel_job("vqe-cancelled")
    on.api.tick(3600)
    on.job("vqe-running", program="vqe", public=True, backend="fake-montreal")
    on.api.start_job("vqe-running")
    on.api.publish("vqe-running", "-1.1", "-1.2")
    on.api.tick(200)
    on.job("toss-queued")
    on.api.wait_for("toss-queued", "Unschedulable", "no node has room for the pod: 0/3 nodes are available")
    on.api.tick(12)


def devices(on: Terminal) -> None:
    on.api.put(BACKENDS, {"metadata": {"name": "lab-7"}, "spec": {"generic": {"numQubits": 7}}})


def unlucky(on: Terminal) -> None:
    """What programs write is printed, and never acted on by the terminal."""
    on.program(description="\x1b[31mred\x1b[0m")
    on.job("toss-odd", tags=["\x1b]0;title\x07"])
    on.api.start_job("toss-odd")
    on.api.publish("toss-odd", json.dumps("\x1b[2J"))
    on.api.fail_job("toss-odd", "ProgramFailed", "ValueError: \x1b[31mred", "ValueError: \x1b[31mred")


CASES: dict[str, tuple[Scene, str]] = {
    "programs are listed": (programs, "programs"),
    "a wide list of programs has their descriptions": (programs, "programs -o wide"),
    "programs can be listed by name for scripts": (programs, "programs -o name"),
    "one program is shown as print shows it": (programs, "programs toss"),
    "a program that cannot be run is shown with the reason": (programs, "programs broken"),
    "a program can be had as an object": (programs, "programs toss -o yaml"),
    "a namespace without programs": (nothing, "programs"),
    "a program that is not there": (programs, "programs tos"),
    "jobs are listed with the newest first": (one_of_each, "jobs"),
    "a wide list of jobs has runners and tags": (one_of_each, "jobs -o wide"),
    "jobs can be listed by name for scripts": (one_of_each, "jobs -o name"),
    "jobs of a program": (one_of_each, "jobs --program vqe"),
    "jobs of several phases": (one_of_each, "jobs --status queued --status Running"),
    "jobs with a tag": (one_of_each, "jobs --tag monday"),
    "jobs of the last minutes": (one_of_each, "jobs --since 30m"),
    "jobs since a date": (one_of_each, "jobs --since 2026-01-01T00:30:00+00:00"),
    "jobs for a backend": (one_of_each, "jobs --backend fake-montreal"),
    "jobs by their names": (one_of_each, "jobs --sort name"),
    "jobs by their phases": (one_of_each, "jobs --sort status"),
    "a list of jobs that is cut says so": (one_of_each, "jobs --limit 2"),
    "a sorted list of jobs is cut after it is sorted": (one_of_each, "jobs --sort name --limit 2"),
    "no jobs": (nothing, "jobs"),
    "no such jobs": (one_of_each, "jobs --tag friday"),
    "a list of jobs as objects is a List": (one_of_each, "jobs --status completed -o yaml"),
    "the status of a job that waits": (one_of_each, "status toss-queued"),
    "the status of a job that runs": (one_of_each, "status vqe-running"),
    "the status of a job that is done": (one_of_each, "status toss-done"),
    "the status of a job that failed has the traceback": (one_of_each, "status toss-failed"),
    "the status of a job by its whole name": (one_of_each, "status runtimejob.quantumruntime.dev/vqe-cancelled"),
    "the status of a job that is not there": (one_of_each, "status toss-gone"),
    "the logs of a job": (one_of_each, "logs toss-done"),
    "the last line of a log": (one_of_each, "logs toss-done --tail 1"),
    "the interim results of a job": (one_of_each, "interim toss-done"),
    "the interim results of a job for scripts": (one_of_each, "interim toss-done -o json"),
    "the result of a job": (one_of_each, "result toss-done"),
    "the result of a job for scripts": (one_of_each, "result toss-done -o json"),
    "the result of a job that failed": (one_of_each, "result toss-failed"),
    "the result of a job that was cancelled": (one_of_each, "result vqe-cancelled"),
    "the result of a job that runs": (one_of_each, "result vqe-running"),
    "jobs are cancelled": (one_of_each, "cancel vqe-running job/toss-queued"),
    "a job that has ended cannot be cancelled, others can": (one_of_each, "cancel toss-done toss-gone vqe-running"),
    "jobs and programs are deleted": (one_of_each, "delete toss-done job/toss-failed program/vqe"),
    "what is not there cannot be deleted, the rest can": (one_of_each, "delete nothing program/nothing toss-done"),
    "a program is deleted by name for scripts": (one_of_each, "delete program/vqe -o name"),
    "a job is made": (programs, "run toss -i iterations=3 --name mine"),
    "a job is made by name for scripts": (programs, "run toss -i iterations=3 --name mine -o name"),
    "a job of a program that is not there": (programs, "run nothing -i iterations=3"),
    "a job would be accepted": (programs, "validate toss -i iterations=3"),
    "a job would be refused for its inputs": (programs, "validate toss -i iterations=0"),
    "a job would be refused for its backend": (programs, "validate toss -i iterations=3 --backend fake-montreall"),
    "a job would be refused for its time limit": (programs, "validate toss -i iterations=3 --max-execution-time 500"),
    "a job would be refused for its program": (programs, "validate broken -i iterations=3"),
    "a job would be refused for there is no program": (programs, "validate nothing"),
    "backends are listed": (devices, "backends"),
    "one backend": (devices, "backends ibmq_montreal"),
    "a backend as an object": (devices, "backends lab-7 -o yaml"),
    "a backend that is not there": (devices, "backends fake-montreall"),
    "a program is published": (programs, "visibility toss public"),
    "a program is taken back": (programs, "visibility vqe private"),
    "control characters in a table": (unlucky, "jobs -o wide"),
    "control characters in a program": (unlucky, "programs toss"),
    "control characters in a status": (unlucky, "status toss-odd"),
    "control characters in an interim result": (unlucky, "interim toss-odd"),
    "control characters in JSON": (unlucky, "programs -o json"),
}


def file_of(title: str) -> str:
    return title.replace(",", "").replace(" ", "_")


@pytest.mark.parametrize("title", CASES)
def test_a_command_prints(terminal: Terminal, title: str) -> None:
    scene, line = CASES[title]
    scene(terminal)
    done = terminal(line)
    assert "\x1b" not in done.stdout + done.stderr
    assert "Traceback (most" not in done.stderr or 'File "toss.py"' in done.stderr
    compare(file_of(title), transcript(line, done))


def test_every_golden_file_is_compared() -> None:
    assert {path.stem for path in GOLDENS.glob("*.txt")} == {file_of(title) for title in CASES}
