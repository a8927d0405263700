from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from quantum_runtime import cli
from quantum_runtime.cli import exits, session
from quantum_runtime.cluster import errors
from quantum_runtime.cluster.api import BACKENDS, JOBS, PUBLIC_PROGRAMS
from quantum_runtime.service.service import RuntimeService
from runtime_operator.api.conditions import Reason

if TYPE_CHECKING:
    from pathlib import Path

    from client.cli.conftest import Terminal

GIVEN = {"namespace": "lab", "context": "kind", "kubeconfig": "file"}


@pytest.mark.parametrize(
    "line",
    [
        "-n lab --context kind --kubeconfig file jobs",
        "jobs --namespace lab --context=kind --kubeconfig file",
        "--context kind jobs -n lab --kubeconfig file",
        "-n other --context kind jobs -n lab --kubeconfig file",
    ],
    ids=["before the command", "after it", "on both sides", "twice, and the last one counts"],
)
def test_a_cluster_is_chosen(terminal: Terminal, line: str) -> None:
    assert terminal(line).exit_code == 0
    assert terminal.settings == GIVEN


def test_without_options_the_kubeconfig_decides(terminal: Terminal) -> None:
    terminal("jobs")
    assert terminal.settings == {}


def test_a_service_may_take_the_clusters_place(terminal: Terminal) -> None:
    terminal.job()
    done = CliRunner().invoke(cli.main, ["jobs", "-o", "name"], obj=RuntimeService(api=terminal.api))
    assert done.stdout == "runtimejob.quantumruntime.dev/toss-1\n"


@pytest.mark.parametrize("line", ["-n lab new x", "--context kind test .", "-n lab completion bash", "-n lab render ."])
def test_a_command_that_asks_no_cluster_takes_none(terminal: Terminal, line: str) -> None:
    done = terminal(line)
    assert done.exit_code == 2
    assert "is for commands that ask a cluster" in done.stderr


def test_there_is_no_option_for_all_namespaces(terminal: Terminal) -> None:
    assert "No such option '-A'" in terminal("jobs -A").stderr


class TestErrors:
    def test_a_missing_right_is_named_with_a_way_to_get_it(self, terminal: Terminal) -> None:
        terminal.api.forbid("list", JOBS)
        done = terminal("jobs")
        assert done.exit_code == 77
        assert done.stderr.startswith(
            "Error: cannot list jobs: user somebody may not list runtimejobs.quantumruntime.dev in the namespace "
            "chemistry; ask for the verb list on it"
        )

    def test_credentials_that_have_expired(self, terminal: Terminal) -> None:
        terminal.api.fail("list", JOBS, errors.Unauthorized("Unauthorized"))
        assert terminal("jobs").exit_code == 77

    def test_a_cluster_without_the_product(self, terminal: Terminal) -> None:
        missing = errors.NotFound("the server could not find the requested resource", kind_is_missing=True)
        terminal.api.fail("list", JOBS, missing)
        done = terminal("jobs")
        assert done.exit_code == 69
        assert "does not know Quantum Runtime's resources" in done.stderr

    def test_a_part_of_the_programs_is_shown_with_a_warning(self, terminal: Terminal) -> None:
        terminal.program()
        terminal.api.forbid("list", PUBLIC_PROGRAMS)
        done = terminal("programs -o name")
        assert done.stdout == "runtimeprogram.quantumruntime.dev/toss\n"
        assert done.stderr.startswith("warning: only some of the programs are shown: ")

    def test_a_server_that_does_not_answer_is_told_after_seconds(
        self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session, "PATIENCE_SECONDS", 0.05)
        terminal.api.fail("get", BACKENDS, errors.Unavailable("no connection to the API server at lab:6443"), times=99)
        done = terminal("jobs")
        assert done.exit_code == 69
        assert done.stderr == (
            "Error: cannot reach the cluster: no connection to the API server at lab:6443; "
            "--context and --kubeconfig choose another cluster\n"
        )

    def test_a_server_that_answers_the_second_time_is_reached(self, terminal: Terminal) -> None:
        terminal.api.fail("get", BACKENDS, errors.Unavailable("connection reset"))
        assert terminal("jobs").exit_code == 0

    def test_who_may_not_read_backends_reaches_the_cluster(self, terminal: Terminal) -> None:
        terminal.api.forbid("get", BACKENDS)
        assert terminal("jobs").exit_code == 0

    def test_a_name_no_namespace_can_have(self, terminal: Terminal) -> None:
        done = terminal("jobs -n a/b")
        assert done.exit_code == 2
        assert "'a/b' cannot be the name of a namespace" in done.stderr

    def test_a_disk_that_is_full(self, terminal: Terminal) -> None:
        terminal.api.fail("list", JOBS, OSError(28, "No space left on device"))
        done = terminal("jobs")
        assert done.exit_code == 1
        assert done.stderr == "Error: [Errno 28] No space left on device\n"

    def test_a_bug_of_ours_is_not_hidden(self, terminal: Terminal) -> None:
        terminal.api.fail("list", JOBS, ZeroDivisionError("ours"))
        with pytest.raises(ZeroDivisionError):
            terminal("jobs")

    def test_a_kubeconfig_that_is_not_there(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(cli.main, ["jobs", "--kubeconfig", str(tmp_path / "none")])
        assert done.exit_code == 69
        assert done.stderr.startswith("Error: cannot connect to a cluster: ")
        assert done.stdout == ""


class TestWithoutATerminal:
    def test_nothing_is_coloured(self, terminal: Terminal) -> None:
        terminal.job()
        terminal.api.fail_job("toss-1", "ProgramFailed", "ValueError")
        assert "\x1b" not in terminal("jobs").stdout
        assert "\x1b[31mFailed\x1b[0m" in terminal("jobs", color=True).stdout

    def test_nor_where_the_user_wants_no_colours(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        terminal.job()
        terminal.api.fail_job("toss-1", "ProgramFailed", "ValueError")
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in terminal("jobs", color=True).stdout

    def test_nothing_is_rewritten(self, terminal: Terminal) -> None:
        terminal.program()
        terminal.operator(terminal.api.finish)
        done = terminal("run toss -i iterations=3 --follow")
        assert "\x1b" not in done.output
        assert "\r" not in done.output


def test_every_reason_a_job_can_end_with_has_an_exit_code() -> None:
    waiting = {
        "Suspended", "CheckingInputs", "WaitingForRunner", "Unschedulable", "QuotaExceeded", "PodRefused",
        "NamespaceNotPrepared", "ImagePullFailed", "RunnerUnreachable", "Running",
    }  # fmt: skip
    of_programs = {
        "Accepted", "SchemaNotApplicable", "ResultViolatesSchema", "InterimResultViolatesSchema", "ProgramChanged",
    }  # fmt: skip
    of_pools = {"PoolReady", "Refilling", "ScaledToZero"}
    for reason in {reason.value for reason in Reason} - waiting - of_programs - of_pools:
        assert exits.reasons(exits.of_reason(reason)).count(reason) == 1, reason


class TestHelp:
    def test_the_exit_codes_are_in_the_help(self) -> None:
        text = CliRunner().invoke(cli.main, ["--help"]).stdout
        table = text.partition("Exit codes:\n")[2]
        assert [int(line.split()[0]) for line in table.splitlines()] == list(exits.MEANING)

    def test_commands_are_grouped(self) -> None:
        text = CliRunner().invoke(cli.main, ["--help"]).stdout
        sections = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
        assert sections == ["Options:", "Programs:", "Jobs:", "On this machine:"]

    def test_every_command_has_help_with_an_example(self) -> None:
        for name in cli.COMMANDS:
            done = CliRunner().invoke(cli.main, [name, "--help"], prog_name="quantum-runtime")
            assert done.stdout.startswith(f"Usage: quantum-runtime {name} [OPTIONS]")
            assert "Example" in done.stdout
            assert f"    quantum-runtime {name}" in done.stdout or name == "completion"

    def test_it_is_shown_without_loading_what_speaks_to_clusters_or_computes(self) -> None:
        code = """
import sys
from click.testing import CliRunner
from quantum_runtime import cli
for words in (["--help"], *([name, "--help"] for name in cli.COMMANDS)):
    assert CliRunner().invoke(cli.main, words).exit_code == 0
heavy = {"qiskit", "numpy", "jsonschema", "kubernetes", "aiohttp", "asyncio", "pytest", "tqdm"}
print(sorted(heavy & sys.modules.keys()))
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONSAFEPATH": "1"}
        )
        assert done.stdout == "[]\n", done.stderr

    def test_it_has_the_name_by_which_the_program_was_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["/usr/local/bin/kubectl-runtime"])
        text = CliRunner().invoke(cli.main, ["jobs", "--help"], prog_name=None).stdout
        assert text.startswith("Usage: kubectl runtime jobs [OPTIONS]")
