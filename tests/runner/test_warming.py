"""What a runner does while it waits: it makes first runs fast, and nothing else about a program may tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from runner.harness import Runner, make_job, program
from runner.representative import PROGRAMS
from runtime_runner import backend_names, contract, warming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEVICES = {"fake-montreal"}
"""Built when a job asks for them: their package is imported then."""


def in_a_worker(text: str, *arguments: str, options: tuple[str, ...] = ()) -> Any:
    """Run code in an interpreter that is ready as a worker is; return what it prints as JSON."""
    begin = "import json, sys\nfrom runtime_runner import warming, worker\nworker.warm_up()\n"
    command = [sys.executable, "-I", *options, "-c", begin + program(text), *arguments]
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "TMPDIR": scratch}
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    return json.loads(answer.stdout)


def only_here(error: Exception) -> Callable[[], Iterator[None]]:
    def steps() -> Iterator[None]:
        yield
        raise error

    return steps


def test_nothing_is_begun_for_a_job_that_comes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def asked(seconds: float) -> bool:
        waited.append(seconds)
        return True

    monkeypatch.setattr(warming, "steps", only_here(AssertionError("a step was taken")))
    assert not warming.go_on(asked)
    assert waited == [warming.PAUSE_SECONDS]


def test_a_job_that_comes_in_the_middle_waits_for_no_more_than_the_current_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def steps() -> Iterator[None]:
        for number in range(5):
            taken.append(number)
            yield

    monkeypatch.setattr(warming, "steps", steps)
    assert not warming.go_on(lambda _: len(taken) == 3)
    assert taken == [0, 1, 2]
    taken.clear()
    assert warming.go_on(lambda _: False)
    assert taken == [0, 1, 2, 3, 4]


def test_a_package_that_is_not_as_expected_ends_the_warm_up_and_not_the_runner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warming, "steps", only_here(AttributeError("no such function in this release")))
    assert warming.go_on(lambda _: False)


@pytest.mark.aer
def test_every_step_works_with_the_packages_there_are_and_every_module_exists() -> None:
    found = in_a_worker(
        """
        count = sum(1 for _ in warming.steps())
        print(json.dumps([count, [name for name in warming.MODULES if name not in sys.modules]]))
        """
    )
    assert found[0] > len(warming.MODULES)
    assert found[1] == []


@pytest.mark.aer
def test_nothing_of_it_can_be_seen_afterwards() -> None:
    found = in_a_worker(
        """
        import gc, logging, os, random, signal, threading
        import numpy as np
        def state():
            return {
                "random": hash(random.getstate()),
                "numpy": hash(str(np.random.get_state())),
                "environment": dict(os.environ),
                "folder": os.getcwd(),
                "path": list(sys.path),
                "argv": list(sys.argv),
                "finders": [str(finder) for finder in sys.meta_path],
                "log": [str(handler) for handler in logging.root.handlers] + [logging.root.level],
                "qiskit's log": logging.getLogger("qiskit").level,
                "numpy's errors": np.geterr(),
                "numpy prints": str(np.get_printoptions()),
                "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
                "stdin": sys.stdin is sys.__stdin__,
                "collects": [gc.isenabled(), gc.get_threshold()],
                "recursion": sys.getrecursionlimit(),
                "files": sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else [],
            }
        before = state()
        for _ in warming.steps():
            pass
        after = state()
        changed = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
        threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as file:
            children = file.read().split()
        print(json.dumps([changed, threads, children]))
        """,
        options=("-W", "error"),
    )
    changed, threads, children = found
    assert changed == {}
    assert len(threads) <= 1  # Aer's own, which takes its jobs
    assert children == []


@pytest.mark.aer
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_first_run_needs_has_been_imported(name: str) -> None:
    """Hence a second run is not faster: 20% at most, which the bench measures."""
    one = PROGRAMS[name]
    found = in_a_worker(
        """
        from runtime_runner import backends, messenger, program
        source, backend, inputs = json.loads(sys.argv[1])
        for _ in warming.steps():
            pass
        backend = backends.build("backend", backend)
        folder = program.write_files({"subject.py": source}, "subject.py")
        before = set(sys.modules)
        published = []
        program.run(folder, "subject.py", backend, messenger.UserMessenger(published.append), inputs)
        print(json.dumps(sorted(set(sys.modules) - before - {"subject"})))
        """,
        json.dumps([one.source, backend_names.resolve(one.backend), one.inputs]),
    )
    if one.backend in DEVICES:
        found = [module for module in found if not module.startswith(("qiskit_ibm_runtime", "samplomatic"))]
    assert found == []


@pytest.mark.aer
def test_the_backend_that_was_built_ahead_is_a_jobs_own_and_given_away_once() -> None:
    found = in_a_worker(
        """
        from runtime_runner import backends
        backends.build_ahead({"aer": {}})
        first, second = backends.build("one", {"aer": {}}), backends.build("two", {"aer": {}})
        other = backends.build("three", {"aer": {"method": "statevector"}})
        new = type(first)()
        def same(one):
            return [str(one.target.operation_names), one.num_qubits, str(one.options), one.configuration().n_qubits]
        print(json.dumps([
            [first.name, second.name, other.name],
            first is not second and first.target is not second.target,
            str(first) == str(second).replace("two", "one"),
            first._kept_target is not None,
            other.options.method,
            same(first) == same(new),
        ]))
        """
    )
    assert found == [["one", "two", "three"], True, True, True, "statevector", True]


@pytest.mark.aer
@pytest.mark.parametrize(("layer", "old"), [("", "import qiskit"), ("Qiskit0", "from qiskit import Aer, execute")])
def test_old_imports_work_as_before_and_the_log_is_the_programs_alone(layer: str, old: str) -> None:
    source = program(
        f"""
        {old}
        from qiskit.providers.aer import AerSimulator
        from qiskit.providers.ibmq.runtime import UserMessenger
        def main(backend, user_messenger):
            assert isinstance(backend, AerSimulator)
            assert isinstance(user_messenger, UserMessenger)
            return backend.name()
        """
    )
    found = in_a_worker(
        """
        from runtime_runner import backends, compatibility, messenger, program
        for _ in warming.steps():
            pass
        backend = backends.build("mine", {"aer": {}})
        worker._set_log_level("DEBUG")
        compatibility.apply(sys.argv[2])
        folder = program.write_files({"subject.py": sys.argv[1]}, "subject.py")
        text = program.run(folder, "subject.py", backend, messenger.UserMessenger(lambda _: None), {})
        print(json.dumps(text))
        """,
        source,
        layer,
    )
    assert json.loads(found) == "mine"


@pytest.mark.aer
def test_a_runner_that_is_ready_takes_a_job_at_any_moment(start: Callable[..., Runner]) -> None:
    runner = start(sys.executable)
    runner.wait_for(contract.Ready)
    journal = runner.run(
        make_job(
            """
            import threading
            def main(backend, user_messenger):
                return [backend.name, threading.active_count()]
            """,
            backend_name="mine",
            backend={"aer": {}},
        )
    )
    assert json.loads(journal.result)[0] == "mine"
    assert journal.log() == ""


@pytest.mark.aer
def test_a_runner_whose_stdin_ends_leaves_however_far_it_is(start: Callable[..., Runner]) -> None:
    runner = start(sys.executable)
    runner.wait_for(contract.Ready)
    runner.close_stdin()
    assert runner.finish().exit_code == contract.ExitCode.NO_JOB
