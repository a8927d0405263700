"""What the simulated kubelet serves to an API server, spoken to by somebody else's websocket client and by hand."""

from __future__ import annotations

import ssl
import struct
import zlib
from typing import TYPE_CHECKING

import aiohttp
import pytest
from runtime_runner import contract
from support.simulated import server, spdy
from support.simulated.certificates import Authority
from support.simulated.processes import free_ports
from support.simulated.runner import SimulatedRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Kubelet:
    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self.url, self.tls = url, tls
        self.runner = SimulatedRunner()

    def find(self, namespace: str, pod: str) -> SimulatedRunner | None:
        return self.runner if (namespace, pod) == ("team", "pod-1") else None


@pytest.fixture
async def kubelet(tmp_path: Path) -> AsyncIterator[Kubelet]:
    authority = Authority(tmp_path)
    serving, client = authority.issue("kubelet", addresses=("IP:127.0.0.1",)), authority.issue("client")
    tls = ssl.create_default_context(cafile=str(authority.pair.certificate))
    tls.load_cert_chain(client.certificate, client.key)
    (port,) = free_ports(1)
    kubelet = Kubelet(f"https://127.0.0.1:{port}", tls)
    listening = await server.serve(kubelet.find, kubelet.find, serving, str(authority.pair.certificate), port)
    yield kubelet
    listening.close()


async def test_a_websocket_carries_requests_and_events_and_says_when_the_process_has_ended(kubelet: Kubelet) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{kubelet.url}/attach/team/pod-1/runner?input=1&output=1", ssl=kubelet.tls) as stream,
    ):
        await stream.send_bytes(b"\0" + contract.encode(contract.Resume()))
        message = await stream.receive_bytes()
        while b"resumed" not in message:
            message = await stream.receive_bytes()
        assert message[:1] == b"\1"
        assert isinstance(contract.parse_event(message[1:]), contract.Resumed)
        kubelet.runner.hang_up()
        assert await stream.receive_bytes() == b"\3" + server.SUCCESS
        assert (await stream.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_long_request_arrives_whole(kubelet: Kubelet) -> None:
    line = b'{"kind": "' + b"x" * 200_000 + b'"}\n'
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{kubelet.url}/attach/team/pod-1/runner", ssl=kubelet.tls) as stream,
    ):
        await stream.send_bytes(b"\0" + line)
        message = await stream.receive_bytes()
        while b"refused" not in message:
            message = await stream.receive_bytes()
        assert len(message) > 200_000


async def test_the_log_is_the_journal(kubelet: Kubelet) -> None:
    kubelet.runner.terminate()
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{kubelet.url}/containerLogs/team/pod-1/runner", ssl=kubelet.tls) as response:
            assert (response.status, await response.read()) == (200, kubelet.runner.log())
        async with session.get(
            f"{kubelet.url}/containerLogs/team/pod-1/runner?limitBytes=7", ssl=kubelet.tls
        ) as response:
            assert await response.read() == kubelet.runner.log()[:7]


async def test_nobody_is_attached_to_a_container_that_does_not_run(kubelet: Kubelet) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{kubelet.url}/attach/team/pod-2/runner", ssl=kubelet.tls)
    assert refused.value.status == 500


def test_headers_are_packed_with_the_words_that_spdy_3_1_fixes() -> None:
    assert len(spdy.DICTIONARY) == 1423
    assert zlib.adler32(spdy.DICTIONARY) == 0xE3C6A7C2


def test_a_stream_is_accepted_carries_data_both_ways_and_pings_come_back() -> None:
    class Listener:
        heard: list[object]

        def opened(self, stream: int, headers: dict[str, str]) -> None:
            self.heard.append((stream, headers))

        def received(self, stream: int, data: bytes) -> None:
            self.heard.append((stream, data))

    listener, written = Listener(), bytearray()
    listener.heard = []
    connection = spdy.Connection(written.extend, listener)
    packer = zlib.compressobj(zdict=spdy.DICTIONARY)
    text = struct.pack(">I", 1) + b"".join(struct.pack(">I", len(w)) + w for w in (b"streamtype", b"stdin"))
    block = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
    syn = struct.pack(">IIH", 5, 0, 0) + block
    frames = struct.pack(">HHI", spdy.VERSION, spdy.SYN_STREAM, len(syn)) + syn
    frames += struct.pack(">II", 5, 3) + b"abc"
    ping = struct.pack(">HHII", spdy.VERSION, spdy.PING, 4, 77)
    for byte in frames + ping:  # however the bytes are cut
        connection.feed(bytes([byte]))
    assert listener.heard == [(5, {"streamtype": "stdin"}), (5, b"abc")]
    assert written.endswith(ping)
    answer = bytes(written[: -len(ping)])
    assert struct.unpack_from(">HH", answer) == (spdy.VERSION, spdy.SYN_REPLY)
    unpacked = zlib.decompressobj(zdict=spdy.DICTIONARY).decompress(answer[12:])
    assert unpacked == struct.pack(">I", 0)
    connection.send(5, b"out", last=True)
    assert written.endswith(struct.pack(">II", 5, 1 << 24 | 3) + b"out")


def test_what_is_no_spdy_is_refused() -> None:
    with pytest.raises(spdy.ProtocolError):
        spdy.Connection(bytearray().extend, None).feed(struct.pack(">III", 0x80020001, 4, 0))  # type: ignore[arg-type]
