"""Fake devices by the names of their classes before and since V2; they are made when one is asked for."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from runtime_runner import backend_names, simulator


def __getattr__(name: str) -> Any:
    known = backend_names.device_classes()
    for candidate in (name, f"{name}V2", name.removesuffix("V2")):
        if candidate in known:
            return _class(candidate, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _class(real: str, name: str) -> type:
    """Return the class of qiskit-ibm-runtime, with what its instances lack of a device's earlier interface."""
    fake_provider = importlib.import_module("qiskit_ibm_runtime.fake_provider")

    base: Any = getattr(fake_provider, real)

    class Device(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            simulator.as_known(self, self.name)

    Device.__name__ = Device.__qualname__ = name
    Device.__doc__ = base.__doc__
    return Device
