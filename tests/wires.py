"""Wires that a test can cut, freeze and slow down."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class _Wire:
    """One connection from end to end."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = writers
        self.is_frozen = False

    def cut(self) -> None:
        """Both ends see a reset."""
        for writer in self.writers:
            writer.transport.abort()


class Wires:
    """Every connection that leads over one port of ours, to each of some servers in turn."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._there = itertools.cycle(ports)
        self._servers = len(ports)
        self._wires: set[_Wire] = set()
        self._left_bytes: int | None = None
        self.port = 0
        self.delay_s = 0.0
        self.is_down = False
        self.passed = 0
        """How many connections were let through."""

    def lead_to(self, port: int) -> None:
        """New connections go to another port from now on."""
        self._there = itertools.cycle([port])

    def cut(self) -> None:
        """Cut those that there are."""
        for wire in self._wires:
            wire.cut()

    def take_down(self) -> None:
        """Cut them all, and let no new one through while ``is_down``."""
        self.is_down = True
        self.cut()

    def cut_after(self, passed_bytes: int) -> None:
        """Cut all of them once so many more bytes have passed, wherever in a frame or an answer that is."""
        self._left_bytes = passed_bytes

    def freeze(self) -> None:
        """Those that there are carry nothing any more, without a word; new ones do."""
        for wire in self._wires:
            wire.is_frozen = True

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.is_down:
            writer.transport.abort()
            return
        there = await self._reach()
        if there is None:
            writer.transport.abort()
            return
        there_reader, there_writer = there
        self.passed += 1
        wire = _Wire(writer, there_writer)
        self._wires.add(wire)
        try:
            await asyncio.gather(
                self._pump(wire, reader, there_writer),
                self._pump(wire, there_reader, writer),
            )
        finally:
            wire.cut()
            self._wires.discard(wire)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The next server that takes a connection, as a proxy chooses it."""
        for port in itertools.islice(self._there, self._servers):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _pump(self, wire: _Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if wire.is_frozen:
                    continue
                if self._left_bytes is not None and len(data) >= self._left_bytes:
                    writer.write(data[: self._left_bytes])
                    await writer.drain()
                    self._left_bytes = None
                    self.cut()
                    return
                if self._left_bytes is not None:
                    self._left_bytes -= len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def open_wires(*ports: int, at: int = 0) -> AsyncIterator[Wires]:
    """Wires from ``at`` (0 is any free port) to the servers at these ports of this machine; at the end all are cut."""
    wires = Wires(ports)
    server = await asyncio.start_server(wires.forward, "127.0.0.1", at)
    async with server:
        wires.port = server.sockets[0].getsockname()[1]
        yield wires
        wires.cut()


@asynccontextmanager
async def cuttable(url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """Another address of the server at ``url``, and what cuts every wire that leads there over it."""
    async with open_wires(urlsplit(url).port or 80) as wires:
        yield f"http://127.0.0.1:{wires.port}", wires.cut
