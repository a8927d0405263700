"""From a RuntimeBackend's spec to the object a program gets as ``backend``.

Everything runs on Aer: fake and generic devices bring their coupling map, basis gates and noise. Qiskit is imported
only when a backend that needs it is built. Factories are named by the platform team in a cluster-scoped RuntimeBackend,
never by a job, which is why importing them by name is in order here.
"""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

from runtime_runner import failures, simulator
from runtime_runner.contract import FailureReason
from runtime_runner.failures import JobError

_OWN_AER_OPTIONS = ("noiseModelFrom", "options")
_GENERIC_OPTIONS = {
    "numQubits": "num_qubits",
    "basisGates": "basis_gates",
    "couplingMap": "coupling_map",
    "controlFlow": "control_flow",
    "noiseInfo": "noise_info",
    "seed": "seed",
}


def check_size(backend: Any, name: str, needed: int) -> None:
    """Make sure that a backend has the qubits a program needs.

    Raises:
        JobError: it has fewer (BackendTooSmall); the message has both numbers.
    """
    if needed < 1:
        return  # the number is the target's, which may not have been made yet
    number = getattr(backend, "num_qubits", None)
    if isinstance(number, int) and number < needed:
        raise JobError(
            FailureReason.BACKEND_TOO_SMALL,
            f"the program needs a backend of at least {needed} qubits, and {name!r} has {number}",
        )


def build_ahead(spec: dict[str, Any]) -> None:
    """Build a backend and its target for the first `build` of the same spec; until then nobody uses it.

    Raises:
        JobError: as `build`.
    """
    backend = build("", spec)
    backend.target.build_coupling_map()  # and what else the target keeps once it has been asked for
    backend.target.durations()
    _built_ahead[_key(spec)] = backend


def build(name: str, spec: dict[str, Any]) -> Any:
    """Return the backend the spec describes, under this name; nobody else has it.

    Raises:
        JobError: it cannot be built here (InvalidBackend); the message says what is wrong or missing.
    """
    backend = _built_ahead.pop(_key(spec), None) if _built_ahead else None
    return simulator.as_known(_build(name, spec) if backend is None else backend, name)


_built_ahead: dict[str, Any] = {}


def _key(spec: dict[str, Any]) -> str:
    return json.dumps(spec, sort_keys=True)


def _build(name: str, spec: dict[str, Any]) -> Any:
    kinds = [kind for kind in _BUILDERS if isinstance(spec.get(kind), dict)]
    if len(kinds) != 1 or len(spec) != 1:
        raise _invalid(name, f"its spec needs exactly one of {', '.join(_BUILDERS)}, and has {_listed(spec)}")
    try:
        return _BUILDERS[kinds[0]](spec[kinds[0]])
    except JobError:
        raise
    except ModuleNotFoundError as error:
        raise _invalid(name, f"this runner image has no {error.name}") from None
    except Exception as error:
        raise _invalid(name, f"{type(error).__name__}: {error}") from None


def _aer(spec: dict[str, Any]) -> Any:
    options = {_snake(key): value for key, value in spec.items() if key not in _OWN_AER_OPTIONS}
    options |= {_snake(key): value for key, value in spec.get("options", {}).items()}
    if device := spec.get("noiseModelFrom"):
        from qiskit_aer.noise import NoiseModel

        options["noise_model"] = NoiseModel.from_backend(_device(device))
    return simulator.simulator_class()(**options)


def _fake(spec: dict[str, Any]) -> Any:
    device = _device(spec.get("name"))
    backend = simulator.simulator_class().from_backend(device)
    backend.device = device
    return backend


def _generic(spec: dict[str, Any]) -> Any:
    from qiskit.providers.fake_provider import GenericBackendV2

    if unknown := sorted(spec.keys() - _GENERIC_OPTIONS):
        raise ValueError(f"generic has no field {unknown[0]!r}")
    return simulator.simulator_class().from_backend(
        GenericBackendV2(**{_GENERIC_OPTIONS[key]: value for key, value in spec.items()})
    )


def _custom(spec: dict[str, Any]) -> Any:
    factory = spec.get("factory")
    module, _, function = factory.partition(":") if isinstance(factory, str) else ("", "", "")
    if not module or not function:
        raise ValueError(f"factory must read module:function, not {factory!r}")
    return getattr(importlib.import_module(module), function)()


_BUILDERS = {"aer": _aer, "fake": _fake, "generic": _generic, "custom": _custom}


def _device(name: Any) -> Any:
    """Return the model of a device that once existed, by the name of its class, for example FakeMontrealV2."""
    fake_provider = importlib.import_module("qiskit_ibm_runtime.fake_provider")

    cls = getattr(fake_provider, name, None) if isinstance(name, str) and re.fullmatch(r"Fake\w+", name) else None
    if not isinstance(cls, type) or "Provider" in name:
        raise ValueError(f"there is no fake device {name!r}; names read like FakeMontrealV2")
    return cls()


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", key)


def _listed(spec: dict[str, Any]) -> str:
    return ", ".join(sorted(spec)) or "none"


def _invalid(name: str, problem: str) -> JobError:
    message = failures.cut(f"backend {name!r} cannot be built: {problem}", failures.MESSAGE_BYTES)
    return JobError(FailureReason.INVALID_BACKEND, message)
