"""A connection that is as bad as a test wants: bytes pass through a proxy on this machine, or do not."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

READ_BYTES = 64 * 1024


class UnreliableProxy:
    """Listens on a port of its own and passes on what comes, TLS and all, until it is told otherwise.

    It lives on an event loop of its own, in a thread, so that tests of synchronous classes can use it, too.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self.connections = 0
        """How many there have been."""
        self._target = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="unreliable proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break every connection."""
        self._do(self._cut())

    @contextlib.contextmanager
    def cutting(self, every: float) -> Iterator[None]:
        """Break every connection, again and again, with so many seconds in between."""

        async def cut_again_and_again() -> None:
            while True:
                await asyncio.sleep(every)
                await self._cut()

        task = asyncio.run_coroutine_threadsafe(cut_again_and_again(), self._loop)
        try:
            yield
        finally:
            task.cancel()

    def refuse(self, seconds: float) -> None:
        """Break every connection, and refuse new ones for so long; returns at once."""

        async def listen_again() -> None:
            await asyncio.sleep(seconds)
            await self._listen()

        self._do(self._refuse())
        asyncio.run_coroutine_threadsafe(listen_again(), self._loop)

    def fall_silent(self) -> None:
        """Pass on nothing more on the connections there are, and leave them open; new ones are good."""
        self._do(self._fall_silent())

    def _do(self, coro: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coro, self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for connection in self._open:
            connection.cut()

    async def _fall_silent(self) -> None:
        for connection in self._open:
            connection.speaks.clear()

    async def _end(self) -> None:
        await self._refuse()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = _Connection(writer)
        self._open.add(connection)
        try:
            onward_reader, onward_writer = await asyncio.open_connection(*self._target)
            connection.writers.append(onward_writer)
            ways = ((reader, onward_writer), (onward_reader, writer))
            await asyncio.gather(*(connection.pass_on(*way) for way in ways))
        except OSError:
            pass
        finally:
            connection.cut()
            self._open.discard(connection)


class _Connection:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writers = [writer]
        self.speaks = asyncio.Event()
        self.speaks.set()

    def cut(self) -> None:
        """Break it off, without a word of farewell."""
        self.speaks.set()
        for writer in self.writers:
            writer.transport.abort()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes from one side, until that ends or the other one breaks."""
        while data := await reader.read(READ_BYTES):
            await self.speaks.wait()
            writer.write(data)
            await writer.drain()
        await self.speaks.wait()
        writer.close()


@contextlib.contextmanager
def proxied(kubeconfig: Path, folder: Path) -> Iterator[tuple[UnreliableProxy, Path]]:
    """Yield a proxy for the API server of a kubeconfig with one cluster, and a kubeconfig that goes through it."""
    document = yaml.safe_load(kubeconfig.read_text())
    (entry,) = document["clusters"]
    server = urlsplit(entry["cluster"]["server"])
    assert server.hostname is not None
    with UnreliableProxy(server.hostname, server.port or 443) as proxy:
        entry["cluster"] |= {"server": f"https://127.0.0.1:{proxy.port}", "tls-server-name": server.hostname}
        path = folder / "proxied.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(document))
        yield proxy, path
