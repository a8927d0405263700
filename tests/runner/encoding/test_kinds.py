"""Every type: one example there and back, values without number, and the table itself."""

from __future__ import annotations

import datetime
import decimal
import fractions
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_runner import encoding
from runtime_runner.encoding import RuntimeEncoder, kinds
from support.values import EXAMPLES

PAGE = Path(__file__).parents[3] / "docs/data.md"


def as_kubernetes_keeps_it(value: Any) -> Any:
    """Return an object as it comes back from a job's inputs: 1.0 has become 1. What it would spoil is an error here."""
    if isinstance(value, dict):
        return {key: as_kubernetes_keeps_it(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_kubernetes_keeps_it(item) for item in value]
    if isinstance(value, float):
        assert value - value == 0, "NaN and infinity are no JSON"
        return int(value) if value == int(value) and abs(value) < 1e21 else value
    assert not isinstance(value, int) or -(2**63) <= value < 2**63
    return value


@pytest.mark.aer
@pytest.mark.filterwarnings("ignore:from_dict has been deprecated")
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_value_of_every_type_arrives_in_both_directions(name: str) -> None:
    example = EXAMPLES[name]
    value = example.make()
    text = encoding.to_text({"value": value})
    assert example.same(value, encoding.from_text(text)["value"])
    inputs = as_kubernetes_keeps_it(json.loads(json.dumps({"value": value}, cls=RuntimeEncoder)))
    assert example.same(value, encoding.from_text(json.dumps(inputs))["value"])
    assert set(re.findall('"__type__": "([^"]*)"', text)) >= ({example.tag} if example.tag else set())
    if example.tag is None and "OptimizeResult" not in name and name != "dataclass":
        assert encoding.TYPE not in text


@pytest.mark.aer
@pytest.mark.filterwarnings("error")
def test_every_row_of_the_table_names_functions_that_exist() -> None:
    for kind in kinds.KINDS:
        assert callable(kinds.function(kind.write)), kind
        assert kind.by_class or callable(kinds.function(kind.of)), kind
        assert kind.tag is None or kind.tag in kinds.READERS, kind
    for reader in kinds.READERS.values():
        assert callable(kinds.function(reader)), reader


@pytest.mark.aer
def test_every_operator_on_the_list_has_one_who_makes_it() -> None:
    from runtime_runner.encoding import operators, rules

    names = {name for names in rules.OPERATORS.values() for name in names}
    assert names == set(operators._MADE_BY)


@pytest.mark.aer
def test_every_class_of_the_table_exists() -> None:
    import importlib

    for kind in kinds.KINDS:
        if kind.by_class:
            module, _, name = kind.of.rpartition(".")
            assert isinstance(getattr(importlib.import_module(module), name), type), kind


@pytest.mark.aer
def test_every_row_of_the_table_has_an_example() -> None:
    used = set()
    for example in EXAMPLES.values():
        waiting = [example.make()]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                waiting += value.values()
            elif isinstance(value, (list, tuple)):
                waiting += value
            elif (kind := kinds.find(value)) is not None:
                used.add(kind)
    rest = {kind.of for kind in set(kinds.KINDS) - used}
    assert rest == {"numpy.void", "numpy.ma.MaskedArray", "rules.is_function", "qiskit.circuit.AnnotatedOperation"}


def test_the_documentation_lists_every_example_and_every_tag() -> None:
    page = PAGE.read_text()
    rows = dict(re.findall(r"^\| ([^|]+?) +\| ([^|]+?) +\|", page, flags=re.MULTILINE))
    for name, example in EXAMPLES.items():
        assert rows.get(name) == (f"`{example.tag}`" if example.tag else "none"), name
    assert {tag.strip("`") for tag in rows.values()} >= set(kinds.READERS) - {"array"}
    assert "`array`" in page


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))
STANDARD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | st.binary()
    | st.binary().map(bytearray)
    | st.dates()
    | st.datetimes(timezones=st.none() | OFFSETS).map(lambda moment: moment.replace(fold=0))
    | st.times().map(lambda time: time.replace(fold=0))
    | st.timedeltas()
    | st.decimals(allow_nan=False).filter(lambda number: not number.is_finite() or abs(number.adjusted()) < 4000)
    | st.fractions()
    | st.uuids()
    | st.builds(range, st.integers(), st.integers(), st.integers(1)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != encoding.TYPE), inner),
    max_leaves=20,
)
HASHABLE = st.recursive(
    st.integers() | st.text() | st.binary() | st.fractions() | st.dates(),
    lambda inner: st.frozensets(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(STANDARD)
@settings(deadline=None)
def test_any_values_of_the_standard_library_arrive_as_they_were(value: Any) -> None:
    back = encoding.from_text(encoding.to_text(value))
    assert repr(back) == repr(value)


@given(st.sets(HASHABLE, max_size=4) | st.frozensets(HASHABLE, max_size=4))
@settings(deadline=None, max_examples=50)
def test_any_set_arrives_as_it_was(value: Any) -> None:
    back = encoding.from_text(encoding.to_text(value))
    assert (type(back), back) == (type(value), value)


def test_nothing_warns_when_values_are_written_and_read() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = [decimal.Decimal("NaN"), fractions.Fraction(1, 3), datetime.timedelta.max]
        assert repr(encoding.from_text(encoding.to_text(value))) == repr(value)
