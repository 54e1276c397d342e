"""uvicorn's WebSocket protocol with the limits that it lacks: of pings, unread answers, small frames and fragments."""

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from undertone.access.limits import Rate
from undertone.local.connections import OPEN

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent

    from undertone.local.wires import BoundedConfig

UNREAD_BYTES = 262_144
FRAGMENTS = 1_000
CONTROLS_PER_MINUTE = 100
"""Pings and pongs of one WebSocket. Clients that check whether the server is there send a few."""
PARSED_BYTES = 4_096


class BoundedSocket(WebSocketsSansIOProtocol):
    """Cuts a WebSocket that makes us keep what it does not read, does not end, or does little but ping.

    One read can bring 40,000 frames, which take a second to parse. It is parsed piece by piece, and no further while a
    message waits for the application, so that other connections have their turn.
    """

    config: "BoundedConfig"
    _unparsed: bytearray
    _controls: Rate

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is on its way."""
        super().connection_made(transport)
        self._unparsed = bytearray()
        self._controls = Rate(CONTROLS_PER_MINUTE)

    def data_received(self, data: bytes) -> None:
        """Bytes came. Nothing more is read while some of them wait."""
        self._unparsed += data
        self._parse()
        if self._unparsed and not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    async def receive(self) -> "ASGIReceiveEvent":
        """Return the next message; once the application has taken all of them, more is parsed."""
        message = await super().receive()
        self._parse()
        return message

    async def send(self, message: "ASGISendEvent") -> None:
        """Send a message of the application. After its close what waits is read for the client's."""
        await super().send(message)
        if self.close_sent:
            self._parse()

    def handle_ping(self) -> None:
        """A ping is answered."""
        if self.transport.is_closing():
            return
        super().handle_ping()
        self._count_control()

    def handle_pong(self, event: Frame) -> None:
        """A pong came, asked for or not."""
        super().handle_pong(event)
        self._count_control()

    def _count_control(self) -> None:
        if self._controls.take("", self.loop.time()) or self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.transport.abort()

    def _parse(self) -> None:
        # After our close no message is queued any more, and only the client's is waited for.
        while self._unparsed and not self.transport.is_closing() and (self.queue.empty() or self.close_sent):
            piece = bytes(self._unparsed[:PARSED_BYTES])
            del self._unparsed[:PARSED_BYTES]
            super().data_received(piece)

    def handle_cont(self, event: Frame) -> None:
        """A message goes on."""
        super().handle_cont(event)
        if len(self.frames) > FRAGMENTS:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        if self.config.open_connections.release(self.transport):
            OPEN.dec()
        super().connection_lost(exc)
