"""What is asked about a value and its schema, what is answered, and both as lines between a process and its child."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VIOLATIONS = 10
"""Most violations reported of one value: nobody reads more, and a long list would hide them."""

SHOWN = 3
"""Violations of a schema that are told in one message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Check this value against this schema."""

    schema: object
    """A JSON Schema as parsed JSON; anything else than an object (or a boolean) is answered with a problem."""
    text: str
    """The value as JSON text, with its tagged objects. Empty: only the schema itself is looked at."""
    what: str
    """What the value is, and how paths begin: ``inputs``, ``result``, ``interim result 3``."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a value is not as its schema says. All texts are short and printable."""

    path: str
    """The request's ``what``, then ``.name``, ``['another name']`` or ``[index]``: ``inputs.ansatz[3]``."""
    keyword: str
    """Of JSON Schema: ``type``, ``required``, ``minimum``, ..."""
    expected: str
    given: str

    @property
    def demand(self) -> str:
        """The sentence without the value, for places where other people's values have no business."""
        return f"{self.path}: expected {self.expected} ({self.keyword})"

    def __str__(self) -> str:
        return f"{self.demand}, given {self.given}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a value is as its schema says: no violations and no problem."""

    violations: tuple[Violation, ...] = ()
    """At most `VIOLATIONS`."""
    problem: str = ""
    """Why the schema could not be applied, as a sentence; the value is then neither right nor wrong."""
    too_expensive: bool = False
    """With a problem: it is that time or memory did not suffice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What one call may use, all its requests together."""

    cpu_seconds: int = 2
    """CPU time. A sane schema needs a thousandth of it; only one that looks at each of 4 MiB of numbers takes 1.2 s."""
    memory_bytes: int = 128 * 1024 * 1024
    """Address space of the child. Interpreter and library take 28 MiB, a value up to 25 times its JSON text."""
    wall_seconds: float = 30.0
    """Only reached on a machine that has no CPU time to give."""


def sentence(violations: Sequence[str]) -> str:
    """Return the first few of these as one text."""
    more = f"; and {len(violations) - SHOWN} more" if len(violations) > SHOWN else ""
    return "; ".join(violations[:SHOWN]) + more


def encode_requests(requests: Sequence[Request]) -> bytes:
    """Return the requests as one line. Requests that share a schema object send it once."""
    schemas: dict[int, tuple[int, object]] = {}
    values = []
    for request in requests:
        number, _ = schemas.setdefault(id(request.schema), (len(schemas), request.schema))
        values.append([number, request.text, request.what])
    body = {"schemas": [_text(schema) for _, schema in schemas.values()], "values": values}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def parse_requests(line: bytes) -> list[Request]:
    """Return what `encode_requests` wrote; equal schemas are one object again."""
    body = json.loads(line)
    schemas = [json.loads(text) for text in body["schemas"]]
    return [Request(schema=schemas[number], text=text, what=what) for number, text, what in body["values"]]


def encode_verdict(verdict: Verdict) -> bytes:
    """Return the verdict as one line of at most a few KiB."""
    return json.dumps(dataclasses.astuple(verdict), separators=(",", ":")).encode() + b"\n"


def parse_verdict(line: bytes) -> Verdict:
    """Return what `encode_verdict` wrote."""
    violations, problem, too_expensive = json.loads(line)
    return Verdict(tuple(Violation(*fields) for fields in violations), problem, too_expensive)


def completed(verdicts: Iterable[Verdict], asked: int, problem: str, *, too_expensive: bool) -> list[Verdict]:
    """Return a verdict for each request of a call that broke off: what has been answered stays answered."""
    answered = list(verdicts)
    missing = Verdict(problem=problem, too_expensive=too_expensive)
    return answered + [missing] * (asked - len(answered))


def _text(schema: object) -> str:
    """Return the schema as JSON; one that has no such form, as YAML allows, becomes the text why: a problem, too."""
    try:
        return json.dumps(schema, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        return json.dumps(f"something that is not JSON: {error}")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")
