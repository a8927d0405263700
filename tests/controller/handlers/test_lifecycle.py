from __future__ import annotations

import asyncio
import itertools
import ssl
from typing import TYPE_CHECKING

import kopf
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from runtime_operator.handlers import lifecycle
from runtime_operator.kube import connection as connection_module
from runtime_operator.kube.connection import Connection

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_newest_token_is_on_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def note(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({})

    monkeypatch.setattr(connection_module, "TOKEN_SECONDS", -1.0)  # every request is a minute later than the last
    token = tmp_path / "token"
    app = web.Application()
    app.router.add_get("/x", note)
    async with TestServer(app) as server:
        connection = Connection(str(server.make_url("")), token_file=token)
        async with connection.session() as session:
            for text in ("first\n", "second\n"):
                token.write_text(text)
                await session.get("x")
        await connection.close()
    assert seen == ["Bearer first", "Bearer second"]


async def test_closing_one_session_leaves_the_others_open() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/x", answer)
    async with TestServer(app) as server:
        connection = Connection(str(server.make_url("")))
        kopfs, ours = connection.session(), connection.session()
        await kopfs.close()
        async with ours.get("x") as response:
            assert response.status == 200
        await ours.close()
        await connection.close()


async def test_a_pod_connects_by_address_with_its_service_account(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    authority = ssl.get_default_verify_paths().openssl_cafile
    (tmp_path / "ca.crt").symlink_to(authority)
    connection = await lifecycle.connect(
        {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path
    )
    assert connection.server == "https://[fd00::1]:443"
    await connection.close()


@pytest.mark.parametrize(
    "user", [{"exec": {"command": "cloud-login"}}, {"tokenFile": "/token"}, {}], ids=["plugin", "token file", "nobody"]
)
async def test_a_kubeconfig_whose_credentials_cannot_be_used_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: dict[str, object]
) -> None:
    path = tmp_path / "config"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(kopf.LoginError):
        await lifecycle.connect({"KUBECONFIG": str(path)}, tmp_path)


def test_kopf_neither_peers_nor_posts_nor_limits_workers_nor_gives_up() -> None:
    settings = kopf.OperatorSettings()
    lifecycle.configure(settings)
    assert settings.peering.standalone
    assert not settings.posting.enabled
    assert settings.queueing.worker_limit is None
    assert settings.watching.inactivity_timeout <= 75
    delays = settings.networking.error_backoffs
    assert not isinstance(delays, float)
    for _ in range(2):  # every request begins with the shortest
        first = list(itertools.islice(delays, 100))
        assert 0.25 <= first[0] <= 0.5
        assert all(7.5 <= delay <= 15 for delay in first[10:])


@pytest.mark.parametrize(("namespaces", "disabled"), [((), False), (("team",), True)])
def test_the_cluster_is_only_scanned_with_rights_on_the_whole_cluster(
    namespaces: tuple[str, ...], disabled: bool
) -> None:
    settings = kopf.OperatorSettings()
    lifecycle.configure(settings, namespaces=namespaces)
    assert settings.scanning.disabled is disabled


async def test_kopf_runs_inside_our_program_logs_in_again_and_stops_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LOGIN_PAUSE_SECONDS", 0)
    asked: list[str] = []
    unauthorized = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if len(asked) > 5:
            unauthorized.set()
        return web.json_response({"kind": "Status", "code": 401, "reason": "Unauthorized"}, status=401)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        connection = Connection(str(server.make_url("")))
        ready, stop = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(lifecycle.run(kopf.OperatorRegistry(), connection, ready=ready, stop=stop))
        async with asyncio.timeout(20):
            await ready.wait()
            await unauthorized.wait()
            stop.set()
            await running
        await connection.close()
