"""uvicorn's protocols with the bounds that they lack.

One byte a minute holds a connection for ever, and headers without end fill the memory: the head of a request is bounded
in time and bytes. So do a WebSocket's pings to which nobody reads the answers, and fragments of nothing without end.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

HEAD_WITHIN_S = 15.0
HEAD_BYTES = 65_536
UNREAD_BYTES = 262_144
FRAGMENTS = 1_000


class BoundedHeads(HttpToolsProtocol):
    """Closes a connection whose head is late or too big. The handshake of a WebSocket is one, too."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes: int | None = 0
    """None while a body or an answer is under way."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there: time runs."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_WITHIN_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a head, or of something else."""
        super().data_received(data)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins, the first or another."""
        super().on_message_begin()
        self._head_bytes = 0
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._end_head()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._end_head()
        super().connection_lost(exc)

    def _end_head(self) -> None:
        self._head_bytes = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class BoundedSocket(WebSocketsSansIOProtocol):
    """Cuts a WebSocket that makes us keep what it does not read, or does not end."""

    def handle_ping(self) -> None:
        """A ping is answered."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        """A message goes on."""
        super().handle_cont(event)
        if len(self.frames) > FRAGMENTS:
            self.transport.abort()
