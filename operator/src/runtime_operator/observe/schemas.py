"""A program's JSON Schemas as decisions know them, and what applying them has found. None is applied here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime_operator.api.v1alpha1 import ValidateResults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_runner.schema.verdicts import Verdict

    from runtime_operator.api.v1alpha1 import ProgramSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultSchemas:
    """What results are checked with: by this version of the program, whatever becomes of it while the job runs."""

    digest: str
    return_values: Mapping[str, Any]
    interim_results: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Schemas:
    """The schemas of one version of a program. A digest is empty where there is nothing to check."""

    size: int = 0
    """All of them together, in bytes of JSON."""
    digest: str = ""
    inputs_digest: str = ""
    results: ResultSchemas | None = None
    """None also if the program wants results to be ignored."""

    @classmethod
    def of(cls, spec: ProgramSpec | None) -> Schemas:
        """Return the schemas of this program."""
        if spec is None or not spec.schemas:
            return cls()
        texts = {name: json.dumps(schema, sort_keys=True) for name, schema in spec.schemas.items()}
        of_results = [texts.get("returnValues", ""), texts.get("interimResults", "")]
        checked = any(of_results) and spec.validate_results is not ValidateResults.IGNORE
        return cls(
            size=sum(len(text.encode()) for text in texts.values()),
            digest=_digest(*texts, *texts.values()),
            inputs_digest=_digest(texts["parameters"]) if "parameters" in texts else "",
            results=ResultSchemas(
                digest=_digest(*of_results), return_values=spec.return_values, interim_results=spec.interim_results
            )
            if checked
            else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The verdicts on one set of values."""

    of: str
    """Digest of the schemas they were checked with."""
    verdicts: tuple[Verdict, ...]
    failed: bool = False
    """They could not be checked, and neither schemas nor values are to blame."""


def _digest(*texts: str) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(texts).encode()).hexdigest()}"
