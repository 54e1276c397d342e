"""Thousands of WebSocket frames in one read: a real server and an application that takes its time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from tests.waiting import until
from undertone.local import socket_protocol
from undertone.local.connections import Connections
from undertone.local.wires import BoundedConfig

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PING, PONG = b"\x89\x80" + bytes(4), b"\x8a\x00"
MESSAGE = b"\x82\x81" + bytes(4) + b"x"
WITHIN_S = 20.0


@asynccontextmanager
async def connected(taken: list[bytes]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket as bare bytes, to an application that notes the messages it takes."""

    async def app(
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            taken.append(message["bytes"])
            await asyncio.sleep(0)

    config = BoundedConfig(app, Connections(100), port=0, log_config=None, lifespan="off")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started, WITHIN_S, "the server listens")
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await serving


async def test_a_flood_of_pings_is_cut_off() -> None:
    async with connected([]) as (reader, writer), asyncio.timeout(WITHIN_S):
        writer.write(PING * 20_000)
        answered = b""
        with suppress(ConnectionResetError):
            while data := await reader.read(65_536):
                answered += data
        assert set(answered[::2]) == {PONG[0]}
        piece = socket_protocol.PARSED_BYTES // len(PING)  # its pings are answered together
        assert len(answered) // len(PONG) <= socket_protocol.CONTROLS_PER_MINUTE + piece


async def test_the_messages_of_a_piece_wait_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[int] = []
    parse = WebSocketsSansIOProtocol.handle_events

    def noting(protocol: WebSocketsSansIOProtocol) -> None:
        parse(protocol)
        waiting.append(protocol.queue.qsize())

    monkeypatch.setattr(WebSocketsSansIOProtocol, "handle_events", noting)
    taken: list[bytes] = []
    async with connected(taken) as (_, writer), asyncio.timeout(WITHIN_S):
        writer.write(MESSAGE * 5000)
        await until(lambda: len(taken) == 5000, WITHIN_S, "all messages are taken")
    assert max(waiting) <= socket_protocol.PARSED_BYTES // len(MESSAGE) + 1
