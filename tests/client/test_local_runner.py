from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runner.harness import make_job
from runtime_runner import contract
from runtime_runner.local import LocalRunner, RunnerError

if TYPE_CHECKING:
    from collections.abc import Iterator

GONE_SECONDS = 30
"""Only reached by a process that is never going to end."""

SLEEPS = """
    import time
    def main(backend, user_messenger, **kwargs):
        user_messenger.publish("in")
        time.sleep(1000)
"""

STUBBORN = """
    import signal, time
    def main(backend, user_messenger, **kwargs):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        user_messenger.publish("in")
        while True:
            time.sleep(1000)
"""

LEAVES_A_CHILD = """
    import os, time
    def main(backend, user_messenger, **kwargs):
        child = os.fork()
        if child == 0:
            os.setsid()
            time.sleep(1000)
        user_messenger.publish([child, os.getpid(), os.getppid(), os.getcwd()])
        time.sleep(1000)
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The machine's folder for temporary files, which is to be empty afterwards."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def has_ended(pid: int) -> bool:
    """Wait for a process that need not be a child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], GONE_SECONDS)[0])
    finally:
        os.close(descriptor)


def interim(events: Iterator[contract.JournalEvent]) -> str:
    return next(event.value for event in events if isinstance(event, contract.Interim))


def failed(events: Iterator[contract.JournalEvent]) -> contract.Failed:
    (event,) = [event for event in events if isinstance(event, contract.Failed)]
    return event


def test_a_job_is_told_as_a_pod_would_tell_it(bare_python: str) -> None:
    job = make_job(
        """
        def main(backend, user_messenger, **kwargs):
            print("a line")
            user_messenger.publish({"step": 1})
            return kwargs
        """,
        {"x": 1},
    )
    with LocalRunner(job, python=bare_python) as runner:
        events = list(runner.events())
    assert sorted(event.kind for event in events) == ["exit", "interim", "log", "ready", "result", "started"]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    (result,) = [event for event in events if isinstance(event, contract.Result)]
    assert result.text == '{"x": 1}'


def test_events_arrive_while_the_program_runs(bare_python: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    waits = """
        def main(backend, user_messenger, gate):
            user_messenger.publish("waiting")
            return open(gate).read()
    """
    with LocalRunner(make_job(waits, {"gate": str(gate)}), python=bare_python) as runner:
        events = runner.events()
        assert interim(events) == '"waiting"'
        gate.write_text("go on")
        (result,) = [event for event in events if isinstance(event, contract.Result)]
    assert result.text == '"go on"'


def test_cancelling_asks_the_program_to_end(bare_python: str) -> None:
    with LocalRunner(make_job(SLEEPS), python=bare_python) as runner:
        events = runner.events()
        interim(events)
        runner.cancel()
        event = failed(events)
    assert (event.reason, event.message) == (
        contract.FailureReason.CANCELLED,
        "the job was cancelled; it ended when asked to",
    )


def test_cancelling_again_ends_a_program_that_does_not_listen(bare_python: str) -> None:
    job = make_job(STUBBORN, limits={"grace_seconds": 1000.0})
    with LocalRunner(job, python=bare_python) as runner:
        events = runner.events()
        interim(events)
        runner.cancel()
        runner.cancel()
        assert failed(events).reason is contract.FailureReason.CANCELLED


def test_cancelling_from_another_thread_works_likewise(bare_python: str) -> None:
    with LocalRunner(make_job(SLEEPS), python=bare_python) as runner:
        events = runner.events()
        interim(events)
        thread = threading.Thread(target=runner.cancel)
        thread.start()
        assert failed(events).reason is contract.FailureReason.CANCELLED
        thread.join()


def test_cancelling_a_job_that_has_ended_does_nothing(bare_python: str) -> None:
    with LocalRunner(make_job("def main(backend, user_messenger): pass"), python=bare_python) as runner:
        events = list(runner.events())
        runner.cancel()
        runner.cancel()
    assert isinstance(events[-1], contract.Exit)


def test_leaving_the_block_ends_everything_the_job_has_started(bare_python: str) -> None:
    with LocalRunner(make_job(LEAVES_A_CHILD), python=bare_python) as runner:
        child, worker, supervisor, folder = eval(interim(runner.events()))
        assert Path(folder).is_dir()
    assert has_ended(child)
    assert has_ended(worker)
    assert has_ended(supervisor)
    assert not Path(folder).exists()


def test_the_users_other_processes_live_on(bare_python: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        for cancel in (False, True):
            with LocalRunner(make_job(LEAVES_A_CHILD), python=bare_python) as runner:
                events = runner.events()
                interim(events)
                if cancel:
                    runner.cancel()
                    failed(events)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0


def test_a_job_ends_with_the_process_that_started_it(bare_python: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import sys, tempfile
sys.path[:0] = {sys.path!r}
tempfile.tempdir = {str(tmp_path)!r}
from runner.harness import make_job
from runtime_runner import contract
from runtime_runner.local import LocalRunner
with LocalRunner(make_job({LEAVES_A_CHILD!r}), python={bare_python!r}) as runner:
    for event in runner.events():
        if isinstance(event, contract.Interim):
            print(event.value, flush=True)
"""
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child, worker, supervisor, _ = eval(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert has_ended(child)
    assert has_ended(worker)
    assert has_ended(supervisor)


def test_a_runner_that_was_killed_is_not_the_programs_failure(bare_python: str) -> None:
    kills = """
        import os, signal
        def main(backend, user_messenger):
            os.kill(os.getppid(), signal.SIGKILL)
    """
    with (
        LocalRunner(make_job(kills), python=bare_python) as runner,
        pytest.raises(RunnerError, match=r"^the runner ended with exit code -9 and did not say how the job ended$"),
    ):
        list(runner.events())


def test_what_a_broken_runner_complains_about_is_told(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no such library >&2\nexit 3\n")
    python.chmod(0o755)
    with LocalRunner(make_job(SLEEPS), python=str(python)) as runner, pytest.raises(RunnerError) as caught:
        list(runner.events())
    assert str(caught.value) == (
        "the runner ended with exit code 3 and did not say how the job ended:\nno such library"
    )


def test_a_job_the_runner_does_not_take_is_told(bare_python: str) -> None:
    job = make_job(SLEEPS, limits={"execution_seconds": -1.0})
    with (
        LocalRunner(job, python=bare_python) as runner,
        pytest.raises(RunnerError, match="the runner refused the job: execution_seconds must be a positive number"),
    ):
        list(runner.events())


def test_modules_in_the_users_folder_do_not_replace_the_runners(
    bare_python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "signal", "select", "runtime_runner", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    job = make_job("import random\ndef main(backend, user_messenger):\n    return random.__name__")
    with LocalRunner(job, python=bare_python) as runner:
        assert any(isinstance(event, contract.Result) for event in runner.events())
