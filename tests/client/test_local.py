from __future__ import annotations

import json
import signal
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from quantum_runtime import folder, judgement, local
from quantum_runtime import inputs as given
from quantum_runtime.backends import Backend
from quantum_runtime.findings import FolderError
from quantum_runtime.outcome import COMPLETED, EXIT_CODES, NoResultError
from runner.harness import BARE_BACKEND
from runtime_runner import contract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

BARE = Backend(name="bare", spec=BARE_BACKEND)
ECHO = """
    def main(backend, user_messenger, **kwargs):
        return kwargs
"""
INTEGER = {"type": "object", "properties": {"x": {"type": "integer", "default": 7}}, "required": ["x"]}


def run(path: Path, inputs: dict[str, Any] | None = None, **options: Any) -> local.Outcome:
    return local.run(path, inputs, **({"backend": BARE} | options))


@pytest.mark.usefixtures("bare_runner")
class TestARun:
    def test_returns_everything_the_program_said(self, write: Write) -> None:
        path = write(
            """
            import sys
            def main(backend, user_messenger, **kwargs):
                print("to stdout")
                print("to stderr", file=sys.stderr)
                user_messenger.publish({"step": 1})
                user_messenger.publish(1 + 2j)
                return {"z": 3j, "inputs": kwargs}
            """
        )
        outcome = run(path, {"x": [1, 2]})
        assert outcome.succeeded
        assert (outcome.reason, outcome.message, outcome.traceback) == (COMPLETED, "", "")
        assert outcome.result == {"z": 3j, "inputs": {"x": [1, 2]}}
        assert outcome.interim_results == [{"step": 1}, 1 + 2j]
        assert sorted(outcome.logs.splitlines()) == ["to stderr", "to stdout"]
        assert outcome.versions["runner"]
        assert outcome.seconds > 0

    def test_takes_python_values_as_inputs(self, write: Write) -> None:
        path = write(
            """
            def main(backend, user_messenger, x, y):
                return [repr(x), repr(y)]
            """
        )
        assert run(path, {"x": 1 + 2j, "y": {3}}).result == ["(1+2j)", "{3}"]

    def test_gives_the_listener_every_event_as_it_comes(self, write: Write) -> None:
        heard: list[str] = []
        run(write(ECHO), listener=lambda event: heard.append(event.kind))
        assert heard == ["ready", "started", "result", "exit"]

    def test_ends_with_an_exception_of_the_listener(self, write: Write) -> None:
        def listener(event: contract.JournalEvent) -> None:
            raise RuntimeError(event.kind)

        with pytest.raises(RuntimeError, match="ready"):
            run(write(ECHO), listener=listener)

    def test_leaves_out_what_was_not_given_whatever_the_default_in_the_schema(self, write: Write) -> None:
        path = write(ECHO, spec={"parameters": INTEGER | {"required": []}})
        assert run(path).result == {}

    def test_has_the_files_beside_the_entrypoint(self, write: Write) -> None:
        path = write(
            """
            from pathlib import Path
            from helpers.numbers import answer
            def main(backend, user_messenger):
                return [answer, Path("data.txt").read_text()]
            """,
            files={"helpers/numbers.py": "answer = 42", "data.txt": "some data", "test_it.py": "raise"},
        )
        assert run(path).result == [42, "some data"]

    def test_names_its_backend_as_the_file_does(self, write: Write) -> None:
        path = write("def main(backend, user_messenger):\n    return backend.name")
        assert run(path).result == "bare"


RAISES = """
    def main(backend, user_messenger, **kwargs):
        raise ValueError("no such ansatz")
"""

ENDINGS = {
    "raises": (RAISES, "ProgramFailed", "ValueError: no such ansatz"),
    "calls sys.exit": (
        "import sys\ndef main(backend, user_messenger):\n    sys.exit(3)",
        "ProgramExited",
        "the program called sys.exit(3); to end, return the result from main() or raise an exception",
    ),
    "calls os._exit": (
        "import os\ndef main(backend, user_messenger):\n    os._exit(4)",
        "ProgramExited",
        "the program ended its process with exit code 4 instead of returning from main()",
    ),
    "is killed": (
        "import os, signal\ndef main(backend, user_messenger):\n    os.kill(os.getpid(), signal.SIGSEGV)",
        "ProgramExited",
        "the program ended its process by a signal: segmentation fault (SIGSEGV) instead of returning from main()",
    ),
    "does not compile": (
        "def main(backend, user_messenger)\n    pass",
        "InvalidProgram",
        "my_program.py:1: SyntaxError: expected ':': def main(backend, user_messenger)",
    ),
    "has no main": (
        "x = 1",
        "InvalidProgram",
        "my_program.py has no function main(backend, user_messenger, **kwargs)",
    ),
    "returns what is no JSON": (
        "def main(backend, user_messenger):\n    return {'f': object()}",
        "InvalidResult",
        None,
    ),
    "returns too much": (
        "def main(backend, user_messenger):\n    return 'x' * 5_000_000",
        "ResultTooLarge",
        "the result takes 5000004 bytes as JSON, the limit is 4194304 bytes",
    ),
}


@pytest.mark.usefixtures("bare_runner")
@pytest.mark.parametrize(("main", "reason", "message"), ENDINGS.values(), ids=ENDINGS.keys())
def test_a_program_that_does_not_return_a_result_fails_as_in_a_cluster(
    write: Write, main: str, reason: str, message: str | None
) -> None:
    outcome = run(write(main))
    assert (outcome.succeeded, outcome.reason) == (False, reason)
    assert message in (None, outcome.message)
    assert outcome.result_text is None
    with pytest.raises(NoResultError, match=reason):
        _ = outcome.result


@pytest.mark.usefixtures("bare_runner")
def test_a_failure_comes_with_the_programs_own_frames(write: Write) -> None:
    outcome = run(write(RAISES))
    assert outcome.traceback.splitlines() == [
        "Traceback (most recent call last):",
        '  File "my_program.py", line 2, in main',
        '    raise ValueError("no such ansatz")',
        "ValueError: no such ansatz",
    ]


@pytest.mark.usefixtures("bare_runner")
def test_a_program_is_ended_at_its_time_limit(write: Write) -> None:
    path = write("import time\ndef main(backend, user_messenger):\n    time.sleep(1000)", max_execution_time=60)
    outcome = run(path, max_execution_time=1)
    assert (outcome.reason, outcome.message) == (
        "MaxExecutionTimeExceeded",
        "the program ran longer than its maximum execution time of 1 s; it ended when asked to",
    )


@pytest.mark.usefixtures("bare_runner")
def test_a_program_that_floods_its_output_is_bounded_and_what_is_lost_is_counted(write: Write) -> None:
    path = write(
        """
        def main(backend, user_messenger):
            for number in range(40_000):
                print("x" * 99)
                user_messenger.publish("y" * 99)
            return "done"
        """
    )
    outcome = run(path)
    assert outcome.result == "done"
    kept = 4_000_000 - outcome.log_dropped_bytes
    assert kept < contract.Limits(execution_seconds=1).log_bytes
    assert "x" * 99 in outcome.logs
    assert outcome.logs.count("x") == kept // 100 * 99
    assert len(outcome.interim_texts) + outcome.interim_dropped == 40_000
    assert outcome.interim_dropped > 0


REFUSALS = {
    "a higher time limit than the program's": (
        {"max_execution_time": 61},
        {"x": 1},
        "MaxExecutionTimeAboveProgram",
        "spec.maxExecutionTimeSeconds is 61, the limit of RuntimeProgram 'my-program' is 60",
    ),
    "inputs that are too large": (
        {},
        {"x": "y" * 1024 * 1024},
        "InvalidInput",
        "spec.inputs is 1048584 bytes of JSON, the limit is 1048576",
    ),
    "inputs that are not as the schema says": (
        {},
        {"x": "three"},
        "InvalidInput",
        "inputs.x: expected integer (type), given 'three'",
    ),
    "a missing input": ({}, {}, "InvalidInput", None),
    "an input that cannot be sent": ({}, {"x": object()}, "InvalidInput", None),
    "a backend nobody knows": ({"backend": "nowhere"}, {"x": 1}, "BackendNotFound", None),
    "a backend that is too small": (
        {"backend": "generic-3"},
        {"x": 1},
        "BackendTooSmall",
        "RuntimeProgram 'my-program' needs 5 qubits, backend 'generic-3' has 3",
    ),
}


@pytest.mark.parametrize(("options", "inputs", "reason", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_run_is_refused_before_anything_starts(
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    inputs: dict[str, Any],
    reason: str,
    message: str | None,
) -> None:
    monkeypatch.delattr(local, "LocalRunner")
    path = write(ECHO, spec={"parameters": INTEGER, "backend_requirements": {"min_num_qubits": 5}})
    outcome = run(path, inputs, **options)
    assert (outcome.reason, outcome.seconds) == (reason, 0.0)
    assert message in (None, outcome.message)
    assert outcome.message


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"max_execution_time": 0}, "max_execution_time is 0, expected at least 1 second"),
        ({"compatibility": "qiskit"}, "compatibility is 'qiskit', expected one of None, Qiskit0"),
        ({"log_level": "LOUD"}, "log_level is 'LOUD', expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(write: Write, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        run(write(ECHO), **options)


def test_a_program_that_cannot_be_read_raises(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="there is no such file or folder"):
        run(tmp_path / "nothing")


def test_an_installation_without_qiskit_says_how_to_get_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(local.MissingQiskitError, match="with its extra 'local'"):
        run(write(ECHO), backend="aer")


@pytest.mark.usefixtures("bare_runner")
@pytest.mark.parametrize(
    ("parameters", "inputs"),
    [
        ({"type": "object", "properties": {"x0": {"type": "array"}}}, {"x0": np.array([1.0, 2.0])}),
        ({"properties": {"x0": {"type": "array"}}}, {"x0": [1]}),
        ([{"name": "x0", "type": "QuantumCircuit", "required": True}], {}),
        ({"properties": {"x0": {"type": "List[int]"}}}, {"x0": "anything"}),
        ({}, {"x0": None}),
    ],
    ids=["an array as its tag", "no type on top", "list style", "a Python type", "no schema"],
)
def test_inputs_are_accepted_where_old_metadata_would_refuse_them(
    write: Write, parameters: Any, inputs: dict[str, Any]
) -> None:
    path = write(
        "def main(backend, user_messenger, **kwargs):\n    return sorted(kwargs)", spec={"parameters": parameters}
    )
    if isinstance(inputs.get("x0"), np.ndarray):  # the runner without NumPy cannot decode it
        refusal, warning = judgement.of_inputs(folder.read(path), given.encode(inputs))
        assert (refusal, warning) == (None, "")
        return
    outcome = run(path, inputs)
    assert outcome.result == sorted(inputs)
    assert outcome.warnings == ()


@pytest.mark.usefixtures("bare_runner")
def test_a_schema_that_cannot_be_applied_is_a_warning(write: Write) -> None:
    path = write(ECHO, spec={"parameters": {"$ref": "https://example.org/schema.json"}})
    outcome = run(path, {"x": 1})
    assert outcome.succeeded
    (warning,) = outcome.warnings
    assert warning.startswith("the inputs were not checked: ")


STRINGS = {"return_values": {"type": "string"}, "interim_results": {"type": "object"}}
ANSWERS = """
    def main(backend, user_messenger, interim, result):
        user_messenger.publish({})
        user_messenger.publish(interim)
        return result
"""
WRONG = "not as the program's schemas say: result: expected string (type), given 3"


@pytest.mark.usefixtures("bare_runner")
@pytest.mark.parametrize(
    ("mode", "asked", "reason", "message", "warnings"),
    [
        (None, "", COMPLETED, "", (WRONG,)),
        ("Warn", "", COMPLETED, "", (WRONG,)),
        ("Ignore", "", COMPLETED, "", ()),
        ("Enforce", "", "InvalidResult", WRONG, ()),
        ("Ignore", "Enforce", "InvalidResult", WRONG, ()),
    ],
)
def test_a_result_that_is_not_as_declared_is_treated_as_the_program_asks(
    write: Write, mode: str | None, asked: str, reason: str, message: str, warnings: tuple[str, ...]
) -> None:
    path = write(ANSWERS, spec=STRINGS | ({"validate_results": mode} if mode else {}))
    outcome = run(path, {"interim": {}, "result": 3}, validate_results=asked)
    assert (outcome.reason, outcome.message, outcome.warnings) == (reason, message, warnings)
    assert outcome.result == 3


@pytest.mark.usefixtures("bare_runner")
def test_an_interim_result_that_is_not_as_declared_is_named_by_its_number(write: Write) -> None:
    outcome = run(write(ANSWERS, spec=STRINGS), {"interim": "x", "result": "y"})
    assert outcome.warnings == (
        "not as the program's schemas say: interim result 2: expected object (type), given 'x'",
    )


@pytest.mark.usefixtures("bare_runner")
def test_interim_results_beyond_those_a_status_holds_are_not_checked(write: Write) -> None:
    path = write(
        """
        def main(backend, user_messenger):
            user_messenger.publish("wrong, and the oldest")
            for number in range(20):
                user_messenger.publish({})
        """,
        spec={"interim_results": {"type": "object"}, "validate_results": "Enforce"},
    )
    assert run(path).succeeded


@pytest.mark.usefixtures("bare_runner")
class TestCtrlC:
    SLEEPS = """
        import time
        def main(backend, user_messenger):
            user_messenger.publish("in")
            time.sleep(1000)
    """

    @staticmethod
    def interrupt(event: contract.JournalEvent) -> None:
        if isinstance(event, contract.Interim):
            signal.raise_signal(signal.SIGINT)

    def test_cancels_the_run_where_that_is_asked_for(self, write: Write) -> None:
        outcome = run(write(self.SLEEPS), listener=self.interrupt, cancel_on_interrupt=True)
        assert (outcome.reason, outcome.message) == ("Cancelled", "the job was cancelled; it ended when asked to")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_ends_the_run_and_is_raised_otherwise(self, write: Write) -> None:
        with pytest.raises(KeyboardInterrupt):
            run(write(self.SLEEPS), listener=self.interrupt)

    def test_is_left_alone_outside_the_main_thread(self, write: Write) -> None:
        outcomes: list[local.Outcome] = []
        path = write(ECHO)
        thread = threading.Thread(target=lambda: outcomes.append(run(path, cancel_on_interrupt=True)))
        thread.start()
        thread.join()
        assert outcomes[0].succeeded


def test_every_reason_has_an_exit_code() -> None:
    assert EXIT_CODES.keys() >= {reason.value for reason in contract.FailureReason}
    assert EXIT_CODES[COMPLETED] == 0
    assert 2 not in EXIT_CODES.values()


@pytest.mark.aer
def test_a_program_runs_with_qiskit_on_a_backend_by_its_name(write: Write) -> None:
    path = write(
        """
        from qiskit import QuantumCircuit, transpile
        def main(backend, user_messenger, circuit, x0):
            counts = backend.run(transpile(circuit, backend), shots=100).result().get_counts()
            return {"counts": counts, "x0": x0 * 2, "name": str(backend.name), "circuit": circuit}
        """,
        spec={
            "parameters": {"properties": {"circuit": {"type": ["array", "object"]}, "x0": {"type": "array"}}},
            "return_values": {"properties": {"x0": {"type": "array"}, "circuit": {"type": "object"}}},
            "validate_results": "Enforce",
        },
    )
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.measure_all()
    outcome = local.run(path, {"circuit": circuit, "x0": np.array([1, 2])}, backend="aer-statevector")
    assert outcome.succeeded, outcome
    assert outcome.result["counts"] == {"01": 100}
    assert outcome.result["x0"].tolist() == [2, 4]
    assert outcome.result["name"] == "aer-statevector"
    assert outcome.result["circuit"] == circuit
    assert json.loads(outcome.result_text or "")["x0"]["__type__"] == "ndarray"


@pytest.mark.aer
def test_an_old_program_runs_unchanged(write: Write) -> None:
    path = write(
        """
        from qiskit import QuantumCircuit, execute
        from qiskit.circuit import Parameter
        from qiskit.providers.ibmq.runtime import UserMessenger

        def main(backend, user_messenger, **kwargs):
            angle = Parameter("angle")
            circuit = QuantumCircuit(1, 1)
            circuit.rx(angle, 0)
            circuit.measure(0, 0)
            user_messenger.publish([backend.name(), backend.configuration().n_qubits])
            counts = execute(circuit.bind_parameters({angle: 0.0}), backend, shots=10).result().get_counts()
            user_messenger.publish({"counts": counts, "given": sorted(kwargs)}, final=True)
        """,
        name="my_program",
        version="1.0",
        backend_requirements={"min_num_qubits": 5},
        parameters=[{"name": "shots", "description": "How often.", "type": "int", "required": True}],
        return_values=[{"name": "counts", "description": "How often each.", "type": "dict"}],
        interim_results=[],
    )
    outcome = local.run(path, {"anything": 1}, backend="ibmq_montreal", compatibility="Qiskit0")
    assert outcome.succeeded, outcome
    assert outcome.interim_results == [["ibmq_montreal", 27]]
    assert sum(outcome.result["counts"].values()) == 10
    assert outcome.result["given"] == ["anything"]
    refused = local.run(path, {"anything": 1}, backend="ibmq_montreal")
    assert refused.reason == "ProgramFailed"
    assert "`compatibility: Qiskit0` restores it" in refused.message
