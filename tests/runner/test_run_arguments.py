"""The arguments of ``backend.run``, as programs give them."""

from __future__ import annotations

from typing import Any

import pytest
from runtime_runner import run_arguments

KNOWN = {"shots", "memory", "seed_simulator", "noise_model"}


class Circuit:
    """What is looked at of a circuit."""

    num_qubits = 1

    def __init__(self, bound: Any = None) -> None:
        self.bound = bound

    def assign_parameters(self, bind: Any) -> Circuit:
        return Circuit(bind)


CIRCUIT = Circuit()


def prepare(circuits: Any = CIRCUIT, binds: Any = None, **options: Any) -> tuple[list[Any], Any, dict[str, Any], Any]:
    return run_arguments.prepare(circuits, binds, options, known=KNOWN)


@pytest.mark.parametrize("circuits", [CIRCUIT, [CIRCUIT], (CIRCUIT,), iter([CIRCUIT])])
def test_one_circuit_or_several_make_a_list(circuits: Any) -> None:
    assert prepare(circuits)[0] == [CIRCUIT]


def test_the_earlier_name_of_circuits_is_taken() -> None:
    assert prepare(None, qobj=CIRCUIT)[0] == [CIRCUIT]


def test_no_circuit_is_told() -> None:
    with pytest.raises(TypeError, match=r"run\(\) needs a circuit"):
        prepare(None)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({"shots": 8192.0}, {"shots": 8192}),
        ({"shots": None, "seed_simulator": None}, {}),
        ({"shots": 1, "memory": True, "seed_simulator": 5.0}, {"shots": 1, "memory": True, "seed_simulator": 5}),
    ],
)
def test_whole_numbers_may_be_floats_and_none_is_the_default(given: dict[str, Any], options: dict[str, Any]) -> None:
    assert prepare(**given)[2:] == (options, [])


def test_shots_that_are_not_whole_are_told() -> None:
    with pytest.raises(ValueError, match=r"shots must be a whole number, not 10\.5"):
        prepare(shots=10.5)


def test_what_has_no_effect_is_left_out_and_told() -> None:
    _, _, options, unknown = prepare(shots=1, rep_delay=1, init_qubits=True, timeout=5, job_name="x")
    assert options == {"shots": 1}
    assert unknown == ["rep_delay", "init_qubits"]


def test_options_of_an_assembled_object_are_overruled_by_those_of_the_run() -> None:
    class Assembled(list[Any]):
        run_options = {"shots": 5, "memory": True}  # noqa: RUF012 - what the layer sets on its instances

    assert prepare(Assembled([CIRCUIT]), shots=7)[2] == {"shots": 7, "memory": True}


def test_binds_of_single_values_are_bound_to_every_circuit() -> None:
    circuits, binds, *_ = prepare([CIRCUIT, CIRCUIT], [{"t": 1}, {"t": 2.5}])
    assert [circuit.bound for circuit in circuits] == [{"t": 1}, {"t": 2.5}, {"t": 1}, {"t": 2.5}]
    assert binds is None


def test_binds_of_lists_are_left_to_aer() -> None:
    binds = [{"t": [1, 2]}]
    assert prepare(CIRCUIT, binds)[:2] == ([CIRCUIT], binds)
