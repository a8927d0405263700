from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
import structlog
from aiohttp import web
from runtime_operator.kube import attach, errors, http
from support.api_server import ApiServer, fails, hangs_up

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime_operator.kube.attach import Attachment
    from runtime_operator.kube.http import HttpKube
    from support.api_server import Handler

SUCCESS = b'\x03{"metadata":{},"status":"Success"}'
NOT_FOUND = (
    b'\x03{"status":"Failure","reason":"InternalError","code":500,'
    b'"message":"Internal error occurred: unable to upgrade connection: container runner not found in pod a_team"}'
)


def container(script: Callable[[web.WebSocketResponse], Awaitable[None]]) -> Handler:
    """Do as the API server does: accept, send an empty piece of stdout, then what the script says, then close."""

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=attach.PROTOCOLS, autoping=True)
        await socket.prepare(request)
        await socket.send_bytes(b"\x01")
        await script(socket)
        await socket.close()
        return socket

    return handler


def writes(*frames: bytes) -> Handler:
    async def script(socket: web.WebSocketResponse) -> None:
        for frame in frames:
            await socket.send_bytes(frame)

    return container(script)


async def opened(kube: HttpKube) -> Attachment:
    return await kube.attach("team", "a", "runner")


async def lines(stream: Attachment) -> list[bytes]:
    return [line async for line in stream.lines()]


async def test_stdin_and_stdout_of_the_container_are_asked_for_in_both_protocols(
    api: ApiServer, kube: HttpKube
) -> None:
    api.answer(writes(SUCCESS))
    await lines(await opened(kube))
    (request,) = api.received
    assert request.path == "/api/v1/namespaces/team/pods/a/attach"
    assert request.query == {"container": "runner", "stdin": "true", "stdout": "true"}
    assert request.headers["Sec-WebSocket-Protocol"] == "v4.channel.k8s.io"


async def test_lines_are_whole_however_they_were_cut_and_end_with_the_process(api: ApiServer, kube: HttpKube) -> None:
    api.answer(writes(b"\x01one\ntw", b"\x02stderr\n", b"\x01o\nthree\nrest", SUCCESS))
    assert await lines(await opened(kube)) == [b"one", b"two", b"three"]


async def test_what_is_sent_goes_to_stdin(api: ApiServer, kube: HttpKube) -> None:
    async def echo(socket: web.WebSocketResponse) -> None:
        frame = await socket.receive_bytes()
        assert frame[:1] == b"\0"
        await socket.send_bytes(b"\x01heard " + frame[1:])
        await socket.send_bytes(SUCCESS)

    api.answer(container(echo))
    stream = await opened(kube)
    await stream.send(b"hello\n")
    assert await lines(stream) == [b"heard hello"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [(404, errors.NotFound), (400, errors.Invalid), (403, errors.Forbidden), (500, errors.Unavailable)],
)
async def test_a_refused_attach_raises_the_error_of_its_status(
    api: ApiServer, kube: HttpKube, code: int, kind: type[errors.KubeError]
) -> None:
    api.answer(fails(code))
    with pytest.raises(kind):
        await opened(kube)


async def test_an_attach_without_an_answer_is_unavailable(
    api: ApiServer, kube: HttpKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.answer(hangs_up)
    with pytest.raises(errors.Unavailable):
        await opened(kube)
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.05)

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    api.answer(silent)
    with pytest.raises(errors.Unavailable):
        await opened(kube)


async def test_a_container_that_does_not_run_is_reported_on_the_stream(api: ApiServer, kube: HttpKube) -> None:
    api.answer(writes(NOT_FOUND))
    with pytest.raises(errors.Unavailable, match="not found in pod") as caught:
        await lines(await opened(kube))
    assert caught.value.status == 500


async def test_an_error_that_is_not_json_is_reported_too(api: ApiServer, kube: HttpKube) -> None:
    api.answer(writes(b"\x03error dialing backend"))
    with pytest.raises(errors.Unavailable, match="error dialing backend"):
        await lines(await opened(kube))


async def test_a_stream_that_is_cut_is_not_a_normal_end(api: ApiServer, kube: HttpKube) -> None:
    async def cut(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x01one\n")
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    api.answer(container(cut))
    got: list[bytes] = []
    stream = await opened(kube)
    with pytest.raises(errors.Unavailable):  # noqa: PT012 - what came before the cut counts
        async for line in stream.lines():
            got.append(line)  # noqa: PERF401
    assert got == [b"one"]
    with pytest.raises(errors.Unavailable):
        await stream.send(b"too late\n")


async def test_a_stream_that_is_closed_without_success_is_not_a_normal_end(api: ApiServer, kube: HttpKube) -> None:
    api.answer(writes(b"\x01one\n"))
    with pytest.raises(errors.Unavailable):
        await lines(await opened(kube))


async def test_closing_ends_the_lines_and_refuses_more(api: ApiServer, kube: HttpKube) -> None:
    async def wait(socket: web.WebSocketResponse) -> None:
        async for _ in socket:
            pass

    api.answer(container(wait))
    stream = await opened(kube)
    reading = asyncio.create_task(lines(stream))
    await asyncio.sleep(0)
    await stream.close()
    await stream.close()
    assert await reading == []
    with pytest.raises(errors.Unavailable):
        await stream.send(b"more\n")


async def test_a_line_that_is_too_long_is_dropped_and_the_next_is_kept(api: ApiServer) -> None:
    api.answer(writes(b"\x01" + b"x" * 60, b"\x01" + b"x" * 60, b"\x01\nnext\n", SUCCESS))
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{api.url}/x", protocols=attach.PROTOCOLS) as socket,
    ):
        with structlog.testing.capture_logs() as logs:
            assert await lines(attach.WebSocketAttachment(socket, line_bytes=100)) == [b"next"]
    assert [entry["event"] for entry in logs] == ["line dropped, too long"]


async def test_a_line_of_some_megabytes_arrives(api: ApiServer, kube: HttpKube) -> None:
    line = b"x" * (6 * 1024 * 1024)
    api.answer(writes(b"\x01" + line + b"\n", SUCCESS))
    assert await lines(await opened(kube)) == [line]


async def test_a_server_that_no_longer_answers_pings_is_a_broken_stream(
    api: ApiServer, kube: HttpKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEARTBEAT_SECONDS", 0.05)

    async def deaf(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=attach.PROTOCOLS, autoping=False)
        await socket.prepare(request)
        await asyncio.Event().wait()
        return socket

    api.answer(deaf)
    async with asyncio.timeout(10):
        with pytest.raises(errors.Unavailable):
            await lines(await opened(kube))
