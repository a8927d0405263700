"""The cluster that is measured: a connection, namespaces of our own, and watches as users have them."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, Any

import yaml
from runtime_operator.api import names
from runtime_operator.config import OperatorConfig, Profile
from runtime_operator.handlers import lifecycle
from runtime_operator.kube.client import CONFIG_MAPS, PODS, PROGRAMS, Object, Resource
from runtime_operator.kube.http import HttpKube

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    import aiohttp
    from runtime_operator.kube.client import Kube

SYSTEM = "quantum-runtime-system"
RELEASE = "quantum-runtime"
NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)
POLL_SECONDS = 0.1
"""Between two looks at something whose time is not measured."""


@contextlib.asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP session to the API server of KUBECONFIG."""
    connection = await lifecycle.connect()
    opened = connection.session()
    try:
        yield opened
    finally:
        await opened.close()
        await connection.close()


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[HttpKube]:
    """Open a client of the API server of KUBECONFIG."""
    async with session() as opened:
        yield HttpKube(opened)


@contextlib.asynccontextmanager
async def namespace(kube: Kube, purpose: str) -> AsyncIterator[str]:
    """Make a namespace, and have it deleted at the end, with everything in it."""
    name = f"bench-{purpose}-{uuid.uuid4().hex[:6]}"
    body = await kube.create(NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        await kube.delete(NAMESPACES, None, name, uid=body["metadata"]["uid"], propagation="Background")


async def profile(kube: Kube, name: str = "") -> Profile:
    """Return a runner profile of the installed operator; its default one if no name is given.

    Raises:
        LookupError: the chart is not installed, or has no profile of this name.
    """
    body = await kube.get(CONFIG_MAPS, SYSTEM, RELEASE)
    if body is None:
        raise LookupError(f"the chart is not installed in {SYSTEM}: run `make install VALUES=tests/bench/values.yaml`")
    config = OperatorConfig.model_validate(yaml.safe_load(body["data"]["config.yaml"]))
    wanted = name or config.default_profile
    if wanted not in config.profiles:
        there = ", ".join(config.profiles)
        raise LookupError(
            f"the operator has no profile {wanted}, only {there}: install it with tests/bench/values.yaml"
        )
    return config.profiles[wanted]


def described(kind: str, name: str, spec: dict[str, Any], *, api_version: str = names.API_VERSION) -> Object:
    """Return an object as a user writes it."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}


async def publish(kube: Kube, namespace: str, name: str, source: str, **spec: Any) -> None:
    """Create a program from its text, with a minute for its execution."""
    whole = {"maxExecutionTimeSeconds": 60, "source": {"inline": source}} | spec
    await kube.create(PROGRAMS, namespace, described("RuntimeProgram", name, whole))


async def no_pods(kube: Kube, namespace: str, *, but: Callable[[Object], bool] = lambda _: False) -> None:
    """Wait until no pod is left here, apart from such: the next run is to have the machine for itself."""
    while not all(map(but, (await kube.list(PODS, namespace))[0])):  # noqa: ASYNC110 - nothing is measured here
        await asyncio.sleep(POLL_SECONDS)


class Follower:
    """One watch of a namespace's objects of one kind. Whoever asked for a name is told what happens to it.

    Args:
        kube: Where.
        resource: Which kind.
        namespace: Whose objects.
        every: Told of every object, whatever its name and also when it goes.
    """

    def __init__(
        self, kube: Kube, resource: Resource, namespace: str, *, every: Callable[[Object], object] | None = None
    ) -> None:
        self._kube, self._resource, self._namespace, self._every = kube, resource, namespace, every
        self._waiting: dict[str, tuple[Callable[[Object], bool], asyncio.Future[None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Follower:
        _, version = await self._kube.list(self._resource, self._namespace)
        self._task = asyncio.create_task(self._follow(version))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def until(self, name: str, reached: Callable[[Object], bool]) -> asyncio.Future[None]:
        """Return a future that is done when this is true of the object of this name, or fails as the callback does."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[name] = reached, future
        return future

    async def _follow(self, version: str) -> None:
        try:
            while True:  # the server ends a watch every few minutes
                events = self._kube.watch(self._resource, self._namespace, resource_version=version)
                async for kind, body in events:
                    version = body["metadata"]["resourceVersion"]
                    if self._every is not None and kind != "BOOKMARK":
                        self._every(body)
                    if kind in ("ADDED", "MODIFIED"):
                        self._tell(body)
        except Exception as error:
            self._fail((future for _, future in self._waiting.values()), error)
            raise

    def _tell(self, body: Object) -> None:
        name = body["metadata"]["name"]
        if name not in self._waiting:
            return
        reached, future = self._waiting[name]
        try:
            done = reached(body)
        except Exception as error:
            self._fail([future], error)
            return
        if done:
            del self._waiting[name]
            if not future.done():
                future.set_result(None)

    @staticmethod
    def _fail(futures: Iterable[asyncio.Future[None]], error: Exception) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(error)
