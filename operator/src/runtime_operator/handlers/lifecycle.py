"""How kopf starts, logs in and stops: everything about it that is not the handling of an event.

All that is said about kopf here was read in, or measured with, version 1.45.2.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import kopf
import structlog

from runtime_operator.kube.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = structlog.get_logger(__name__)

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LOGIN_PAUSE_SECONDS = 1.0


async def connect(environ: Mapping[str, str] = os.environ, service_account: Path = SERVICE_ACCOUNT) -> Connection:
    """Return the connection by the kubeconfig in KUBECONFIG, else the pod's service account, else ~/.kube/config.

    Raises:
        kopf.LoginError: there is none of them, or its credentials are of a kind we cannot use.
    """
    if not environ.get("KUBECONFIG") and (service_account / "token").exists():
        return _in_cluster(environ, service_account)
    info = kopf.login_with_kubeconfig(settings=kopf.OperatorSettings())
    if info is None:
        raise kopf.LoginError("neither a service account nor a kubeconfig file was found")
    headers = info.as_http_headers()
    if not headers and not info.certificate_path and not info.certificate_data:
        # kopf passes over exec plugins and token files in silence, and would go on as an anonymous user.
        raise kopf.LoginError("the kubeconfig's user has no certificate, token or password (plugins are not supported)")
    return Connection(info.server, tls=info.as_ssl_context(), headers=headers, proxy=info.proxy_url)


def _in_cluster(environ: Mapping[str, str], service_account: Path) -> Connection:
    """Return the connection of a pod, by address: it does not need the cluster's DNS."""
    host = environ["KUBERNETES_SERVICE_HOST"]
    host = f"[{host}]" if ":" in host else host
    info = kopf.ConnectionInfo(
        server=f"https://{host}:{environ['KUBERNETES_SERVICE_PORT']}", ca_path=service_account / "ca.crt"
    )
    return Connection(info.server, tls=info.as_ssl_context(), token_file=service_account / "token")


def configure(settings: kopf.OperatorSettings, *, namespaces: Sequence[str] = ()) -> None:
    """Set what differs from kopf's defaults.

    Nothing has to be set for latency: events are no longer collected for 0.1 s ("Time-based event batching was
    removed"), and a handler is called 1 ms after a bare watch has the event. Nor for annotations and finalizers: kopf
    writes them only for resources that have other handlers than ``on.event``.
    """
    settings.peering.standalone = True  # our own Lease decides who works
    settings.posting.enabled = False  # we write events ourselves, few of them
    # A worker limit made start-up with 1,000 objects 27 times slower, or dead-locked it; the work is in our own queue.
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 1.0  # a task per object that changed lives on for so long
    # Without rights on the whole cluster, kopf may not look for namespaces and CRDs that come and go.
    settings.scanning.disabled = bool(namespaces)
    settings.watching.server_timeout = 290
    settings.watching.client_timeout = 300
    settings.watching.inactivity_timeout = 75  # the server sends a bookmark about every 60 s
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    # With kopf's own list of delays (54 s in all) a longer outage ends the watch with an error, and that the operator.
    settings.networking.error_backoffs = _Delays()
    settings.process.ultimate_exiting_timeout = 60
    # kopf copies every object it sees to tell later what has changed: a third of its time, for handlers we do not have.
    settings.persistence.diffbase_storage = _NoDiffs()


class _NoDiffs(kopf.DiffBaseStorage):
    """Remembers nothing of any object."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return cast(kopf.BodyEssence, {})

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class _Delays:
    """Endless delays for kopf's requests: doubling to 15 s, half of each by chance."""

    def __iter__(self) -> Iterator[float]:
        for n in itertools.count():
            longest = min(15.0, 0.5 * 2 ** min(n, 10))
            yield random.uniform(longest / 2, longest)


def register_login(registry: kopf.OperatorRegistry, connection: Connection) -> None:
    """Have kopf use this connection.

    kopf asks again whenever the API server has answered 401, after closing the session it had; it keeps no history that
    would stop it from asking for ever, so a new session is not to be had at once.
    """
    asked = False

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:
        nonlocal asked
        if asked:
            await asyncio.sleep(LOGIN_PAUSE_SECONDS)
        asked = True
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=connection.session())


async def run(
    registry: kopf.OperatorRegistry,
    connection: Connection,
    *,
    namespaces: Sequence[str] = (),
    stop: asyncio.Event,
    ready: asyncio.Event | None = None,
    liveness_endpoint: str | None = None,
) -> None:
    """Run kopf inside our own program until ``stop`` is set; return, or raise, when its tasks have ended.

    ``ready`` is set after the start-up handlers, before the first list. ``liveness_endpoint``, for example
    ``http://0.0.0.0:8080/healthz``, answers 200 with what the ``on.probe`` handlers return; a probe that is to fail
    raises `kopf.PermanentError` (after anything else kopf waits a minute and asks it again). Answers are up to 10 s
    old.

    kopf takes SIGINT and SIGTERM for itself when it starts; here they are given back, so set your own handlers after
    ``ready``. Tasks that are not kopf's survive its end.
    """
    settings = kopf.OperatorSettings()
    configure(settings, namespaces=namespaces)
    register_login(registry, connection)
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=settings,
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        liveness_endpoint=liveness_endpoint,
        stop_flag=stop,
        ready_flag=ready,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)
    await kopf.run_tasks(tasks, ignored=_Everything())


class _Everything(Collection[Any]):
    """What kopf is to leave alone at its end.

    It takes every task younger than itself for one of its own, waits 5 s for it and cancels it. Those that really are
    its own have been ended before that, by the tasks that started them.
    """

    def __contains__(self, _: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0
