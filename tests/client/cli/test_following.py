from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from quantum_runtime.cli.follow import LogReader
from quantum_runtime.cli.waiting import Waiting
from quantum_runtime.cluster.api import JOBS, OUTPUTS
from quantum_runtime.service.service import RuntimeService
from quantum_runtime.service.view import parse_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.cli.conftest import Terminal

CREATED = "runtimejob.quantumruntime.dev/mine created\n"
RUN = "run toss -i iterations=3 --name mine --follow"


@pytest.fixture
def toss(terminal: Terminal) -> Terminal:
    """A cluster with a program, whose jobs publish, log and return."""
    terminal.program()
    terminal.operator(lambda name: play(terminal, name))
    return terminal


def play(terminal: Terminal, name: str) -> None:
    """Do with a job what an operator does."""
    terminal.api.wait_for(name, "WaitingForRunner", "pod mine-0 is starting")
    terminal.api.tick(4)
    terminal.api.start_job(name)
    terminal.api.log(name, "tossing\n")
    terminal.api.publish(name, '{"heads": 1}')
    terminal.api.publish(name, '{"heads": 2}')
    terminal.api.log(name, "done\n")
    terminal.api.finish(name, '{"heads": 3}')


@contextmanager
def meanwhile(terminal: Terminal, play: Callable[[], object], *, watches: int = 1) -> Iterator[None]:
    """Have this happen in the cluster once somebody watches."""

    def run() -> None:
        terminal.api.wait_until(lambda: terminal.api.open_watches >= watches)
        play()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()


def test_a_run_that_is_followed_shows_what_the_program_says_and_gives(toss: Terminal) -> None:
    done = toss(RUN)
    assert done.stdout == 'interim result 1: {"heads": 1}\ninterim result 2: {"heads": 2}\nresult: {"heads": 3}\n'
    assert done.exit_code == 0


def test_a_run_that_is_followed_says_what_it_waits_for_on_lines_of_their_own(toss: Terminal) -> None:
    # Who is told the states, and who is told the interim results, both watch before the first of them comes.
    watched = meanwhile(toss, lambda: play(toss, "mine"), watches=2)
    toss.operator(lambda _: None)
    with watched:
        lines = toss(RUN).stderr.splitlines()
    assert lines[0] == CREATED.strip()
    words = [line.partition(" ")[0].rstrip(":") for line in lines[1:]]
    assert words == ["queued", "queued", "running", "tossing", "done"]
    assert lines[2].endswith(": pod mine-0 is starting")
    assert lines[3].endswith(" of at most 300 s")


def test_a_run_that_is_followed_can_be_one_document(toss: Terminal) -> None:
    done = toss(f"{RUN} -o json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "job": "mine",
        "program": "toss",
        "backend": "aer",
        "succeeded": True,
        "reason": "Completed",
        "message": "",
        "traceback": "",
        "seconds": 2.5,
        "interimResultsDropped": 0,
        "logs": "tossing\ndone\n",
        "logBytesDropped": 0,
        "warnings": [],
        "versions": {},
        "interimResults": [{"heads": 1}, {"heads": 2}],
        "result": {"heads": 3},
    }


def test_a_run_that_is_followed_can_be_the_job_or_its_name(toss: Terminal) -> None:
    assert "phase: Completed\n" in toss(f"{RUN} -o yaml").stdout
    done = toss(RUN.replace("mine", "other") + " -o name")
    assert (done.stdout, done.exit_code) == ("runtimejob.quantumruntime.dev/other\n", 0)


def test_a_run_that_fails_shows_why_and_exits_by_reason(toss: Terminal) -> None:
    def play(name: str) -> None:
        toss.api.start_job(name)
        toss.api.log(name, "no line end")
        toss.api.fail_job(name, "MaxExecutionTimeExceeded", "it ran longer than 300 s", "Traceback ...\n")

    toss.operator(play)
    done = toss(RUN)
    assert done.exit_code == 5
    assert done.stdout == ""
    assert done.stderr.splitlines()[-3:] == [
        "no line end",
        "Traceback ...",
        "MaxExecutionTimeExceeded: it ran longer than 300 s",
    ]


def test_a_result_that_made_the_job_fail_is_shown(toss: Terminal) -> None:
    def play(name: str) -> None:
        toss.api.start_job(name)
        toss.api.fail_job(name, "InvalidResult", "not as the program's schemas say", result='{"tails": 3}')

    toss.operator(play)
    done = toss(RUN)
    assert (done.stdout, done.exit_code) == ('result: {"tails": 3}\n', 1)
    assert done.stderr.endswith("InvalidResult: not as the program's schemas say\n")
    assert toss("result mine -o json").stdout == '{"tails": 3}'


def test_a_large_result_is_printed_byte_for_byte(toss: Terminal) -> None:
    text = json.dumps({"counts": {f"{n:020b}": n for n in range(10_000)}, "mind": "Größe"}, ensure_ascii=False)
    toss.operator(lambda name: toss.api.finish(name, text))
    toss(RUN)
    assert toss("result mine -o json").stdout == text


def test_every_interim_result_of_a_burst_is_printed_once_and_in_order(toss: Terminal) -> None:
    def play(name: str) -> None:
        toss.api.start_job(name)
        for start in range(0, 100, 25):
            toss.api.publish(name, *map(str, range(start, start + 25)))
        toss.api.finish(name)

    toss.operator(play)
    lines = toss(RUN).stdout.splitlines()
    assert lines == [*(f"interim result {n + 1}: {n}" for n in range(100)), "result: null"]
    toss("run toss -i iterations=3 --name later")
    assert toss("interim later --follow -o json").stdout.splitlines() == [str(n) for n in range(100)]


def test_a_job_that_is_deleted_meanwhile_ends_the_command(toss: Terminal) -> None:
    toss.operator(lambda name: toss.api.start_job(name))
    with meanwhile(toss, lambda: toss.api.remove(JOBS, "mine"), watches=2):
        done = toss(RUN)
    assert done.exit_code == 7
    assert "Error: Job mine is not in the namespace chemistry any more" in done.stderr


def test_what_was_published_before_a_job_was_deleted_is_printed(toss: Terminal) -> None:
    def play(name: str) -> None:
        toss.api.start_job(name)
        toss.api.publish(name, "1", "2")
        toss.api.remove(JOBS, name)

    toss.operator(play)
    done = toss(RUN)
    assert done.exit_code == 7
    assert done.stdout == "interim result 1: 1\ninterim result 2: 2\n"


def test_interim_results_that_cannot_be_read_end_the_command(toss: Terminal) -> None:
    def play(name: str) -> None:
        toss.api.start_job(name)
        toss.api.publish(name, *map(str, range(25)))
        toss.api.spill(name)
        toss.api.finish(name)

    toss.operator(play)
    toss.api.forbid("get", OUTPUTS)
    done = toss(RUN)
    assert done.exit_code == 77
    assert "may not get runtimejoboutputs.quantumruntime.dev" in done.stderr


def test_ctrl_c_leaves_the_job_running_and_says_how_to_find_and_to_end_it(toss: Terminal) -> None:
    toss.operator(lambda name: toss.api.start_job(name))
    with meanwhile(toss, lambda: os.kill(os.getpid(), signal.SIGINT), watches=2):
        done = toss(f"{RUN} --namespace lab")
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-4:] == [
        "mine goes on. Its status, its result, its end:",
        "  quantum-runtime status mine --namespace lab",
        "  quantum-runtime result mine --wait --namespace lab",
        "  quantum-runtime cancel mine --namespace lab",
    ]
    assert toss.api.object(JOBS, "mine")["spec"]["cancel"] is False


def test_a_result_is_waited_for(terminal: Terminal) -> None:
    terminal.program()
    terminal.job()
    with meanwhile(terminal, lambda: terminal.api.finish("toss-1", "3")):
        done = terminal("result toss-1 --wait")
    assert (done.stdout, done.exit_code) == ("3\n", 0)


def test_a_result_is_waited_for_no_longer_than_asked(terminal: Terminal) -> None:
    terminal.program()
    terminal.job()
    done = terminal("result toss-1 --timeout 0")
    assert done.exit_code == 124
    assert done.stderr.splitlines()[-1] == "Error: job toss-1 has not ended within 0 s, it is Queued and goes on"


def test_a_log_is_followed_to_the_end(terminal: Terminal) -> None:
    terminal.program()
    terminal.job()
    terminal.api.log("toss-1", "one\ntwo\n")

    def play() -> None:
        terminal.api.log("toss-1", "three\nfo")
        terminal.api.log("toss-1", "ur\n")
        terminal.api.log("toss-1", "five")
        terminal.api.finish("toss-1")

    with meanwhile(terminal, play):
        done = terminal("logs toss-1 -f")
    assert (done.stdout, done.exit_code) == ("one\ntwo\nthree\nfour\nfive\n", 0)


def test_a_log_is_followed_from_its_last_lines(terminal: Terminal) -> None:
    terminal.program()
    terminal.job()
    terminal.api.log("toss-1", "one\ntwo\n")

    def play() -> None:
        terminal.api.log("toss-1", "three\n")
        terminal.api.finish("toss-1")

    with meanwhile(terminal, play):
        done = terminal("logs toss-1 -f --tail 1")
    assert done.stdout == "two\nthree\n"


def test_a_log_that_outruns_the_reader_is_counted(terminal: Terminal) -> None:
    terminal.program()
    terminal.job()
    lines = "".join(f"line {n:6}\n" for n in range(4000))

    def play() -> None:
        terminal.api.log("toss-1", lines)
        terminal.api.finish("toss-1")

    with meanwhile(terminal, play):
        done = terminal("logs toss-1 -f")
    assert done.stdout == lines[-16 * 1024 :]
    hidden = len(lines) - 16 * 1024
    assert done.stderr.splitlines()[-2:] == [
        f"... {hidden} bytes not shown ...",
        f"... {hidden} bytes in all were not shown; quantum-runtime logs toss-1 prints the whole log ...",
    ]
    assert terminal("logs toss-1").stdout == lines
    assert terminal("logs toss-1 --tail 2").stdout == lines[-24:]


class TestLogReader:
    @staticmethod
    def read(terminal: Terminal) -> tuple[LogReader, list[str]]:
        said: list[str] = []
        return LogReader(said.append, lambda line: said.append(f"[{line}]")), said

    def test_the_end_is_completed_from_the_whole_log(self, terminal: Terminal) -> None:
        terminal.job()
        terminal.api.log("toss-1", "begin\n")
        reader, said = self.read(terminal)
        reader.see(parse_job(terminal.api.object(JOBS, "toss-1")))
        terminal.api.log("toss-1", "x" * 40_000)
        terminal.api.finish("toss-1")
        reader.end(RuntimeService(api=terminal.api).job("toss-1"))
        assert said == ["begin\n", "x" * 40_000]

    def test_what_was_not_stored_is_counted(self, terminal: Terminal) -> None:
        terminal.job()
        reader, said = self.read(terminal)
        terminal.api.log("toss-1", "x" * 40_000)
        terminal.api.fail_job("toss-1", "NodeLost", "node-1 is gone", stored=False)
        reader.end(RuntimeService(api=terminal.api).job("toss-1"))
        assert said == [f"[... {40_000 - 16 * 1024} bytes not shown ...]", "x" * 16 * 1024]


class TestWaiting:
    """On a terminal; that everything is on lines of its own elsewhere, other tests show."""

    CLEAR = "\r\x1b[K"

    @pytest.fixture
    def job(self, terminal: Terminal) -> str:
        terminal.job("mine")
        terminal.api.start_job("mine")
        return "mine"

    def test_a_line_rewrites_itself_as_time_goes_by(
        self, terminal: Terminal, job: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        waiting = Waiting(lambda: terminal.api.now, time_limit=300, terminal=True)
        waiting.show(parse_job(terminal.api.object(JOBS, job)))
        terminal.api.tick(11)
        waiting.refresh()
        waiting.close()
        assert capsys.readouterr().err == (
            f"running 1 s of at most 300 s{self.CLEAR}running 12 s of at most 300 s{self.CLEAR}"
        )

    def test_what_is_printed_meanwhile_stays_above_the_line(
        self, terminal: Terminal, job: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        waiting = Waiting(lambda: terminal.api.now, terminal=True)
        waiting.show(parse_job(terminal.api.object(JOBS, job)))
        waiting.echo("a result")
        waiting.echo("open", err=True, nl=False)
        waiting.refresh()
        waiting.echo(" closed\n", err=True, nl=False)
        waiting.close()
        printed = capsys.readouterr()
        assert printed.out == "a result\n"
        assert printed.err == f"running 1 s{self.CLEAR}running 1 s{self.CLEAR}open closed\nrunning 1 s{self.CLEAR}"

    def test_a_line_is_no_longer_than_the_terminal_is_wide(
        self, terminal: Terminal, job: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "10")
        waiting = Waiting(lambda: terminal.api.now, terminal=True)
        waiting.show(parse_job(terminal.api.object(JOBS, job)))
        waiting.close()
        assert capsys.readouterr().err == f"running 1{self.CLEAR}"

    def test_a_job_that_has_ended_has_no_line(
        self, terminal: Terminal, job: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        terminal.api.finish(job)
        waiting = Waiting(lambda: terminal.api.now, terminal=True)
        waiting.show(parse_job(terminal.api.object(JOBS, job)))
        waiting.close()
        assert capsys.readouterr().err == ""
