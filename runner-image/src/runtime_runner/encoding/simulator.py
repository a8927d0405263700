"""What simulators take and give: results of runs, noise models."""

from __future__ import annotations

from typing import Any

from runtime_runner.encoding.errors import DecodingError
from runtime_runner.encoding.kinds import Fields


def write_result(value: Any) -> Fields:
    """All but what was not given: Qiskit 1.4 has a bare object() in its place."""
    return Fields((key, item) for key, item in value.to_dict().items() if type(item) is not object)


def read_result(content: Any, _: Any) -> Any:
    """From its dictionary."""
    from qiskit.result import Result

    return Result.from_dict(_dictionary(content))


def write_noise_model(value: Any) -> Fields:
    """Its dictionary."""
    return Fields(value.to_dict())


def read_noise_model(content: Any, _: Any) -> Any:
    """From its dictionary."""
    from qiskit_aer.noise import NoiseModel

    return NoiseModel.from_dict(_dictionary(content))


def _dictionary(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise DecodingError(f"it holds a {type(content).__name__} where an object belongs")
    return content
