"""The supervisor and a real worker, over real pipes. Qiskit is not needed for any of it."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from runner.harness import BARE_BACKEND, GENEROUS_SECONDS, Journal, Runner, make_job
from runtime_runner import contract, encoding, journal
from runtime_runner.contract import ExitCode, FailureReason, RunnerState

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Journal]
    Start = Callable[..., Runner]

SLEEPER = """
    import time

    def main(backend, user_messenger):
        print("entered", flush=True)
        while True:
            time.sleep(1)
"""

ECHO = "def main(backend, user_messenger, **kwargs): return kwargs"

LINGERING = f"""
import os
from runtime_runner import launch
from runtime_runner.supervisor import Supervisor
os._exit(Supervisor(launch.start_worker(), linger_seconds={GENEROUS_SECONDS}).run())
"""
"""A runner that stays for long after its last line, as one in a pod does for a moment."""


class TestTheOrdinaryCase:
    def test_the_journal_tells_a_job_from_ready_to_exit(self, run: Run) -> None:
        journal = run(
            """
            def main(backend, user_messenger, n):
                print("hello")
                user_messenger.publish({"n": n})
                return "All done!"
            """,
            {"n": 3},
        )
        kinds = [type(event) for event in journal.events if not isinstance(event, contract.Log)]
        assert kinds == [contract.Ready, contract.Started, contract.Interim, contract.Result, contract.Exit]
        assert journal.one(contract.Ready).versions.keys() == {"python", "runner"}
        assert journal.one(contract.Started).job_uid == "uid-1"
        assert journal.log("stdout") == "hello\n"
        assert journal.interims == ['{"n": 3}']
        assert journal.result == '"All done!"'
        assert (journal.end.interim_published, journal.end.interim_dropped) == (1, 0)
        assert (journal.end.log_bytes, journal.end.log_dropped_bytes) == (6, 0)

    def test_a_job_may_be_handed_over_before_the_runner_is_ready(self, start: Start) -> None:
        journal = start(fresh=True).run(make_job(ECHO, {"a": 1}))
        assert isinstance(journal.events[0], contract.Ready)
        assert journal.result == '{"a": 1}'

    def test_a_job_may_be_handed_over_long_after_the_runner_is_ready(self, start: Start) -> None:
        runner = start()
        runner.wait_for(contract.Ready)
        assert runner.run(make_job(ECHO)).result == "{}"

    def test_a_job_piped_in_by_hand_needs_no_line_end(self, bare_python: str) -> None:
        line = contract.encode(make_job(ECHO)).rstrip()
        done = subprocess.run([bare_python, "-m", "runtime_runner"], input=line, capture_output=True, check=False)
        assert done.returncode == ExitCode.SUCCEEDED
        assert done.stderr == b""
        assert isinstance(contract.parse_event(done.stdout.splitlines()[-1]), contract.Exit)

    def test_a_job_may_come_from_a_file(self, bare_python: str, tmp_path: Path) -> None:
        (tmp_path / "job").write_bytes(contract.encode(make_job(ECHO)))
        with open(tmp_path / "job", "rb") as job, open(tmp_path / "journal", "wb") as output:
            done = subprocess.run([bare_python, "-m", "runtime_runner"], stdin=job, stdout=output, check=False)
        assert done.returncode == ExitCode.SUCCEEDED
        assert b'"kind":"exit"' in (tmp_path / "journal").read_bytes()

    def test_the_end_of_stdin_does_not_end_a_job(self, start: Start) -> None:
        runner = start()
        runner.send(make_job("import sys\ndef main(backend, user_messenger): return sys.stdin.read()"))
        runner.close_stdin()
        assert runner.finish().result == '""'

    def test_the_end_of_stdin_before_a_job_ends_the_runner_cleanly(self, start: Start) -> None:
        runner = start()
        runner.close_stdin()
        journal = runner.finish()
        assert journal.exit_code == ExitCode.NO_JOB
        assert journal.one(contract.Failed).message == "stdin ended before a job was handed over"

    def test_results_arrive_exactly(self, run: Run) -> None:
        journal = run(
            """
            def main(backend, user_messenger):
                return [2**70, 0.1 + 0.2, "ünï", "\\ud800", float("nan"), -0.0, 1.0, "x" * 200 * 1024, "\\0"]
            """
        )
        values = encoding.from_text(journal.result)
        assert values[:4] == [2**70, 0.1 + 0.2, "ünï", "\ud800"]
        assert '{"__type__": "float", "__value__": "nan"}, -0.0, 1.0' in journal.result
        assert values[7:] == ["x" * 200 * 1024, "\0"]
        assert len(journal.all(contract.Result)) == 2

    def test_a_program_without_a_result_has_the_result_null(self, run: Run) -> None:
        assert run("def main(backend, user_messenger): pass").result == "null"

    def test_output_without_line_end_is_logged_while_the_program_runs(self, start: Start) -> None:
        runner = start()
        runner.send(
            make_job(
                """
                import sys, time
                def main(backend, user_messenger):
                    sys.stdout.write("50 %")
                    sys.stdout.flush()
                    while True:
                        time.sleep(1)
                """
            )
        )
        assert runner.wait_for(contract.Log).text == "50 %"
        runner.send(contract.Cancel())
        runner.finish()

    def test_what_c_libraries_and_child_processes_print_is_logged(self, run: Run) -> None:
        journal = run(
            """
            import ctypes, subprocess
            def main(backend, user_messenger):
                subprocess.run(["/bin/sh", "-c", "echo child; echo error >&2"])
                ctypes.CDLL(None).puts(b"from C")
            """
        )
        assert journal.log("stdout") == "child\nfrom C\n"
        assert journal.log("stderr") == "error\n"

    def test_bytes_that_are_no_text_are_shown_as_replacement_characters(self, run: Run) -> None:
        journal = run(
            r"""
            import os
            def main(backend, user_messenger): os.write(1, b"a\xffb\0\n")
            """
        )
        assert journal.log() == "a\ufffdb\0\n"

    def test_nothing_of_the_program_is_left_in_the_temporary_directory(self, start: Start, tmp_path: Path) -> None:
        runner = start(environment={"TMPDIR": str(tmp_path)})
        assert runner.run(make_job("import os\ndef main(b, m): return os.getcwd()")).result.startswith(f'"{tmp_path}/')
        assert list(tmp_path.iterdir()) == []

    def test_the_outcome_goes_to_the_termination_message(self, start: Start, tmp_path: Path) -> None:
        log = tmp_path / "termination-log"
        log.write_text("something longer than what will be written, so that a rest would show" * 10)
        start(environment={"RUNTIME_TERMINATION_LOG": str(log)}).run(make_job(ECHO, {"a": 1}))
        message = contract.parse_termination(log.read_text())
        assert (message.job_uid, message.succeeded, message.result) == ("uid-1", True, '{"a": 1}')

    def test_a_failure_goes_to_the_termination_message(self, start: Start, tmp_path: Path) -> None:
        log = tmp_path / "termination-log"
        log.touch()
        start(environment={"RUNTIME_TERMINATION_LOG": str(log)}).run(make_job("x" * 10))
        message = contract.parse_termination(log.read_text())
        assert (message.succeeded, message.reason, message.result) == (False, FailureReason.PROGRAM_FAILED, None)

    def test_the_program_does_not_learn_where_the_termination_message_goes(self, start: Start, tmp_path: Path) -> None:
        runner = start(environment={"RUNTIME_TERMINATION_LOG": str(tmp_path / "x"), "OMP_NUM_THREADS": "7"})
        environment = json.loads(runner.run(make_job("import os\ndef main(b, m): return dict(os.environ)")).result)
        assert "RUNTIME_TERMINATION_LOG" not in environment
        assert environment["OMP_NUM_THREADS"] == "7"
        assert environment["QISKIT_PARALLEL"] == "FALSE"


class TestRequests:
    def test_resume_tells_how_far_the_journal_goes(self, start: Start) -> None:
        runner = start()
        ready = runner.wait_for(contract.Ready)
        runner.send(contract.Resume())
        answer = runner.wait_for(contract.Resumed)
        assert (answer.seq, answer.state, answer.job_uid) == (ready.seq, RunnerState.READY, "")
        runner.send(make_job(SLEEPER))
        log = runner.wait_for(contract.Log)
        runner.send(contract.Resume())
        answer = runner.wait_for(contract.Resumed)
        assert (answer.seq, answer.state, answer.job_uid) == (log.seq, RunnerState.RUNNING, "uid-1")
        runner.send(contract.Cancel())
        runner.finish()

    def test_resume_is_answered_while_the_runner_starts(self, start: Start) -> None:
        runner = start(fresh=True)
        runner.send(contract.Resume())
        answer = runner.next_event()
        assert isinstance(answer, contract.Resumed)
        assert (answer.seq, answer.state) == (0, RunnerState.STARTING)

    def test_the_same_job_again_is_answered_without_a_second_execution(self, start: Start) -> None:
        runner = start()
        job = make_job(SLEEPER)
        runner.send(job)
        runner.wait_for(contract.Log)
        runner.send(job)
        assert runner.wait_for(contract.Resumed).job_uid == "uid-1"
        runner.send(contract.Cancel())
        journal = runner.finish()
        assert journal.log().count("entered") == 1
        journal.one(contract.Started)

    def test_a_second_job_is_refused_and_the_first_goes_on(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(SLEEPER))
        runner.wait_for(contract.Started)
        runner.send(make_job(ECHO, job_uid="uid-2"))
        assert runner.wait_for(contract.Refused).message == "this runner has job uid-1; one runner runs one job"
        runner.send(contract.Cancel())
        assert runner.finish().failed.reason == FailureReason.CANCELLED

    def test_a_job_that_is_held_is_not_entered_before_it_may_be(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(SLEEPER, hold=True))
        runner.send(contract.Resume())
        answer = runner.wait_for(contract.Resumed)
        assert (answer.state, answer.job_uid) == (RunnerState.HELD, "uid-1")
        runner.send(contract.Enter(job_uid="uid-2"))
        assert runner.wait_for(contract.Refused).message == "this runner does not have job uid-2"
        runner.send(contract.encode(contract.Enter(job_uid="uid-1")) * 2)
        assert runner.wait_for(contract.Started).job_uid == "uid-1"
        runner.wait_for(contract.Log)
        runner.send(contract.Cancel())
        journal = runner.finish()
        journal.one(contract.Started)
        assert journal.log().count("entered") == 1

    def test_a_job_that_may_be_entered_before_it_is_prepared_is_entered_then(self, start: Start) -> None:
        runner = start(fresh=True)
        runner.send(contract.encode(make_job(ECHO, hold=True)) + contract.encode(contract.Enter(job_uid="uid-1")))
        assert runner.finish().result == "{}"

    def test_the_same_job_without_hold_is_entered(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(ECHO, {"a": 1}, hold=True))
        runner.send(make_job(ECHO, {"a": 2}))
        journal = runner.finish()
        assert journal.result == '{"a": 1}', "it is the job that was handed over first"
        journal.one(contract.Started)

    def test_there_is_nothing_to_enter_before_there_is_a_job(self, start: Start) -> None:
        runner = start()
        runner.send(contract.Enter(job_uid="uid-1"))
        assert runner.wait_for(contract.Refused).message == "this runner does not have job uid-1"
        assert runner.run(make_job(ECHO)).result == "{}"

    def test_a_held_job_that_is_cancelled_has_not_run(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(ECHO, hold=True))
        runner.send(contract.Resume())
        runner.wait_for(contract.Resumed)
        runner.send(contract.Cancel())
        journal = runner.finish()
        assert journal.failed.message == "the job was cancelled before the program was entered"
        assert not journal.all(contract.Started)

    def test_a_held_job_that_cannot_be_prepared_fails_at_once(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(ECHO, hold=True, entrypoint="other.py"))
        assert runner.finish().failed.reason == FailureReason.INVALID_PROGRAM

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (b"not json", "not JSON"),
            (b"\xff\0", "not JSON"),
            (b'{"kind":"nonsense"}', "unknown kind"),
            (b'{"kind":"resume","after":1}', "no field 'after'"),
            (b'{"kind":"job"}', "missing"),
            (b"[" * 100_000, "not JSON"),
            (b'{"kind":"%s"}' % (b"x" * 100_000), "unknown kind"),
        ],
        ids=lambda value: value[:20].decode("latin-1") if isinstance(value, bytes) else "",
    )
    def test_a_line_that_is_no_request_is_refused_and_the_runner_goes_on(
        self, start: Start, line: bytes, message: str
    ) -> None:
        runner = start()
        runner.send(line + b"\n")
        refused = runner.wait_for(contract.Refused)
        assert message in refused.message
        assert len(refused.message) <= 1024
        assert runner.run(make_job(ECHO)).result == "{}"

    @pytest.mark.parametrize(
        "limits",
        [
            {"execution_seconds": 0.0},
            {"execution_seconds": -1.0},
            {"execution_seconds": float("nan")},
            {"execution_seconds": float("inf")},
            {"grace_seconds": -1.0},
            {"result_bytes": -1},
            {"log_bytes": contract.PAYLOAD_BYTES},
        ],
        ids=str,
    )
    def test_limits_that_cannot_be_kept_are_refused(self, start: Start, limits: dict[str, float]) -> None:
        runner = start()
        runner.send(make_job(ECHO, limits=limits))
        assert next(iter(limits)).partition("_")[0] in runner.wait_for(contract.Refused).message
        assert runner.run(make_job(ECHO)).result == "{}"

    def test_answers_end_when_their_share_of_the_journal_is_used_up_and_the_job_goes_on(self, start: Start) -> None:
        runner = start()
        runner.wait_for(contract.Ready)
        lines = 2 * journal.ANSWER_BYTES // 80
        runner.send(contract.encode(contract.Resume()) * lines + contract.encode(make_job(ECHO)))
        ended = runner.finish()
        assert ended.result == "{}"
        answers = ended.all(contract.Resumed)
        assert 1000 < len(answers) < lines

    def test_an_endless_request_is_refused_without_being_kept(self, start: Start) -> None:
        runner = start()
        for _ in range(65):
            runner.send(b"x" * 1024 * 1024)
        runner.send(b"\n")
        assert "longer than" in runner.wait_for(contract.Refused).message
        assert runner.run(make_job(ECHO)).result == "{}"


class TestEndings:
    def test_a_cancelled_program_ends_with_its_log_kept(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(SLEEPER))
        runner.wait_for(contract.Log)
        runner.send(contract.Cancel())
        journal = runner.finish()
        assert journal.failed.reason == FailureReason.CANCELLED
        assert journal.failed.message == "the job was cancelled; it ended when asked to"
        assert journal.log() == "entered\n"

    def test_a_program_that_ignores_the_cancellation_is_killed(self, start: Start) -> None:
        runner = start()
        runner.send(
            make_job(
                """
                import os, signal, time
                def main(backend, user_messenger):
                    signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"no"))
                    print("entered", flush=True)
                    while True:
                        time.sleep(1)
                """,
                limits={"grace_seconds": 0.3},
            )
        )
        runner.wait_for(contract.Log)
        runner.send(contract.Cancel())
        runner.send(contract.Cancel())
        journal = runner.finish()
        assert journal.failed.reason == FailureReason.CANCELLED
        assert journal.failed.message.endswith("it did not end when asked to and was killed")
        assert journal.log() == "entered\nno"

    def test_a_cancellation_before_a_job_ends_the_runner(self, start: Start) -> None:
        runner = start()
        runner.wait_for(contract.Ready)
        runner.send(contract.Cancel())
        journal = runner.finish()
        assert journal.exit_code == ExitCode.NO_JOB
        assert journal.one(contract.Failed).reason == FailureReason.CANCELLED

    def test_a_job_cancelled_before_the_program_is_entered_has_not_run(self, start: Start) -> None:
        runner = start(fresh=True)
        runner.send(contract.encode(make_job(ECHO)) + contract.encode(contract.Cancel()))
        journal = runner.finish()
        assert journal.failed.message == "the job was cancelled before the program was entered"
        assert not journal.all(contract.Started)
        assert journal.end.execution_seconds == 0

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_a_runner_told_to_stop_ends_the_program_at_once(self, start: Start, number: signal.Signals) -> None:
        runner = start()
        runner.send(make_job("import signal\nsignal.signal(15, signal.SIG_IGN)" + SLEEPER.replace("\n    ", "\n")))
        runner.wait_for(contract.Log)
        runner.process.send_signal(number)
        journal = runner.finish()
        assert journal.failed.reason == FailureReason.CANCELLED
        assert journal.failed.message == "the pod was told to stop"

    def test_a_runner_told_to_stop_does_not_wait_for_a_reader_who_has_stopped_reading(self, start: Start) -> None:
        runner = start()
        runner.send(
            make_job(
                """
                def main(backend, user_messenger):
                    print("x" * 500_000)
                    while True: print("x" * 1000)
                """
            )
        )
        runner.wait_for(contract.Started)
        runner.process.terminate()
        assert runner.process.wait() == ExitCode.FAILED

    def test_a_runner_whose_job_has_ended_still_leaves_when_told_to(self, start: Start) -> None:
        runner = start()
        runner.send(make_job('def main(backend, user_messenger): return "x" * 1_000_000'))
        runner.wait_for(contract.Result)  # its first piece; nobody reads the others, for which the pipe is too small
        runner.process.terminate()
        assert runner.process.wait() == ExitCode.SUCCEEDED

    def test_a_runner_that_lingers_has_said_everything_and_leaves_when_told_to(
        self, start: Start, bare_python: str
    ) -> None:
        lingering = start(bare_python, "-c", LINGERING)  # which leaves the rest of the command line alone
        lingering.send(make_job(ECHO))
        lingering.wait_for(contract.Exit)
        start().run(make_job(ECHO))  # meanwhile, another one has come and gone
        assert lingering.process.poll() is None
        lingering.process.terminate()
        assert lingering.finish().result == "{}"

    def test_control_c_cancels_the_job(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(SLEEPER))
        runner.wait_for(contract.Log)
        runner.process.send_signal(signal.SIGINT)
        assert runner.finish().failed.message == "the runner was interrupted; it ended when asked to"

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("os._exit(3)", "the program ended its process with exit code 3 instead of returning from main()"),
            ("os._exit(0)", "the program ended its process with exit code 0 instead of returning from main()"),
            ("os.kill(os.getpid(), 9)", "by a signal: killed (SIGKILL)"),
            ("os.kill(os.getpid(), 15)", "by a signal: terminated (SIGTERM)"),
            ("os.abort()", "by a signal: aborted (SIGABRT)"),
            ("__import__('ctypes').string_at(0)", "by a signal: segmentation fault (SIGSEGV)"),
        ],
    )
    def test_a_program_that_ends_its_process_has_failed(self, run: Run, statement: str, message: str) -> None:
        journal = run(f"import os\ndef main(backend, user_messenger):\n    print('last words')\n    {statement}")
        assert journal.failed.reason == FailureReason.PROGRAM_EXITED
        assert message in journal.failed.message
        assert journal.log("stdout") == "last words\n"

    def test_a_crash_in_c_leaves_the_place_in_the_log(self, run: Run) -> None:
        journal = run("import ctypes\ndef main(backend, user_messenger): ctypes.string_at(0)")
        assert "line 2 in main" in journal.log("stderr")

    def test_a_worker_that_cannot_start_is_the_runners_failure(self, start: Start, broken_python: str) -> None:
        journal = start(broken_python).run(make_job(ECHO))
        assert journal.failed.reason == FailureReason.RUNNER_ERROR
        assert journal.failed.message == "the worker ended with exit code 1 before the program was entered"
        assert journal.failed.traceback.endswith("RuntimeError: broken image\n")

    def test_a_worker_that_dies_before_a_job_ends_the_runner(self, start: Start) -> None:
        runner = start()
        runner.wait_for(contract.Ready)
        (worker,) = _children(runner.process.pid)
        os.kill(worker, signal.SIGKILL)
        journal = runner.finish()
        assert journal.exit_code == ExitCode.NO_JOB
        assert journal.one(contract.Failed).reason == FailureReason.RUNNER_ERROR

    def test_the_program_does_not_outlive_a_killed_supervisor(self, start: Start) -> None:
        runner = start()
        runner.send(make_job(SLEEPER))
        runner.wait_for(contract.Log)
        (worker,) = _children(runner.process.pid)
        descriptor = os.pidfd_open(worker)
        runner.process.kill()
        runner.process.wait()
        _wait_for_end(descriptor)


class TestTheTimeLimit:
    LIMITS: ClassVar = {"execution_seconds": 0.5, "grace_seconds": 0.1}

    @pytest.mark.parametrize(
        "ignore",
        [
            pytest.param("while True: pass", id="computing"),
            pytest.param("time.sleep(1000)", id="sleeping"),
            pytest.param("signal.signal(15, signal.SIG_IGN)\nwhile True: pass", id="ignoring SIGTERM"),
            pytest.param("signal.signal(15, signal.SIG_IGN)\nlibc.sleep(1000)", id="sleeping in C, ignoring SIGTERM"),
            pytest.param("signal.signal(15, lambda *_: 0)\nlibc.pause()\nlibc.sleep(1000)", id="in C with a handler"),
            pytest.param("os.kill(os.getpid(), signal.SIGSTOP)", id="stopped"),
            pytest.param("os.fork() or os.setsid()\nlibc.sleep(1000)", id="with a daemon"),
            pytest.param(
                "threading.Thread(target=libc.sleep, args=[1000]).start()\nlibc.sleep(1000)", id="with threads"
            ),
        ],
    )
    def test_a_program_that_runs_too_long_is_ended_whatever_it_does(self, run: Run, ignore: str) -> None:
        source = (
            "import ctypes, os, signal, threading, time\nlibc = ctypes.CDLL(None)\ndef main(backend, user_messenger):\n"
        )
        body = "print('kept')\nuser_messenger.publish('kept')\n" + ignore
        journal = run(source + "".join(f"    {line}\n" for line in body.splitlines()), limits=self.LIMITS)
        assert journal.failed.reason == FailureReason.MAX_EXECUTION_TIME_EXCEEDED
        assert journal.failed.message.startswith("the program ran longer than its maximum execution time of 0.5 s; it ")
        assert journal.end.execution_seconds >= 0.5
        assert journal.log("stdout") == "kept\n"
        assert journal.interims == ['"kept"']

    def test_the_programs_import_counts(self, run: Run) -> None:
        journal = run("import time\ntime.sleep(1000)", limits=self.LIMITS)
        assert journal.failed.reason == FailureReason.MAX_EXECUTION_TIME_EXCEEDED

    def test_a_result_finished_in_the_grace_period_is_too_late(self, run: Run) -> None:
        journal = run(
            """
            import signal, time
            class Stop(Exception): pass
            def stop(*_): raise Stop
            def main(backend, user_messenger):
                signal.signal(signal.SIGTERM, stop)
                try:
                    time.sleep(1000)
                except Stop:
                    user_messenger.publish("so far")
                    return "late"
            """,
            limits={"execution_seconds": 0.3, "grace_seconds": GENEROUS_SECONDS},
        )
        assert journal.failed.reason == FailureReason.MAX_EXECUTION_TIME_EXCEEDED
        assert journal.failed.message.endswith("it ended when asked to, too late for its outcome")
        assert journal.interims == ['"so far"']

    def test_the_time_before_the_program_is_entered_does_not_count(self, start: Start) -> None:
        runner = start()
        runner.wait_for(contract.Ready)
        journal = runner.run(make_job(ECHO, limits={"execution_seconds": 5.0}))
        assert journal.end.execution_seconds < 5

    def test_nothing_outlives_the_job(self, run: Run, tmp_path: Path) -> None:
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        journal = run(
            """
            import os, subprocess, sys
            def main(backend, user_messenger, fifo):
                held = os.open(fifo, os.O_WRONLY)
                code = "import os, signal; signal.signal(15, signal.SIG_IGN); os.fork() and os._exit(0); signal.pause()"
                for _ in range(5):
                    subprocess.Popen([sys.executable, "-c", code], pass_fds=[held], start_new_session=True)
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        while True: pass
                    os._exit(0)
                return "done"
            """,
            {"fifo": str(fifo)},
        )
        assert journal.result == '"done"'
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b""  # everybody who held the other end is gone
        os.close(reader)


class TestOutputBeyondTheLimits:
    def test_of_a_log_that_is_too_long_the_beginning_and_the_end_are_kept(self, run: Run) -> None:
        journal = run(
            """
            def main(backend, user_messenger):
                for number in range(200_000):
                    print("line", number)
            """,
            limits={"log_bytes": 100_000},
        )
        lines = journal.log("stdout").splitlines()
        written = sum(len(f"line {number}\n") for number in range(200_000))
        kept = [f"line {number}" for number in range(200_000)]
        first = next(index for index, line in enumerate(lines) if line != kept[index])
        assert first > 100
        assert lines[first:] == kept[-(len(lines) - first) :]
        assert len(lines) - first > 100
        assert journal.end.log_bytes == written
        assert journal.end.log_dropped_bytes == written - len(journal.log("stdout"))
        assert (
            journal.log("stderr").lstrip()
            == f"[runtime] {journal.end.log_dropped_bytes} bytes of the log were left out here\n"
        )
        assert sum(len(contract.encode(event)) for event in journal.all(contract.Log)) <= 100_000

    def test_a_flood_of_every_kind_stays_within_the_journal(self, run: Run) -> None:
        journal = run(
            r"""
            import os
            def main(backend, user_messenger):
                for number in range(300):
                    os.write(1, b"\0" * 65536)
                    os.write(2, b"\xff" * 65536)
                    user_messenger.publish("\0" * 20_000)
                return "\\" * 1_000_000
            """
        )
        assert journal.result == json.dumps("\\" * 1_000_000)
        assert journal.end.log_bytes == 300 * 2 * 65536
        assert journal.end.interim_published == 300
        assert journal.end.interim_dropped == 300 - len(journal.interims)

    def test_of_too_many_interim_results_the_first_and_the_newest_are_kept(self, run: Run) -> None:
        journal = run(
            """
            def main(backend, user_messenger):
                for number in range(5_000):
                    user_messenger.publish(number)
            """,
            limits={"interim_bytes": 20_000},
        )
        numbers = [int(value) for value in journal.interims]
        gap = next(index for index, number in enumerate(numbers) if number != index)
        assert gap > 20
        assert numbers[gap:] == list(range(5_000 - 20, 5_000))
        assert journal.end.interim_published == 5_000
        assert journal.end.interim_dropped == 5_000 - len(numbers)

    def test_an_interim_result_larger_than_all_may_be_is_dropped(self, run: Run) -> None:
        journal = run(
            """
            def main(backend, user_messenger):
                user_messenger.publish("x" * 5_000_000)
                user_messenger.publish("small")
            """,
            limits={"interim_bytes": 10_000, "result_bytes": 100},
        )
        assert journal.interims == ['"small"']
        assert (journal.end.interim_published, journal.end.interim_dropped) == (2, 1)

    def test_a_result_exactly_at_the_limit_succeeds(self, run: Run) -> None:
        journal = run("def main(b, m): return 'x' * 996", limits={"result_bytes": 1000})
        assert len(journal.result) == 998  # in the journal its two quotes are escaped

    def test_a_result_one_byte_above_the_limit_fails_with_both_figures(self, run: Run) -> None:
        journal = run("def main(b, m): return 'x' * 997", limits={"result_bytes": 1000})
        assert journal.failed.reason == FailureReason.RESULT_TOO_LARGE
        assert journal.failed.message == "the result takes 1001 bytes as JSON, the limit is 1000 bytes"

    def test_a_result_of_100_mb_fails_like_any_other(self, run: Run) -> None:
        journal = run("def main(b, m): return 'x' * 100_000_000")
        assert journal.failed.reason == FailureReason.RESULT_TOO_LARGE

    def test_a_reader_who_stops_reading_does_not_stop_the_clock(self, start: Start, tmp_path: Path) -> None:
        runner = start()
        source = """
            import os, time
            def main(backend, user_messenger, fifo):
                held = os.open(fifo, os.O_WRONLY)
                while True: print("x" * 1000)
        """
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        runner.send(make_job(source, {"fifo": str(fifo)}, limits={"execution_seconds": 0.5}))
        with open(fifo, "rb") as held:
            assert held.read() == b""  # the program has ended, and nobody has read a line
        assert runner.finish().failed.reason == FailureReason.MAX_EXECUTION_TIME_EXCEEDED

    def test_a_reader_who_goes_away_ends_the_runner(self, start: Start) -> None:
        runner = start()
        runner.send(make_job("def main(b, m):\n    while True: print('x' * 1000)"))
        runner.wait_for(contract.Started)
        assert runner.process.stdout is not None
        runner.process.stdout.close()
        assert runner.process.wait() == ExitCode.FAILED


FORGER = """
import os, stat
def find():
    '''The message pipe: the one pipe beside stdout and stderr this process can write.'''
    import fcntl
    for fd in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode) and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:
                return fd
        except OSError:
            pass
def write(data):
    fd = find()
    while data:
        data = data[os.write(fd, data):]
def main(backend, user_messenger):
"""


class TestTheMessagePipe:
    @pytest.mark.parametrize(
        "forged",
        [
            pytest.param(b"garbage", id="no JSON, no line end"),
            pytest.param(b"\0\xff\xfe\n\n\n" * 1000, id="binary"),
            pytest.param(b"[" * 100_000 + b"\n", id="deeply nested"),
            pytest.param(b"{}\n[]\n1\nnull\n", id="JSON, but no object with a kind"),
            pytest.param(b'{"kind":"exit","seq":1,"time":0}\n', id="an event that is the supervisor's"),
            pytest.param(b'{"kind":"interim","seq":-1,"time":0}\n', id="an event without its value"),
            pytest.param(b'{"kind":"interim","seq":"a","time":[],"value":1}\n', id="wrong types"),
            pytest.param(b'{"kind":"started","seq":1,"time":0,"job_uid":"other"}\n', id="a second start"),
            pytest.param(
                b'{"kind":"ready","seq":1,"time":0,"protocol":1,"versions":{},"warmup_seconds":0}\n',
                id="a second ready",
            ),
            pytest.param(
                b'{"kind":"failed","seq":1,"time":0,"reason":"OOMKilled","message":"","traceback":""}\n',
                id="a failure that blames the platform",
            ),
            pytest.param(
                b'{"kind":"failed","seq":1,"time":0,"reason":"BackendTooSmall","message":"","traceback":""}\n',
                id="a failure that blames the user",
            ),
            pytest.param(
                b'{"kind":"result","seq":1,"time":0,"index":0,"count":1,"text":"\\ud800","size":0,"sha256":""}\n',
                id="a result that is no Unicode",
            ),
        ],
    )
    def test_lines_that_are_no_messages_are_dropped_and_the_job_goes_on(self, run: Run, forged: bytes) -> None:
        journal = run(FORGER + f"    write({forged!r})\n    user_messenger.publish(1)\n    return 'mine'")
        assert journal.result == '"mine"'
        assert journal.interims == ["1"]
        assert journal.one(contract.Started).job_uid == "uid-1"

    def test_an_endless_line_is_dropped_without_being_kept(self, run: Run) -> None:
        journal = run(FORGER + "    for _ in range(200): write(b'x' * 1_000_000)\n    return 'mine'")
        assert journal.result == '"mine"'

    def test_numbers_and_times_of_the_worker_count_for_nothing(self, run: Run) -> None:
        line = b'{"kind":"interim","seq":99,"time":1e300,"value":"7"}\n'
        journal = run(FORGER + f"    write({line!r})")
        assert journal.one(contract.Interim).time == pytest.approx(journal.end.time, abs=60)

    def test_a_forged_result_above_the_limit_fails(self, run: Run) -> None:
        source = (
            FORGER
            + """
    event = {"kind": "result", "seq": 1, "time": 0, "index": 0, "count": 1, "text": "x" * 2000, "size": 5, "sha256": ""}
    import json
    write(b"\\n" + json.dumps(event).encode() + b"\\n")
    import time
    time.sleep(1000)
"""
        )
        journal = run(source, limits={"result_bytes": 1000})
        assert journal.failed.reason == FailureReason.RESULT_TOO_LARGE

    def test_a_program_that_dies_after_garbage_is_told_so(self, run: Run) -> None:
        journal = run(FORGER + "    write(b'garbage\\n')\n    os._exit(1)")
        assert "1 lines on the runner's message pipe were no messages" in journal.failed.message

    def test_protocol_lines_on_stdout_stay_log_text(self, run: Run) -> None:
        line = '{"kind":"result","seq":1,"time":0,"index":0,"count":1,"text":"1","size":1,"sha256":""}'
        journal = run(f"def main(b, m):\n    print({line!r})\n    return 'mine'")
        assert journal.result == '"mine"'
        assert journal.log() == line + "\n"

    def test_a_forked_child_that_returns_from_main_does_not_speak_for_the_job(self, run: Run) -> None:
        journal = run(
            """
            import os
            def main(backend, user_messenger):
                child = os.fork()
                if child == 0:
                    return "the child's"
                os.waitpid(child, 0)
                return "the parent's"
            """
        )
        assert journal.result == '"the parent\'s"'

    def test_the_program_finds_no_descriptor_but_its_own_pipes(self, run: Run) -> None:
        journal = run(
            """
            import os
            def main(backend, user_messenger):
                return sorted(os.readlink(f"/proc/self/fd/{fd}").split(":")[0]
                              for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
            """
        )
        assert json.loads(journal.result) == ["/dev/null", "pipe", "pipe", "pipe"]


@pytest.mark.skipif(sys.platform != "linux", reason="procfs and prctl are Linux's")
class TestTheWorkerCannotReachTheSupervisor:
    SPY = """
        import ctypes, os, subprocess, sys
        def tries(pid):
            outcome = {}
            for name in ("fd/1", "fd/0", "mem", "environ", "maps"):
                try:
                    fd = os.open(f"/proc/{pid}/{name}", os.O_WRONLY if name == "fd/1" else os.O_RDONLY)
                    outcome[name] = "open" if name in ("fd/0", "fd/1", "mem") or os.read(fd, 10) else "empty"
                except OSError as error:
                    outcome[name] = error.strerror
            libc = ctypes.CDLL(None, use_errno=True)
            libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
            traced = libc.ptrace(16, pid, None, None)
            outcome["ptrace"] = os.strerror(ctypes.get_errno()) if traced else "attached"
            return outcome
        def main(backend, user_messenger):
            other = subprocess.Popen(["/bin/sleep", "1000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            return {"supervisor": tries(os.getppid()), "another": tries(other.pid)}
    """

    def test_its_descriptors_and_memory_are_closed_even_to_the_same_user(self, start: Start) -> None:
        """Root without capabilities is in the position of any user."""
        outcome = json.loads(start(before_exec=_give_up_capabilities).run(make_job(self.SPY)).result)
        assert outcome["another"].keys() == outcome["supervisor"].keys()
        # the spy would see if there were anything ("empty": the other process is just being started)
        assert set(outcome["another"].values()) <= {"open", "empty", "attached"}
        assert set(outcome["supervisor"].values()) <= {"Permission denied", "Operation not permitted"}


@pytest.mark.skipif(os.geteuid() != 0, reason="a PID namespace needs root")
class TestAsTheFirstProcessOfAPod:
    @pytest.fixture
    def start_as_init(self, start: Start, bare_python: str) -> Callable[[], Runner]:
        command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
            pytest.skip("no PID namespaces here")
        return lambda: start(*command, bare_python)

    def test_it_runs_a_job(self, start_as_init: Callable[[], Runner]) -> None:
        assert start_as_init().run(make_job("import os\ndef main(b, m): return os.getppid()")).result == "1"

    def test_it_ends_everything_that_was_forked_and_detached(self, start_as_init: Callable[[], Runner]) -> None:
        journal = start_as_init().run(
            make_job(
                """
                import os, signal, time
                def main(backend, user_messenger):
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    for _ in range(20):
                        if os.fork() == 0:
                            os.setsid()
                            if os.fork() == 0:
                                while True: time.sleep(1)
                            os._exit(0)
                    while True: time.sleep(1)
                """,
                limits=TestTheTimeLimit.LIMITS,
            )
        )
        assert journal.failed.reason == FailureReason.MAX_EXECUTION_TIME_EXCEEDED

    def test_it_cannot_be_killed_from_inside(self, start_as_init: Callable[[], Runner]) -> None:
        source = "import os\ndef main(b, m):\n    os.kill(1, 9)\n    os.kill(1, 19)\n    return 'alive'"
        assert start_as_init().run(make_job(source)).result == '"alive"'

    def test_a_program_that_tells_it_to_stop_has_not_succeeded(self, start_as_init: Callable[[], Runner]) -> None:
        source = "import os, time\ndef main(b, m):\n    os.kill(1, 15)\n    time.sleep(1000)"
        assert start_as_init().run(make_job(source)).failed.message == "the pod was told to stop"

    def test_a_fork_bomb_is_bounded(self, start_as_init: Callable[[], Runner]) -> None:
        source = "import resource\ndef main(b, m): return resource.getrlimit(resource.RLIMIT_NPROC)"
        soft, hard = json.loads(start_as_init().run(make_job(source)).result)
        assert soft == hard == 4096

    def test_orphans_are_collected_while_the_program_runs(self, start_as_init: Callable[[], Runner]) -> None:
        journal = start_as_init().run(
            make_job(
                """
                import os
                def main(backend, user_messenger):
                    pids = []
                    for _ in range(5):
                        read, write = os.pipe()
                        child = os.fork()
                        if child == 0:
                            if orphan := os.fork():
                                os.write(write, str(orphan).encode())
                            os._exit(0)
                        os.waitpid(child, 0)
                        pids.append(int(os.read(read, 20)))
                    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
                        os.sched_yield()
                    return len(pids)
                """
            )
        )
        assert journal.result == "5"


@pytest.mark.skipif(os.geteuid() != 0, reason="a memory limit needs root")
def test_a_program_killed_for_lack_of_memory_is_told_so(start: Start) -> None:
    group = _memory_group(200 * 1024 * 1024)
    try:
        runner = start(before_exec=lambda: (group / "cgroup.procs").write_text("0"))  # 0 is the writer
        journal = runner.run(
            make_job(
                """
                def main(backend, user_messenger):
                    user_messenger.publish("kept")
                    held = []
                    while True:
                        held.append(bytearray(1024 * 1024))
                """
            )
        )
    finally:
        runner.close()
        group.rmdir()
    assert journal.failed.reason == FailureReason.OUT_OF_MEMORY
    assert journal.failed.message == "the program used more memory than its runner has"
    assert journal.interims == ['"kept"']


def test_the_bare_backend_needs_no_qiskit(run: Run) -> None:
    assert run("import sys\ndef main(b, m): return 'qiskit' in sys.modules", backend=BARE_BACKEND).result == "false"


def _memory_group(limit: int) -> Path:
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for _, controllers, path in lines:
        root = Path("/sys/fs/cgroup/memory" if controllers == "memory" else "/sys/fs/cgroup")
        name, kills = (
            ("memory.limit_in_bytes", "memory.oom_control") if controllers else ("memory.max", "memory.events")
        )
        group = root / path.lstrip("/") / f"runner-test-{os.getpid()}"
        if controllers in ("", "memory"):
            try:
                group.mkdir()
                (group / name).write_text(str(limit))
                assert (group / kills).exists()
            except (OSError, AssertionError):
                if group.exists():
                    group.rmdir()
                continue
            return group
    pytest.skip("no memory controller that could be written")


def _give_up_capabilities() -> None:
    for capability in range(64):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def _children(parent: int) -> list[int]:
    text = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    ).stdout
    return [int(pid) for pid in text.split()]


def _wait_for_end(descriptor: int) -> None:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    assert poll.poll(60_000)
    os.close(descriptor)
