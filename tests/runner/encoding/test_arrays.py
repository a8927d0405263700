"""Arrays, scalars and sparse matrices: any type, shape and order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_runner import encoding
from runtime_runner.encoding import EncodingError
from support.values import same_array, same_objects, same_sparse

np = pytest.importorskip("numpy")
sp = pytest.importorskip("scipy.sparse")
hnp = pytest.importorskip("hypothesis.extra.numpy")

pytestmark = pytest.mark.aer

DTYPES = hnp.scalar_dtypes() | hnp.byte_string_dtypes() | hnp.unicode_string_dtypes() | hnp.array_dtypes()
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
@given(DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, SHAPES)), st.sampled_from("CFAT"))
@settings(deadline=None)
def test_any_array_arrives_bit_for_bit(array: Any, order: str) -> None:
    array = array.T if order == "T" else np.array(array, order=order)
    back = encoding.from_text(encoding.to_text({"x": array}))["x"]
    assert same_array(array, back)
    assert back.flags.writeable
    assert back.flags.f_contiguous == array.flags.f_contiguous


@given(hnp.scalar_dtypes().flatmap(lambda dtype: hnp.arrays(dtype, ())))
@settings(deadline=None)
def test_any_number_of_numpy_arrives_as_the_number_it_is(array: Any) -> None:
    scalar = array[()]
    back = encoding.from_text(encoding.to_text([scalar]))[0]
    if isinstance(scalar, (np.datetime64, np.timedelta64)):
        assert same_array(scalar, back)
    else:
        assert not isinstance(back, np.generic)
        assert np.array_equal(np.asarray(back, array.dtype), array, equal_nan=array.dtype.kind in "fc")


def test_a_record_of_numpy_arrives_as_one() -> None:
    record = np.array([(1, 2.5)], dtype=[("n", "i4"), ("x", "f8", (2,))])[0]
    back = encoding.from_text(encoding.to_text(record))
    assert type(back) is np.void
    assert same_array(record, back)


@pytest.mark.parametrize(
    ("items", "shape"),
    [
        ([1, "a", None, 1j], (4,)),
        ([1, "a", None, 1j], (2, 2)),
        ([[1, 2], [3, 4]], (2,)),
        ([[1, 2], [3]], (2,)),
        ([{"x": {1}}], ()),
        ([[1]], ()),
        ([], (0, 3)),
        ([], (3, 0)),
    ],
    ids=str,
)
def test_an_array_of_objects_keeps_its_items_and_its_shape(items: list[Any], shape: tuple[int, ...]) -> None:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    array = array.reshape(shape)
    back = encoding.from_text(encoding.to_text(array))
    assert same_objects(array, back)


def test_numbers_of_numpy_are_keys_as_pythons_are() -> None:
    assert json.loads(encoding.to_text({np.int64(3): 1, np.str_("x"): 2})) == {"3": 1, "x": 2}


def test_variable_length_text_arrives_as_an_array_of_objects() -> None:
    if not hasattr(np.dtypes, "StringDType"):
        pytest.skip("NumPy 1 has no such text")
    back = encoding.from_text(encoding.to_text(np.array(["a", "bcd"], dtype=np.dtypes.StringDType())))
    assert back.tolist() == ["a", "bcd"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ma.masked_array([1, 2], mask=[0, 1]), r"result\[0\] is a masked array, whose mask would be lost"),
        (np.array([(ValueError(),)], dtype=[("x", object)]), r"result\[0\]\[0\]\[0\] is of type ValueError"),
        (np.array([(ValueError(),)], dtype=[("x", object)])[0], r"result\[0\] is a record .* Python objects"),
        (np.array([[1, json]], dtype=object), r"result\[0\]\[0\]\[1\] is of type module"),
    ],
    ids=["masked", "records of objects", "record of objects", "object"],
)
def test_what_would_be_lost_is_refused_with_its_place(value: Any, message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        encoding.to_text([value])


@given(
    hnp.arrays(st.sampled_from(["f8", "c16", "i4", "?"]), st.tuples(st.integers(1, 5), st.integers(1, 5))),
    st.sampled_from(["csr", "csc", "bsr", "coo", "dia"]),
    st.sampled_from(["matrix", "array"]),
)
@settings(deadline=None, max_examples=60)
def test_any_sparse_matrix_and_array_arrives_in_its_format(dense: Any, name: str, kind: str) -> None:
    dense[np.isnan(dense)] = 0
    value = getattr(sp, f"{name}_{kind}")(dense)
    assert same_sparse(value, encoding.from_text(encoding.to_text([value]))[0])


@pytest.mark.parametrize("name", ["lil_matrix", "lil_array"])
def test_a_sparse_format_without_a_file_form_arrives_as_csr(name: str) -> None:
    value = getattr(sp, name)([[0, 1], [2, 0]])
    assert same_sparse(value.tocsr(), encoding.from_text(encoding.to_text(value)))


def test_a_sparse_array_of_one_dimension_arrives() -> None:
    value = sp.coo_array([0, 1, 0, 2])
    assert same_sparse(value, encoding.from_text(encoding.to_text(value)))
