"""Server-sent events on the wire."""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from dashboards.positions import Position, write_position
from dashboards.viewers import Entry

log = logging.getLogger(__name__)


KEEP_BYTES = 4_000_000
EVENT_END = b"\n\n"


def heartbeat() -> bytes:
    """Says that the connection lives. It has no id."""
    return _block(event="heartbeat", data='{"type":"heartbeat"}')


def reset() -> bytes:
    """Says that the viewer's cursor is of no use and a fresh snapshot follows.

    Its id is empty, so that a viewer who is cut off right behind it begins anew.
    """
    return _block(event="reset", id="", data='{"type":"reset"}')


def place_only(position: Iterable[int]) -> bytes:
    """Moves the viewer's last id and is no event to it: what a quiet stream resumes from."""
    return _block(id=write_position(tuple(position)))


def event(name: str, data: str, position: Iterable[int]) -> bytes:
    """An event with its cursor; ``data`` is its JSON."""
    return _block(event=name, id=write_position(tuple(position)), data=data)


def event_begin(name: str, position: Iterable[int]) -> bytes:
    """The beginning of an event whose JSON follows in pieces, and then ``EVENT_END``."""
    return f"id: {write_position(tuple(position))}\nevent: {name}\ndata: ".encode()


class Blocks:
    """Entries on the wire: each is made once for all viewers that stand at the same position."""

    def __init__(self, keep_bytes: int = KEEP_BYTES) -> None:
        """``keep_bytes`` bounds what lies ready; those who are further behind have theirs made again."""
        self._made: OrderedDict[tuple[int, Position], bytes] = OrderedDict()
        self._bytes = 0
        self._keep_bytes = keep_bytes

    def of(self, entry: Entry, position: Position) -> bytes:
        """The entry with the cursor of ``position``."""
        key = entry.index, position
        block = self._made.get(key)
        if block is None:
            block = self._made[key] = event(entry.event.type, entry.data, position)
            self._bytes += len(block)
            while self._bytes > self._keep_bytes:
                self._bytes -= len(self._made.popitem(last=False)[1])
        return block


def _block(**fields: Any) -> bytes:
    return ServerSentEvent(**fields, sep="\n").encode()


class ViewerResponse(EventSourceResponse):
    """A stream to a viewer; one that takes nothing for the send time-out is closed, which is no error of ours."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the stream or the viewer ends."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.warning("a viewer took nothing for %s s and was closed", self.send_timeout)
