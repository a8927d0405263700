from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
from quantum_runtime.cluster.api import JOBS
from quantum_runtime.service.aio_job import AsyncRuntimeJob
from quantum_runtime.service.job import RuntimeJob
from quantum_runtime.service.portal import Portal
from support.fake_api import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_runtime.cluster.api import Object


class Submit(Protocol):
    """Makes a job in the cluster, and returns what a client has of it."""

    def __call__(self, name: str = "toss", *, result_decoder: Any = None, **spec: Any) -> AsyncRuntimeJob: ...


class SubmitSync(Protocol):
    """Makes a job in the cluster, and returns what a notebook has of it."""

    def __call__(
        self,
        name: str = "toss",
        *,
        result_decoder: Any = None,
        backend_of: Callable[[str], Any] | None = None,
        **spec: Any,
    ) -> RuntimeJob: ...


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def submit(api: FakeApi) -> Submit:
    def submit(name: str = "toss", *, result_decoder: Any = None, **spec: Any) -> AsyncRuntimeJob:
        body = api.put(JOBS, _body(name, spec))
        return AsyncRuntimeJob(api, body, result_decoder=result_decoder)

    return submit


@pytest.fixture
def submit_sync(submit: Submit) -> SubmitSync:
    def submit_sync(
        name: str = "toss",
        *,
        result_decoder: Any = None,
        backend_of: Callable[[str], Any] | None = None,
        **spec: Any,
    ) -> RuntimeJob:
        return RuntimeJob(submit(name, result_decoder=result_decoder, **spec), Portal(), backend_of=backend_of)

    return submit_sync


def _body(name: str, spec: dict[str, Any]) -> Object:
    return {"metadata": {"name": name}, "spec": {"programRef": {"name": "coin"}, **spec}}
