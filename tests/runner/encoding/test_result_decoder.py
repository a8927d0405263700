"""What a user's side makes of a result's text."""

from __future__ import annotations

from typing import Any

import pytest
from runtime_runner.encoding import DecodingError, ResultDecoder, decoders


class Counting(ResultDecoder):
    """As users derive them."""

    @classmethod
    def decode(cls, data: str) -> Any:
        return {"decoded": super().decode(data)}


class OfAnInstance:
    def decode(self, data: str) -> Any:
        return len(data)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"x": {"__type__": "complex", "__value__": [0, 1]}}', {"x": 1j}),
        ("All done!", "All done!"),
        ('"All done!"', "All done!"),
        ("", ""),
        ("Traceback (most recent call last):\n...", "Traceback (most recent call last):\n..."),
    ],
)
def test_a_result_is_decoded_and_text_that_is_not_json_is_left_alone(text: str, value: Any) -> None:
    assert ResultDecoder.decode(text) == value
    assert Counting.decode(text) == {"decoded": value}


def test_what_is_tagged_and_cannot_be_read_is_an_error_and_not_text() -> None:
    with pytest.raises(DecodingError, match="complex"):
        ResultDecoder.decode('{"__type__": "complex", "__value__": "x"}')


@pytest.mark.parametrize(
    ("given", "pair"),
    [
        (None, (ResultDecoder, ResultDecoder)),
        (Counting, (Counting, Counting)),
        ((Counting, None), (Counting, ResultDecoder)),
        ([None, Counting], (ResultDecoder, Counting)),
    ],
)
def test_one_decoder_serves_both_interim_and_final_results_and_a_pair_each_its_own(given: Any, pair: Any) -> None:
    assert decoders(given) == pair


def test_an_object_may_decode_as_well_as_a_class() -> None:
    interim, final = decoders(OfAnInstance())
    assert interim.decode("abc") == final.decode("abc") == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "must have a method decode"),
        ((ResultDecoder, "x"), "which 'x' has not"),
        ((ResultDecoder,), "pair .* not 1"),
        ((ResultDecoder,) * 3, "pair .* not 3"),
    ],
)
def test_anything_else_is_refused_by_name(given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        decoders(given)
