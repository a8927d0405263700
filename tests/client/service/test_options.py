from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import pytest
from quantum_runtime.exceptions import IBMInputValueError
from quantum_runtime.service.both_ways import Name
from quantum_runtime.service.options import RuntimeOptions, merged


class Named:
    name = Name("fake-lima")


class NamedByMethod:
    def name(self) -> str:
        return "ibmq_montreal"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"backend_name": "ibmq_montreal"}, "ibmq_montreal"),
        ({"backend": "aer"}, "aer"),
        ({"backend": Named()}, "fake-lima"),
        ({"backend_name": NamedByMethod()}, "ibmq_montreal"),
        ({"backend": "aer", "backend_name": "aer"}, "aer"),
        ({}, None),
    ],
)
def test_a_backend_is_given_by_either_name_and_as_text_or_object(given: dict[str, Any], expected: str | None) -> None:
    options = merged(given)
    assert options.backend == expected
    assert options.backend is None or type(options.backend) is str


def test_two_different_backends_are_refused() -> None:
    with pytest.raises(IBMInputValueError, match="backend is 'a' and backend_name is 'b'"):
        merged({"backend": "a", "backend_name": "b"})


def test_a_keyword_wins_over_options_of_either_spelling() -> None:
    assert merged({"backend": "a", "log_level": "debug"}, backend_name="b").backend == "b"
    assert merged(RuntimeOptions(log_level="debug", max_execution_time=5), log_level="error").log_level == "ERROR"
    assert merged(RuntimeOptions(max_execution_time=5), log_level="error").max_execution_time == 5


def test_empty_texts_and_none_say_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert merged({"image": "", "backend": "a"}, backend=None, image="") == RuntimeOptions(backend="a")


def test_the_order_of_positional_options_is_that_of_both_old_clients() -> None:
    with pytest.warns(UserWarning, match="runner profile"):
        options = merged(RuntimeOptions("ibmq_montreal", "runtime:1.0", "info"))
    assert (options.backend, options.image, options.log_level) == ("ibmq_montreal", "runtime:1.0", "INFO")


def test_another_data_class_with_the_same_names_will_do() -> None:
    @dataclasses.dataclass
    class Theirs:
        backend: str = "aer"
        log_level: str | None = None

    assert merged(Theirs()).backend == "aer"


@pytest.mark.parametrize(("given", "unknown"), [({"shots": 5}, "shots"), ({"transpilation": {}}, "transpilation")])
def test_an_unknown_option_is_a_type_error_that_names_it(given: dict[str, Any], unknown: str) -> None:
    with pytest.raises(TypeError, match=f"there is no option '{unknown}'"):
        merged(given)


def test_options_of_another_type_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="not str"):
        merged("aer")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image": "no-tag"}, '"image" needs to be in form of image_name:tag'),
        ({"image": "registry:5000/a:b"}, '"image" needs to be in form of image_name:tag'),
        ({"log_level": "LOUD"}, "log_level is 'LOUD', expected one of DEBUG"),
        ({"job_tags": "one"}, r"^job_tags needs to be a list of strings\.$"),
        ({"job_tags": [1]}, r"^job_tags needs to be a list of strings\.$"),
        ({"max_execution_time": 0}, "max_execution_time is 0, expected a whole number of seconds"),
        ({"max_execution_time": True}, "max_execution_time is True"),
        ({"max_execution_time": float("nan")}, "max_execution_time is nan"),
        ({"max_execution_time": "1h"}, "max_execution_time is '1h'"),
        ({"start_deadline": 1.5}, "start_deadline is 1.5"),
        ({"session_time": "2h"}, "there are no sessions here.*RunnerPool.*leave session_id"),
        ({"backend": 5}, "expected a backend or its name, got int"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(given: dict[str, Any], message: str) -> None:
    with pytest.raises(IBMInputValueError, match=message):
        merged(given)
    with pytest.raises(IBMInputValueError, match=message):
        RuntimeOptions(**given).validate()


def test_whole_numbers_may_be_floats() -> None:
    assert merged({"max_execution_time": 300.0}).max_execution_time == 300


def test_the_warning_about_an_image_points_to_the_users_line() -> None:
    with pytest.warns(UserWarning, match="'runtime:1.0' is not used") as caught:
        merged(image="runtime:1.0")
    assert caught[0].filename == __file__
