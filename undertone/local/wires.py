"""uvicorn's protocols with the limits that they lack.

Every connection is counted. What a client sends is limited in time and bytes: the head of a request, its body whether
or not a route reads it, what comes after an answer, pipelined requests. ``socket_protocol`` limits WebSockets.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import get_remote_addr

from undertone.errors import Refusal
from undertone.local.connections import OPEN, REFUSED, Connections
from undertone.local.request_clock import RequestClock
from undertone.local.socket_protocol import BoundedSocket

HEAD_BYTES = 65_536
MOST_HEADERS = 200
MOST_PIPELINED = 10
_LOOK_AGAIN_S = 1.0
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Methods whose bodies no route reads."""


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings for these protocols; ``connections`` are counted for one server."""

    def __init__(self, app: ASGIApp, connections: Connections, **options: Any) -> None:
        # Compressed, 250 bytes are a message of 262,144, and one read brings hundreds of them; audio gains nothing.
        super().__init__(app, http=BoundedHeads, ws=BoundedSocket, ws_per_message_deflate=False, **options)
        self.open_connections = connections


class TimedFlow(FlowControl):
    """Measures the time in which the server reads from a connection."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(transport)
        self._loop = loop
        self._paused_s = 0.0
        self._paused_at_s = 0.0

    def now_s(self) -> float:
        """The loop's time, without that in which reading was paused."""
        return (self._paused_at_s if self.read_paused else self._loop.time()) - self._paused_s

    def pause_reading(self) -> None:
        """Take no more from the client for now."""
        if not self.read_paused:
            self._paused_at_s = self._loop.time()
        super().pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        if self.read_paused:
            self._paused_s += self._loop.time() - self._paused_at_s
        super().resume_reading()


class BoundedHeads(HttpToolsProtocol):
    """Refuses a connection beyond the limits, and closes one whose requests are late or too big.

    The handshake of a WebSocket is a request, too.
    """

    config: BoundedConfig
    flow: TimedFlow
    _clock: RequestClock
    _timer: asyncio.TimerHandle | None = None
    _unread_bytes = 0
    """Bytes since the last progress: of a head, of a trailer, or between requests."""
    _has_progress = False
    _header_bytes = 0
    _is_handed_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, or refuse it. From now on its first request is due."""
        client = get_remote_addr(transport)
        refusal = self.config.open_connections.admit(transport, client[0] if client else None)
        if refusal is not None:
            REFUSED.inc()
            self.transport = transport
            transport.write(_plain(refusal))
            transport.close()
            return
        OPEN.inc()
        super().connection_made(transport)
        self.flow = TimedFlow(transport, self.loop)
        self._clock = RequestClock(self.flow.now_s())
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a request, or of something else."""
        self._has_progress = False
        super().data_received(data)
        self._unread_bytes = 0 if self._has_progress else self._unread_bytes + len(data)
        if self._unread_bytes > HEAD_BYTES:
            self.transport.close()
        self._watch()

    def on_message_begin(self) -> None:
        """A request begins, the first or another."""
        super().on_message_begin()
        self._header_bytes = 0
        self._clock.begin_head(self.flow.now_s())

    def on_url(self, url: bytes) -> None:
        """Some of the address came. Raises ``ValueError`` for one that is too long: the answer is 400."""
        super().on_url(url)
        if len(self.url) > HEAD_BYTES:
            raise ValueError("the address is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer. Raises ``ValueError`` for too much of them: the answer is 400."""
        super().on_header(name, value)
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEAD_BYTES or len(self.headers) > MOST_HEADERS:
            raise ValueError("the headers are too long, or too many")

    def on_headers_complete(self) -> None:
        """The head is there. Raises ``ValueError`` for too many requests at once: the answer is 400."""
        self._has_progress = True
        self._clock.begin_body(self.flow.now_s())
        super().on_headers_complete()
        if len(self.pipeline) > MOST_PIPELINED:
            raise ValueError("too many requests came before their answers")

    def on_body(self, body: bytes) -> None:
        """Some of a body came; it is kept only where a route may read it."""
        self._has_progress = True
        self._clock.take_body(len(body), self.flow.now_s())
        if self.scope["method"] not in _WITHOUT_BODY:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there as a whole."""
        self._has_progress = True
        self._clock.end_request(self.flow.now_s())
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered, whether or not all of it came."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # the clock does it, also for a client that sends what begins nothing
        self._clock.end_answer(self.flow.now_s())
        self._watch()

    def handle_websocket_upgrade(self) -> None:
        """The connection becomes a WebSocket's, and is still counted."""
        self._stop_watching()
        self._is_handed_over = True
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        if self.config.open_connections.release(self.transport):
            OPEN.dec()
            self._stop_watching()
            super().connection_lost(exc)

    def _watch(self) -> None:
        """Look again when something is due. Deadlines mostly move back, which the look itself finds."""
        due_s = self._clock.due_s()
        if due_s is None or self._is_handed_over or self.transport.is_closing():
            return
        at_s = self.loop.time() + max(due_s - self.flow.now_s(), 0)
        if self._timer is not None and self._timer.when() > at_s:
            self._stop_watching()
        if self._timer is None:
            self._timer = self.loop.call_at(at_s, self._look)

    def _look(self) -> None:
        """Close the connection if what is due did not come."""
        self._timer = None
        due_s = self._clock.due_s()
        if due_s is None:
            return
        left_s = due_s - self.flow.now_s()
        if left_s <= 0:
            self.transport.close()
        else:
            self._timer = self.loop.call_later(max(left_s, _LOOK_AGAIN_S if self.flow.read_paused else 0), self._look)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _plain(refusal: Refusal) -> bytes:
    """A complete answer to a connection of which nothing was read."""
    body = json.dumps(refusal.body()).encode()
    lines = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"retry-after: {-(-(refusal.retry_after_ms or 0) // 1000)}",
        "cache-control: no-store",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
