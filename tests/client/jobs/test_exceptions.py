from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from quantum_runtime import exceptions
from quantum_runtime.cluster import errors

if TYPE_CHECKING:
    from types import ModuleType

FORBIDDEN = (
    'runtimejobs.quantumruntime.dev is forbidden: User "jane" cannot create resource "runtimejobs" in API group '
    '"quantumruntime.dev" in the namespace "physics"'
)
FORBIDDEN_TO_PUBLISH = (
    'clusterruntimeprograms.quantumruntime.dev is forbidden: User "jane" cannot create resource '
    '"clusterruntimeprograms" in API group "quantumruntime.dev" at the cluster scope'
)


@pytest.fixture
def without_qiskit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as it is where Qiskit is not installed."""
    monkeypatch.setitem(sys.modules, "qiskit.providers", None)
    spec = importlib.util.find_spec("quantum_runtime.exceptions")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_importing_the_exceptions_does_not_import_qiskit() -> None:
    code = "import sys, quantum_runtime.exceptions; sys.exit('qiskit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("leaf", "bases"),
    [
        ("RuntimeDuplicateProgramError", ["IBMRuntimeError"]),
        ("RuntimeProgramNotFound", ["IBMRuntimeError"]),
        ("RuntimeJobNotFound", ["IBMRuntimeError"]),
        ("RuntimeInvalidStateError", ["IBMRuntimeError"]),
        ("RuntimeJobFailureError", ["IBMRuntimeError", "QiskitRuntimeError"]),
        ("RuntimeJobMaxTimeoutError", ["RuntimeJobFailureError", "IBMRuntimeError"]),
        ("RuntimeJobTimeoutError", ["IBMRuntimeError"]),
        ("IBMInputValueError", ["IBMError"]),
        ("IBMNotAuthorizedError", ["IBMError"]),
        ("IBMApiError", ["IBMError"]),
        ("IBMBackendApiError", ["IBMBackendError", "IBMError"]),
        ("IBMBackendValueError", ["IBMBackendError"]),
        ("IBMBackendApiProtocolError", ["IBMBackendError"]),
    ],
)
def test_the_tree_is_the_one_programs_know(leaf: str, bases: list[str]) -> None:
    for base in [*bases, "IBMError"]:
        assert issubclass(getattr(exceptions, leaf), getattr(exceptions, base))


def test_failures_and_timeouts_of_jobs_are_qiskits_too() -> None:
    from qiskit.exceptions import QiskitError
    from qiskit.providers import JobError, JobTimeoutError

    assert issubclass(exceptions.RuntimeJobFailureError, JobError)
    assert issubclass(exceptions.RuntimeJobTimeoutError, JobTimeoutError)
    with pytest.raises(QiskitError):
        raise exceptions.RuntimeJobMaxTimeoutError("too long")


def test_they_are_made_once() -> None:
    assert exceptions.RuntimeJobFailureError is exceptions.RuntimeJobFailureError
    assert exceptions.RuntimeJobMaxTimeoutError.__bases__ == (exceptions.RuntimeJobFailureError,)


def test_without_qiskit_they_have_our_bases_alone(without_qiskit: ModuleType) -> None:
    error = without_qiskit.RuntimeJobFailureError("no", job_id="toss")
    assert isinstance(error, without_qiskit.IBMRuntimeError)
    assert not any(base.__module__.startswith("qiskit") for base in type(error).__mro__)
    assert (str(error), error.job_id) == ("no", "toss")


def test_a_failure_prints_its_lines_as_lines_and_knows_its_job() -> None:
    error = exceptions.RuntimeJobFailureError("first\nsecond", job_id="toss", reason="OOMKilled", traceback="line 3")
    assert str(error) == "first\nsecond"
    assert error.message == "first\nsecond"
    assert (error.job_id, error.reason, error.traceback) == ("toss", "OOMKilled", "line 3")


def test_a_failure_survives_the_way_to_another_process() -> None:
    error = exceptions.RuntimeJobMaxTimeoutError("too long", job_id="toss", reason="MaxExecutionTimeExceeded")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is exceptions.RuntimeJobMaxTimeoutError
    assert (str(copy), copy.job_id, copy.reason) == ("too long", "toss", "MaxExecutionTimeExceeded")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        exceptions.Nothing  # noqa: B018


def test_a_missing_right_is_named_with_the_user_and_a_way_to_get_it() -> None:
    error = exceptions.from_api(errors.Forbidden(FORBIDDEN), "cannot create job 'toss'")
    assert isinstance(error, exceptions.IBMNotAuthorizedError)
    assert str(error) == (
        "cannot create job 'toss': user jane may not create runtimejobs.quantumruntime.dev in the namespace physics; "
        'ask for the verb create on it, for example by "kubectl create rolebinding NAME --clusterrole=edit --user=jane '
        '--namespace=physics"'
    )


def test_the_right_to_publish_comes_with_a_role_of_the_chart() -> None:
    error = exceptions.from_api(errors.Forbidden(FORBIDDEN_TO_PUBLISH), "cannot publish program 'coin'")
    assert str(error) == (
        "cannot publish program 'coin': user jane may not create clusterruntimeprograms.quantumruntime.dev in the "
        'whole cluster; ask for the verb create on it, for example by "kubectl create clusterrolebinding NAME '
        '--clusterrole=quantum-runtime-publish --user=jane"'
    )


def test_who_may_not_read_is_told_to_ask_for_the_role_that_reads() -> None:
    error = exceptions.from_api(errors.Forbidden(FORBIDDEN.replace("create", "watch")), "cannot follow job 'toss'")
    assert "--clusterrole=view" in str(error)


def test_a_quota_forbids_in_its_own_words() -> None:
    sentence = 'pods "x" is forbidden: exceeded quota: compute, requested: count/runtimejobs=1'
    error = exceptions.from_api(errors.Forbidden(sentence), "cannot create job 'toss'")
    assert isinstance(error, exceptions.IBMNotAuthorizedError)
    assert str(error) == f"cannot create job 'toss': {sentence}"


def test_missing_credentials_are_no_missing_right() -> None:
    error = exceptions.from_api(errors.Unauthorized("Unauthorized"), "cannot list programs")
    assert isinstance(error, exceptions.IBMNotAuthorizedError)
    assert "missing or have expired" in str(error)


def test_a_cluster_without_the_product_says_so() -> None:
    answer = errors.NotFound("the server could not find the requested resource", kind_is_missing=True)
    error = exceptions.from_api(answer, "cannot list programs", not_found=exceptions.RuntimeProgramNotFound)
    assert type(error) is exceptions.IBMApiError
    assert "helm install" in str(error)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (errors.NotFound("gone"), "RuntimeProgramNotFound"),
        (errors.Invalid("spec.inputs: not so"), "IBMInputValueError"),
        (errors.TooLarge("too large"), "IBMInputValueError"),
        (errors.Unavailable("connection refused"), "IBMApiError"),
        (errors.Conflict("changed"), "IBMApiError"),
        (errors.ConnectionSettingsError("no kubeconfig"), "IBMApiError"),
    ],
)
def test_every_other_answer_has_its_exception_and_keeps_its_sentence(answer: errors.ApiError, kind: str) -> None:
    with (
        pytest.raises(getattr(exceptions, kind), match=f"cannot read it: {answer}") as caught,
        exceptions.translated("cannot read it", not_found=exceptions.RuntimeProgramNotFound),
    ):
        raise answer
    assert caught.value.__cause__ is answer
