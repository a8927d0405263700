"""Types of Python's standard library."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from typing import TYPE_CHECKING, Any

from runtime_runner.encoding.errors import DecodingError
from runtime_runner.encoding.kinds import Elements

if TYPE_CHECKING:
    import decimal
    import enum
    import fractions
    import uuid
    from collections.abc import Iterable

DECIMAL_DIGITS = 4096
"""Most digits, and largest exponent, of a decimal number or a fraction: computing with more takes time without end."""


def write_datetime(value: datetime.date) -> str:
    """Of a time zone, the offset is kept and its name is not."""
    return value.isoformat()


def read_datetime(content: Any, _: Any) -> datetime.date:
    """Return a date for a date alone, else a datetime: clients of the old service made a datetime of both."""
    if isinstance(content, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", content):
        return datetime.date.fromisoformat(content)
    return datetime.datetime.fromisoformat(content)


def write_time(value: datetime.time) -> str:
    """ISO 8601."""
    return value.isoformat()


def read_time(content: Any, _: Any) -> datetime.time:
    """From ISO 8601."""
    return datetime.time.fromisoformat(content)


def write_timedelta(value: datetime.timedelta) -> list[int]:
    """Days, seconds, microseconds."""
    return [value.days, value.seconds, value.microseconds]


def read_timedelta(content: Any, _: Any) -> datetime.timedelta:
    """From days, seconds, microseconds."""
    days, seconds, microseconds = _integers(content)
    return datetime.timedelta(days, seconds, microseconds)


def write_complex(value: complex) -> list[float]:
    """Real and imaginary part."""
    return [float(value.real), float(value.imag)]


def read_complex(content: Any, _: Any) -> complex:
    """From two numbers."""
    real, imaginary = content
    if not isinstance(real, (int, float)) or not isinstance(imaginary, (int, float)):
        raise DecodingError("its parts must be two numbers")
    return complex(real, imaginary)


def read_float(content: Any, _: Any) -> float:
    """Numbers that JSON has no form for, and any other as text: the API server makes 1 of 1.0, and not of "1.0"."""
    if not isinstance(content, str):
        raise DecodingError(f"it holds a {type(content).__name__} where text belongs")
    return float(content)


def read_int(content: Any, _: Any) -> int:
    """From decimal digits, or hexadecimal ones after ``0x``."""
    if not isinstance(content, str):
        raise DecodingError(f"it holds a {type(content).__name__} where text belongs")
    return int(content, 16 if re.match("[-+]?0x", content) else 10)


def write_set(value: Iterable[Any]) -> Elements:
    """Its items, in no order."""
    return Elements(value)


def read_set(content: Any, _: Any) -> set[Any]:
    """From its items."""
    return set(_hashable(content))


def read_frozenset(content: Any, _: Any) -> frozenset[Any]:
    """From its items."""
    return frozenset(_hashable(content))


def write_bytes(value: bytes | bytearray) -> str:
    """Base64."""
    return base64.b64encode(value).decode("ascii")


def read_bytes(content: Any, _: Any) -> bytes:
    """From base64."""
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise DecodingError(f"it is not base64: {error}") from None


def read_bytearray(content: Any, _: Any) -> bytearray:
    """From base64."""
    return bytearray(read_bytes(content, _))


def write_range(value: range) -> list[int]:
    """Start, stop, step."""
    return [value.start, value.stop, value.step]


def read_range(content: Any, _: Any) -> range:
    """From start, stop, step."""
    start, stop, step = _integers(content)
    return range(start, stop, step)


def write_text(value: object) -> str:
    """What `str` says."""
    return str(value)


def read_decimal(content: Any, _: Any) -> decimal.Decimal:
    """From its digits."""
    import decimal

    value = decimal.Decimal(content) if isinstance(content, str) else None
    if value is None or (value.is_finite() and abs(value.adjusted()) > DECIMAL_DIGITS):
        raise DecodingError(f"it must be text, with an exponent of at most {DECIMAL_DIGITS}")
    return value


def read_fraction(content: Any, _: Any) -> fractions.Fraction:
    """From numerator and denominator."""
    import fractions

    if not isinstance(content, str) or not re.fullmatch(r"-?\d+(/\d+)?", content):  # 1e999999999 is one, too
        raise DecodingError("it must be text such as '1/3'")
    return fractions.Fraction(content)


def read_uuid(content: Any, _: Any) -> uuid.UUID:
    """From its digits."""
    import uuid

    return uuid.UUID(content)


def write_enum(value: enum.Enum) -> Any:
    """Its value: what a reader without the class can use, and what json does with an IntEnum."""
    return value.value


def _integers(content: Any) -> list[int]:
    if not isinstance(content, list) or not all(type(item) is int for item in content):
        raise DecodingError("it must be a list of integers")
    return content


def _hashable(items: Any) -> list[Any]:
    """Return the items of a set with tuples for lists: lists cannot have been in it, and JSON has no tuples."""
    if not isinstance(items, list):
        raise DecodingError(f"it holds a {type(items).__name__} where a list belongs")
    return [tuple(_hashable(item)) if isinstance(item, list) else item for item in items]
