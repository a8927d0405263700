from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quantum_runtime import patches

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
keys = st.sampled_from(["a", "b", "a/b", "~", "~1", ""]) | st.text(max_size=3)
values = st.recursive(scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3))
documents = st.dictionaries(keys, values, max_size=4)


def same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(documents, documents)
def test_the_difference_of_two_documents_turns_one_into_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    kept = json.dumps(old)
    assert same(patches.apply(old, patches.difference(old, new)), new)
    assert json.dumps(old) == kept


@given(documents)
def test_a_document_differs_from_itself_in_nothing(document: dict[str, Any]) -> None:
    assert patches.difference(document, document) == []


def test_numbers_that_python_calls_equal_differ() -> None:
    assert patches.difference({"a": 1, "b": True}, {"a": 1.0, "b": 1}) == [
        {"op": "add", "path": "/a", "value": 1.0},
        {"op": "add", "path": "/b", "value": 1},
    ]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "move", "path": "/a"},
        {"op": "remove", "path": "/missing"},
        {"op": "add", "path": "/missing/b", "value": 1},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "add", "path": "", "value": 1},
        {"op": "add", "path": 3, "value": 1},
        {"op": "add", "path": "/a"},
        "remove",
    ],
)
def test_an_operation_that_does_not_fit_is_refused(operation: Any) -> None:
    with pytest.raises(ValueError, match="does not fit the document"):
        patches.apply({"a": 1}, [operation])
