"""Factories for custom backends."""

from __future__ import annotations

from typing import Any


def generic() -> Any:
    """Return a backend with a target and nothing of the earlier interface."""
    from qiskit.providers.fake_provider import GenericBackendV2

    return GenericBackendV2(5, seed=1)
